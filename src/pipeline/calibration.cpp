// SPDX-License-Identifier: Apache-2.0
#include "pipeline/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <system_error>

#include "calibrate/collector.h"
#include "calibrate/ranges_cache.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/version.h"
#include "onnx/model_file.h"
#include "pipeline/detail/object_map.h"
#include "pipeline/image_stream.h"
#include "quantize/quantize.h"
#include "runtime/engine.h"
#include "runtime/expose.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

calibrate::CacheInputs cache_inputs(const graph::Graph& model,
                                    const std::vector<std::string>& tensors,
                                    std::span<const fs::path> images,
                                    const CalibrationOptions& options) {
  const auto& [size, heads] = std::tie(options.size, options.heads);
  calibrate::CacheInputs inputs{
      .model = hash_of(onnx::serialize(model)),
      .preprocessing = fmt::format("letterbox {}x{} grey 114 rgb /255, objects above {}",
                                   size.height, size.width, kObjectThreshold),
      .tensors = tensors,
      .images = {}};
  inputs.tensors.insert(inputs.tensors.end(), heads.begin(), heads.end());
  for (const fs::path& image : images) {
    inputs.images.emplace_back(image.filename().string(), hash_of(read_file(image)));
  }
  return inputs;
}

/// A model whose outputs are what to look at.
struct Observed {
  graph::Graph graph;
  std::vector<bool> channels_last;  ///< Per tensor: leaves as [N, H, W, C].
};

/// `model` with `tensors`, in the order in which engines hold them, and `heads` as its only
/// outputs. An output that is an input of the model passes through an Identity, as engines do not
/// return their inputs.
Observed observed_model(const graph::Graph& model, const std::vector<std::string>& tensors,
                        const std::vector<std::string>& heads) {
  graph::Graph bare = model;
  bare.outputs.clear();
  Observed observed{.graph = runtime::with_outputs(bare, tensors)};
  graph::Graph& graph = observed.graph;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    observed.channels_last.push_back(graph.outputs[i].name != tensors[i]);
  }
  for (const std::string& head : heads) graph.outputs.push_back({head, {DType::f32, std::nullopt}});
  for (graph::Port& output : graph.outputs) {
    if (!graph.is_input(output.name)) continue;
    const std::string name = graph.fresh_value_name(output.name + "/observed");
    graph.append({.op = "Identity", .name = name, .inputs = {output.name}, .outputs = {name}});
    output.name = name;
  }
  return observed;
}

/// The cached statistics, if they are there; a broken file is deleted and counts as absent.
std::optional<calibrate::Ranges> look_up(const fs::path& folder, const std::string& key) {
  if (folder.empty()) return std::nullopt;
  try {
    return calibrate::read_cached(folder, key);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_file && error.code() != ErrorCode::unsupported) throw;
    std::error_code ignored;
    fs::remove(calibrate::cache_path(folder, key), ignored);
    return std::nullopt;
  }
}

/// Takes in the outputs of an observed model: the tensors, then the heads.
class Observer {
 public:
  Observer(const std::vector<std::string>& tensors, const std::vector<bool>& channels_last,
           const CalibrationOptions& options)
      : tensors_(tensors),
        channels_last_(channels_last),
        options_(options),
        all_(tensors),
        objects_(object_names(tensors)) {}

  void observe(runtime::Request& request, const std::string& image) {
    const auto map = object_map(request);
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::uint32_t>> places;
    for (std::size_t tensor = 0; tensor < tensors_.size(); ++tensor) {
      const runtime::TensorView output = request.output(tensor);
      const auto values = output.values<float>();
      if (!channels_last_[tensor]) {
        all_.observe(tensor, values, output.shape.at(1), image);
        continue;
      }
      all_.observe_channels_last(tensor, values, output.shape.at(3), image);
      if (!map) continue;
      const std::pair grid{output.shape[1], output.shape[2]};
      const auto [found, is_new] = places.try_emplace(grid);
      if (is_new) found->second = map->places(grid.first, grid.second, kObjectThreshold);
      observe_objects(tensor, values, output.shape, found->second, image);
    }
  }

  calibrate::Ranges finish() && {
    calibrate::Ranges ranges = std::move(all_).finish();
    if (!seen_objects_) return ranges;  // Nothing to emphasize: quantize() then uses all values.
    ranges.tensors.merge(std::move(objects_).finish().tensors);
    return ranges;
  }

 private:
  static std::vector<std::string> object_names(const std::vector<std::string>& tensors) {
    std::vector<std::string> names;
    for (const std::string& tensor : tensors) names.push_back(quantize::objects_of(tensor));
    return names;
  }

  std::optional<detail::ObjectMap> object_map(runtime::Request& request) const {
    std::vector<detail::HeadLogits> heads;
    for (std::size_t i = 0; i < options_.heads.size(); ++i) {
      const runtime::TensorView output = request.output(tensors_.size() + i);
      heads.push_back({.anchors = output.shape.at(1) / (5 + options_.classes),
                       .classes = options_.classes,
                       .height = output.shape.at(2),
                       .width = output.shape.at(3),
                       .values = output.values<float>()});
    }
    if (heads.empty()) return std::nullopt;
    return detail::ObjectMap(heads);
  }

  void observe_objects(std::size_t tensor, std::span<const float> values, const Shape& shape,
                       const std::vector<std::uint32_t>& places, const std::string& image) {
    if (places.empty()) return;
    const auto channels = static_cast<std::size_t>(shape[3]);
    std::vector<float> chosen;
    chosen.reserve(places.size() * channels);
    for (const std::uint32_t place : places) {
      const auto at_place = values.subspan(place * channels, channels);
      chosen.insert(chosen.end(), at_place.begin(), at_place.end());
    }
    objects_.observe_channels_last(tensor, chosen, shape[3], image);
    seen_objects_ = true;
  }

  const std::vector<std::string>& tensors_;
  const std::vector<bool>& channels_last_;
  const CalibrationOptions& options_;
  calibrate::Collector all_;
  calibrate::Collector objects_;
  std::atomic<bool> seen_objects_ = false;
};

CalibrationResult run_calibration(const graph::Graph& model,
                                  const std::vector<std::string>& tensors,
                                  std::span<const fs::path> images,
                                  const CalibrationOptions& options) {
  const auto [observed, channels_last] = observed_model(model, tensors, options.heads);
  const auto engine =
      runtime::compile(observed, {.mode = runtime::Mode::throughput, .threads = options.threads});
  Observer observer(tensors, channels_last, options);
  const StreamOptions stream{
      .size = options.size, .skip_bad = options.skip_bad, .progress = options.progress};
  const StreamReport report = stream_images(
      *engine, images, stream, [&](std::span<const Item> items, runtime::Request& request) {
        observer.observe(request, images[items.front().index].filename().string());
      });
  if (report.images == 0) fail(ErrorCode::not_found, "no calibration image could be decoded");
  return {.ranges = std::move(observer).finish(), .skipped = report.skipped};
}

}  // namespace

std::vector<fs::path> pick_images(std::span<const fs::path> images, std::size_t count) {
  std::vector<std::pair<std::string, fs::path>> ranked;
  for (const fs::path& image : images) {
    ranked.emplace_back(hash_of(image.filename().string()), image);
  }
  std::ranges::sort(ranked);
  ranked.resize(std::min(count, ranked.size()));
  std::vector<fs::path> picked;
  for (auto& [hash, image] : ranked) picked.push_back(std::move(image));
  std::ranges::sort(picked);
  return picked;
}

CalibrationResult calibrate_model(const graph::Graph& model,
                                  const std::vector<std::string>& tensors,
                                  std::span<const fs::path> images,
                                  const CalibrationOptions& options) {
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const calibrate::CacheInputs inputs = cache_inputs(model, tensors, images, options);
  const std::string key = calibrate::cache_key(inputs);
  if (auto ranges = look_up(options.cache, key)) {
    return {.ranges = std::move(*ranges), .cached = true, .seconds = elapsed()};
  }
  CalibrationResult result = run_calibration(model, tensors, images, options);
  calibrate::Provenance& provenance = result.ranges.provenance;
  provenance = {.key = key,
                .model = inputs.model,
                .preprocessing = inputs.preprocessing,
                .tool = std::string("yoloq ") + kVersion};
  for (const auto& [name, hash] : inputs.images) provenance.images.push_back(name);
  if (!options.cache.empty() && result.skipped.empty()) {
    calibrate::write_cached(options.cache, result.ranges);
  }
  result.seconds = elapsed();
  return result;
}

}  // namespace yoloq::pipeline
