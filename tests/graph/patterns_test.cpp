// SPDX-License-Identifier: Apache-2.0
#include "graph/patterns.h"

#include <gtest/gtest.h>

#include <ostream>

#include "graph/text.h"

namespace yoloq::graph {
namespace {

TEST(Silu, IsFoundInEitherOrder) {
  for (const char* mul : {"z = Mul(y, s)", "z = Mul(s, y)"}) {
    const Graph graph = parse(std::string("y = Conv(x, w)\ns = Sigmoid(y)\n") + mul + "\nreturn z");

    const auto silu = silu_of(graph, "y");

    ASSERT_TRUE(silu.has_value()) << mul;
    EXPECT_EQ(graph[silu->sigmoid].op, "Sigmoid");
    EXPECT_EQ(graph[silu->mul].op, "Mul");
  }
}

struct NoSilu {
  const char* why;
  const char* graph;
};

void PrintTo(const NoSilu& row, std::ostream* out) { *out << row.why; }

class SiluIsNotFound : public testing::TestWithParam<NoSilu> {};

TEST_P(SiluIsNotFound, Of) { EXPECT_FALSE(silu_of(parse(GetParam().graph), "y").has_value()); }

constexpr NoSilu kNoSilu[] = {
    {"AValueThatIsReturned", "y = Neg(x)\ns = Sigmoid(y)\nz = Mul(y, s)\nreturn z, y"},
    {"AGateThatIsRead", "y = Neg(x)\ns = Sigmoid(y)\nz = Mul(y, s)\nreturn z, s"},
    {"AThirdReader", "y = Neg(x)\ns = Sigmoid(y)\nz = Mul(y, s)\nt = Neg(y)\nreturn z, t"},
    {"AGateOfAnotherValue",
     "y = Neg(x)\nq = Sigmoid(y)\ns = Sigmoid(x)\nz = Mul(y, s)\nreturn z, q"},
    {"AnotherFunction", "y = Neg(x)\ns = Tanh(y)\nz = Mul(y, s)\nreturn z"},
    {"ASquare", "y = Neg(x)\nz = Mul(y, y)\nreturn z"},
    {"NoReader", "y = Neg(x)\nreturn x"},
};

INSTANTIATE_TEST_SUITE_P(When, SiluIsNotFound, testing::ValuesIn(kNoSilu),
                         [](const auto& row) { return row.param.why; });

}  // namespace
}  // namespace yoloq::graph
