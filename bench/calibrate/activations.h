// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace yoloq::bench {

/// Values as a convolution with SiLU gives them: most near zero, a few large.
inline std::vector<float> silu_activations(std::size_t size) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(-0.5f, 1.5f);
  std::vector<float> values(size);
  for (float& value : values) {
    const float x = normal(random);
    value = x / (1.0f + std::exp(-x));
  }
  return values;
}

}  // namespace yoloq::bench
