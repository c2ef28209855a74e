// SPDX-License-Identifier: Apache-2.0
#include "pipeline/image_stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "vision/image.h"

namespace yoloq::pipeline {

namespace {

constexpr int kExtraWorkers = 2;  // One preparing and one consuming while the streams compute.

/// What the workers of one run share.
class Run {
 public:
  Run(std::span<const std::filesystem::path> images, const StreamOptions& options,
      const Consume& consume)
      : images_(images), options_(options), consume_(consume) {}

  void work(runtime::Engine& engine) {
    try {
      const auto request = engine.make_request();
      while (const auto first = next_batch()) process(*request, *first);
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  StreamReport finish() {
    if (failure_) std::rethrow_exception(failure_);
    StreamReport report{.images = done_ - skipped_.size(), .skipped = {}};
    for (auto& [index, message] : skipped_) {
      report.skipped_indices.push_back(index);
      report.skipped.push_back(std::move(message));
    }
    return report;
  }

 private:
  std::optional<std::size_t> next_batch() {
    {
      const std::scoped_lock lock(mutex_);
      if (failure_) return std::nullopt;
    }
    const std::size_t first = next_.fetch_add(batch());
    if (first >= images_.size()) return std::nullopt;
    return first;
  }

  std::size_t batch() const { return static_cast<std::size_t>(options_.batch); }

  void process(runtime::Request& request, std::size_t first) {
    const std::size_t count = std::min(batch(), images_.size() - first);
    const std::size_t slots = options_.fixed_batch ? batch() : count;
    const auto [width, height] = options_.size;
    const auto input =
        request.input(0, {static_cast<std::int64_t>(slots), 3, height, width}).values<float>();
    const std::size_t length = input.size() / slots;

    std::vector<Item> items;
    for (std::size_t i = 0; i < count; ++i) {
      prepare(request, first + i, input.subspan(items.size() * length, length), items);
    }
    if (!items.empty()) {
      std::ranges::fill(input.subspan(items.size() * length), 0.0f);
      request.run();
      consume_(items, request);
    }
    const std::scoped_lock lock(mutex_);
    done_ += count;
    if (options_.progress) options_.progress(done_, images_.size());
  }

  void prepare(runtime::Request& request, std::size_t index, std::span<float> canvas,
               std::vector<Item>& items) {
    try {
      const vision::Image image = vision::read_image(images_[index]);
      const auto placement = vision::place(image.size, {.size = options_.size});
      if (!request.letterbox(items.size(), image, placement)) {
        vision::letterbox_into(canvas, image, {.size = options_.size});
      }
      items.push_back({.index = index, .slot = items.size(), .placement = placement});
    } catch (const Error& error) {
      if (!options_.skip_bad || error.code() != ErrorCode::corrupt_file) throw;
      const std::scoped_lock lock(mutex_);
      skipped_[index] = error.what();
    }
  }

  std::span<const std::filesystem::path> images_;
  const StreamOptions& options_;
  const Consume& consume_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::size_t done_ = 0;  // Guarded by mutex_, as the next two.
  std::map<std::size_t, std::string> skipped_;
  std::exception_ptr failure_;
};

}  // namespace

StreamReport stream_images(runtime::Engine& engine, std::span<const std::filesystem::path> images,
                           const StreamOptions& options, const Consume& consume) {
  vision::use_one_thread_per_image();
  // On a GPU a stream is no processor: images are prepared by all that there are.
  const int busy = std::max(engine.streams() + kExtraWorkers, runtime::available_threads());
  const int workers = options.workers > 0 ? options.workers : busy;
  Run run(images, options, consume);
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) threads.emplace_back([&] { run.work(engine); });
  }
  StreamReport report = run.finish();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace yoloq::pipeline
