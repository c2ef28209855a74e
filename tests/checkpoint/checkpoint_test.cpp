// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/checkpoint.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "graph/verify.h"
#include "support/data.h"
#include "support/pickle_writer.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace yoloq::checkpoint {
namespace {

using model::Activation;
using model::Description;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;  // NOLINT: the pieces of a pickle, the tiny models.

std::string checkpoint_message(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// A checkpoint whose pickle is `value`.
std::string checkpoint_of(const Pickled& value) {
  return zip_archive({{"archive/data.pkl", pickle_document(value)}});
}

/// The tiny model's checkpoint with every `from` in its pickle replaced by an equally long `to`.
std::string edited(std::string_view from, std::string_view to) {
  auto entries = checkpoint_entries(tiny_model(), {.dtype = DType::f32});
  std::string& pickle = entries.front().second;
  EXPECT_EQ(from.size(), to.size());
  EXPECT_NE(pickle.find(from), std::string::npos) << from;
  for (auto at = pickle.find(from); at != pickle.npos; at = pickle.find(from, at + 1)) {
    pickle.replace(at, from.size(), to);
  }
  return zip_archive(entries);
}

TEST(Checkpoint, GivesBackTheModelThatWasWritten) {
  for (const Description& model :
       {tiny_model(), tiny_model_v5(), tiny_model({.act = {Activation::Kind::hardswish}}),
        tiny_model({.classes = 1, .act = {Activation::Kind::leaky_relu, 0.1f}}),
        tiny_model({.classes = 80, .act = {Activation::Kind::relu}})}) {
    EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32})), model);
  }
}

TEST(Checkpoint, ReadsEveryFormOfCheckpoint) {
  const Description model = tiny_model();

  EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32, .key = "ema"})), model);
  EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32, .key = ""})), model);
  EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32, .names_as_list = true})), model);
  EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32, .anchor_grid_buffer = true})),
            model);
  EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32, .method = ZipMethod::deflated})),
            model);
}

TEST(Checkpoint, ReadsEveryModule) {
  const Description v5 = tiny_model_v5();
  Description model = tiny_model();
  const auto add = [&](model::Module module) {
    model.layers.insert(model.layers.end() - 1, {.module = std::move(module)});
  };
  const auto conv = std::get<model::Conv>(model.layers[1].module.kind);
  const auto& csp = std::get<model::BottleneckCSP>(v5.layers[10].module.kind);
  model::Conv fused = conv;
  fused.bn.reset();
  fused.conv.bias = conv.bn->bias;
  add({fused});
  add({csp});
  add({csp.m[0]});
  add({model::C3SPP{conv, conv, conv, std::get<model::SPP>(v5.layers[6].module.kind)}});
  add({conv.conv});
  add({*conv.bn});
  add({model::MaxPool2d{{2, 2}, {2, 2}, {0, 1}}});
  add({Activation{}});
  add({model::Contract{2}});
  add({model::Expand{3}});
  add({model::Upsample{{2, 3}}});
  add({model::Sequential{{{conv}, {model::Sequential{{{csp.m[0]}, {conv}}}}}}});

  EXPECT_EQ(parse(checkpoint_bytes(model, {.dtype = DType::f32})), model);
}

TEST(Checkpoint, RoundsHalfWeightsOnlyOnce) {
  const Description model = tiny_model();

  const Description half = parse(checkpoint_bytes(model, {.dtype = DType::f16}));

  EXPECT_EQ(parse(checkpoint_bytes(half, {.dtype = DType::f16})), half);
  EXPECT_EQ(parse(checkpoint_bytes(half, {.dtype = DType::f32})), half);
  EXPECT_EQ(half.info, model.info);
}

TEST(Checkpoint, LoadsAGraphFromAFile) {
  const TemporaryFolder folder;
  write_checkpoint(tiny_model(), folder / "tiny.pt");

  const graph::Graph graph = load_graph(folder / "tiny.pt", {.height = 64, .width = 64});

  EXPECT_NO_THROW(verify(graph));
  EXPECT_THAT(model::read_metadata(graph).names, ElementsAre("class 0", "class 1", "class 2"));
}

TEST(Checkpoint, NamesTheFileThatItCannotRead) {
  const TemporaryFolder folder;
  write_file(folder / "empty.pt", "");
  const auto message = [&](const char* name) -> std::string {
    try {
      read_model(folder / name);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };

  EXPECT_THAT(message("empty.pt"), AllOf(HasSubstr("empty.pt"), HasSubstr("empty")));
  EXPECT_THAT(message("."), HasSubstr("folder"));
  EXPECT_THAT(message("missing.pt"), HasSubstr("missing.pt"));
}

TEST(Checkpoint, NeverCallsWhatAPickleNames) {
  const TemporaryFolder folder;
  const std::string proof = (folder / "called").string();
  for (const auto& [module, function] :
       {std::pair{"os", "system"}, {"posix", "system"}, {"builtins", "eval"}}) {
    const Pickled call =
        pickle_call(pickle_global(module, function), {pickle_text("touch " + proof)});

    EXPECT_THAT(checkpoint_message(checkpoint_of(call)), HasSubstr(function));
    EXPECT_THAT(checkpoint_message(checkpoint_of(pickle_attributes({{"model", call}}))),
                HasSubstr(function));
  }
  EXPECT_FALSE(std::filesystem::exists(proof));
}

TEST(Checkpoint, DoesNotMindWhatTheGraphDoesNotNeed) {
  const Pickled odd = pickle_object(pickle_global("my.package", "Odd"), pickle_integer(3));
  Description model = tiny_model();
  auto entries = checkpoint_entries(model, {.dtype = DType::f32});
  std::string& pickle = entries.front().second;
  const std::string key = pickle_text("optimizer");
  pickle.replace(pickle.find(key) + key.size(), 1, odd);  // Where None stood.

  EXPECT_EQ(parse(zip_archive(entries)), model);
}

TEST(Checkpoint, NamesAnUnknownClassAndTheKnownOnes) {
  const std::string message =
      checkpoint_message(edited("models.common\nSPPF", "models.common\nSPPX"));

  EXPECT_THAT(message,
              AllOf(HasSubstr("module model.6, a models.common.SPPX"), HasSubstr("known: Conv,")));
}

TEST(Checkpoint, NamesTheAttributeThatIsWrong) {
  EXPECT_THAT(checkpoint_message(edited("running_var", "running_vax")),
              AllOf(HasSubstr("module model.0.bn"), HasSubstr("running_var")));
  EXPECT_THAT(checkpoint_message(edited("groups", "groupz")),
              AllOf(HasSubstr("module model.0.conv"), HasSubstr("groups")));
  EXPECT_THAT(checkpoint_message(edited("cv1", "cvx")),
              AllOf(HasSubstr("module model.2"), HasSubstr("cv1")));
  EXPECT_THAT(checkpoint_message(edited("_rebuild_tensor_v2", "_rebuild_tensor_vx")),
              HasSubstr("module model.0.conv.weight"));
  EXPECT_THAT(checkpoint_message(edited("yolo\nDetect\n", "yolo\nDetecX\n")),
              HasSubstr("module model.14"));
  EXPECT_THAT(
      checkpoint_message(edited("models.yolo\nDetectionModel", "models.yolo\nSegmentatModel")),
      HasSubstr("models.yolo.SegmentatModel"));
  EXPECT_THAT(checkpoint_message(edited("class 1",
                                        "class\xff"
                                        "1")),
              HasSubstr("class name"));
}

TEST(Checkpoint, NamesAMissingOrDamagedStorage) {
  auto entries = checkpoint_entries(tiny_model());
  ASSERT_EQ(entries.at(2).first, "archive/data/0");
  entries[2].second.pop_back();
  EXPECT_THAT(checkpoint_message(zip_archive(entries)),
              AllOf(HasSubstr("module model.0.conv.weight"), HasSubstr("storage '0'")));

  entries.erase(entries.begin() + 2);
  EXPECT_THAT(checkpoint_message(zip_archive(entries)),
              AllOf(HasSubstr("module model.0.conv.weight"), HasSubstr("archive/data/0")));
}

TEST(Checkpoint, SaysWhatStandsWhereTheModelShould) {
  const Pickled tensor_like = pickle_call(pickle_global("torch._utils", "_rebuild_tensor_v2"), {});

  EXPECT_THAT(checkpoint_message(checkpoint_of(pickle_attributes({{"epoch", pickle_integer(3)}}))),
              HasSubstr("neither 'ema' nor 'model'"));
  EXPECT_THAT(checkpoint_message(checkpoint_of(pickle_attributes({{"model", pickle_none()}}))),
              HasSubstr("neither 'ema' nor 'model'"));
  EXPECT_THAT(
      checkpoint_message(checkpoint_of(pickle_ordered({{"model.0.conv.weight", tensor_like}}))),
      HasSubstr("state_dict"));
  EXPECT_THAT(checkpoint_message(checkpoint_of(pickle_integer(7))),
              HasSubstr("7 stands where a module"));
  EXPECT_THAT(checkpoint_message(checkpoint_of(pickle_list({}))), HasSubstr("a list of 0"));
  EXPECT_THAT(checkpoint_message(zip_archive({{"archive/data.pkl", "no pickle"}})),
              HasSubstr("offset 0"));
}

/// A Sequential whose children are numbered, and a slot to recall it from.
Pickled sequential(const std::vector<Pickled>& children, std::optional<char> slot = {}) {
  std::vector<std::pair<std::string, Pickled>> modules;
  for (const Pickled& child : children)
    modules.emplace_back(fmt::format("{}", modules.size()), child);
  const std::string remembered = slot ? fmt::format("q{}", *slot) : "";
  return fmt::format(
      "{})\x81{}{}b", pickle_global("torch.nn.modules.container", "Sequential"), remembered,
      pickle_attributes({{"f", pickle_integer(-1)}, {"_modules", pickle_ordered(modules)}}));
}

Pickled recalled(char slot) { return fmt::format("h{}", slot); }

/// A checkpoint of a model with one layer of interest.
std::string checkpoint_around(const Pickled& layer) {
  const Pickled model = pickle_object(
      pickle_global("models.yolo", "Model"),
      pickle_attributes(
          {{"_modules", pickle_ordered({{"model", sequential({layer, sequential({})})}})}}));
  return checkpoint_of(pickle_attributes({{"model", model}}));
}

TEST(Checkpoint, RefusesModulesNestedWithoutEnd) {
  Pickled deep = sequential({});
  for (int i = 0; i < 300; ++i) deep = sequential({deep});

  EXPECT_THAT(checkpoint_message(checkpoint_around(deep)), HasSubstr("nested too deep"));
}

TEST(Checkpoint, RefusesAModuleThatHoldsItself) {
  EXPECT_THAT(checkpoint_message(checkpoint_around(sequential({recalled('a')}, 'a'))),
              HasSubstr("nested too deep"));
}

TEST(Checkpoint, RefusesSharedModulesThatMultiply) {
  Pickled layer = sequential({}, 'A');
  for (char slot = 'A'; slot < 'A' + 40; ++slot) {  // Each holds the one before twice: 2^40 in all.
    layer = sequential({layer, recalled(slot)}, static_cast<char>(slot + 1));
  }

  EXPECT_THAT(checkpoint_message(checkpoint_around(layer)), HasSubstr("too many"));
}

TEST(Checkpoint, RefusesNamesThatDoNotFitTheHead) {
  Description model = tiny_model();
  model.info.names.pop_back();

  EXPECT_THAT(checkpoint_message(checkpoint_bytes(model)), HasSubstr("head has 3 classes"));
}

}  // namespace
}  // namespace yoloq::checkpoint
