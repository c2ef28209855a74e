// SPDX-License-Identifier: Apache-2.0
#include "model/detail/make_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "model/detail/activation_text.h"
#include "model/detail/recipe.h"

namespace yoloq::model::detail {

namespace {

constexpr int kChannelStep = 8;  ///< Channels are rounded up to a multiple.

/// `act` of a Conv: True is the model's, False none, a text its own.
void set_activation(const Recipe& recipe, std::size_t index, Conv& conv) {
  const ModuleArguments& arguments = recipe.arguments;
  if (!arguments.is_text(index)) {
    if (!arguments.flag(index, "act", true)) conv.act = {};
    return;
  }
  const std::string text = arguments.text(index, "act", "");
  const auto activation = activation_in(text);
  if (!activation) {
    arguments.row().place.reject(ErrorCode::unsupported,
                                 "the activation '{}' is not known; known: {}", text,
                                 kKnownActivations);
  }
  conv.act = *activation;
}

/// `d` stands before `act` since v7.0 (in DWConv since v6.2); before, `act` stood in its place.
void read_dilation_and_activation(const Recipe& recipe, std::size_t index, ConvShape& shape,
                                  std::size_t& act) {
  act = index;
  if (index < recipe.arguments.count() && !recipe.arguments.is_flag(index) &&
      !recipe.arguments.is_text(index)) {
    shape.dilation = recipe.arguments.integer(index, "d");
    act = index + 1;
  }
  recipe.arguments.expect_at_most(act + 1);
}

Conv make_conv_from(const Recipe& recipe, std::int64_t in) {
  const ModuleArguments& arguments = recipe.arguments;
  ConvShape shape{.kernel = arguments.pair(1, "k").value_or(Pair{1, 1}),
                  .stride = arguments.pair(2, "s").value_or(Pair{1, 1}),
                  .padding = arguments.pair(3, "p"),
                  .groups = arguments.integer(4, "g", 1)};
  std::size_t act = 0;
  read_dilation_and_activation(recipe, 5, shape, act);
  Conv conv = recipe.blocks->conv(in, recipe.out, shape);
  set_activation(recipe, act, conv);
  return conv;
}

Module make_conv(const Recipe& recipe) { return {make_conv_from(recipe, recipe.in)}; }

Module make_focus(const Recipe& recipe) { return {Focus{make_conv_from(recipe, 4 * recipe.in)}}; }

Module make_dw_conv(const Recipe& recipe) {
  ConvShape shape{.kernel = recipe.arguments.pair(1, "k").value_or(Pair{1, 1}),
                  .stride = recipe.arguments.pair(2, "s").value_or(Pair{1, 1}),
                  .groups = std::gcd(recipe.in, recipe.out)};
  std::size_t act = 0;
  read_dilation_and_activation(recipe, 3, shape, act);
  Conv conv = recipe.blocks->conv(recipe.in, recipe.out, shape);
  set_activation(recipe, act, conv);
  return {std::move(conv)};
}

/// (shortcut, g, e), which end the arguments of Bottleneck and its kin.
Inner inner_of(const Recipe& recipe) {
  recipe.arguments.expect_at_most(4);
  return {.shortcut = recipe.arguments.flag(1, "shortcut", true),
          .groups = recipe.arguments.integer(2, "g", 1),
          .expansion = recipe.arguments.real(3, "e", 0.5),
          .repeats = recipe.repeats};
}

Module make_bottleneck(const Recipe& recipe) {
  return {recipe.blocks->bottleneck(recipe.in, recipe.out, inner_of(recipe))};
}

Module make_cross_conv(const Recipe& recipe) {
  const ModuleArguments& arguments = recipe.arguments;
  arguments.expect_at_most(6);
  const Cross cross{.size = arguments.integer(1, "k", 3), .stride = arguments.integer(2, "s", 1)};
  const Inner inner{.shortcut = arguments.flag(5, "shortcut", false),
                    .groups = arguments.integer(3, "g", 1),
                    .expansion = arguments.real(4, "e", 1.0)};
  return {recipe.blocks->cross_conv(recipe.in, recipe.out, cross, inner)};
}

Module make_csp(const Recipe& recipe) {
  return {recipe.blocks->bottleneck_csp(recipe.in, recipe.out, inner_of(recipe))};
}

Module make_c3(const Recipe& recipe) {
  return {recipe.blocks->c3(recipe.in, recipe.out, inner_of(recipe))};
}

Module make_c3x(const Recipe& recipe) {
  return {recipe.blocks->c3x(recipe.in, recipe.out, inner_of(recipe))};
}

Module make_spp(const Recipe& recipe) {
  recipe.arguments.expect_at_most(2);
  return {recipe.blocks->spp(recipe.in, recipe.out, recipe.arguments.integers(1, "k", {5, 9, 13}))};
}

Module make_sppf(const Recipe& recipe) {
  recipe.arguments.expect_at_most(2);
  return {recipe.blocks->sppf(recipe.in, recipe.out, recipe.arguments.integer(1, "k", 5))};
}

/// (k, n, shortcut, g, e), of which its SPP leaves n, shortcut and g unused.
Module make_c3spp(const Recipe& recipe) {
  const ModuleArguments& arguments = recipe.arguments;
  arguments.expect_at_most(6);
  return {recipe.blocks->c3spp(recipe.in, recipe.out, arguments.integers(1, "k", {5, 9, 13}),
                               arguments.real(5, "e", 0.5))};
}

Module make_concat(const Recipe& recipe) {
  recipe.arguments.expect_at_most(1);
  return {Concat{recipe.arguments.integer(0, "dimension", 1)}};
}

Module make_contract(const Recipe& recipe) {
  recipe.arguments.expect_at_most(1);
  return {Contract{recipe.arguments.integer(0, "gain", 2)}};
}

Module make_expand(const Recipe& recipe) {
  recipe.arguments.expect_at_most(1);
  return {Expand{recipe.arguments.integer(0, "gain", 2)}};
}

struct ModuleRow {
  std::string_view name;
  bool has_width;       ///< Its first argument is a number of channels, which is scaled.
  bool repeats_inside;  ///< Its row's number goes into it.
  Module (*make)(const Recipe&);
};

constexpr std::array<ModuleRow, 22> kModuleRows{{
    {"Conv", true, false, make_conv},
    {"DWConv", true, false, make_dw_conv},
    {"Focus", true, false, make_focus},
    {"Bottleneck", true, false, make_bottleneck},
    {"CrossConv", true, false, make_cross_conv},
    {"BottleneckCSP", true, true, make_csp},
    {"C3", true, true, make_c3},
    {"C3x", true, true, make_c3x},
    {"C3SPP", true, false, make_c3spp},
    {"SPP", true, false, make_spp},
    {"SPPF", true, false, make_sppf},
    {"Concat", false, false, make_concat},
    {"Contract", false, false, make_contract},
    {"Expand", false, false, make_expand},
    {"nn.Upsample", false, false, make_upsample},
    {"nn.Conv2d", false, false, make_conv2d},
    {"nn.BatchNorm2d", false, false, make_batch_norm},
    {"nn.MaxPool2d", false, false, make_max_pool},
    {"nn.SiLU", false, false, make_activation},
    {"nn.Hardswish", false, false, make_activation},
    {"nn.LeakyReLU", false, false, make_activation},
    {"nn.ReLU", false, false, make_activation},
}};

/// "Upsample" and "torch.nn.Upsample" are nn.Upsample.
const ModuleRow& row_named(const Row& row) {
  std::string_view name = row.module;
  if (name.starts_with("torch.")) name.remove_prefix(std::string_view("torch.").size());
  const std::string of_torch = fmt::format("nn.{}", name);
  const auto found = std::ranges::find_if(
      kModuleRows, [&](const ModuleRow& one) { return one.name == name || one.name == of_torch; });
  if (found != kModuleRows.end()) return *found;
  std::string known;
  for (const ModuleRow& one : kModuleRows) known += fmt::format("{}, ", one.name);
  row.place.reject(ErrorCode::unsupported,
                   "the module {} is not known; known: {}and Detect as the last", row.module,
                   known);
}

std::int64_t scaled_width(const ModuleArguments& arguments, const Gains& gains) {
  const std::int64_t channels = arguments.integer(0, "channels");
  if (channels == gains.head_channels) return channels;
  const double wanted = static_cast<double>(channels) * gains.width;
  return static_cast<std::int64_t>(std::ceil(wanted / kChannelStep)) * kChannelStep;
}

/// Source: Python's round(), which takes halves to the even neighbour.
std::int64_t scaled_number(std::int64_t number, const Gains& gains) {
  if (number <= 1) return number;
  const double wanted = static_cast<double>(number) * gains.depth;
  return std::max<std::int64_t>(static_cast<std::int64_t>(std::nearbyint(wanted)), 1);
}

}  // namespace

Module make_module(const Row& row, std::int64_t in, const Gains& gains, BlankBlocks& blocks) {
  const ModuleRow& kind = row_named(row);
  Recipe recipe{.arguments = ModuleArguments(row), .in = in, .blocks = &blocks};
  if (kind.has_width) recipe.out = scaled_width(recipe.arguments, gains);

  const std::int64_t number = scaled_number(row.number, gains);
  if (kind.repeats_inside) {
    recipe.repeats = number;
    return kind.make(recipe);
  }
  if (number == 1) return kind.make(recipe);
  Sequential result;
  for (std::int64_t i = 0; i < number; ++i) result.modules.push_back(kind.make(recipe));
  return {std::move(result)};
}

}  // namespace yoloq::model::detail
