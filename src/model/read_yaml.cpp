// SPDX-License-Identifier: Apache-2.0
#include "model/read_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "model/architectures.h"
#include "model/detail/activation_text.h"
#include "model/detail/architecture.h"
#include "model/detail/blank_blocks.h"
#include "model/detail/classes.h"
#include "model/detail/emit_blocks.h"
#include "model/detail/make_module.h"
#include "model/detail/yaml_anchors.h"
#include "model/initialise.h"

namespace yoloq::model {

namespace {

using detail::Architecture;
using detail::Flow;
using detail::Row;

constexpr std::int64_t kTrialSide = 256;  // Pixels: Ultralytics' choice, so that strides agree.
constexpr std::int64_t kTrialChannels = 3;
constexpr int kTrialOpset = 13;  // Of the trial graph, which nobody sees.

/// Builds the layers one after the other, running a trial image through each for its channels and
/// size.
class Assembly {
 public:
  Assembly(const Architecture& yaml, const YamlOptions& options)
      : yaml_(&yaml), trial_(kTrialOpset), blocks_(activation_from(yaml)) {
    ModelInfo& info = result_.info;
    info.class_count = options.class_count.value_or(yaml.class_count);
    if (!options.class_count && yaml.class_count == 0) {
      fail(ErrorCode::corrupt_file, "{}: the key 'nc' is missing; expected the number of classes",
           options.name);
    }
    info.names = detail::class_names(info.class_count, options.names);
    info.anchors = detail::anchors_from(yaml, options.anchors);
    info.task = "detect";
    info.origin["architecture"] = options.name;
    gains_ = {.depth = yaml.depth_multiple,
              .width = yaml.width_multiple,
              .head_channels = static_cast<std::int64_t>(info.anchors.front().size()) *
                               (5 + std::int64_t{info.class_count})};
  }

  Description build() {
    if (yaml_->rows.empty() || yaml_->rows.back().module != "Detect") {
      fail(ErrorCode::unsupported, "{}: the last layer is {}; expected Detect",
           result_.info.origin["architecture"],
           yaml_->rows.empty() ? "missing" : yaml_->rows.back().module);
    }
    for (const Row& row : yaml_->rows) {
      try {
        &row == &yaml_->rows.back() ? add_detect(row) : add_layer(row);
      } catch (const Error& error) {
        const std::string prefix = fmt::format("{}:{}: ", row.place.name, row.place.line);
        if (std::string_view(error.what()).starts_with(prefix)) throw;
        throw Error(error.code(), prefix + error.what());
      }
    }
    return std::move(result_);
  }

 private:
  static Activation activation_from(const Architecture& yaml) {
    if (yaml.activation.empty()) return {Activation::Kind::silu};
    if (const auto known = detail::activation_in(yaml.activation)) return *known;
    fail(ErrorCode::unsupported, "{}: 'activation' is '{}', which is not known; known: {}",
         yaml.anchors_place.name, yaml.activation, detail::kKnownActivations);
  }

  /// What the row reads; its sources become -1 or indices of layers.
  std::vector<Flow> inputs_of(const Row& row, Layer& layer) const {
    const auto index = static_cast<int>(done_.size());
    std::vector<Flow> result;
    layer.from.clear();
    for (const int from : row.from) {
      const int source = from < 0 ? index + from : from;
      const bool image = from == -1 && index == 0;
      if (!image && (source < 0 || source >= index)) {
        row.place.reject(ErrorCode::corrupt_file,
                         "layer {} reads layer {}, which does not come before it", index, from);
      }
      layer.from.push_back(from == -1 ? -1 : source);
      result.push_back(image ? Flow{"images", kTrialChannels, kTrialSide, kTrialSide}
                             : done_[static_cast<std::size_t>(source)]);
    }
    return result;
  }

  void add_layer(const Row& row) {
    Layer layer;
    const std::vector<Flow> inputs = inputs_of(row, layer);
    layer.module = detail::make_module(row, inputs.front().channels, gains_, blocks_);
    done_.push_back(
        detail::emit_module(trial_, fmt::format("model.{}", done_.size()), layer.module, inputs));
    result_.layers.push_back(std::move(layer));
  }

  void add_detect(const Row& row) {
    check_detect(row);
    Layer layer;
    Detect detect;
    for (const Flow& input : inputs_of(row, layer)) {
      detect.m.push_back(blocks_.conv2d(input.channels, gains_.head_channels, {}, true));
      const std::int64_t side = input.height.value_or(0);
      if (side < 1 || kTrialSide % side != 0) {
        row.place.reject(ErrorCode::unsupported,
                         "a head has {} rows for an image of {}; expected a divisor", side,
                         kTrialSide);
      }
      result_.info.strides.push_back(static_cast<int>(kTrialSide / side));
    }
    layer.module = {std::move(detect)};
    result_.layers.push_back(std::move(layer));
    result_.info.max_stride = std::ranges::max(result_.info.strides);
    detail::order_anchors(result_.info);
  }

  /// Detect's arguments name the yaml's own keys, or repeat them.
  void check_detect(const Row& row) const {
    const ModelInfo& info = result_.info;
    const auto says = [&](std::size_t index, const char* key, bool same) {
      const auto* text = row.arguments.size() > index
                             ? std::get_if<std::string>(&row.arguments[index].kind)
                             : nullptr;
      if (same || (text != nullptr && *text == key)) return;
      row.place.reject(ErrorCode::unsupported, "Detect's arguments should be [nc, anchors]");
    };
    const auto* count =
        row.arguments.empty() ? nullptr : std::get_if<std::int64_t>(&row.arguments[0].kind);
    says(0, "nc", count != nullptr && *count == info.class_count);
    says(1, "anchors", false);
    if (row.arguments.size() > 2 || row.number != 1) {
      row.place.reject(ErrorCode::unsupported, "Detect's arguments should be [nc, anchors], once");
    }
    if (row.from.size() != info.anchors.size()) {
      row.place.reject(ErrorCode::corrupt_file,
                       "Detect reads {} layers but there are anchors for {}", row.from.size(),
                       info.anchors.size());
    }
  }

  const Architecture* yaml_;
  detail::Builder trial_;
  detail::BlankBlocks blocks_;
  detail::Gains gains_;
  std::vector<Flow> done_;
  Description result_;
};

}  // namespace

Description describe_yaml(std::string_view text, const YamlOptions& options) {
  const Architecture yaml = detail::parse_architecture(text, options.name);
  Description result = Assembly(yaml, options).build();
  if (options.seed) initialise(result, *options.seed);
  return result;
}

Description read_model_yaml(const std::filesystem::path& path, const YamlOptions& options) {
  YamlOptions named = options;
  named.name = path.filename().string();
  if (std::filesystem::exists(path)) return describe_yaml(read_file(path), named);
  const bool could_be_built_in = path.parent_path().empty() || path.parent_path() == "models";
  const auto built_in = architecture_yaml(named.name);
  if (could_be_built_in && built_in) return describe_yaml(*built_in, named);
  fail(ErrorCode::not_found, "there is no model yaml '{}'; built in: {}", path.string(),
       fmt::join(architecture_names(), ", "));
}

}  // namespace yoloq::model
