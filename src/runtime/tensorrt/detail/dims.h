// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <algorithm>
#include <type_traits>

#include "core/error.h"
#include "core/tensor.h"
#include "graph/graph.h"

/// @file
/// Sizes in TensorRT's form and in yoloq's.

namespace yoloq::runtime::tensorrt {

/// A size below 0 is one that is not known yet; Dims without a number of dimensions give none.
inline graph::Dims dims_of(const nvinfer1::Dims& dims) {
  graph::Dims result;
  for (int i = 0; i < dims.nbDims; ++i) {
    result.push_back(dims.d[i] >= 0 ? graph::Dim::fixed(dims.d[i]) : graph::Dim{});
  }
  return result;
}

/// As they are; Dims without a number of dimensions give none.
inline Shape shape_of(const nvinfer1::Dims& dims) {
  return {dims.d, dims.d + std::max(0, static_cast<int>(dims.nbDims))};
}

/// @throws Error(unsupported) for more dimensions than TensorRT has.
inline nvinfer1::Dims to_dims(const Shape& shape) {
  nvinfer1::Dims dims{};
  if (shape.size() > nvinfer1::Dims::MAX_DIMS) {
    fail(ErrorCode::unsupported, "TensorRT has no tensors of {} dimensions", shape.size());
  }
  dims.nbDims = static_cast<std::int32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dims.d[i] = static_cast<std::remove_reference_t<decltype(dims.d[i])>>(shape[i]);
  }
  return dims;
}

}  // namespace yoloq::runtime::tensorrt
