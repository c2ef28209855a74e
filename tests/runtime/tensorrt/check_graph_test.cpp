// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/check_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "core/error.h"
#include "graph/text.h"

namespace yoloq::runtime::tensorrt {
namespace {

using graph::parse;
using testing::AllOf;
using testing::HasSubstr;

constexpr auto kSymmetric = R"(
    s = float32[] {0.5}
    z = int8[] {0}
    codes = int8[2,1,1,1] {3, -4}
    q = QuantizeLinear(x, s, z) @a/QuantizeLinear
    d = DequantizeLinear(q, s, z)
    w = DequantizeLinear(codes, s)
    y = Conv(d, w)
    return y)";

TEST(RequireSymmetricInt8, TakesCodesAroundZero) {
  EXPECT_NO_THROW(require_symmetric_int8(parse(kSymmetric)));
}

struct Refused {
  const char* why;
  const char* text;
};

void PrintTo(const Refused& row, std::ostream* out) { *out << row.why; }

class RequireSymmetricInt8Refuses : public testing::TestWithParam<Refused> {};

TEST_P(RequireSymmetricInt8Refuses, SayingWhereAndWhatToDo) {
  try {
    require_symmetric_int8(parse(GetParam().text));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'a/QuantizeLinear' (QuantizeLinear)"),
                                    HasSubstr(GetParam().why), HasSubstr("--target tensorrt")));
  }
}

INSTANTIATE_TEST_SUITE_P(Of, RequireSymmetricInt8Refuses,
                         testing::Values(Refused{"uint8 codes", R"(
                             s = float32[] {0.5}
                             z = uint8[] {0}
                             q = QuantizeLinear(x, s, z) @a/QuantizeLinear
                             return q)"},
                                         Refused{"uint8 codes", R"(
                             s = float32[] {0.5}
                             q = QuantizeLinear(x, s) @a/QuantizeLinear
                             return q)"},
                                         Refused{"a zero point other than 0", R"(
                             s = float32[2] {0.5, 0.5}
                             z = int8[2] {0, 3}
                             q = QuantizeLinear(x, s, z) axis=0 @a/QuantizeLinear
                             return q)"}));

TEST(RequireFloat32Scales, RefusesOthersSayingWhatToDo) {
  EXPECT_NO_THROW(require_float32_scales(parse(kSymmetric)));
  try {
    require_float32_scales(parse(R"(
        s = float16[] {0.5}
        z = int8[] {0}
        q = QuantizeLinear(x, s, z) @a/QuantizeLinear
        return q)"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'a/QuantizeLinear' (QuantizeLinear)"),
                                    HasSubstr("yoloq build --float-type fp16")));
  }
}

TEST(WithOutputTypes, FillsInWhatIsNotSaid) {
  const auto graph = with_output_types(parse("input x float32[2,3]\ny = Relu(x)\nreturn y"));

  EXPECT_EQ(graph.outputs.at(0).type.dtype, DType::f32);
}

/// Two convolutions of float16 and one of float32, by bias or weight.
constexpr auto kMostlyHalf = R"(
    w = float16[1,1,1,1] {1}
    v = float32[1,1,1,1] {1}
    b = float16[1] {0}
    codes = int8[1,1,1,1] {3}
    s = float16[] {0.5}
    q = DequantizeLinear(codes, s)
    y1 = Conv(x, w)
    y2 = Conv(x, q, b)
    y3 = Conv(x, v)
    return y1)";

TEST(FloatTypeIn, IsThatOfMostConvolutions) {
  EXPECT_EQ(float_type_in(parse(kMostlyHalf)), FloatType::f16);
  EXPECT_EQ(float_type_in(parse(kSymmetric)), FloatType::f32);
}

TEST(RequireFloatType, TakesWhatTheFileSaysAndRefusesTheRest) {
  EXPECT_NO_THROW(require_float_type(parse(kMostlyHalf), FloatType::f16));
  EXPECT_NO_THROW(require_float_type(parse(kMostlyHalf), FloatType::f32));
  EXPECT_THROW(require_float_type(parse(kMostlyHalf), FloatType::bf16), Error);
  try {
    require_float_type(parse(kSymmetric), FloatType::f16);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("--float-type fp16"));
  }
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
