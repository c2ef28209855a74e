// SPDX-License-Identifier: Apache-2.0
#include "model/detail/activation_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string>

namespace yoloq::model::detail {

namespace {

constexpr float kDefaultSlope = 0.01f;  // PyTorch's nn.LeakyReLU.

struct NamedActivation {
  std::string_view name;
  Activation::Kind kind;
};

constexpr NamedActivation kNamedActivations[] = {
    {"SiLU", Activation::Kind::silu},
    {"Hardswish", Activation::Kind::hardswish},
    {"LeakyReLU", Activation::Kind::leaky_relu},
    {"ReLU", Activation::Kind::relu},
    {"Identity", Activation::Kind::identity},
};

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Sets what "negative_slope=0.1", "0.1" or "inplace=True" says; false if it is none of those.
bool apply(std::string_view part, Activation& activation) {
  if (part == "inplace=True" || part == "inplace=False") return true;
  if (activation.kind != Activation::Kind::leaky_relu) return false;
  drop_prefix(part, "negative_slope=");
  const std::string number(part);
  const char* const end = number.data() + number.size();
  const auto [stop, code] = std::from_chars(number.data(), end, activation.slope);
  return code == std::errc{} && stop == end && std::isfinite(activation.slope);
}

}  // namespace

std::optional<Activation> activation_in(std::string_view given) {
  std::string text(given);
  std::erase(text, ' ');
  std::string_view rest = text;
  drop_prefix(rest, "torch.");
  if (!drop_prefix(rest, "nn.")) return std::nullopt;

  const std::size_t open = rest.find('(');
  if (open == std::string_view::npos || !rest.ends_with(')')) return std::nullopt;
  const auto* const row =
      std::ranges::find(kNamedActivations, rest.substr(0, open), &NamedActivation::name);
  if (row == std::end(kNamedActivations)) return std::nullopt;

  Activation result{.kind = row->kind};
  if (result.kind == Activation::Kind::leaky_relu) result.slope = kDefaultSlope;
  std::string_view inside = rest.substr(open + 1, rest.size() - open - 2);
  while (!inside.empty()) {
    const std::size_t comma = std::min(inside.find(','), inside.size());
    if (!apply(inside.substr(0, comma), result)) return std::nullopt;
    inside.remove_prefix(std::min(comma + 1, inside.size()));
  }
  return result;
}

}  // namespace yoloq::model::detail
