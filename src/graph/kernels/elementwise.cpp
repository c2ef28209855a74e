// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include "core/half.h"
#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"

namespace yoloq::graph::detail {

namespace {

template <typename T, typename Function>
Tensors mapped(const Tensor& x, Function function) {
  std::vector<Stored<T>> result;
  result.reserve(x.size());
  for (const T value : x.values<T>()) result.push_back(static_cast<T>(function(value)));
  return {tensor_of<T>(x.shape(), result)};
}

/// `function` of each element of a float tensor, in its own precision.
template <typename Function>
Tensors map_reals(const Call& call, Function function) {
  const Tensor& x = input(call, 0);
  if (x.dtype() == DType::f64) return mapped<double>(x, function);
  if (x.dtype() == DType::f32) return mapped<float>(x, function);
  not_covered(call.node, "no kernel for " + std::string(name_of(x.dtype())));
}

/// `function` of each element of a tensor of any number type.
template <typename Function>
Tensors map_numbers(const Call& call, Function function) {
  const Tensor& x = input(call, 0);
  return visit_number(x.dtype(), [&]<typename T>() { return mapped<T>(x, function); });
}

/// A number as another type: saturating where C++ leaves the result open.
template <typename To, typename From>
Stored<To> converted(From value) {
  if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(value)) return 0;
    const auto wide = static_cast<double>(value);
    if (wide <= static_cast<double>(std::numeric_limits<To>::min())) {
      return std::numeric_limits<To>::min();
    }
    if (wide >= static_cast<double>(std::numeric_limits<To>::max())) {
      return std::numeric_limits<To>::max();
    }
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

Tensor cast_to(const Tensor& x, DType type) {
  if (x.dtype() == type) return x;
  return visit_number(type, [&]<typename To>() {
    return visit_number(x.dtype(), [&]<typename From>() {
      std::vector<Stored<To>> result;
      result.reserve(x.size());
      for (const From value : x.values<From>()) result.push_back(converted<To>(value));
      return tensor_of<To>(x.shape(), result);
    });
  });
}

Tensor narrowed(const Tensor& x) {
  std::vector<std::uint16_t> codes;
  codes.reserve(x.size());
  for (const float value : x.to_floats()) codes.push_back(float_to_half(value));
  return {DType::f16, x.shape(), std::as_bytes(std::span(codes))};
}

}  // namespace

Tensors abs(const Call& call) {
  return map_numbers(call, [](auto v) { return v < decltype(v){} ? decltype(v)(-v) : v; });
}

Tensors cast(const Call& call) {
  const Tensor& x = input(call, 0);
  const auto to = static_cast<DType>(call.node.integer("to", 0));
  if (to == x.dtype()) return {x};
  if (to == DType::f16) return {narrowed(x)};
  const bool half = x.dtype() == DType::f16 || x.dtype() == DType::bf16;
  return {cast_to(half ? Tensor::of<float>(x.shape(), x.to_floats()) : x, to)};
}

Tensors ceil(const Call& call) {
  return map_reals(call, [](auto v) { return std::ceil(v); });
}

Tensors clip(const Call& call) {
  const Tensor& x = input(call, 0);
  return visit_number(x.dtype(), [&]<typename T>() {
    T low = std::numeric_limits<T>::lowest();
    T high = std::numeric_limits<T>::max();
    if (call.node.attributes.contains("min")) low = static_cast<T>(call.node.real("min", 0));
    if (call.node.attributes.contains("max")) high = static_cast<T>(call.node.real("max", 0));
    const auto bound = [&](std::size_t index, T& value) {
      const Tensor* given = optional_input(call, index);
      if (given == nullptr) return;
      if (given->size() != 1) contradict(call.node, "a bound is no scalar");
      value = given->values<T>()[0];
    };
    bound(1, low);
    bound(2, high);
    return mapped<T>(x, [=](T v) { return std::min(std::max(v, low), high); });
  });
}

Tensors elu(const Call& call) {
  const float alpha = call.node.real("alpha", 1.0f);
  return map_reals(call, [=](auto v) { return v < 0 ? alpha * std::expm1(v) : v; });
}

Tensors erf(const Call& call) {
  return map_reals(call, [](auto v) { return std::erf(v); });
}

Tensors exp(const Call& call) {
  return map_reals(call, [](auto v) { return std::exp(v); });
}

Tensors floor(const Call& call) {
  return map_reals(call, [](auto v) { return std::floor(v); });
}

Tensors hard_sigmoid(const Call& call) {
  const float alpha = call.node.real("alpha", 0.2f);
  const float beta = call.node.real("beta", 0.5f);
  return map_reals(call, [=](auto v) {
    using T = decltype(v);
    return std::max(T{0}, std::min(T{1}, alpha * v + beta));
  });
}

Tensors hard_swish(const Call& call) {
  return map_reals(call, [](auto v) {
    using T = decltype(v);
    return v * std::max(T{0}, std::min(T{1}, v / T{6} + T{0.5}));
  });
}

Tensors identity(const Call& call) { return {input(call, 0)}; }

Tensors leaky_relu(const Call& call) {
  const float alpha = call.node.real("alpha", 0.01f);
  return map_reals(call, [=](auto v) { return v < 0 ? alpha * v : v; });
}

Tensors log(const Call& call) {
  return map_reals(call, [](auto v) { return std::log(v); });
}

Tensors logical_not(const Call& call) { return mapped<bool>(input(call, 0), std::logical_not()); }

Tensors negate(const Call& call) {
  return map_numbers(call, [](auto v) {
    if constexpr (std::is_integral_v<decltype(v)>) {
      return static_cast<decltype(v)>(0 - static_cast<std::uint64_t>(v));
    } else {
      return -v;
    }
  });
}

Tensors reciprocal(const Call& call) {
  return map_reals(call, [](auto v) { return 1 / v; });
}

Tensors relu(const Call& call) {
  return map_numbers(call, [](auto v) { return std::max(v, decltype(v){}); });
}

Tensors round(const Call& call) {
  return map_reals(call, [](auto v) { return std::nearbyint(v); });
}

Tensors sigmoid(const Call& call) {
  return map_reals(call, [](auto v) { return 1 / (1 + std::exp(-v)); });
}

Tensors softplus(const Call& call) {
  return map_reals(
      call, [](auto v) { return std::log1p(std::exp(-std::abs(v))) + std::max(v, decltype(v){}); });
}

Tensors sqrt(const Call& call) {
  return map_reals(call, [](auto v) { return std::sqrt(v); });
}

Tensors tanh(const Call& call) {
  return map_reals(call, [](auto v) { return std::tanh(v); });
}

}  // namespace yoloq::graph::detail
