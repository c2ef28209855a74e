// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/value_info.h"

#include "core/error.h"

namespace yoloq::onnx::detail {

namespace {

using graph::Dim;
using graph::Dims;
using graph::ValueType;

Dim to_dim(const ::onnx::TensorShapeProto::Dimension& dim) {
  if (dim.has_dim_param()) return Dim::named(dim.dim_param());
  if (!dim.has_dim_value()) return {};
  // Some exporters write -1, or 0 for a size that is chosen at run time. Zero is a size.
  return dim.dim_value() < 0 ? Dim{} : Dim::fixed(dim.dim_value());
}

}  // namespace

ValueType to_value_type(const ::onnx::ValueInfoProto& info) {
  if (!info.type().has_tensor_type()) return {};
  const auto& tensor = info.type().tensor_type();
  ValueType type{static_cast<DType>(tensor.elem_type()), std::nullopt};
  if (tensor.elem_type() < 0) fail(ErrorCode::corrupt_file, "it has a negative element type");
  if (!tensor.has_shape()) return type;

  type.dims.emplace();
  for (const auto& dim : tensor.shape().dim()) {
    require_text(dim.dim_param(), "the dimension name");
    type.dims->push_back(to_dim(dim));
  }
  return type;
}

::onnx::ValueInfoProto to_value_info(const std::string& name, const ValueType& type) {
  ::onnx::ValueInfoProto info;
  info.set_name(name);
  if (type.dtype == DType::undefined && !type.dims) return info;

  auto* tensor = info.mutable_type()->mutable_tensor_type();
  // A constant that only its file format understands: its exact type is with the constant.
  if (type.dtype != DType::opaque) tensor->set_elem_type(static_cast<int>(type.dtype));
  if (!type.dims) return info;

  auto* shape = tensor->mutable_shape();
  for (const Dim& dim : *type.dims) {
    auto* entry = shape->add_dim();
    if (dim.known()) {
      entry->set_dim_value(dim.size);
    } else if (!dim.symbol.empty()) {
      entry->set_dim_param(dim.symbol);
    }
  }
  return info;
}

bool says_more(const ::onnx::ValueInfoProto& info) {
  return encode(to_value_info(info.name(), to_value_type(info))) != encode(info);
}

}  // namespace yoloq::onnx::detail
