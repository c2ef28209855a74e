// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/tensor.h"
#include "onnx/detail/proto.h"

namespace yoloq::onnx::detail {

/// Takes the elements out of `proto`, typed or raw; what is left there is what a Tensor does not
/// hold: name, doc string, later fields.
///
/// Types without a DType keep their ONNX number and their packed bytes (float8, int4, complex).
///
/// @returns nothing if the type is one whose elements a Tensor cannot hold, e.g. strings; `proto`
///     is then untouched.
/// @throws Error(corrupt_file) if shape, type and data contradict each other, Error(unsupported)
///     for a tensor in segments or with data outside the file.
std::optional<Tensor> take_tensor(::onnx::TensorProto& proto);

/// Fills type, shape and raw data of `proto`.
///
/// @throws Error(corrupt_file) if the tensor has no type that ONNX knows.
void put_tensor(const Tensor& tensor, ::onnx::TensorProto& proto);

/// A string tensor or a sparse one, as a constant of type DType::opaque whose bytes are an
/// attribute message that holds it.
Tensor wrap(::onnx::TensorProto proto);
Tensor wrap(::onnx::SparseTensorProto proto);

/// The message that wrap took in.
///
/// @throws Error(corrupt_file) if it is none.
::onnx::AttributeProto unwrap(const Tensor& tensor);

}  // namespace yoloq::onnx::detail
