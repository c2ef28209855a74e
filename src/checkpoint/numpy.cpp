// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/numpy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace yoloq::checkpoint::numpy {

using pickle::View;

namespace {

struct TypeCode {
  std::string_view code;  ///< Of numpy.dtype.
  DType type;
};

constexpr std::array<TypeCode, 12> kTypes{{
    {"f2", DType::f16},
    {"f4", DType::f32},
    {"f8", DType::f64},
    {"i1", DType::i8},
    {"i2", DType::i16},
    {"i4", DType::i32},
    {"i8", DType::i64},
    {"u1", DType::u8},
    {"u2", DType::u16},
    {"u4", DType::u32},
    {"u8", DType::u64},
    {"b1", DType::boolean},
}};

/// numpy 2 moved its functions from numpy.core to numpy._core.
bool made_by_core(const View& value, std::string_view function) {
  const std::string maker = value.made_by();
  for (const std::string_view package : {"numpy.core.", "numpy._core."}) {
    if (maker.starts_with(package) && maker.substr(package.size()) == function) return true;
  }
  return false;
}

/// The element type behind a numpy.dtype('f4', ...) with the state (3, '<', ...).
DType type_from(const View& dtype) {
  const auto code = dtype.arguments().at(0).text().value_or("");
  const auto order = dtype.state().at(1).text().value_or("|");
  const auto found = std::ranges::find(kTypes, code, &TypeCode::code);
  if (dtype.made_by() != "numpy.dtype" || found == kTypes.end() || order == ">") {
    fail(ErrorCode::unsupported, "a numpy value of type '{}{}' is not known", order,
         code.substr(0, 16));
  }
  return found->type;
}

/// Protocol 2 has no bytes: they are _codecs.encode(text, 'latin1').
std::optional<std::string> bytes_from(const View& value) {
  if (const auto bytes = value.bytes()) return std::string(*bytes);
  if (value.made_by() != "_codecs.encode") return std::nullopt;
  const auto text = value.arguments().at(0).text();
  if (!text) return std::nullopt;
  std::string result;
  for (std::size_t i = 0; i < text->size(); ++i) {
    const auto byte = static_cast<unsigned char>((*text)[i]);
    if (byte < 0x80) {
      result.push_back(static_cast<char>(byte));
    } else if ((byte & 0xFC) == 0xC0 && i + 1 < text->size()) {  // U+0080 to U+00FF in UTF-8.
      const auto low = static_cast<unsigned char>((*text)[++i]);
      result.push_back(static_cast<char>(((byte & 0x03) << 6) | (low & 0x3F)));
    } else {
      return std::nullopt;
    }
  }
  return result;
}

/// A numpy scalar as a tensor of one element.
std::optional<Tensor> scalar_from(const View& value) {
  if (!made_by_core(value, "multiarray.scalar")) return std::nullopt;
  const DType type = type_from(value.arguments().at(0));
  const auto bytes = bytes_from(value.arguments().at(1));
  if (!bytes) fail(ErrorCode::corrupt_file, "a numpy scalar has no bytes");
  return Tensor(type, {}, std::as_bytes(std::span(*bytes)));
}

}  // namespace

bool is_array(const View& value) {
  return made_by_core(value, "multiarray._reconstruct") ||
         made_by_core(value, "numeric._frombuffer");
}

Tensor array_from(const View& value) {
  // Protocol 5 calls _frombuffer(bytes, dtype, shape, order); earlier ones give an empty array the
  // state (version, shape, dtype, is_fortran, bytes).
  const bool whole = made_by_core(value, "numeric._frombuffer");
  const View shape = whole ? value.arguments().at(2) : value.state().at(1);
  const View dtype = whole ? value.arguments().at(1) : value.state().at(2);
  const auto bytes = bytes_from(whole ? value.arguments().at(0) : value.state().at(4));
  const bool row_major =
      whole ? value.arguments().at(3).text() == "C" : value.state().at(3).boolean() == false;
  if (!bytes || !shape.is_sequence() || !row_major) {
    fail(ErrorCode::unsupported, "a numpy array is not plain numbers in row-major order");
  }
  Shape sizes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    sizes.push_back(shape.at(i).integer().value_or(-1));
  }
  return {type_from(dtype), std::move(sizes), std::as_bytes(std::span(*bytes))};
}

std::optional<double> real_from(const View& value) {
  if (const auto real = value.real()) return real;
  const auto scalar = scalar_from(value);
  return scalar ? std::optional<double>(scalar->to_floats().front()) : std::nullopt;
}

std::optional<std::int64_t> integer_from(const View& value) {
  if (const auto integer = value.integer()) return integer;
  const auto scalar = scalar_from(value);
  if (!scalar || scalar->dtype() == DType::f16 || scalar->dtype() == DType::f32 ||
      scalar->dtype() == DType::f64) {
    return std::nullopt;
  }
  return scalar->to_integers().front();
}

}  // namespace yoloq::checkpoint::numpy
