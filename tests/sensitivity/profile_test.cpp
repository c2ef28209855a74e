// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/tiny_data_set.h"
#include "sensitivity/two_layers.h"
#include "support/data.h"
#include "support/message.h"

namespace yoloq::sensitivity {
namespace {

using test::message_when;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Profile some_profile() {
  return {.method = "map",
          .unit = "AP points",
          .model = "yolov5n",
          .model_hash = "m",
          .plan_hash = "p",
          .images_hash = "i",
          .labels_hash = "l",
          .images = 300,
          .layers = {{.id = 1, .name = "second", .cost = 0.1 + 0.2, .draws = {0.25, 1e-17}},
                     {.id = 0, .name = "first", .cost = -0.125, .draws = {-0.5, 0.5}}}};
}

/// The text of some_profile() with one field changed, or left out.
std::string changed(const std::string& field, const nlohmann::json& value) {
  auto json = nlohmann::ordered_json::parse(to_json(some_profile()));
  value.is_discarded() ? (void)json.erase(field) : (void)(json[field] = value);
  return json.dump();
}

const nlohmann::json kAbsent(nlohmann::json::value_t::discarded);

pipeline::GroundTruth some_truth() {
  return {
      .annotations = {.images = {{.id = 7}},
                      .categories = {{3, "a"}},
                      .boxes = {{.id = 1, .image_id = 7, .category_id = 3, .bbox = {1, 2, 3, 4}}}},
      .image_ids = {7},
      .category_ids = {3}};
}

TEST(HashOfLabels, IsOfWhatIsToBeFound) {
  const std::string hash = hash_of_labels(some_truth());
  const auto differs = [&](const auto& change) {
    pipeline::GroundTruth truth = some_truth();
    change(truth);
    return hash_of_labels(truth) != hash;
  };

  EXPECT_FALSE(differs([](pipeline::GroundTruth& truth) { truth.source = "another file"; }));
  EXPECT_TRUE(differs([](pipeline::GroundTruth& truth) { truth.image_ids[0] = 8; }));
  EXPECT_TRUE(differs([](pipeline::GroundTruth& truth) { truth.category_ids[0] = 4; }));
  EXPECT_TRUE(differs([](pipeline::GroundTruth& truth) { truth.annotations.boxes.clear(); }));
  EXPECT_TRUE(differs([](auto& truth) { truth.annotations.boxes[0].bbox[2] = 5; }));
  EXPECT_TRUE(differs([](auto& truth) { truth.annotations.boxes[0].category_id = 4; }));
  EXPECT_TRUE(differs([](auto& truth) { truth.annotations.boxes[0].is_crowd = true; }));
}

TEST(Profile, ReadsBackToTheSameNumbers) {
  EXPECT_EQ(parse_profile(to_json(some_profile())), some_profile());
  EXPECT_EQ(to_json(parse_profile(to_json(some_profile()))), to_json(some_profile()));
}

TEST(Profile, PutsTheMostSensitiveLayerFirst) {
  Profile profile{.layers = {{.id = 3, .name = "d", .cost = -1},
                             {.id = 2, .name = "c", .cost = 5},
                             {.id = 1, .name = "b", .cost = 0},
                             {.id = 0, .name = "a", .cost = 0}}};

  put_most_sensitive_first(profile);

  std::vector<std::string> names;
  for (const LayerCost& layer : profile.layers) names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("c", "a", "b", "d"));
}

TEST(Profile, StandsInThatOrderInTheFileToo) {
  const auto json = nlohmann::json::parse(to_json(some_profile()));

  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("layers").at(0).at("name"), "second");
  EXPECT_EQ(json.at("layers").at(1).at("name"), "first");
}

TEST(Profile, NamesWhatIsWrongWithAFile) {
  EXPECT_THAT(message_when([] { parse_profile("{"); }), HasSubstr("no JSON"));
  EXPECT_THAT(message_when([] { parse_profile("[1]"); }), HasSubstr("not what"));
  EXPECT_THAT(message_when([] { parse_profile(changed("format", "x")); }), HasSubstr("not what"));
  EXPECT_THAT(message_when([] { parse_profile(changed("version", 2)); }), HasSubstr("version 2"));
  EXPECT_THAT(message_when([] { parse_profile(changed("model_hash", kAbsent)); }),
              HasSubstr("'model_hash'"));
  EXPECT_THAT(message_when([] { parse_profile(changed("images", "many")); }),
              HasSubstr("'images'"));
  EXPECT_THAT(message_when([] { parse_profile(changed("layers", nlohmann::json::array())); }),
              HasSubstr("no layer"));
  EXPECT_THAT(message_when([] { parse_profile(changed("layers", {1, 2})); }), HasSubstr("object"));
}

TEST(Profile, WithALayerTwiceIsRefused) {
  Profile profile = some_profile();
  profile.layers[1].id = 1;

  EXPECT_THAT(message_when([&] { parse_profile(to_json(profile)); }), HasSubstr("twice"));
}

TEST(Profile, SaysWhichFileIsWrong) {
  const test::TemporaryFolder folder;
  write_file(folder / "sens.json", "nothing");

  EXPECT_THAT(message_when([&] { read_profile(folder / "sens.json"); }), HasSubstr("sens.json"));
  EXPECT_THAT(message_when([&] { read_profile(folder / "none.json"); }), HasSubstr("none.json"));
}

TEST(Profile, WithAnInfiniteCostIsNotWritten) {
  Profile profile = some_profile();
  profile.layers[0].cost = std::numeric_limits<double>::infinity();

  EXPECT_THAT(message_when([&] { to_json(profile); }), HasSubstr("'second'"));
}

TEST(Profile, OfAnotherModelIsRefused) {
  const graph::Graph model = test::two_layers();
  graph::Graph trained = model;
  trained.constants["w2"] = Tensor::of<float>({1, 1, 1, 1}, std::vector{3.5f});
  Profile profile = some_profile();
  profile.layers.push_back({.id = 2, .name = "third"});
  profile.model_hash = hash_of_layers(model);

  EXPECT_NO_THROW(require_profile_of(profile, model));
  EXPECT_THAT(message_when([&] { require_profile_of(profile, trained); }),
              AllOf(HasSubstr("another model"), HasSubstr("'yolov5n'")));
}

TEST(Significance, IsAnIntervalAboveZero) {
  LayerCost layer{.draws = std::vector<double>(100, 0.5)};
  EXPECT_TRUE(is_significant(layer));
  layer.draws[7] = layer.draws[8] = -1;  // 2 % of the draws: within the tail.
  EXPECT_TRUE(is_significant(layer));
  layer.draws[9] = -1;
  EXPECT_FALSE(is_significant(layer));
  EXPECT_FALSE(is_significant({.cost = 5}));
}

}  // namespace
}  // namespace yoloq::sensitivity
