// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/tensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "checkpoint/detail/numpy.h"
#include "core/error.h"

namespace yoloq::checkpoint {

using pickle::View;

namespace {

constexpr std::size_t kMaxRank = 8;
constexpr std::uint64_t kMinTensorBudget = std::uint64_t{64} << 20;
constexpr std::uint64_t kTensorBudgetPerByte =
    8;  // float16 becomes float32; tensors may share storages.

struct TypeName {
  std::string_view storage;  ///< Class of a typed storage, without its module.
  std::string_view dtype;    ///< torch.dtype, as tensors of untyped storages name it.
  DType type;
};

constexpr std::array<TypeName, 10> kTypes{{
    {"HalfStorage", "torch.float16", DType::f16},
    {"FloatStorage", "torch.float32", DType::f32},
    {"DoubleStorage", "torch.float64", DType::f64},
    {"BFloat16Storage", "torch.bfloat16", DType::bf16},
    {"LongStorage", "torch.int64", DType::i64},
    {"IntStorage", "torch.int32", DType::i32},
    {"ShortStorage", "torch.int16", DType::i16},
    {"CharStorage", "torch.int8", DType::i8},
    {"ByteStorage", "torch.uint8", DType::u8},
    {"BoolStorage", "torch.bool", DType::boolean},
}};

DType type_named(std::string_view name) {
  const auto last = name.substr(name.rfind('.') + 1);
  const auto fits = [&](const TypeName& row) { return row.storage == last || row.dtype == name; };
  const auto found = std::ranges::find_if(kTypes, fits);
  if (found != kTypes.end()) return found->type;
  fail(ErrorCode::unsupported, "tensors of type {} are not known", name);
}

bool is_untyped(std::string_view name) { return name.ends_with("UntypedStorage"); }

Shape sizes_from(const View& sizes) {
  Shape result;
  if (!sizes.is_sequence() || sizes.size() > kMaxRank) {
    fail(ErrorCode::corrupt_file, "a tensor's shape or strides are {}", sizes.describe());
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto size = sizes.at(i).integer();
    if (!size || *size < 0) {
      fail(ErrorCode::corrupt_file, "a tensor's shape or strides hold {}", sizes.at(i).describe());
    }
    result.push_back(*size);
  }
  return result;
}

/// A strided window into a storage, in elements.
struct Window {
  Shape sizes;
  Shape strides;
  std::int64_t offset = 0;
  std::int64_t storage_size = 0;
};

void check(const Window& window) {
  const std::int64_t count = element_count(window.sizes);
  std::int64_t last = window.offset;
  bool fits = window.offset >= 0 && window.sizes.size() == window.strides.size() &&
              count <= window.storage_size;
  for (std::size_t i = 0; fits && count > 0 && i < window.sizes.size(); ++i) {
    std::int64_t reach = 0;
    fits = !__builtin_mul_overflow(window.sizes[i] - 1, window.strides[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (fits && (count == 0 || last < window.storage_size)) return;
  fail(ErrorCode::corrupt_file,
       "a tensor of shape {}, strides {} and offset {} does not fit its storage of {} elements",
       to_string(window.sizes), to_string(window.strides), window.offset, window.storage_size);
}

bool is_contiguous(const Window& window) {
  std::int64_t expected = 1;
  for (std::size_t i = window.sizes.size(); i-- > 0;) {
    if (window.sizes[i] != 1 && window.strides[i] != expected) return false;
    expected *= window.sizes[i];
  }
  return true;
}

/// Copies the window's elements in row-major order.
std::string gather(const Window& window, std::string_view bytes, std::size_t width) {
  const auto count = static_cast<std::size_t>(element_count(window.sizes));
  std::string result(count * width, '\0');
  Shape index(window.sizes.size(), 0);
  std::int64_t at = window.offset;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(result.data() + i * width, bytes.data() + static_cast<std::size_t>(at) * width,
                width);
    for (std::size_t axis = index.size(); axis-- > 0;) {  // Counts up like an odometer.
      at += window.strides[axis];
      if (++index[axis] < window.sizes[axis]) break;
      at -= window.strides[axis] * window.sizes[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/// float16, bfloat16 and float64 as float32; others as they are.
Tensor widened(Tensor tensor) {
  const DType type = tensor.dtype();
  if (type != DType::f16 && type != DType::bf16 && type != DType::f64) return tensor;
  return Tensor::of(tensor.shape(), tensor.to_floats());
}

/// What a parameter wraps, or the value itself.
View unwrapped(const View& value) {
  const std::string maker = value.made_by();
  const bool parameter = maker == "torch._utils._rebuild_parameter" ||
                         maker == "torch._utils._rebuild_parameter_with_state";
  return parameter ? value.arguments().at(0) : value;
}

bool is_rebuilt(std::string_view maker) {
  return maker == "torch._utils._rebuild_tensor_v2" || maker == "torch._utils._rebuild_tensor" ||
         maker == "torch._utils._rebuild_tensor_v3";
}

}  // namespace

struct Tensors::Storage {
  DType type = DType::undefined;
  std::string bytes;

  std::int64_t size() const { return static_cast<std::int64_t>(bytes.size() / size_of(type)); }
};

Tensors::Tensors(StorageSource source) : source_(std::move(source)) {}

bool Tensors::is_tensor(const View& value) {
  const View inner = unwrapped(value);
  return is_rebuilt(inner.made_by()) || numpy::is_array(inner);
}

Tensor Tensors::read(const View& value) {
  const View inner = unwrapped(value);
  if (!is_tensor(inner)) {
    fail(ErrorCode::corrupt_file, "{} stands where a tensor is expected", inner.describe());
  }
  const auto found = built_.find(*inner.identity());
  if (found != built_.end()) return found->second;
  return built_.emplace(*inner.identity(), build(inner)).first->second;
}

Tensor Tensors::build(const View& value) {
  if (numpy::is_array(value)) {
    Tensor array = numpy::array_from(value);
    charge(array.bytes().size());
    return widened(std::move(array));
  }
  const bool untyped = value.made_by().ends_with("_v3");
  const View arguments = value.arguments();
  return rebuild(arguments, untyped ? arguments.at(6).name() : std::string());
}

Tensor Tensors::rebuild(const View& arguments, std::string_view dtype_name) {
  const auto held = storage(arguments.at(0), dtype_name);
  const Window window{.sizes = sizes_from(arguments.at(2)),
                      .strides = sizes_from(arguments.at(3)),
                      .offset = arguments.at(1).integer().value_or(-1),
                      .storage_size = held->size()};
  check(window);

  const std::size_t width = size_of(held->type);
  const std::size_t size = static_cast<std::size_t>(element_count(window.sizes)) * width;
  charge(size);
  if (!is_contiguous(window)) {
    const std::string dense = gather(window, held->bytes, width);
    return widened({held->type, window.sizes, std::as_bytes(std::span(dense))});
  }
  const std::size_t first = size == 0 ? 0 : static_cast<std::size_t>(window.offset) * width;
  const auto bytes = std::as_bytes(std::span(held->bytes)).subspan(first, size);
  return widened({held->type, window.sizes, bytes});
}

/// Bounds what many tensors over one storage may take.
void Tensors::charge(std::uint64_t bytes) {
  built_bytes_ += bytes;
  if (built_bytes_ <= std::max(kMinTensorBudget, kTensorBudgetPerByte * loaded_bytes_)) return;
  fail(ErrorCode::corrupt_file, "the tensors take far more memory than the storages behind them");
}

/// The storage behind a persistent id: ('storage', class, key, device, element count).
std::shared_ptr<const Tensors::Storage> Tensors::storage(const View& external,
                                                         std::string_view dtype_name) {
  const View id = external.is_external() ? external.arguments() : external;
  const std::string storage_class = id.at(1).name();
  const auto key = id.at(2).text();
  const auto count = id.at(4).integer();
  if (!external.is_external() || id.at(0).text() != "storage" || storage_class.empty() || !key ||
      !count) {
    fail(ErrorCode::corrupt_file, "{} stands where a tensor's storage is expected",
         external.describe());
  }
  const bool untyped = is_untyped(storage_class);
  const DType type = type_named(untyped ? dtype_name : std::string_view(storage_class));
  const std::string name = std::string(*key) + std::string(name_of(type));
  if (const auto found = storages_.find(name); found != storages_.end()) return found->second;

  auto result = std::make_shared<Storage>();
  result->type = type;
  result->bytes = source_.read(*key);
  loaded_bytes_ += result->bytes.size();
  const std::size_t width = size_of(type);
  const std::size_t unit = untyped ? 1 : width;
  if (*count < 0 || static_cast<std::uint64_t>(*count) != result->bytes.size() / unit ||
      result->bytes.size() % width != 0) {
    fail(ErrorCode::corrupt_file,
         "storage '{}' has {} bytes, but its tensor says {} elements of {}", *key,
         result->bytes.size(), *count, name_of(type));
  }
  if (source_.big_endian) {
    for (auto at = result->bytes.begin(); at != result->bytes.end();) {
      const auto next = at + static_cast<std::ptrdiff_t>(width);
      std::reverse(at, next);
      at = next;
    }
  }
  return storages_.emplace(name, std::move(result)).first->second;
}

}  // namespace yoloq::checkpoint
