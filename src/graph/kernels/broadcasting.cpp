// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <functional>

#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"

namespace yoloq::graph::detail {

namespace {

/// Where the two elements of each pair lie. Kept apart from what is computed of them, which is
/// compiled for every type and every operator.
struct Pairs {
  Shape shape;
  std::vector<std::array<std::int64_t, 2>> offsets;
};

Pairs pairs_of(const Shape& a, const Shape& b) {
  Pairs pairs{.shape = broadcast(a, b), .offsets = {}};
  pairs.offsets.reserve(static_cast<std::size_t>(element_count(pairs.shape)));
  const auto strides =
      std::array{broadcast_strides(a, pairs.shape), broadcast_strides(b, pairs.shape)};
  for_each_offset<2>(pairs.shape, strides, [&](const auto& at) { pairs.offsets.push_back(at); });
  return pairs;
}

/// `function` of each pair of elements; Result is the type of the outcome.
template <typename Result, typename T, typename Function>
Tensor paired(const Tensor& a, const Tensor& b, Function function) {
  const Pairs pairs = pairs_of(a.shape(), b.shape());
  const T* const left = a.values<T>().data();
  const T* const right = b.values<T>().data();
  std::vector<Stored<Result>> result(pairs.offsets.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto [x, y] = pairs.offsets[i];
    result[i] = static_cast<Result>(function(left[x], right[y]));
  }
  return tensor_of<Result>(pairs.shape, result);
}

void require_same_type(const Call& call) {
  if (input(call, 0).dtype() == input(call, 1).dtype()) return;
  contradict(call.node, "its inputs are " + std::string(name_of(input(call, 0).dtype())) + " and " +
                            std::string(name_of(input(call, 1).dtype())));
}

/// Integers wrap around, as in every runtime, where C++ leaves the overflow of signed ones open.
template <typename Function>
Tensors arithmetic(const Call& call, Function function) {
  require_same_type(call);
  return visit_number(input(call, 0).dtype(), [&]<typename T>() -> Tensors {
    const auto wrapped = [&](T x, T y) {
      if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(
            function(static_cast<std::uint64_t>(x), static_cast<std::uint64_t>(y)));
      } else {
        return function(x, y);
      }
    };
    return {paired<T, T>(input(call, 0), input(call, 1), wrapped)};
  });
}

/// `function` of two numbers of one type, without a conversion.
template <typename Function>
Tensors same_type(const Call& call, Function function) {
  require_same_type(call);
  return visit_number(input(call, 0).dtype(), [&]<typename T>() -> Tensors {
    return {paired<T, T>(input(call, 0), input(call, 1), function)};
  });
}

template <typename Function>
Tensors comparison(const Call& call, Function function) {
  require_same_type(call);
  return visit_number(input(call, 0).dtype(), [&]<typename T>() -> Tensors {
    return {paired<bool, T>(input(call, 0), input(call, 1), function)};
  });
}

template <typename Function>
Tensors logical(const Call& call, Function function) {
  return {paired<bool, bool>(input(call, 0), input(call, 1), function)};
}

template <typename Function>
Tensors folded(const Call& call, Function function) {
  Tensor result = input(call, 0);
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    const Call pair{call.node, call.opset, {&result, &input(call, i)}};
    result = same_type(pair, function).front();
  }
  return {result};
}

}  // namespace

Tensors add(const Call& call) { return arithmetic(call, std::plus()); }
Tensors subtract(const Call& call) { return arithmetic(call, std::minus()); }
Tensors multiply(const Call& call) { return arithmetic(call, std::multiplies()); }

Tensors divide(const Call& call) {
  return same_type(call, [&](auto x, auto y) -> decltype(x) {
    using T = decltype(x);
    if constexpr (std::is_integral_v<T>) {
      if (y == T{}) contradict(call.node, "an integer is divided by zero");
      if constexpr (std::is_signed_v<T>) {
        if (y == T{-1}) return static_cast<T>(0 - static_cast<std::uint64_t>(x));
      }
    }
    return static_cast<T>(x / y);
  });
}

Tensors modulo(const Call& call) {
  const bool like_c = call.node.integer("fmod", 0) != 0;
  return same_type(call, [&](auto x, auto y) -> decltype(x) {
    using T = decltype(x);
    if constexpr (std::is_integral_v<T>) {
      if (y == T{}) contradict(call.node, "an integer is divided by zero");
      if constexpr (std::is_signed_v<T>) {
        if (y == T{-1}) return 0;
      }
      const T rest = static_cast<T>(x % y);
      const bool moved = !like_c && rest != T{} && (rest < T{}) != (y < T{});
      return moved ? static_cast<T>(rest + y) : rest;
    } else {
      return std::fmod(x, y);
    }
  });
}

Tensors power(const Call& call) {
  const Tensor& base = input(call, 0);
  const auto function = [](double x, double y) { return std::pow(x, y); };
  const Tensor wide =
      paired<double, double>(as_doubles(base), as_doubles(input(call, 1)), function);
  return {from_doubles(wide, base.dtype())};
}

Tensors maximum(const Call& call) {
  return folded(call, [](auto x, auto y) { return std::max(x, y); });
}

Tensors minimum(const Call& call) {
  return folded(call, [](auto x, auto y) { return std::min(x, y); });
}

Tensors equal(const Call& call) { return comparison(call, std::equal_to()); }
Tensors greater(const Call& call) { return comparison(call, std::greater()); }
Tensors greater_or_equal(const Call& call) { return comparison(call, std::greater_equal()); }
Tensors less(const Call& call) { return comparison(call, std::less()); }
Tensors less_or_equal(const Call& call) { return comparison(call, std::less_equal()); }
Tensors logical_and(const Call& call) { return logical(call, std::logical_and()); }
Tensors logical_or(const Call& call) { return logical(call, std::logical_or()); }

Tensors where(const Call& call) {
  const Tensor& condition = input(call, 0);
  const Tensor& a = input(call, 1);
  const Tensor& b = input(call, 2);
  if (a.dtype() != b.dtype()) contradict(call.node, "its two branches differ in type");
  const Shape shape = broadcast(condition.shape(), broadcast(a.shape(), b.shape()));
  const std::size_t width = element_width(a);
  const auto chosen = condition.values<bool>();
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(element_count(shape)) * width);
  const auto strides =
      std::array{broadcast_strides(condition.shape(), shape), broadcast_strides(a.shape(), shape),
                 broadcast_strides(b.shape(), shape)};
  for_each_offset<3>(shape, strides, [&](const auto& at) {
    const bool first = chosen[static_cast<std::size_t>(at[0])];
    const auto offset = static_cast<std::size_t>(first ? at[1] : at[2]) * width;
    const auto element = (first ? a : b).bytes().subspan(offset, width);
    bytes.insert(bytes.end(), element.begin(), element.end());
  });
  return {Tensor(a.dtype(), shape, bytes)};
}

}  // namespace yoloq::graph::detail
