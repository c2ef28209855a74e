// SPDX-License-Identifier: Apache-2.0
#include "quantize/joint_scales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/text.h"

namespace yoloq::quantize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A backbone map that is read directly and in a Concat, a second Concat with a map of the first
/// one's, and a map of its own.
constexpr const char* kNeck = R"(
    w = float32[1,1,1,1] {1.0}
    scales = float32[4] {1.0,1.0,2.0,2.0}
    a = Conv(x, w) @c0
    b = Conv(a, w) @c1
    up = Resize(b, , scales) mode="nearest" @up
    cat = Concat(up, a) axis=1 @cat
    e = Conv(cat, w) @c2
    f = Conv(e, w) @c3
    last = Concat(f, b) axis=1 @last
    h = Conv(last, w) @head
    return h)";

std::vector<Site> sites_of(const graph::Graph& graph) {
  return place(graph, quantizable_layers(graph), {.placement = Placement::raised});
}

TEST(JointScales, JoinWhatWouldMeetAtOneTensor) {
  const auto graph = graph::parse(kNeck);
  const auto sites = sites_of(graph);

  std::vector<std::vector<std::string>> names;
  for (const auto& group : joint_sites(graph, sites)) {
    for (auto& list = names.emplace_back(); const std::size_t i : group) {
      list.push_back(sites[i].tensor);
    }
  }
  EXPECT_THAT(names, ElementsAre(ElementsAre("a", "cat", "last")));
}

TEST(JointScales, AConcatThatAFloatLayerReadsIsNotRaisedAndJoinsNothing) {
  const auto graph = graph::parse(R"(
      w = float32[1,1,1,1] {1.0}
      a = Conv(x, w) @c0
      b = Conv(a, w) @c1
      cat = Concat(a, b) axis=1 @cat
      e = Conv(cat, w) @c2
      g = Conv(cat, w) @c3
      return e, g)");
  auto layers = quantizable_layers(graph);
  layers.pop_back();

  EXPECT_THAT(joint_sites(graph, place(graph, layers, {.placement = Placement::raised})),
              IsEmpty());
}

TEST(JointScales, TheWidestReachesAsFarAsEach) {
  const Quantizer symmetric[] = {{DType::i8, 0.5f, 0}, {DType::i8, 2.0f, 0}};
  EXPECT_EQ(widest(symmetric), symmetric[1]);

  const Quantizer asymmetric[] = {{DType::u8, 1.0f, 100}, {DType::u8, 1.5f, 0}};
  const Quantizer both = widest(asymmetric);
  for (const Quantizer& each : asymmetric) {
    for (const int code : {0, 255}) {
      const float end = static_cast<float>(code - each.zero_point) * each.scale;
      EXPECT_NEAR(fake_quantize(end, both), end, both.scale);
    }
  }
}

TEST(JointScales, AreFoundAgainInAFinishedPlan) {
  const auto graph = graph::parse(kNeck);
  Plan plan{.target = "openvino"};
  for (const Site& site : sites_of(graph)) {
    plan.activations.push_back({.tensor = site.tensor,
                                .quantizer = {DType::u8, 0.5f, 10},
                                .readers = std::vector<std::string>(site.readers.size())});
  }
  EXPECT_THAT(joint_activations(graph, plan), ElementsAre(ElementsAre("a", "cat", "last")));

  Plan apart = plan;
  for (ActivationPlan& row : apart.activations) {
    if (row.tensor == "cat") row.quantizer.scale = 0.25f;
    if (row.tensor == "last") row.on = false;
  }
  EXPECT_THAT(joint_activations(graph, apart), IsEmpty());

  plan.target = "tensorrt";
  EXPECT_THAT(joint_activations(graph, plan), IsEmpty());
}

TEST(JointScales, GiveEachMemberTheSameQuantizerAndSayWithWhom) {
  const auto graph = graph::parse(kNeck);
  const auto sites = sites_of(graph);
  Plan plan;
  for (const Site& site : sites) {
    const float scale = 0.25f * static_cast<float>(plan.activations.size() + 1);
    plan.activations.push_back({.tensor = site.tensor, .quantizer = {DType::i8, scale, 0}});
  }
  const Plan before = plan;

  share_joint_scales(graph, sites, plan);

  ASSERT_EQ(sites.size(), 5u);
  const std::vector<std::size_t> joint{1, 2, 4};
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const bool is_joint = std::ranges::find(joint, i) != joint.end();
    EXPECT_EQ(plan.activations[i].quantizer, before.activations[is_joint ? 4 : i].quantizer);
  }
  EXPECT_THAT(plan.activations[1].why, HasSubstr("one scale with cat"));
  EXPECT_THAT(plan.activations[4].why, HasSubstr("one scale with a"));
}

}  // namespace
}  // namespace yoloq::quantize
