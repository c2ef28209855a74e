// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <random>

#include "core/error.h"
#include "runtime/measure.h"

namespace yoloq::runtime {

namespace {

Shape shape_for(const PortInfo& port, std::span<const Shape> shapes, std::size_t index) {
  if (index < shapes.size() && !shapes[index].empty()) return shapes[index];
  if (const auto fixed = graph::fixed_shape(port.dims)) return *fixed;
  fail(ErrorCode::bad_argument, "input '{}' has sizes that are chosen at run time: say which",
       port.name);
}

/// The next value in 0..1; unlike std::uniform_real_distribution the same everywhere.
float next_real(std::mt19937& random) { return static_cast<float>(random() >> 8) / 16777216.0f; }

Tensor random_tensor(DType dtype, const Shape& shape, std::mt19937& random) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (dtype == DType::f32) {
    std::vector<float> values(count);
    std::ranges::generate(values, [&] { return next_real(random); });
    return Tensor::of(shape, values);
  }
  if (dtype == DType::u8) {
    std::vector<std::uint8_t> values(count);
    std::ranges::generate(values, [&] { return static_cast<std::uint8_t>(random() >> 24); });
    return Tensor::of(shape, values);
  }
  fail(ErrorCode::unsupported, "random inputs of type {} are not made; give the inputs",
       name_of(dtype));
}

}  // namespace

std::vector<Tensor> random_inputs(const Engine& engine, std::span<const Shape> shapes,
                                  std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Tensor> inputs;
  for (const PortInfo& port : engine.inputs()) {
    inputs.push_back(random_tensor(port.dtype, shape_for(port, shapes, inputs.size()), random));
  }
  return inputs;
}

void fill(Request& request, std::span<const Tensor> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorView view = request.input(i, inputs[i].shape());
    if (view.dtype != inputs[i].dtype()) {
      fail(ErrorCode::bad_argument, "input {} takes {}, not {}", i, name_of(view.dtype),
           name_of(inputs[i].dtype()));
    }
    std::ranges::copy(inputs[i].bytes(), view.bytes.begin());
  }
}

}  // namespace yoloq::runtime
