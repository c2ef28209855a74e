// SPDX-License-Identifier: Apache-2.0
#include "model/detail/make_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "model/detail/activation_text.h"
#include "model/detail/module_arguments.h"

namespace yoloq::model::detail {

namespace {

constexpr int kChannelStep = 8;  ///< Channels are rounded up to a multiple.

/// What a row's module is made from.
struct Recipe {
  ModuleArguments arguments;
  std::int64_t in = 0;
  std::int64_t out = 0;      ///< The first argument, scaled; 0 where that is no width.
  std::int64_t repeats = 1;  ///< Of the module's inside.
  BlankBlocks* blocks;
};

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

Module make_upsample(const Recipe& recipe) {
  const ModuleArguments& arguments = recipe.arguments;
  arguments.expect_at_most(3);
  if (!arguments.is_none(0)) {
    arguments.row().place.reject(ErrorCode::unsupported,
                                 "nn.Upsample to a size is not known; expected [None, factor, "
                                 "'nearest']");
  }
  if (const std::string mode = arguments.text(2, "mode", "nearest"); mode != "nearest") {
    arguments.row().place.reject(ErrorCode::unsupported,
                                 "nn.Upsample's mode '{}' is not known; expected 'nearest'", mode);
  }
  const auto factor = static_cast<float>(arguments.real(1, "scale_factor", std::nullopt));
  return {Upsample{.scale_factor = {factor, factor}}};
}

/// PyTorch's own order: (in, out, kernel, stride, padding, dilation, groups, bias).
Module make_conv2d(const Recipe& recipe) {
  const ModuleArguments& arguments = recipe.arguments;
  arguments.expect_at_most(8);
  if (const std::int64_t in = arguments.integer(0, "in_channels"); in != recipe.in) {
    arguments.row().place.reject(ErrorCode::corrupt_file,
                                 "nn.Conv2d is to read {} channels where there are {}", in,
                                 recipe.in);
  }
  const auto kernel = arguments.pair(2, "kernel_size");
  if (!kernel) {
    arguments.row().place.reject(ErrorCode::corrupt_file, "nn.Conv2d lacks its kernel_size");
  }
  const ConvShape shape{.kernel = *kernel,
                        .stride = arguments.pair(3, "stride").value_or(Pair{1, 1}),
                        .padding = arguments.pair(4, "padding").value_or(Pair{0, 0}),
                        .groups = arguments.integer(6, "groups", 1),
                        .dilation = arguments.integer(5, "dilation", 1)};
  return {recipe.blocks->conv2d(recipe.in, arguments.integer(1, "out_channels"), shape,
                                arguments.flag(7, "bias", true))};
}

/// Whatever its arguments say, as in Ultralytics.
Module make_batch_norm(const Recipe& recipe) { return {recipe.blocks->batch_norm(recipe.in)}; }

Module make_max_pool(const Recipe& recipe) {
  const ModuleArguments& arguments = recipe.arguments;
  arguments.expect_at_most(3);
  const auto kernel = arguments.pair(0, "kernel_size");
  if (!kernel) {
    arguments.row().place.reject(ErrorCode::corrupt_file, "nn.MaxPool2d lacks its kernel_size");
  }
  return {MaxPool2d{.kernel_size = *kernel,
                    .stride = arguments.pair(1, "stride").value_or(*kernel),
                    .padding = arguments.pair(2, "padding").value_or(Pair{0, 0})}};
}

/// A layer that is only an activation, given by its name and perhaps its slope.
Module make_activation(const Recipe& recipe) {
  const Row& row = recipe.arguments.row();
  std::string text = row.module + "(";
  for (const Argument& argument : row.arguments) {
    if (!std::holds_alternative<bool>(argument.kind))
      text += argument.describe();  // Else: inplace.
  }
  const auto activation = activation_in(text + ")");
  if (!activation) {
    row.place.reject(ErrorCode::unsupported, "the activation {}) is not known; known: {}", text,
                     kKnownActivations);
  }
  return {*activation};
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
