// SPDX-License-Identifier: Apache-2.0
#include "model/detail/emit_blocks.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <random>
#include <sstream>

#include "core/error.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "onnx/model_file.h"
#include "support/data.h"

namespace yoloq::model::detail {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kChannels = 8;
constexpr std::int64_t kSide = 14;
constexpr double kTolerance = 1e-5;  // float32 sums of up to 100 terms, against float64.

Tensor random(Shape shape, float low, float high) {
  static std::mt19937 engine(7);
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) {
    value = low + (high - low) * static_cast<float>(engine() % 10000) / 10000;
  }
  return Tensor::of(std::move(shape), values);
}

Conv2d conv2d(std::int64_t in, std::int64_t out, Pair kernel = {1, 1}) {
  return {.weight = random({out, in, kernel[0], kernel[1]}, -0.5f, 0.5f),
          .padding = {kernel[0] / 2, kernel[1] / 2}};
}

BatchNorm2d norm(std::int64_t channels) {
  return {.weight = random({channels}, 0.5f, 1.5f),
          .bias = random({channels}, -1, 1),
          .running_mean = random({channels}, -1, 1),
          .running_var = random({channels}, 0.5f, 2),
          .eps = 0.25f};  // Large, so that a wrong one shows.
}

Conv conv(std::int64_t in, std::int64_t out, Pair kernel = {1, 1},
          Activation::Kind act = Activation::Kind::silu) {
  return {.conv = conv2d(in, out, kernel), .bn = norm(out), .act = {act, 0.1f}};
}

MaxPool2d pool(std::int64_t kernel) {
  return {.kernel_size = {kernel, kernel}, .padding = {kernel / 2, kernel / 2}};
}

Bottleneck bottleneck(std::int64_t channels, bool add) {
  return {conv(channels, channels), conv(channels, channels, {3, 3}), add};
}

SPP spp(std::int64_t channels) {
  return {conv(channels, 4), conv(16, 6), {pool(5), pool(9), pool(13)}};
}

/// x, [1, kChannels, kSide, kSide], through one module to y.
graph::Graph graph_of(const Module& module, std::int64_t opset = 13) {
  Builder builder(opset);
  const Flow x{"x", kChannels, kSide, kSide};
  const Flow y = emit_module(builder, "m", module, {x});
  graph::Graph graph = builder.graph();
  const auto port = [](const std::string& name, const Flow& flow) {
    const auto dim = [](std::int64_t size) { return graph::Dim::fixed(size); };
    return graph::Port{
        name,
        {DType::f32, graph::Dims{dim(1), dim(flow.channels), dim(*flow.height), dim(*flow.width)}}};
  };
  graph.inputs = {port("x", x)};
  graph.outputs = {port("y", y)};
  graph[*graph.producer(y.value)].outputs = {"y"};
  return graph;
}

struct Row {
  const char* name;
  std::function<Module()> make;
  std::int64_t opset = 13;
};

using Kind = Activation::Kind;

const Row kRows[] = {
    {"silu",
     [] {
       return Module{conv(kChannels, 5, {3, 3}, Kind::silu)};
     }},
    {"hardswish",
     [] {
       return Module{conv(kChannels, 5, {3, 3}, Kind::hardswish)};
     },
     13},
    {"hardswish",
     [] {
       return Module{conv(kChannels, 5, {3, 3}, Kind::hardswish)};
     },
     14},
    {"leaky_relu",
     [] {
       return Module{conv(kChannels, 5, {3, 3}, Kind::leaky_relu)};
     }},
    {"relu",
     [] {
       return Module{conv(kChannels, 5, {3, 3}, Kind::relu)};
     }},
    {"identity",
     [] {
       return Module{conv(kChannels, 5, {3, 3}, Kind::identity)};
     }},
    {"silu",
     [] {
       Conv fused = conv(kChannels, 5);
       fused.bn.reset();
       fused.conv.bias = random({5}, -1, 1);
       return Module{fused};
     }},
    {"strided",
     [] {
       Conv strided = conv(kChannels, 5, {3, 3});
       strided.conv.stride = {2, 2};
       return Module{strided};
     }},
    {"grouped",
     [] {
       Conv grouped = conv(kChannels / 4, kChannels, {3, 3});
       grouped.conv.groups = 4;
       return Module{grouped};
     }},
    {"cross",
     [] {
       return Module{Bottleneck{conv(kChannels, 4, {1, 3}), conv(4, kChannels, {3, 1}), true}};
     }},
    {"bottleneck", [] { return Module{bottleneck(kChannels, false)}; }},
    {"c3",
     [] {
       return Module{C3{conv(kChannels, 4), conv(kChannels, 4), conv(8, 6), {bottleneck(4, true)}}};
     }},
    {"csp",
     [] {
       return Module{BottleneckCSP{conv(kChannels, 4),
                                   conv2d(kChannels, 4),
                                   conv2d(4, 4),
                                   conv(8, 6),
                                   norm(8),
                                   {Kind::leaky_relu, 0.1f},
                                   {bottleneck(4, false)}}};
     }},
    {"c3spp",
     [] {
       return Module{C3SPP{conv(kChannels, 4), conv(kChannels, 4), conv(10, 6), spp(4)}};
     }},
    {"spp", [] { return Module{spp(kChannels)}; }},
    {"sppf",
     [] {
       return Module{SPPF{conv(kChannels, 4), conv(16, 6), pool(5)}};
     }},
    {"focus",
     [] {
       return Module{Focus{conv(4 * kChannels, 6, {3, 3})}};
     }},
    {"upsample",
     [] {
       return Module{Upsample{{2, 3}}};
     }},
    {"contract", [] { return Module{Contract{2}}; }},
    {"expand", [] { return Module{Expand{2}}; }},
    {"sequential",
     [] {
       return Module{Sequential{{Module{conv(kChannels, 4)}, Module{conv(4, 6)}}}};
     }},
};

TEST(EmitBlocks, ComputeWhatPyTorchDefines) {
  const test::TemporaryFolder folder;
  std::vector<std::string> arguments;
  for (const Row& row : kRows) {
    const graph::Graph graph = graph_of(row.make(), row.opset);
    graph::verify(graph);
    arguments.push_back((folder / fmt::format("{}.onnx", arguments.size())).string());
    onnx::write_model(graph, arguments.back());
    arguments.push_back(row.name);
  }

  const auto run = test::run_python("tests/model/modules_oracle.py", arguments);

  ASSERT_EQ(run.status, 0) << run.errors;
  std::istringstream differences(run.output);
  for (const Row& row : kRows) {
    double difference = 1;
    ASSERT_TRUE(differences >> difference) << run.output;
    EXPECT_LE(difference, kTolerance) << row.name;
  }
}

TEST(EmitBlocks, NamesNodesAndConstantsAfterTheModule) {
  EXPECT_EQ(graph::to_text(graph_of({conv(kChannels, 4)})),
            "input x float32[1,8,14,14]\n"
            "m.conv = Conv(x, m.conv.weight) dilations=[1,1] group=1 kernel_shape=[1,1] "
            "pads=[0,0,0,0] strides=[1,1] @m.conv\n"
            "m.bn = BatchNormalization(m.conv, m.bn.weight, m.bn.bias, m.bn.running_mean, "
            "m.bn.running_var) epsilon=0.25 @m.bn\n"
            "m.act/Sigmoid = Sigmoid(m.bn) @m.act/Sigmoid\n"
            "y = Mul(m.bn, m.act/Sigmoid) @m.act/Mul\n"
            "return y float32[1,4,14,14]\n");
}

struct Contradiction {
  const char* name;
  std::function<Module()> make;
  const char* says;
};

void PrintTo(const Contradiction& row, std::ostream* out) { *out << row.name; }

class EmitBlocksRefuses : public testing::TestWithParam<Contradiction> {};

TEST_P(EmitBlocksRefuses, AndNamesTheModule) {
  try {
    graph_of(GetParam().make());
    FAIL() << "it was emitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

/// A Conv with something wrong about it.
Module broken(const std::function<void(Conv&)>& act) {
  Conv result = conv(kChannels, 4);
  act(result);
  return {result};
}

const Contradiction kContradictions[] = {
    {"InputChannels", [] { return Module{conv(5, 4)}; }, "module m.conv"},
    {"Groups", [] { return broken([](Conv& c) { c.conv.groups = 0; }); }, "module m.conv"},
    {"GroupsBeyondChannels", [] { return broken([](Conv& c) { c.conv.groups = 3; }); },
     "module m.conv"},
    {"WeightRank", [] { return broken([](Conv& c) {
                          c.conv.weight = random({4, 8}, 0, 1);
                        }); },
     "m.conv"},
    {"WeightType",
     [] {
       return broken([](Conv& c) {
         c.conv.weight = Tensor::of<std::int64_t>({1, 8, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
       });
     },
     "int64"},
    {"BiasLength", [] { return broken([](Conv& c) { c.conv.bias = random({3}, 0, 1); }); },
     "m.conv.bias"},
    {"NormLength", [] { return broken([](Conv& c) { c.bn->running_var = random({3}, 0, 1); }); },
     "m.bn.running_var"},
    {"Stride", [] { return broken([](Conv& c) {
                      c.conv.stride = {0, 1};
                    }); }, "out of range"},
    {"Padding", [] { return broken([](Conv& c) {
                       c.conv.padding = {-1, 1};
                     }); }, "out of range"},
    {"HugeDilation", [] { return broken([](Conv& c) {
                            c.conv.dilation = {1LL << 62, 1};
                          }); },
     "out of range"},
    {"WindowBeyondImage",
     [] {
       return broken([](Conv& c) { c.conv = conv2d(8, 4, {99, 1}), c.conv.padding = {0, 0}; });
     },
     "does not fit 14 pixels"},
    {"Shortcut",
     [] {
       return Module{Bottleneck{conv(kChannels, 4), conv(4, 4), true}};
     },
     "module m"},
    {"ConcatSizes",
     [] {
       SPP result = spp(kChannels);
       result.m[1].stride = {2, 2};
       return Module{result};
     },
     "differ in size"},
    {"Upsample",
     [] {
       return Module{Upsample{{-1, 2}}};
     },
     "scale"},
    {"Contract", [] { return Module{Contract{0}}; }, "gain"},
    {"ExpandChannels", [] { return Module{Expand{3}}; }, "divide"},
    {"ContractPixels", [] { return Module{Contract{4}}; }, "14 pixels do not divide"},
    {"PixelsWithoutEnd",
     [] {
       return Module{Sequential{std::vector<Module>(9, Module{Upsample{{64, 64}}})}};
     },
     "channels or pixels"},
    {"ConcatAxis", [] { return Module{Concat{2}}; }, "axis"},
    {"HeadInTheMiddle", [] { return Module{Detect{}}; }, "detection head"},
};

INSTANTIATE_TEST_SUITE_P(, EmitBlocksRefuses, testing::ValuesIn(kContradictions));

}  // namespace
}  // namespace yoloq::model::detail
