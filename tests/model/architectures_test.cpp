// SPDX-License-Identifier: Apache-2.0
#include "model/architectures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "checkpoint/checkpoint.h"
#include "core/error.h"
#include "model/emit.h"
#include "model/read_yaml.h"
#include "model/visit.h"
#include "support/data.h"
#include "transform/fold_batch_norm.h"

namespace yoloq::model {
namespace {

using testing::HasSubstr;

/// What training changes: weights and biases; means and variances are not parameters.
struct CountParameters {
  std::int64_t* count;
  void operator()(const std::string&, const Conv2d& conv) const {
    *count += static_cast<std::int64_t>(conv.weight.size());
    if (conv.bias) *count += static_cast<std::int64_t>(conv.bias->size());
  }
  void operator()(const std::string&, const BatchNorm2d& norm) const {
    *count += static_cast<std::int64_t>(norm.weight.size() + norm.bias.size());
  }
};

std::int64_t parameters_of(const Description& description) {
  std::int64_t count = 0;
  visit_weights(description, CountParameters{&count});
  return count;
}

Description blank(const std::string& name, int class_count = 80) {
  return read_model_yaml(name, {.class_count = class_count, .seed = std::nullopt});
}

/// Sums of an Ultralytics checkout, "Model summary: ... parameters", not fused, 80 classes. The
/// anchors are not among them.
TEST(EveryArchitecture, HasAsManyParametersAsUltralyticsSays) {
  const std::map<std::string, std::int64_t> expected{
      {"yolov5n.yaml", 1'872'157},  {"yolov5s.yaml", 7'235'389},  {"yolov5m.yaml", 21'190'557},
      {"yolov5l.yaml", 46'563'709}, {"yolov5x.yaml", 86'749'405}, {"yolov5s-v5.0.yaml", 7'276'605}};

  for (const auto& [name, count] : expected) EXPECT_EQ(parameters_of(blank(name)), count) << name;
}

TEST(EveryArchitecture, EmitsAGraphWithThreeHeads) {
  for (const std::string& name : architecture_names()) {
    const Description description = blank(name, 4);
    const graph::Graph graph = emit(description, {.height = 64, .width = 96});

    EXPECT_EQ(graph.outputs.size(), 3u) << name;
    EXPECT_THAT(description.info.strides, testing::ElementsAre(8, 16, 32)) << name;
    EXPECT_EQ(description.info.max_stride, 32) << name;
  }
}

TEST(Architectures, ThePicoSizeTakesLessThanAMegabyteInFloat16) {
  EXPECT_LE(parameters_of(blank("yolov5p.yaml", 4)), 450'000);
  EXPECT_LE(parameters_of(blank("yolov5p.yaml", 80)), 500'000);
}

TEST(Architectures, AnUnknownNameHasNone) {
  EXPECT_EQ(architecture_yaml("yolov5z.yaml"), std::nullopt);
}

struct Stored {
  const char* weights;
  const char* architecture;
};

class StoredWeights : public testing::TestWithParam<Stored> {};

/// Node by node: operator, name, attributes, edges; constants by name, type and shape.
TEST_P(StoredWeights, HaveTheGraphThatTheirYamlDescribes) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;

  const Description stored = checkpoint::read_model(*data / "weights" / GetParam().weights);
  const Description made = blank(GetParam().architecture, stored.info.class_count);
  graph::Graph expected = emit(stored, {.head = Head::decoded});
  graph::Graph graph = emit(made, {.head = Head::decoded});
  if (!std::get_if<Conv>(&stored.layers[1].module.kind)->bn) {  // Fused when it was saved.
    transform::fold_batch_norm(expected);
    transform::fold_batch_norm(graph);
  }

  const auto ids = graph.nodes();
  const auto expected_ids = expected.nodes();
  ASSERT_EQ(ids.size(), expected_ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(graph[ids[i]], expected[expected_ids[i]]) << expected[expected_ids[i]].name;
  }
  ASSERT_EQ(graph.constants.size(), expected.constants.size());
  for (const auto& [name, tensor] : expected.constants) {
    const Tensor* found = graph.constant(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->shape(), tensor.shape()) << name;
    EXPECT_EQ(found->dtype(), tensor.dtype()) << name;
    // What is no weight: strides, grids, anchors, scales, shapes.
    if (!name.ends_with(".weight") && !name.ends_with(".bias") &&
        !name.ends_with(".running_mean") && !name.ends_with(".running_var")) {
      EXPECT_EQ(*found, tensor) << name;
    }
  }
  EXPECT_EQ(graph.inputs, expected.inputs);
  EXPECT_EQ(graph.outputs, expected.outputs);
  EXPECT_EQ(made.info.strides, stored.info.strides);
  EXPECT_EQ(made.info.anchors, stored.info.anchors);
}

INSTANTIATE_TEST_SUITE_P(OfUltralytics, StoredWeights,
                         testing::Values(Stored{"yolov5n.pt", "yolov5n.yaml"},
                                         Stored{"yolov5s-v5.0-random.pt", "yolov5s-v5.0.yaml"}),
                         [](const auto& row) {
                           std::string name = row.param.architecture;
                           std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
                           return name;
                         });

TEST(ReadModelYaml, PrefersAFileToTheBuiltInOfItsName) {
  const test::TemporaryFolder folder;
  std::string text = *architecture_yaml("yolov5p.yaml");
  text.replace(text.find("nc: 80"), 6, "nc: 7");
  {
    std::FILE* file = std::fopen((folder / "yolov5p.yaml").c_str(), "w");
    std::fputs(text.c_str(), file);
    std::fclose(file);
  }

  EXPECT_EQ(read_model_yaml(folder / "yolov5p.yaml").info.class_count, 7);
  EXPECT_EQ(read_model_yaml("yolov5p.yaml").info.class_count, 80);
  EXPECT_EQ(read_model_yaml("models/yolov5p.yaml").info.class_count, 80);
}

TEST(ReadModelYaml, WithoutFileAndBuiltInListsWhatThereIs) {
  for (const char* path : {"yolov5z.yaml", "elsewhere/yolov5n.yaml"}) {
    try {
      read_model_yaml(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found);
      EXPECT_THAT(error.what(), testing::AllOf(HasSubstr(path), HasSubstr("yolov5n.yaml")));
    }
  }
}

}  // namespace
}  // namespace yoloq::model
