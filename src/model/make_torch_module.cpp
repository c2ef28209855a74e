// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <variant>

#include "core/error.h"
#include "model/detail/activation_text.h"
#include "model/detail/recipe.h"

namespace yoloq::model::detail {

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

}  // namespace yoloq::model::detail
