// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/fake_quantize.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "core/error.h"
#include "runtime/torch/cuda_kernels.h"
#include "runtime/torch/detail/fake_quantize_loops.h"

namespace yoloq::runtime::torch {

namespace {

/// Values of one unit of work: small enough for two threads to share a tensor evenly, and fixed, so
/// that sums do not depend on the number of threads.
constexpr std::int64_t kChunk = 65536;

struct Settings {
  Codes codes;
  bool silu = false;
};

/// @throws Error(bad_argument) if the scales do not fit.
Slices slices_of(const at::Tensor& values, const at::Tensor& scale) {
  const std::int64_t count = scale.numel();
  if (count == 1) return {1, values.numel()};
  if (values.dim() > 0 && values.size(0) == count && values.numel() > 0 &&
      values.stride(0) == values.numel() / count) {
    return {count, values.numel() / count};
  }
  fail(ErrorCode::bad_argument, "{} scales do not fit a tensor of rank {} with {} elements", count,
       values.dim(), values.numel());
}

Step step_of(float scale, const Settings& settings) {
  const Codes& codes = settings.codes;
  return {scale, static_cast<float>(codes.low - codes.zero_point),
          static_cast<float>(codes.high - codes.zero_point), settings.silu};
}

/// Calls body(offset, length, slice) for pieces that lie in one slice each, on all threads.
template <typename Body>
std::int64_t for_pieces(const Slices& slices, const Body& body) {
  const std::int64_t pieces = (slices.length + kChunk - 1) / kChunk;
  at::parallel_for(0, slices.count * pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t start = i % pieces * kChunk;
      const std::int64_t length = std::min(kChunk, slices.length - start);
      body(i / pieces * slices.length + start, length, i);
    }
  });
  return pieces;
}

at::Tensor forward_on_cpu(const at::Tensor& values, const at::Tensor& scale,
                          const Settings& settings) {
  at::Tensor result = at::empty_like(values);
  const Slices slices = slices_of(values, scale);
  const at::Tensor scales = scale.contiguous();
  const float* s = scales.const_data_ptr<float>();
  const float* from = values.const_data_ptr<float>();
  float* to = result.mutable_data_ptr<float>();
  const std::int64_t pieces = (slices.length + kChunk - 1) / kChunk;
  for_pieces(slices, [&](std::int64_t offset, std::int64_t length, std::int64_t piece) {
    const auto count = static_cast<std::size_t>(length);
    quantize_forward({from + offset, count}, {to + offset, count},
                     step_of(s[piece / pieces], settings));
  });
  return result;
}

Gradients backward_on_cpu(const at::Tensor& values, const at::Tensor& scale,
                          const at::Tensor& gradient, const Settings& settings) {
  Gradients result{at::empty_like(values), at::zeros_like(scale)};
  const Slices slices = slices_of(values, scale);
  const at::Tensor scales = scale.contiguous();
  const float* s = scales.const_data_ptr<float>();
  const float* from = values.const_data_ptr<float>();
  const float* above = gradient.const_data_ptr<float>();
  float* to = result.values.mutable_data_ptr<float>();
  const std::int64_t pieces = (slices.length + kChunk - 1) / kChunk;
  std::vector<double> sums(static_cast<std::size_t>(slices.count * pieces));
  for_pieces(slices, [&](std::int64_t offset, std::int64_t length, std::int64_t piece) {
    const auto count = static_cast<std::size_t>(length);
    sums[static_cast<std::size_t>(piece)] =
        quantize_backward({from + offset, count}, {above + offset, count}, {to + offset, count},
                          step_of(s[piece / pieces], settings));
  });
  float* scale_gradient = result.scale.mutable_data_ptr<float>();
  for (std::int64_t slice = 0; slice < slices.count; ++slice) {
    double sum = 0;
    for (std::int64_t i = 0; i < pieces; ++i) {
      sum += sums[static_cast<std::size_t>(slice * pieces + i)];
    }
    scale_gradient[slice] = static_cast<float>(sum);
  }
  return result;
}

struct FakeQuantize : ::torch::autograd::Function<FakeQuantize> {
  static at::Tensor forward(::torch::autograd::AutogradContext* context, const at::Tensor& values,
                            const at::Tensor& scale, const Settings& settings) {
    context->save_for_backward({values, scale});
    context->saved_data["low"] = settings.codes.low;
    context->saved_data["high"] = settings.codes.high;
    context->saved_data["zero_point"] = settings.codes.zero_point;
    context->saved_data["silu"] = settings.silu;
    return values.is_cpu() ? forward_on_cpu(values, scale, settings)
                           : quantize_forward_on_gpu(values, scale, slices_of(values, scale),
                                                     step_of(1.0f, settings));
  }

  static ::torch::autograd::variable_list backward(::torch::autograd::AutogradContext* context,
                                                   ::torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto number = [&](const char* key) {
      return static_cast<int>(context->saved_data[key].toInt());
    };
    const Settings settings{{number("low"), number("high"), number("zero_point")},
                            context->saved_data["silu"].toBool()};
    const at::Tensor& values = saved[0];
    // In the memory order of the values, as the loops walk both side by side.
    at::Tensor gradient = gradients[0];
    if (gradient.strides() != values.strides()) {
      gradient = at::empty_like(values).copy_(gradient);
    }
    const Gradients result =
        values.is_cpu()
            ? backward_on_cpu(values, saved[1], gradient, settings)
            : quantize_backward_on_gpu(values, saved[1], gradient, slices_of(values, saved[1]),
                                       step_of(1.0f, settings), context->needs_input_grad(1));
    return {result.values, result.scale, at::Tensor()};
  }
};

at::Tensor apply(const at::Tensor& values, const at::Tensor& scale, const Settings& settings) {
  const at::Tensor dense = values.is_non_overlapping_and_dense() ? values : values.contiguous();
  return FakeQuantize::apply(dense, scale, settings);
}

}  // namespace

at::Tensor fake_quantize(const at::Tensor& values, const at::Tensor& scale, const Codes& codes) {
  return apply(values, scale, {codes, false});
}

at::Tensor fake_quantize_silu(const at::Tensor& values, const at::Tensor& scale,
                              const Codes& codes) {
  if (scale.numel() != 1) {
    fail(ErrorCode::bad_argument, "an activation has one scale, not {}", scale.numel());
  }
  return apply(values, scale, {codes, true});
}

}  // namespace yoloq::runtime::torch
