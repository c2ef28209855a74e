// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/arguments.h"
#include "graph/detail/arrays.h"
#include "graph/detail/kernels.h"

namespace yoloq::graph::detail {

namespace {

/// A [rows, inner] matrix times an [inner, columns] one.
void multiply_into(std::span<const float> a, std::span<const float> b, std::size_t inner,
                   std::size_t columns, std::vector<float>& result) {
  const std::size_t rows = inner == 0 ? 0 : a.size() / inner;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      double sum = 0;
      for (std::size_t i = 0; i < inner; ++i) {
        sum += static_cast<double>(a[r * inner + i]) * b[i * columns + c];
      }
      result.push_back(static_cast<float>(sum));
    }
  }
}

}  // namespace

Tensors matmul(const Call& call) {
  const Tensor& left = input(call, 0);
  const Tensor& right = input(call, 1);
  if (left.rank() < 2 || right.rank() < 2) not_covered(call.node, "vectors have no kernel");
  const Shape a_batch(left.shape().begin(), left.shape().end() - 2);
  const Shape b_batch(right.shape().begin(), right.shape().end() - 2);
  const std::int64_t rows = left.shape().end()[-2];
  const std::int64_t inner = left.shape().back();
  const std::int64_t columns = right.shape().back();
  if (right.shape().end()[-2] != inner || inner == 0) {
    contradict(call.node, "inner sizes of " + to_string(left.shape()) + " and " +
                              to_string(right.shape()) + " differ");
  }
  const Shape batch = broadcast(a_batch, b_batch);
  Shape shape = batch;
  shape.insert(shape.end(), {rows, columns});
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(element_count(shape)));
  const auto strides =
      std::array{broadcast_strides(a_batch, batch), broadcast_strides(b_batch, batch)};
  for_each_offset<2>(batch, strides, [&](const auto& at) {
    const auto a_size = static_cast<std::size_t>(rows * inner);
    const auto b_size = static_cast<std::size_t>(inner * columns);
    multiply_into(left.values<float>().subspan(static_cast<std::size_t>(at[0]) * a_size, a_size),
                  right.values<float>().subspan(static_cast<std::size_t>(at[1]) * b_size, b_size),
                  static_cast<std::size_t>(inner), static_cast<std::size_t>(columns), result);
  });
  return {tensor_of<float>(shape, result)};
}

Tensors gemm(const Call& call) {
  constexpr std::int64_t kSwap[] = {1, 0};
  const auto operand = [&](std::size_t index, const char* flag) {
    const Tensor& x = input(call, index);
    if (x.rank() != 2) contradict(call.node, "an operand is no matrix");
    return call.node.integer(flag, 0) != 0 ? transposed(x, kSwap) : x;
  };
  const Tensor a = operand(0, "transA");
  const Tensor b = operand(1, "transB");
  Tensor product = matmul({call.node, call.opset, {&a, &b}}).front();
  const float alpha = call.node.real("alpha", 1.0f);
  if (alpha != 1.0f) {
    const Tensor factor = Tensor::scalar(alpha);
    product = multiply({call.node, call.opset, {&product, &factor}}).front();
  }
  const Tensor* c = optional_input(call, 2);
  if (c == nullptr) return {product};
  const Tensor factor = Tensor::scalar(call.node.real("beta", 1.0f));
  const Tensor scaled = multiply({call.node, call.opset, {c, &factor}}).front();
  return add({call.node, call.opset, {&product, &scaled}});
}

}  // namespace yoloq::graph::detail
