// SPDX-License-Identifier: Apache-2.0
#include "pipeline/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
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
using Json = nlohmann::ordered_json;

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
  if (options.backend != CalibrationOptions{}.backend) {
    inputs.preprocessing += ", computed by " + runtime::identity(options.backend);
  }
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
      observed.graph,
      {.backend = options.backend, .mode = runtime::Mode::throughput, .threads = options.threads});
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
  if (report.images == 0) return {.ranges = {}, .skipped = report.skipped};
  return {.ranges = std::move(observer).finish(), .skipped = report.skipped};
}

/// What a process tells the others.
std::string message_of(const std::string& key, const std::optional<calibrate::Ranges>& ranges,
                       const std::vector<std::string>& skipped) {
  const Json json{{"key", key}, {"skipped", skipped}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" +
         (ranges ? calibrate::serialize(*ranges) : "");
}

/// The statistics that a process has told of, if it has any; adds what it skipped.
///
/// @throws Error(bad_argument) if it calibrates something else.
std::optional<calibrate::Ranges> understood(const std::string& message, const std::string& key,
                                            std::vector<std::string>& skipped) {
  const std::size_t end = message.find('\n');
  const Json json = Json::parse(message.substr(0, end));
  if (json.at("key") != key) {
    fail(ErrorCode::bad_argument,
         "another process calibrates other images, another model or with another version: start "
         "all of them with the same arguments and files");
  }
  for (const auto& text : json.at("skipped")) skipped.push_back(text);
  if (end + 1 == message.size()) return std::nullopt;
  return calibrate::parse_ranges(std::string_view(message).substr(end + 1));
}

/// Statistics that another process has in its cache.
std::optional<calibrate::Ranges> known_to_any(const std::optional<calibrate::Ranges>& own,
                                              const std::string& key, const Processes& processes) {
  std::optional<calibrate::Ranges> known;
  std::vector<std::string> none;
  for (const std::string& message : processes.gather(message_of(key, own, {}))) {
    auto theirs = understood(message, key, none);
    if (!known) known = std::move(theirs);
  }
  return known;
}

/// Each process calibrates on every so many images; all get the statistics of all.
CalibrationResult share_calibration(const graph::Graph& model,
                                    const std::vector<std::string>& tensors,
                                    std::span<const fs::path> images, const std::string& key,
                                    const CalibrationOptions& options) {
  const Processes& processes = options.processes;
  std::vector<fs::path> own;
  for (std::size_t i = processes.rank; i < images.size(); i += processes.count) {
    own.push_back(images[i]);
  }
  CalibrationResult part;
  if (!own.empty()) part = run_calibration(model, tensors, own, options);
  std::optional<calibrate::Ranges> found;
  if (!part.ranges.tensors.empty()) found = std::move(part.ranges);
  CalibrationResult result;
  for (const std::string& message : processes.gather(message_of(key, found, part.skipped))) {
    const auto theirs = understood(message, key, result.skipped);
    if (theirs) calibrate::add_images(result.ranges, *theirs);
  }
  return result;
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

namespace {

void require_images(const CalibrationResult& result) {
  if (!result.ranges.tensors.empty()) return;
  fail(ErrorCode::not_found, "no calibration image could be decoded");
}

/// Says where statistics come from and keeps them, unless an image is missing.
void settle(CalibrationResult& result, const calibrate::CacheInputs& inputs, const std::string& key,
            const CalibrationOptions& options) {
  calibrate::Provenance& provenance = result.ranges.provenance;
  provenance = {.key = key,
                .model = inputs.model,
                .preprocessing = inputs.preprocessing,
                .tool = std::string("yoloq ") + kVersion};
  for (const auto& [name, hash] : inputs.images) provenance.images.push_back(name);
  if (!options.cache.empty() && result.skipped.empty()) {
    calibrate::write_cached(options.cache, result.ranges);
  }
}

}  // namespace

std::vector<fs::path> without(std::span<const fs::path> images,
                              const std::vector<fs::path>& others) {
  const std::set<fs::path> gone(others.begin(), others.end());
  std::vector<fs::path> rest;
  std::ranges::copy_if(images, std::back_inserter(rest),
                       [&](const fs::path& image) { return !gone.contains(image); });
  std::ranges::sort(rest);
  return rest;
}

CalibrationResult calibrate_model(const graph::Graph& model,
                                  const std::vector<std::string>& tensors,
                                  std::span<const fs::path> images,
                                  const CalibrationOptions& options) {
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const calibrate::CacheInputs inputs = cache_inputs(model, tensors, images, options);
  const std::string key = calibrate::cache_key(inputs);
  const bool alone = options.processes.count == 1;
  auto known = look_up(options.cache, key);
  if (!alone) known = known_to_any(known, key, options.processes);
  if (known) return {.ranges = std::move(*known), .cached = true, .seconds = elapsed()};
  CalibrationResult result = alone ? run_calibration(model, tensors, images, options)
                                   : share_calibration(model, tensors, images, key, options);
  require_images(result);
  settle(result, inputs, key, options);
  result.seconds = elapsed();
  return result;
}

std::vector<CalibrationResult> calibrate_growing_sets(const graph::Graph& model,
                                                      const std::vector<std::string>& tensors,
                                                      std::span<const fs::path> images,
                                                      std::span<const std::size_t> counts,
                                                      const CalibrationOptions& options) {
  if (!std::ranges::is_sorted(counts, std::ranges::less_equal{})) {
    fail(ErrorCode::bad_argument, "sets of calibration images that do not grow");
  }
  const std::size_t all = pick_images(images, counts.empty() ? 0 : counts.back()).size();
  std::vector<CalibrationResult> results;
  std::vector<fs::path> before;
  for (const std::size_t count : counts) {
    const auto start = Clock::now();
    const std::vector<fs::path> set = pick_images(images, count);
    const calibrate::CacheInputs inputs = cache_inputs(model, tensors, set, options);
    const std::string key = calibrate::cache_key(inputs);
    CalibrationResult result;
    if (auto known = look_up(options.cache, key)) {
      result = {.ranges = std::move(*known), .cached = true};
    } else {
      if (!results.empty()) result = results.back();
      const std::vector<fs::path> more = without(set, before);
      if (!more.empty()) {
        CalibrationOptions rest = options;
        rest.progress = [&](std::size_t done, std::size_t) {
          if (options.progress) options.progress(before.size() + done, all);
        };
        CalibrationResult part = run_calibration(model, tensors, more, rest);
        require_images(part);
        calibrate::add_images(result.ranges, part.ranges);
        result.skipped.insert(result.skipped.end(), part.skipped.begin(), part.skipped.end());
      }
      result.cached = false;
      settle(result, inputs, key, options);
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    results.push_back(std::move(result));
    before = set;
  }
  return results;
}

}  // namespace yoloq::pipeline
