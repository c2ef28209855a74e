// SPDX-License-Identifier: Apache-2.0
#include "pipeline/tiny_data_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

#include "core/error.h"
#include "core/file.h"
#include "dataset/labels.h"

namespace yoloq::test {

namespace fs = std::filesystem;

namespace {

constexpr int kRectangles = 4;

constexpr std::array<vision::Size, 3> kSizes{{{96, 64}, {64, 96}, {80, 72}}};

void write_sample(const fs::path& path, std::uint32_t seed) {
  vision::write_image(path, tiny_image(seed, kSizes[seed % kSizes.size()]));
  const double shift = 0.02 * (seed % 10);
  const std::string labels = fmt::format("{} {} 0.4 0.3 0.5\n{} 0.6 {} 0.5 0.25\n", seed % 3,
                                         0.3 + shift, (seed + 1) % 3, 0.3 + shift);
  const fs::path file = dataset::label_path(path);
  fs::create_directories(file.parent_path());
  write_file(file, labels);
}

std::vector<fs::path> write_split(const fs::path& folder, int first, int count) {
  fs::create_directories(folder);
  std::vector<fs::path> images;
  for (int i = first; i < first + count; ++i) {
    images.push_back(folder / fmt::format("{:012}.png", i));
    write_sample(images.back(), static_cast<std::uint32_t>(i));
  }
  return images;
}

}  // namespace

vision::Image tiny_image(std::uint32_t seed, vision::Size size) {
  std::mt19937 random(seed);
  const auto below = [&](int end) {
    return static_cast<int>(random() % static_cast<unsigned>(end));
  };
  vision::Image image = plain_image(0, size);
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(80 + below(40));
  for (int i = 0; i < kRectangles; ++i) {
    const int left = below(size.width / 2);
    const int top = below(size.height / 2);
    const int right = left + 8 + below(size.width - left - 8);
    const int bottom = top + 8 + below(size.height - top - 8);
    const std::array<int, 3> colour{below(256), below(256), below(256)};
    for (int y = top; y < bottom; ++y) {
      for (int x = 3 * left; x < 3 * right; ++x) {
        image.pixels[static_cast<std::size_t>(y * 3 * size.width + x)] =
            static_cast<std::uint8_t>(colour[static_cast<std::size_t>(x % 3)]);
      }
    }
  }
  return image;
}

vision::Image plain_image(std::uint8_t grey, vision::Size size) {
  const auto bytes =
      static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * 3;
  return {.size = size, .pixels = std::vector<std::uint8_t>(bytes, grey)};
}

TinyDataSet write_tiny_data_set(const fs::path& folder, int train, int val) {
  TinyDataSet set{.yaml = folder / "data.yaml",
                  .train = write_split(folder / "images/train", 1, train),
                  .val = write_split(folder / "images/val", train + 1, val)};
  write_file(set.yaml, fmt::format("path: {}\ntrain: images/train\nval: images/val\n"
                                   "names:\n  0: class 0\n  1: class 1\n  2: class 2\n",
                                   folder.string()));
  return set;
}

}  // namespace yoloq::test
