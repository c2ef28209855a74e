// SPDX-License-Identifier: Apache-2.0
#include "onnx/upgrade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "core/error.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "onnx/model_file.h"
#include "support/data.h"

namespace yoloq::onnx {
namespace {

namespace fs = std::filesystem;

using graph::Graph;
using testing::HasSubstr;

/// Models of tests/onnx/make_old_models.py, made once.
const fs::path& old_models() {
  static const test::TemporaryFolder folder;
  static const fs::path path = [] {
    const auto made =
        test::run_python("tests/onnx/make_old_models.py", {(folder / "models").string()});
    EXPECT_EQ(made.status, 0) << made.errors;
    return folder / "models";
  }();
  return path;
}

Graph of_opset(int opset, std::string_view text) {
  Graph graph = graph::parse(text);
  graph.opsets = {{"", opset}};
  return graph;
}

std::string upgraded(Graph graph, int target) {
  upgrade_opset(graph, target);
  graph::verify(graph);
  return graph::to_text(graph);
}

class EveryTarget : public testing::TestWithParam<int> {};

TEST_P(EveryTarget, ComputesWhatTheOldModelsCompute) {
  const test::TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(old_models())) {
    if (entry.path().extension() != ".onnx") continue;
    Graph graph = read_model(entry.path());
    upgrade_opset(graph, GetParam());
    EXPECT_NO_THROW(graph::verify(graph)) << entry.path();
    write_model(graph, folder / entry.path().filename());
  }

  const auto compared =
      test::run_python("tests/onnx/compare_outputs.py",
                       {old_models().string(), folder.path().string(), std::to_string(GetParam())});

  EXPECT_EQ(compared.status, 0) << compared.errors;
}

INSTANTIATE_TEST_SUITE_P(Upgrade, EveryTarget, testing::Values(13, 17, 18, 19),
                         testing::PrintToStringParamName());

TEST(Upgrade, MovesAxesToAnInput) {
  const Graph graph = of_opset(12, "y = Squeeze(x) axes=[1]\nreturn y");

  EXPECT_EQ(upgraded(graph, 13), "y = Squeeze(x, y/axes)\nreturn y\n");
}

TEST(Upgrade, NeedsOneNodeForASoftmaxOverTheLastAxis) {
  Graph graph = of_opset(12, "y = Softmax(x) axis=2\nreturn y");
  EXPECT_EQ(upgraded(graph, 13),
            "y/flat = Flatten(x) axis=2\ny/shape = Shape(x)\n"
            "y/result = Softmax(y/flat) axis=-1\ny = Reshape(y/result, y/shape)\nreturn y\n");

  graph.inputs[0].type = {DType::f32, graph::Dims(3)};
  EXPECT_THAT(upgraded(graph, 13), HasSubstr("y = Softmax(x) axis=-1\n"));
}

TEST(Upgrade, LeavesTheTargetAndLaterOpsetsAlone) {
  for (const int opset : {13, 17, 22}) {
    const Graph graph = of_opset(opset, "y = Unheard(x) axes=[1]\nreturn y");
    Graph same = graph;

    upgrade_opset(same, 13);

    EXPECT_EQ(same, graph);
  }
}

TEST(Upgrade, LeavesNodesOfOtherDomainsAlone) {
  const Graph graph = of_opset(11, "y = acme::Squeeze(x) axes=[1]\nreturn y");

  EXPECT_EQ(upgraded(graph, 19), "y = acme::Squeeze(x) axes=[1]\nreturn y\n");
}

TEST(Upgrade, NamesNewConstantsAsNothingElse) {
  Graph graph = of_opset(12, "y/axes = Relu(x)\ny = Squeeze(y/axes) axes=[1]\nreturn y");

  EXPECT_THAT(upgraded(graph, 13), HasSubstr("y = Squeeze(y/axes, y/axes_1)"));
}

TEST(Upgrade, RaisesTheFileFormatWithTheOperators) {
  Graph graph = read_model(old_models() / "BatchNormalization_9.onnx");
  ASSERT_EQ(graph.inputs.size(), 5u);

  upgrade_opset(graph, 13);

  EXPECT_EQ(graph.ir_version, 7);
  EXPECT_EQ(graph.inputs.size(), 1u);
}

TEST(Upgrade, RefusesWhatCannotBeSaidAndChangesNothing) {
  const std::map<std::string, std::string> reasons{
      {"shrink", "nearest"},      {"half_pixel_for_nn", "tf_half_pixel_for_nn"},
      {"subgraph", "If 'y'"},     {"unknown_op", "Unheard 'y'"},
      {"opset_8", "opset 8"},     {"untyped", "Clip 'y'"},
      {"training", "training"},   {"no_axes", "Unsqueeze 'y'"},
      {"no_pads", "Pad 'y'"},     {"no_k", "TopK 'y'"},
      {"no_starts", "Slice 'y'"},
  };
  for (const auto& [name, reason] : reasons) {
    const Graph graph = read_model(old_models() / "refused" / (name + ".onnx"));
    Graph same = graph;
    try {
      upgrade_opset(same, 19);
      ADD_FAILURE() << name << " was upgraded";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(reason)) << name;
    }
    EXPECT_EQ(same, graph) << name;
  }
}

TEST(Upgrade, RefusesTargetsThatItDoesNotKnow) {
  Graph graph = of_opset(11, "y = Relu(x)\nreturn y");

  EXPECT_THROW(upgrade_opset(graph, 12), Error);
  EXPECT_THROW(upgrade_opset(graph, 20), Error);
}

}  // namespace
}  // namespace yoloq::onnx
