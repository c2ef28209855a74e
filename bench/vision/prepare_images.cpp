// SPDX-License-Identifier: Apache-2.0
/// @file
/// How long does an image take from its file's bytes to the model's input, on one thread?
///
///     prepare_images <folder of images> [rounds]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "vision/header.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace {

constexpr int kSide = 640;

double processor_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Milliseconds of processor time per image of the fastest round.
template <typename Step>
double fastest(int rounds, std::size_t images, const Step& step) {
  double best = 1e300;
  for (int round = 0; round < rounds; ++round) {
    const double start = processor_ms();
    for (std::size_t i = 0; i < images; ++i) step(i);
    best = std::min(best, (processor_ms() - start) / static_cast<double>(images));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s <folder of images> [rounds]\n", argv[0]);
    return 2;
  }
  using namespace yoloq;
  vision::use_one_thread_per_image();
  std::vector<std::string> files;
  std::vector<vision::Image> images;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    files.push_back(read_file(entry.path()));
    images.push_back(vision::decode_image(files.back(), entry.path().string()));
  }
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  std::vector<float> floats(3 * kSide * kSide);
  std::vector<std::uint8_t> bytes(floats.size());
  const vision::LetterboxOptions options{.size = {kSide, kSide}};
  const auto measure = [&](const auto& step) { return fastest(rounds, files.size(), step); };

  nlohmann::json report;
  report["images"] = files.size();
  report["rounds"] = rounds;
  report["header_ms"] = measure([&](std::size_t i) { vision::read_header(files[i]); });
  report["decode_ms"] = measure([&](std::size_t i) { vision::decode_image(files[i], "file"); });
  report["letterbox_float_ms"] = measure(
      [&](std::size_t i) { vision::letterbox_into(std::span(floats), images[i], options); });
  report["letterbox_u8_ms"] =
      measure([&](std::size_t i) { vision::letterbox_into(std::span(bytes), images[i], options); });
  std::puts(report.dump(2).c_str());
  return 0;
}
