// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/evaluation.h"
#include "quantize/keep_float.h"
#include "sensitivity/one_layer.h"
#include "sensitivity/partial_quantization.h"
#include "sensitivity/subject.h"
#include "sensitivity/tiny_subject.h"
#include "sensitivity/variants.h"
#include "support/message.h"

namespace yoloq::sensitivity {
namespace {

namespace fs = std::filesystem;
using testing::Gt;
using testing::SizeIs;

/// All that the model sees goes through it.
constexpr const char* kRuined = "model.1.conv";
/// The convolution of one of the three heads.
constexpr const char* kHarmless = "model.14.m.2";

class Methods : public testing::Test {
 protected:
  MapResult map(std::size_t group = 7, const fs::path& state = {}, const Progress& stop = {}) {
    return map_profile(tiny_.subject(), tiny_.truth,
                       {.group = group, .draws = 4, .state = state, .progress = stop});
  }

  /// AP of the whole variant, the plain way.
  double plain_ap(const std::string& layer) {
    const auto graph = with_only_layer_quantized(tiny_.model.fixed, tiny_.plan, layer);
    const pipeline::Detector detector{
        .engine = runtime::compile(graph), .head = tiny_.model.head, .size = tiny_.model.size};
    const auto found = pipeline::find_objects(detector, tiny_.images);
    return pipeline::evaluate(pipeline::to_coco(found.boxes, tiny_.truth),
                              tiny_.truth)[coco::Figure::ap];
  }

  test::TinySubject tiny_;
};

TEST_F(Methods, MapIsTheApOfEachVariantComputedWhole) {
  const MapResult result = map();

  EXPECT_GT(result.float_ap, 0.4);
  EXPECT_THAT(result.profile.layers, SizeIs(tiny_.plan.layers.size()));
  for (const std::size_t place : {std::size_t{0}, std::size_t{5}, std::size_t{15}}) {
    const LayerCost& layer = result.profile.layers[place];
    EXPECT_NEAR(layer.cost, 100 * (result.float_ap - plain_ap(layer.name)), 0.05) << layer.name;
    EXPECT_THAT(layer.draws, SizeIs(4));
  }
}

TEST_F(Methods, PutARuinedLayerFirst) {
  tiny_.ruin(kRuined);

  const Profile by_map = map().profile;
  const Profile by_sqnr = sqnr_profile(tiny_.subject(), {});
  const Profile by_fast = fast_profile(tiny_.subject(), {});

  for (const Profile& profile : {by_map, by_sqnr, by_fast}) {
    SCOPED_TRACE(profile.method);
    EXPECT_EQ(profile.layers.front().name, kRuined);
    EXPECT_THAT(profile.layers.front().cost, Gt(profile.layers[1].cost));
    EXPECT_TRUE(std::ranges::is_sorted(profile.layers, std::ranges::greater{}, &LayerCost::cost));
  }
}

TEST_F(Methods, GiveTheSameBytesForAnyGrouping) {
  EXPECT_EQ(to_json(map(3).profile), to_json(map(100).profile));
  EXPECT_EQ(to_json(fast_profile(tiny_.subject(), {.group = 4, .threads = 1})),
            to_json(fast_profile(tiny_.subject(), {.group = 50, .threads = 2})));
}

TEST_F(Methods, MapGoesOnWhereItWasStopped) {
  const fs::path state = tiny_.folder / "state";
  const Progress stop = [](std::size_t done, std::size_t) {
    if (done > 15) fail(ErrorCode::cancelled, "enough");  // In the third of the groups.
  };
  EXPECT_THROW(map(3, state, stop), Error);

  const MapResult resumed = map(3, state);

  EXPECT_EQ(resumed.resumed, 6u);
  EXPECT_FALSE(resumed.state_replaced);
  EXPECT_EQ(to_json(resumed.profile), to_json(map(3).profile));
}

TEST_F(Methods, MapDoesNotGoOnWithWhatWasMeasuredForOtherInputs) {
  const fs::path state = tiny_.folder / "state";
  map(7, state);
  tiny_.truth.annotations.boxes.pop_back();

  const MapResult result = map(7, state);

  EXPECT_EQ(result.resumed, 0u);
  EXPECT_TRUE(result.state_replaced);
}

TEST_F(Methods, NeedImagesAndLayers) {
  tiny_.images.clear();
  EXPECT_THROW(sqnr_profile(tiny_.subject(), {}), Error);
  EXPECT_THROW(fast_profile(tiny_.subject(), {}), Error);
  EXPECT_THROW(map(), Error);
}

TEST_F(Methods, FastNeedsAnchorsAndSaysSo) {
  tiny_.model.head.anchors.clear();

  EXPECT_THAT(test::message_when([&] { fast_profile(tiny_.subject(), {}); }),
              testing::HasSubstr("--anchors"));
}

TEST_F(Methods, KeepTheRuinedLayerInFloatWhereThatIsEnough) {
  tiny_.ruin(kRuined);
  for (const auto& layer : std::vector(tiny_.plan.layers)) {  // Two are enough to choose from.
    const bool kept = layer.name == kRuined || layer.name == kHarmless;
    if (!kept) quantize::keep_float(tiny_.plan, layer.name, "test");
  }
  const LabelledImages search{.images = tiny_.images, .truth = tiny_.truth};
  const pipeline::QuantizationOptions how{
      .threads = 1, .tune_weights = false, .bias_correction = false};
  pipeline::QuantizedModel rounded;
  rounded.plan = tiny_.plan;
  rounded.images = tiny_.images;
  const Profile profile = fast_profile(tiny_.subject(), {});

  const PartialQuantization all_int8 = keep_sensitive_layers_in_float(
      tiny_.model, rounded, profile, search, how, {.max_drop = 100, .candidates = 3});
  EXPECT_THAT(all_int8.choice.float_layers, testing::IsEmpty());
  EXPECT_EQ(all_int8.quantized.plan.layers, tiny_.plan.layers);

  const PartialQuantization better = keep_sensitive_layers_in_float(
      tiny_.model, rounded, profile, search, how, {.max_drop = 0, .candidates = 3});
  ASSERT_FALSE(better.choice.float_layers.empty());
  EXPECT_EQ(better.choice.float_layers.front(), kRuined);
  EXPECT_LT(better.choice.drop, all_int8.choice.drop / 2);
  EXPECT_EQ(better.quantized.plan.int8_layers(), 2 - std::ssize(better.choice.float_layers));
  EXPECT_EQ(pipeline::count_layers(better.quantized.graph).int8,
            better.quantized.plan.int8_layers());
}

TEST_F(Methods, PartialQuantizationRefusesTheProfileOfAnotherModel) {
  Profile profile = sqnr_profile(tiny_.subject(), {});
  profile.model_hash = "another";

  EXPECT_THAT(test::message_when(
                  [&] { keep_sensitive_layers_in_float(tiny_.model, {}, profile, {}, {}, {}); }),
              testing::HasSubstr("another model"));
}

TEST_F(Methods, OverlapFindsTheSameFileAndACopyOfIt) {
  const fs::path copy = tiny_.folder / "copy" / tiny_.images[1].filename();
  fs::create_directories(copy.parent_path());
  fs::copy_file(tiny_.images[1], copy);
  const fs::path namesake = tiny_.folder / "copy" / tiny_.images[2].filename();
  fs::copy_file(tiny_.images[3], namesake);

  EXPECT_EQ(overlap(tiny_.images, tiny_.set.val), 0u);
  EXPECT_EQ(overlap(tiny_.images, std::vector{tiny_.images[0], copy, namesake}), 2u);
}

TEST_F(Methods, SqnrIsThatOfTheWholeVariant) {
  const Profile profile = sqnr_profile(tiny_.subject(), {});
  const graph::Graph base = base_graph_to_heads(tiny_.subject().model);

  const auto plain = [&](const std::string& layer) {
    const auto variant = with_only_layer_quantized(base, tiny_.plan, layer);
    const std::vector<graph::Graph> whole{variant};
    std::vector<double> signal(3), noise(3);
    Variants(base, whole, {.threads = 1, .base_outputs = true})
        .run(tiny_.images, tiny_.model.size, {}, [&](const VariantOutputs& found) {
          for (std::size_t head = 0; head < 3; ++head) {
            for (std::size_t i = 0; i < found.base[head].values.size(); ++i) {
              const double value = found.base[head].values[i];
              signal[head] += value * value;
              noise[head] += std::pow(value - found.outputs[head].values[i], 2);
            }
          }
        });
    return 10 *
           std::log10((noise[0] / signal[0] + noise[1] / signal[1] + noise[2] / signal[2]) / 3);
  };

  const LayerCost& layer = profile.layers.front();
  EXPECT_NEAR(layer.cost, plain(layer.name), 1e-6);
}

}  // namespace
}  // namespace yoloq::sensitivity
