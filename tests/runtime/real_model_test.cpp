// SPDX-License-Identifier: Apache-2.0
// Real checkpoints on the embedded engine, against what Ultralytics' own Python computed.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "runtime/engine.h"
#include "runtime/expose.h"
#include "runtime/oracle.h"
#include "runtime/verify.h"
#include "support/data.h"
#include "support/npz.h"

namespace yoloq::runtime {

struct RealModel {
  const char* weights;
  const char* reference;
  const char* input;  ///< Name of the array.
  model::Head head;
  std::int64_t side_px;
};

void PrintTo(const RealModel& row, std::ostream* out) { *out << row.weights; }

namespace {

/// Of the largest value: the order of float32 sums over some sixty layers.
constexpr double kTolerance = 1e-4;

constexpr RealModel kModels[] = {
    {"yolov5n", "yolov5n.640", "letterboxed_rgb_u8", model::Head::raw, 640},
    {"yolov5n-duckietown", "yolov5n-duckietown.320", "images", model::Head::raw, 320},
    {"yolov5n-ppe", "yolov5n-ppe.320", "images", model::Head::raw, 320},
    {"yolov5n-ppe", "yolov5n-ppe.320", "images", model::Head::decoded, 320},
    {"yolov5s-v5.0-random", "yolov5s-v5.0-random.320", "images", model::Head::decoded, 320},
};

Tensor image_of(const std::map<std::string, Tensor>& arrays, const char* name) {
  const Tensor& stored = arrays.at(name);
  if (stored.dtype() == DType::f32) return stored;
  std::vector<float> values = stored.to_floats();
  for (float& value : values) value /= 255;
  return Tensor::of(stored.shape(), values);
}

graph::Graph load_model(const std::filesystem::path& data, const RealModel& row) {
  const std::string file = std::string(row.weights) + ".pt";
  return checkpoint::load_graph(data / "weights" / file,
                                {.height = row.side_px, .width = row.side_px, .head = row.head});
}

class RealModels : public testing::TestWithParam<RealModel> {};

TEST_P(RealModels, GiveTheReferenceOutputs) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const RealModel row = GetParam();
  const auto arrays = test::read_npz(*data / "reference" / (std::string(row.reference) + ".npz"));

  const auto engine = compile(load_model(*data, row));
  const auto outputs = run(*engine, {{image_of(arrays, row.input)}});

  ASSERT_EQ(outputs.size(), row.head == model::Head::raw ? 3u : 1u);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto name = outputs.size() == 1 ? "decoded" : "output_" + std::to_string(i);
    EXPECT_LT(test::relative_difference(arrays.at(name), outputs[i]), kTolerance) << name;
  }
}

std::string name_of_row(const testing::TestParamInfo<RealModel>& row) {
  std::string name = row.param.weights;
  name += row.param.head == model::Head::raw ? "_raw" : "_decoded";
  std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Of, RealModels, testing::ValuesIn(kModels), name_of_row);

TEST(RealModel, GivesTheSameBitsWhenEveryConvolutionInputIsLookedAt) {
  const auto data = test::data_folder();
  if (!data) GTEST_SKIP() << test::kNoData;
  const graph::Graph graph = load_model(*data, kModels[1]);
  std::set<std::string> values;
  for (const graph::NodeId id : graph.nodes()) {
    if (graph[id].op == "Conv") values.insert(graph[id].inputs[0]);
  }
  const std::vector<std::string> list(values.begin(), values.end());
  const std::vector<Tensor> image{test::random_tensor({1, 3, 320, 320}, 1)};
  const auto plain = run(*compile(graph, {.threads = 1}), image);

  const auto one_stream = compile(with_outputs(graph, list), {.threads = 1});
  const auto two_streams = compile(with_outputs(graph, list), {.threads = 2, .streams = 2});

  const auto outputs = run(*one_stream, image);
  ASSERT_EQ(outputs.size(), 3 + list.size());
  EXPECT_TRUE(std::ranges::equal(std::span(outputs).first(3), plain));
  EXPECT_EQ(run(*two_streams, image), outputs);
}

}  // namespace
}  // namespace yoloq::runtime
