// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/file.h"
#include "graph/execute.h"
#include "graph/ops.h"
#include "graph/shapes.h"
#include "graph/text.h"
#include "support/data.h"
#include "support/npz.h"

namespace yoloq::graph {
namespace {

/// ONNX Runtime's exponentials and matrix products differ from libm's by a few units in the last
/// place; float16 results by one.
constexpr double kTolerance = 1e-5;
constexpr double kHalfTolerance = 1e-3;

/// A one-node graph, what goes in and what ONNX Runtime computed; see make_op_cases.py.
struct Case {
  std::string name;
  Graph graph;
  std::map<std::string, Tensor> inputs;
  std::map<std::string, Tensor> expected;
};

Case read_case(const std::filesystem::path& text_file) {
  const std::string text = read_file(text_file);
  Case result{
      .name = text_file.stem().string(), .graph = parse(text), .inputs = {}, .expected = {}};
  std::int64_t opset = 0;
  const std::string_view number =
      std::string_view(text).substr(std::string_view("# opset ").size());
  std::from_chars(number.data(), number.data() + number.size(), opset);
  result.graph.opsets[""] = opset;

  auto arrays = test::read_npz(std::filesystem::path(text_file).replace_extension(".npz"));
  for (auto& [key, array] : arrays) {
    if (key[0] == 'c') result.graph.constants[key] = array;
    if (key[0] == 'x') result.inputs[key] = array;
    if (key[0] == 'y') result.expected[key] = array;
  }
  // The text declares constants as inputs of unknown type, as it does not list them.
  std::erase_if(result.graph.inputs, [](const Port& port) { return port.name[0] == 'c'; });
  return result;
}

class EveryOp : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const test::TemporaryFolder folder;
    const auto finished =
        test::run_python("tests/graph/make_op_cases.py", {folder.path().string(), "1"});
    ASSERT_EQ(finished.status, 0) << finished.errors;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().extension() == ".txt") cases.push_back(read_case(entry.path()));
    }
    ASSERT_FALSE(cases.empty());
  }
  static void TearDownTestSuite() { cases.clear(); }

  static std::vector<Case> cases;
};

std::vector<Case> EveryOp::cases;

void expect_close(const Tensor& actual, const Tensor& expected) {
  ASSERT_EQ(actual.dtype(), expected.dtype());
  ASSERT_EQ(actual.shape(), expected.shape());
  const double tolerance = expected.dtype() == DType::f16 ? kHalfTolerance : kTolerance;
  const auto a = actual.to_floats();
  const auto b = expected.to_floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double scale = std::max(1.0, std::abs(static_cast<double>(b[i])));
    ASSERT_NEAR(a[i], b[i], tolerance * scale) << "element " << i;
  }
}

TEST_F(EveryOp, GivesWhatOnnxRuntimeGives) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto actual = execute(one.graph, one.inputs);

    ASSERT_EQ(actual.size(), one.expected.size());
    for (const auto& [name, tensor] : one.expected) expect_close(actual.at(name), tensor);
  }
}

TEST_F(EveryOp, HasTheTypeThatIsInferred) {
  for (Case one : cases) {
    SCOPED_TRACE(one.name);
    infer_shapes(one.graph);

    for (const auto& [name, tensor] : one.expected) {
      const ValueType type = one.graph.type_of(name);
      EXPECT_EQ(type.dtype, tensor.dtype());
      ASSERT_TRUE(type.dims.has_value());
      if (one.name == "NonZero") continue;  // As many columns as elements that are not 0.
      EXPECT_EQ(fixed_shape(*type.dims), tensor.shape());
    }
  }
}

/// With its sizes unknown, an operator must not claim sizes that it may not have.
TEST_F(EveryOp, InfersNothingFalseFromUnknownSizes) {
  for (Case one : cases) {
    SCOPED_TRACE(one.name);
    for (Port& input : one.graph.inputs) {
      for (Dim& dim : *input.type.dims) dim = Dim{};
    }
    infer_shapes(one.graph);

    for (const auto& [name, tensor] : one.expected) {
      const auto dims = one.graph.type_of(name).dims;
      if (!dims) continue;
      ASSERT_EQ(dims->size(), tensor.shape().size());
      for (std::size_t d = 0; d < dims->size(); ++d) {
        EXPECT_THAT((*dims)[d].size, testing::AnyOf(-1, tensor.shape()[d]));
      }
    }
  }
}

TEST_F(EveryOp, HasACase) {
  std::set<std::string_view> covered;
  for (const Case& one : cases) covered.insert(find_op(one.graph[one.graph.nodes()[0]])->name);

  for (const Op& op : ops()) EXPECT_TRUE(covered.contains(op.name)) << op.name;
}

}  // namespace
}  // namespace yoloq::graph
