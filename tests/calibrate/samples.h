// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "calibrate/collector.h"
#include "core/error.h"

namespace yoloq::calibrate::test {

/// Values of one kind of activation; the same on every run.
struct Sample {
  const char* name;
  std::vector<float> (*values)();
};

inline void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }

inline std::vector<float> drawn(const std::function<float(float)>& shape) {
  constexpr std::size_t kSize = 20011;  // no percentile of it falls between two values
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0.0f, 1.5f);
  std::vector<float> values(kSize);
  for (float& value : values) value = shape(normal(random));
  return values;
}

/// What convolutions leave behind, and what they should not.
inline constexpr Sample kSamples[] = {
    {"SiluOfNormal", [] { return drawn([](float x) { return x / (1.0f + std::exp(-x)); }); }},
    {"Normal", [] { return drawn([](float x) { return x; }); }},
    {"HeavyTails", [] { return drawn([](float x) { return x * x * x * x * x; }); }},
    {"ReluOfNormal", [] { return drawn([](float x) { return std::max(x, 0.0f); }); }},
    {"NegativeOnly", [] { return drawn([](float x) { return -0.01f - std::fabs(x); }); }},
    {"FarFromZero", [] { return drawn([](float x) { return 100.0f + x; }); }},
    {"OneOutlier",
     [] {
       auto values = drawn([](float x) { return x; });
       values[7] = 1000.0f;
       return values;
     }},
    {"Constant", [] { return std::vector<float>(1000, 3.7f); }},
    {"SingleValue", [] { return std::vector<float>{-0.3f}; }},
    {"AllZeros", [] { return std::vector<float>(1000, 0.0f); }},
};

/// The statistics of one image with one channel.
inline TensorStatistics statistics_of(const std::vector<float>& values) {
  Collector collector({"x"});
  collector.observe(0, values, 1, "image");
  return std::move(collector).finish().tensors.at("x");
}

/// The error that `act` ends with.
inline Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::cancelled, "nothing was thrown"};
}

}  // namespace yoloq::calibrate::test
