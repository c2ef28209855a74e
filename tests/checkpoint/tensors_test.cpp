// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "core/error.h"
#include "support/pickle_writer.h"

namespace yoloq::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;  // NOLINT: the pieces of a pickle.

/// A tensor over storage "0", as torch.save writes one.
struct Claim {
  std::string storage_class = "FloatStorage";
  std::int64_t storage_size = 6;
  std::int64_t offset = 0;
  Shape sizes = {2, 3};
  Shape strides = {3, 1};
  std::string dtype = {};  ///< Of a tensor over an untyped storage.
};

Pickled numbers(const Shape& values) {
  std::vector<Pickled> items;
  for (const std::int64_t value : values) items.push_back(pickle_integer(value));
  return pickle_tuple(items);
}

Pickled pickled(const Claim& claim) {
  const bool untyped = !claim.dtype.empty();
  const Pickled storage = pickle_persistent(
      pickle_tuple({pickle_text("storage"), pickle_global("torch", claim.storage_class),
                    pickle_text("0"), pickle_text("cpu"), pickle_integer(claim.storage_size)}));
  std::vector<Pickled> arguments{storage,
                                 pickle_integer(claim.offset),
                                 numbers(claim.sizes),
                                 numbers(claim.strides),
                                 pickle_boolean(false),
                                 pickle_ordered({})};
  if (untyped) arguments.push_back(pickle_global("torch", claim.dtype));
  return pickle_call(
      pickle_global("torch._utils", untyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2"),
      arguments);
}

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const std::string kSix = bytes_of<float>({1, 2, 3, 4, 5, 6});

/// Reads the tensor of a pickle over a storage of the given bytes.
Tensor read(const Pickled& tensor, const std::string& storage = kSix, bool big_endian = false) {
  const pickle::Document document(pickle_document(tensor));
  Tensors tensors({.read = [&](std::string_view) { return storage; }, .big_endian = big_endian});
  return tensors.read({document, document.root()});
}

std::string tensor_message(const Pickled& tensor, const std::string& storage = kSix) {
  try {
    read(tensor, storage);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Tensors, TakesAWindowOfTheStorage) {
  EXPECT_EQ(read(pickled({})), Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(read(pickled({.offset = 2, .sizes = {2}, .strides = {1}})),
            Tensor::list<float>({3, 4}));
  EXPECT_EQ(read(pickled({.offset = 5, .sizes = {}, .strides = {}})), Tensor::scalar(6.0f));
  EXPECT_EQ(read(pickled({.sizes = {3, 2}, .strides = {1, 3}})),
            Tensor::of<float>({3, 2}, {1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(read(pickled({.offset = 1, .sizes = {2, 2}, .strides = {3, 1}})),
            Tensor::of<float>({2, 2}, {2, 3, 5, 6}));
  EXPECT_EQ(read(pickled({.offset = 4, .sizes = {1, 3}, .strides = {99, 0}})),
            Tensor::of<float>({1, 3}, {5, 5, 5}));
  EXPECT_EQ(read(pickled({.sizes = {0, 3}, .strides = {3, 1}})).shape(), (Shape{0, 3}));
}

TEST(Tensors, UnwrapsParameters) {
  const Pickled parameter = pickle_call(pickle_global("torch._utils", "_rebuild_parameter"),
                                        {pickled({}), pickle_boolean(true), pickle_ordered({})});

  EXPECT_EQ(read(parameter).shape(), (Shape{2, 3}));
}

TEST(Tensors, MakesFloat32OfEveryRealType) {
  const auto two = [](const char* type) {
    return pickled({.storage_class = type, .storage_size = 2, .sizes = {2}, .strides = {1}});
  };
  const auto expected = Tensor::list<float>({1.5f, -2});

  EXPECT_EQ(read(two("HalfStorage"), bytes_of<std::uint16_t>({0x3E00, 0xC000})), expected);
  EXPECT_EQ(read(two("BFloat16Storage"), bytes_of<std::uint16_t>({0x3FC0, 0xC000})), expected);
  EXPECT_EQ(read(two("FloatStorage"), bytes_of<float>({1.5f, -2})), expected);
  EXPECT_EQ(read(two("DoubleStorage"), bytes_of<double>({1.5, -2})), expected);
  EXPECT_THAT(read(two("LongStorage"), bytes_of<std::int64_t>({7, -8})).to_integers(),
              ElementsAre(7, -8));
  EXPECT_THAT(read(two("IntStorage"), bytes_of<std::int32_t>({7, -8})).to_integers(),
              ElementsAre(7, -8));
  EXPECT_THAT(read(two("BoolStorage"), std::string("\1\0", 2)).to_integers(), ElementsAre(1, 0));
}

TEST(Tensors, ReadsUntypedStorages) {
  EXPECT_EQ(
      read(pickled({.storage_class = "UntypedStorage", .storage_size = 24, .dtype = "float32"})),
      Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
}

TEST(Tensors, SwapsTheBytesOfABigEndianFile) {
  std::string storage = kSix;
  for (std::size_t i = 0; i < storage.size(); i += 4) {
    std::reverse(storage.begin() + static_cast<std::ptrdiff_t>(i),
                 storage.begin() + static_cast<std::ptrdiff_t>(i + 4));
  }

  EXPECT_EQ(read(pickled({}), storage, true), Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
}

struct Lie {
  const char* name;
  Claim claim;
};

void PrintTo(const Lie& row, std::ostream* out) { *out << row.name; }

class TensorsRefuse : public testing::TestWithParam<Lie> {};

TEST_P(TensorsRefuse, AWindowBeyondTheStorage) {
  EXPECT_THROW(read(pickled(GetParam().claim)), Error);
}

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

const Lie kLies[] = {
    {"TooManyRows", {.sizes = {3, 3}}},
    {"Offset", {.offset = 1}},
    {"NegativeOffset", {.offset = -1}},
    {"HugeOffset", {.offset = kHuge}},
    {"HugeStride", {.strides = {kHuge, 1}}},
    {"OverflowingReach", {.sizes = {5, 1}, .strides = {kHuge, kHuge}}},
    {"NegativeStride", {.strides = {-3, 1}}},
    {"NegativeSize", {.sizes = {-2, 3}}},
    {"OverflowingSize", {.sizes = {kHuge, kHuge}}},
    {"ExpandedWithoutEnd", {.sizes = {kHuge, 1}, .strides = {0, 0}}},
    {"MoreStridesThanSizes", {.strides = {3, 1, 1}}},
    {"StorageLargerThanItIs", {.storage_size = 7}},
    {"StorageSmallerThanItIs", {.storage_size = 5, .sizes = {1}, .strides = {1}}},
    {"NegativeStorage", {.storage_size = -6}},
    {"AnotherElementSize", {.storage_class = "DoubleStorage"}},
    {"UnknownType", {.storage_class = "ComplexFloatStorage"}},
    {"UnknownDtype", {.storage_class = "UntypedStorage", .storage_size = 24, .dtype = "qint8"}},
    {"Rank", {.sizes = Shape(9, 1), .strides = Shape(9, 1)}},
};

INSTANTIATE_TEST_SUITE_P(, TensorsRefuse, testing::ValuesIn(kLies));

TEST(Tensors, SaysWhatStandsWhereATensorShould) {
  EXPECT_THAT(tensor_message(pickle_integer(3)), HasSubstr("3 stands where a tensor is expected"));
  EXPECT_THAT(tensor_message(pickle_call(pickle_global("os", "system"), {pickle_text("ls")})),
              HasSubstr("os.system"));
  EXPECT_THAT(tensor_message(pickle_call(pickle_global("torch._utils", "_rebuild_tensor_v2"), {})),
              HasSubstr("storage is expected"));
  EXPECT_THAT(tensor_message(pickle_call(pickle_global("torch._utils", "_rebuild_tensor_v2"),
                                         {pickle_persistent(pickle_none())})),
              HasSubstr("storage is expected"));
}

TEST(Tensors, BoundTheMemoryOfManyViewsOfOneStorage) {
  const std::string storage(16 << 20, '\0');
  std::vector<Pickled> views;
  for (int i = 0; i < 20; ++i) {
    views.push_back(pickled({.storage_class = "ByteStorage",
                             .storage_size = 16 << 20,
                             .sizes = {16 << 20},
                             .strides = {1}}));
  }
  const pickle::Document document(pickle_document(pickle_list(views)));
  Tensors tensors({.read = [&](std::string_view) { return storage; }});
  const pickle::View list(document, document.root());

  EXPECT_THROW(
      {
        for (std::size_t i = 0; i < list.size(); ++i) tensors.read(list.at(i));
      },
      Error);
}

}  // namespace
}  // namespace yoloq::checkpoint
