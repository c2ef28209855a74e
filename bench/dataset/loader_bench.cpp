// SPDX-License-Identifier: Apache-2.0
/// @file
/// How many training images per second does the loader make, and how long does a data set take to
/// open?
///
///     bench_loader <data.yaml> [seconds per row] [folder for augmented pictures]
///
/// With a folder, the first samples are written there with their boxes drawn on them.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "dataset/loader.h"
#include "vision/draw.h"

namespace {

using namespace yoloq;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 16;
constexpr std::size_t kCacheBytes = std::size_t{1} << 30;
constexpr std::size_t kPictures = 12;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double processor_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Speed {
  double images_per_s;
  double processor_ms_per_image;  ///< Of all threads: what others do on the machine matters less.
};

/// Over whole epochs, after one that fills the memory.
Speed speed_of(const dataset::TrainingSet& set, int threads, double at_least_s) {
  dataset::Loader loader(set, {.batch_size = kBatch, .threads = threads});
  std::size_t images = 0;
  Clock::time_point start;
  double start_ms = 0;
  for (std::uint64_t epoch = 0; epoch < 2 || seconds_since(start) < at_least_s; ++epoch) {
    if (epoch == 1) {
      start = Clock::now();
      start_ms = processor_ms();
      images = 0;
    }
    loader.start(epoch);
    while (auto batch = loader.next()) {
      images += batch->count;
      loader.give_back(std::move(*batch));
    }
  }
  const auto count = static_cast<double>(images);
  return {count / seconds_since(start), (processor_ms() - start_ms) / count};
}

/// A sample as a picture.
vision::Image picture_of(const dataset::TrainingSample& sample, vision::Size size) {
  const std::size_t area = static_cast<std::size_t>(size.width) * size.height;
  vision::Image image{.size = size};
  image.pixels.resize(3 * area);
  for (std::size_t i = 0; i < area; ++i) {
    for (std::size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = sample.planes[(2 - c) * area + i];
  }
  return image;
}

void write_pictures(const dataset::TrainingSet& set, const std::vector<std::string>& names,
                    const std::filesystem::path& folder) {
  const vision::Size size = set.options().size;
  for (std::size_t i = 0; i < std::min(kPictures, set.size()); ++i) {
    const dataset::TrainingSample sample = set.sample(0, i);
    vision::Image image = picture_of(sample, size);
    std::vector<vision::Mark> marks;
    for (const dataset::TrainingLabel& label : sample.labels) {
      const float width = static_cast<float>(size.width);
      const float height = static_cast<float>(size.height);
      marks.push_back({.box = {.x1 = (label.x - label.width / 2) * width,
                               .y1 = (label.y - label.height / 2) * height,
                               .x2 = (label.x + label.width / 2) * width,
                               .y2 = (label.y + label.height / 2) * height},
                       .class_index = label.class_index,
                       .text = names[static_cast<std::size_t>(label.class_index)]});
    }
    vision::draw(image, marks);
    vision::write_image(folder / (std::to_string(i) + ".png"), image);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s <data.yaml> [seconds per row] [folder]\n", argv[0]);
    return 2;
  }
  const double seconds = argc > 2 ? std::atof(argv[2]) : 5;
  const dataset::Dataset data = dataset::read_data_yaml(argv[1]);
  const auto images = dataset::list_images(data, "train");

  nlohmann::ordered_json report;
  report["images"] = images.size();
  for (const int side : {320, 640}) {
    for (const std::size_t cache_bytes : {std::size_t{0}, kCacheBytes}) {
      const Clock::time_point start = Clock::now();
      const dataset::TrainingSet set(images, data.names.size(),
                                     {.size = {side, side}, .cache_bytes = cache_bytes});
      const double open_s = seconds_since(start);
      if (argc > 3 && side == 640 && cache_bytes == 0) write_pictures(set, data.names, argv[3]);
      for (const int threads : {1, 2}) {
        const Speed speed = speed_of(set, threads, seconds);
        report["rows"].push_back({{"side", side},
                                  {"threads", threads},
                                  {"images_in_memory", cache_bytes > 0},
                                  {"open_s", open_s},
                                  {"images_per_s", speed.images_per_s},
                                  {"processor_ms_per_image", speed.processor_ms_per_image}});
      }
    }
  }
  std::puts(report.dump(2).c_str());
  return 0;
}
