// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/file.h"
#include "detect/detect.h"
#include "support/data.h"
#include "support/npz.h"

namespace yoloq::detect {
namespace {

using nlohmann::json;

constexpr int kImageId = 139;
constexpr vision::Size kImageSize{640, 426};
/// The reference was computed with another exponential function and written with 3 decimals.
constexpr double kPixels = 0.0015;
/// Written with 5 decimals.
constexpr double kScore = 0.000011;

/// Real head outputs of yolov5n for one real image, and the head that reads them.
class Reference : public testing::Test {
 protected:
  void SetUp() override {
    const auto data = test::data_folder();
    if (!data) GTEST_SKIP() << test::kNoData;
    arrays_ = test::read_npz(*data / "reference/yolov5n.640.npz");
    for (const char* name : {"output_0", "output_1", "output_2"}) {
      const Tensor& tensor = arrays_.at(name);
      outputs_.push_back({.shape = tensor.shape(), .values = tensor.values<float>()});
    }
    const auto anchors = arrays_.at("anchors_px").values<float>();
    for (std::size_t level = 0; level < 3; ++level) {
      std::vector<model::Anchor> pairs;
      for (std::size_t i = 0; i < 3; ++i) {
        pairs.push_back({anchors[6 * level + 2 * i], anchors[6 * level + 2 * i + 1]});
      }
      head_.anchors.push_back(pairs);
      head_.strides.push_back(8 << level);
      head_.outputs.push_back("output_" + std::to_string(level));
    }
    head_.class_count = 80;

    const json detections =
        json::parse(read_file(*data / "reference/yolov5n.fp32.val2017.detections.json"));
    std::ranges::copy_if(detections, std::back_inserter(expected_),
                         [](const json& entry) { return entry["image_id"] == kImageId; });
    const json annotations =
        json::parse(read_file(*data / "coco/annotations/instances_val2017.json"));
    for (const json& category : annotations["categories"]) {
      category_ids_.push_back(category["id"]);
    }
  }

  /// True if `box` is that entry of the reference.
  bool same(const Box& box, const json& entry) const {
    const std::vector<double> corner_and_sides{box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1};
    for (std::size_t i = 0; i < 4; ++i) {
      if (std::abs(corner_and_sides[i] - entry["bbox"][i].get<double>()) > kPixels) return false;
    }
    return category_ids_.at(box.class_index) == entry["category_id"].get<int>() &&
           std::abs(box.confidence - entry["score"].get<double>()) < kScore;
  }

  vision::Placement placement_ = vision::place(kImageSize, {.size = {640, 640}});
  std::map<std::string, Tensor> arrays_;
  std::vector<HeadOutput> outputs_;
  Head head_;
  std::vector<json> expected_;
  std::vector<int> category_ids_;
};

TEST_F(Reference, GivesTheSameDetections) {
  const HeadBatch batch{.outputs = outputs_, .image = 0, .canvas = {640, 640}};

  const Boxes boxes = detect(head_, batch, placement_);

  ASSERT_EQ(boxes.size(), expected_.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_TRUE(same(boxes[i], expected_[i])) << "detection " << i << ": " << expected_[i];
  }
}

}  // namespace
}  // namespace yoloq::detect
