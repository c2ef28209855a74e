// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/two_layers.h"

#include "graph/shapes.h"
#include "graph/text.h"

namespace yoloq::test {

graph::Graph two_layers() {
  graph::Graph graph = graph::parse(R"(
      input x float32[1,1,1,1]
      w1 = float32[1,1,1,1] {1.0}
      b1 = float32[1] {1.0}
      w2 = float32[1,1,1,1] {3.0}
      w3 = float32[1,1,1,1] {10.0}
      a = Conv(x, w1, b1) @first
      b = Conv(a, w2) @second
      sum = Add(b, a) @add
      other = Conv(a, w3) @third
      return sum, other)");
  graph::infer_shapes(graph);
  return graph;
}

quantize::Plan two_layer_plan() {
  return {.target = "tensorrt",
          .layers = {{.id = 0, .name = "first"},
                     {.id = 1, .name = "second"},
                     {.id = 2, .name = "third", .precision = quantize::Precision::fp32}},
          .activations = {{.tensor = "x", .quantizer = {.scale = 1}, .readers = {"first:0"}},
                          {.tensor = "a",
                           .quantizer = {.scale = 0.5f},
                           .readers = {"second:0", "add:1"}}},
          .weights = {{.tensor = "w1", .layer = "first", .scales = {1}},
                      {.tensor = "w2", .layer = "second", .scales = {2}}}};
}

}  // namespace yoloq::test
