// SPDX-License-Identifier: Apache-2.0
#include "onnx/detail/attribute_proto.h"

#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "onnx/detail/tensor_proto.h"

namespace yoloq::onnx::detail {

namespace {

using graph::Attribute;
using graph::Opaque;
using ::onnx::AttributeProto;

/// The kind that an attribute of an early file does not state but shows.
AttributeProto::AttributeType kind_of(const AttributeProto& proto) {
  if (proto.has_ref_attr_name()) return AttributeProto::UNDEFINED;
  if (proto.has_type()) return proto.type();
  if (proto.has_f()) return AttributeProto::FLOAT;
  if (proto.has_i()) return AttributeProto::INT;
  if (proto.has_s()) return AttributeProto::STRING;
  if (proto.has_t()) return AttributeProto::TENSOR;
  if (proto.floats_size() > 0) return AttributeProto::FLOATS;
  if (proto.ints_size() > 0) return AttributeProto::INTS;
  if (proto.strings_size() > 0) return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

Attribute take_opaque(AttributeProto& proto) {
  Opaque opaque{encode(proto)};
  proto.Clear();
  return opaque;
}

Attribute take_tensor_attribute(AttributeProto& proto) {
  if (!proto.has_t()) fail(ErrorCode::corrupt_file, "it is a tensor but holds none");
  auto tensor = take_tensor(*proto.mutable_t());
  if (!tensor) return take_opaque(proto);
  if (proto.t().ByteSizeLong() == 0) proto.clear_t();
  return *std::move(tensor);
}

/// The elements of a repeated field, which is then empty.
template <typename T, typename Field>
std::vector<T> take_list(Field* field) {
  std::vector<T> values(field->begin(), field->end());
  field->Clear();
  return values;
}

Attribute take_value(AttributeProto& proto, AttributeProto::AttributeType kind) {
  switch (kind) {
    case AttributeProto::FLOAT: {
      const float value = proto.f();
      proto.clear_f();
      return value;
    }
    case AttributeProto::INT: {
      const std::int64_t value = proto.i();
      proto.clear_i();
      return value;
    }
    case AttributeProto::STRING: {
      std::string value = std::move(*proto.mutable_s());
      proto.clear_s();
      return value;
    }
    case AttributeProto::TENSOR:
      return take_tensor_attribute(proto);
    case AttributeProto::FLOATS:
      return take_list<float>(proto.mutable_floats());
    case AttributeProto::INTS:
      return take_list<std::int64_t>(proto.mutable_ints());
    case AttributeProto::STRINGS:
      return take_list<std::string>(proto.mutable_strings());
    default:
      return take_opaque(proto);
  }
}

/// Writes one kind of value; one overload per alternative of Attribute.
struct Put {
  AttributeProto& proto;

  void operator()(std::int64_t value) const {
    proto.set_type(AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    proto.set_type(AttributeProto::INTS);
    for (const std::int64_t value : values) proto.add_ints(value);
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(AttributeProto::FLOATS);
    for (const float value : values) proto.add_floats(value);
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(AttributeProto::STRINGS);
    for (const std::string& value : values) proto.add_strings(value);
  }
  void operator()(const Tensor& value) const {
    if (value.dtype() == DType::opaque) proto = unwrap(value);
    proto.set_type(proto.has_sparse_tensor() ? AttributeProto::SPARSE_TENSOR
                                             : AttributeProto::TENSOR);
    if (value.dtype() != DType::opaque) put_tensor(value, *proto.mutable_t());
  }
  void operator()(const Opaque& value) const { decode(value.bytes, proto, "an attribute"); }
};

}  // namespace

Attribute take_attribute(AttributeProto& proto) {
  Attribute value = take_value(proto, kind_of(proto));
  proto.clear_name();
  proto.clear_type();
  return value;
}

AttributeProto to_attribute_proto(const std::string& name, const Attribute& value) {
  AttributeProto proto;
  try {
    std::visit(Put{proto}, value);
  } catch (const Error& error) {
    throw error.within("attribute '" + name + "'");
  }
  proto.set_name(name);
  return proto;
}

void add_extras(AttributeProto extras, AttributeProto& proto) {
  if (proto.type() != AttributeProto::TENSOR) extras.clear_t();
  proto.MergeFrom(extras);
}

}  // namespace yoloq::onnx::detail
