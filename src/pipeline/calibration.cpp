// SPDX-License-Identifier: Apache-2.0
#include "pipeline/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "calibrate/ranges_cache.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/version.h"
#include "onnx/model_file.h"
#include "pipeline/detail/activation_observer.h"
#include "pipeline/image_stream.h"
#include "runtime/engine.h"

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

CalibrationResult run_calibration(const graph::Graph& model,
                                  const std::vector<std::string>& tensors,
                                  std::span<const fs::path> images,
                                  const CalibrationOptions& options) {
  const detail::ObservedModel observed =
      detail::observed_model(model, tensors, {.values = options.heads, .classes = options.classes});
  const auto engine = runtime::compile(
      observed.graph, {.mode = runtime::Mode::throughput, .threads = options.threads});
  detail::ActivationObserver observer(observed);
  // Outputs are large and observing them is work of the same processors: a worker more than there
  // are streams would only need more memory.
  const StreamOptions stream{.size = options.size,
                             .workers = engine->streams(),
                             .skip_bad = options.skip_bad,
                             .progress = options.progress};
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
