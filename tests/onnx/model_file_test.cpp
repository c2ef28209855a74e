// SPDX-License-Identifier: Apache-2.0
#include "onnx/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "support/data.h"

namespace yoloq::onnx {
namespace {

namespace fs = std::filesystem;

using graph::Dim;
using graph::Graph;
using graph::Opaque;
using testing::ElementsAre;
using testing::HasSubstr;

/// Models of tests/onnx/make_models.py, made once.
const fs::path& made_models() {
  static const test::TemporaryFolder folder;
  static const fs::path path = [] {
    const auto made = test::run_python("tests/onnx/make_models.py", {(folder / "models").string()});
    EXPECT_EQ(made.status, 0) << made.errors;
    return folder / "models";
  }();
  return path;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") files.push_back(entry.path());
  }
  return files;
}

/// A graph with one of each thing that has a place of its own in a Graph.
Graph handmade() {
  Graph graph = graph::parse(
      "y, second = acme::Thing(x, , w) count=3 rate=0.5 mode=fast "
      "sizes=[1,-2] rates=[0.5,2.0] words=[a,b] @model.1.conv\n"
      "return y");
  graph.inputs = {{"x", {DType::f32, graph::Dims{Dim::named("batch"), Dim::fixed(3), Dim{}}}}};
  graph.outputs = {{"y", {DType::f16, {}}}};
  graph.constants["w"] = Tensor::of<std::int8_t>({2, 2}, {-128, 127, 0, 1});
  graph.value_types["second"] = {DType::i64, graph::Dims{}};
  graph[graph.nodes().front()].attributes["table"] = Tensor::list<std::int64_t>({7, 9});
  graph[graph.nodes().front()].doc = "a thing";
  graph.metadata = {{"names", "{0: 'person'}"}, {"stride", "32"}};
  graph.opsets = {{"", 17}, {"acme", 1}};
  graph.producer_name = "yoloq";
  graph.producer_version = "1";
  graph.doc = "a model";
  return graph;
}

TEST(ModelFile, KeepsEverythingThatAGraphHolds) {
  const Graph graph = handmade();

  EXPECT_EQ(parse(serialize(graph)), graph);
  EXPECT_EQ(serialize(parse(serialize(graph))), serialize(graph));
}

TEST(ModelFile, WritesAFileThatItReadsBack) {
  const test::TemporaryFolder folder;
  const Graph graph = handmade();

  write_model(graph, folder / "model.onnx");

  EXPECT_EQ(read_model(folder / "model.onnx"), graph);
}

TEST(ModelFile, KeepsForeignModelsWhole) {
  for (const fs::path& file : files_in(made_models())) {
    const Graph graph = read_model(file);
    const std::string bytes = serialize(graph);

    EXPECT_NO_THROW(graph::verify(graph)) << file;
    EXPECT_EQ(parse(bytes), graph) << file;
    EXPECT_EQ(serialize(parse(bytes)), bytes) << file;
  }
}

TEST(ModelFile, WritesForeignModelsThatSayAndComputeTheSame) {
  const test::TemporaryFolder folder;
  for (const fs::path& file : files_in(made_models())) {
    write_model(read_model(file), folder / file.filename());
  }

  const auto compared = test::run_python("tests/onnx/compare_models.py",
                                         {made_models().string(), folder.path().string()});

  EXPECT_EQ(compared.status, 0) << compared.errors;
}

TEST(ModelFile, NamesWhatIsWrongWithABrokenModel) {
  const auto expected = nlohmann::json::parse(read_file(made_models() / "broken/expected.json"));
  ASSERT_GT(expected.size(), 30u);
  for (const auto& [name, words] : expected.items()) {
    const fs::path file = made_models() / "broken" / (name + ".onnx");
    try {
      read_model(file);
      ADD_FAILURE() << name << " was read";
    } catch (const Error& error) {
      for (const std::string word : words) EXPECT_THAT(error.what(), HasSubstr(word)) << name;
      EXPECT_THAT(error.what(), HasSubstr(file.string()));
    }
  }
}

TEST(ModelFile, RefusesEveryTruncation) {
  const std::string whole = read_file(made_models() / "subgraphs.onnx");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      graph::verify(parse(whole.substr(0, size)));
    } catch (const Error&) {
      continue;  // A cut between two fields can be a smaller model.
    }
  }
}

TEST(ModelFile, PutsNodesIntoExecutionOrder) {
  const Graph graph = read_model(made_models() / "unsorted.onnx");

  EXPECT_EQ(graph::to_text(graph),
            "input x float32[2]\na = Relu(x)\ny = Relu(a)\nreturn y float32[2]\n");
}

TEST(ModelFile, ListsWhatSubgraphsReadFromOutside) {
  const Graph graph = read_model(made_models() / "subgraphs.onnx");

  EXPECT_THAT(graph[graph.nodes().back()].captured, ElementsAre("count", "outer", "w", "x"));
}

TEST(ModelFile, ReadsExternalDataOnlyWithItsFolder) {
  const std::string bytes = read_file(made_models() / "external.onnx");

  EXPECT_EQ(parse(bytes, made_models()).constant("w")->shape(), (Shape{8}));
  EXPECT_THROW(parse(bytes), Error);
}

TEST(ModelFile, HasAHashOfItsExternalDataToo) {
  const test::TemporaryFolder folder;
  fs::copy(made_models(), folder.path());
  const std::string before = hash_of_file(folder / "external.onnx");
  const std::string plain = hash_of_file(folder / "subgraphs.onnx");

  EXPECT_EQ(hash_of_file(made_models() / "external.onnx"), before);
  EXPECT_EQ(plain, hash_of(read_file(folder / "subgraphs.onnx")));
  std::string weights = read_file(folder / "weights.bin");
  weights.back() ^= 1;
  write_file(folder / "weights.bin", weights);
  EXPECT_NE(hash_of_file(folder / "external.onnx"), before);
  EXPECT_EQ(hash_of_file(folder / "subgraphs.onnx"), plain);
}

TEST(ModelFile, WritesANewTypeOfAValueInsteadOfTheKeptOne) {
  Graph graph = read_model(made_models() / "annotations.onnx");
  graph.inputs[0].type.dims = graph::Dims{Dim::fixed(5), Dim::fixed(4)};

  EXPECT_EQ(parse(serialize(graph)).inputs, graph.inputs);
}

TEST(ModelFile, DropsWhatItKeptForAnErasedNode) {
  Graph graph = read_model(made_models() / "every_attribute.onnx");
  graph.erase(graph.nodes().front());
  graph.outputs.clear();

  EXPECT_EQ(parse(serialize(graph)).node_count(), 0u);
}

TEST(ModelFile, RefusesOpaqueBytesThatNoReaderMade) {
  Graph graph = handmade();
  graph[graph.nodes().front()].attributes["body"] = Opaque{"\xff\xff"};
  EXPECT_THROW(serialize(graph), Error);

  graph = handmade();
  graph.opaque = "\xff\xff";
  EXPECT_THROW(serialize(graph), Error);

  graph = handmade();
  graph.constants["w"] = Tensor(DType::opaque, {1}, {});
  EXPECT_THROW(serialize(graph), Error);
}

TEST(ModelFile, SaysWhichFileIsMissing) {
  EXPECT_THROW(
      {
        try {
          read_model("/nowhere/model.onnx");
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::not_found);
          EXPECT_THAT(error.what(), HasSubstr("/nowhere/model.onnx"));
          throw;
        }
      },
      Error);
}

}  // namespace
}  // namespace yoloq::onnx
