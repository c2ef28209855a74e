// SPDX-License-Identifier: Apache-2.0
#include "onnx/upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "core/error.h"
#include "onnx/detail/node_proto.h"
#include "onnx/detail/upgrade_rules.h"

namespace yoloq::onnx {

namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;

/// What becomes of an operator in one version.
struct Change {
  std::string_view op;
  std::int64_t version;
  void (*rule)(Graph&, NodeId);
};

/// Every change from opset 10 to 19 that is more than new types or features that are off by
/// default. Each node meets the rows of its operator in the order of their versions.
constexpr Change kChanges[] = {
    {"BatchNormalization", 14, detail::refuse_training_outputs},
    {"Clip", 11, detail::move_clip_bounds},
    {"Dropout", 10, detail::refuse_training_outputs},
    {"Dropout", 12, detail::move_dropout_ratio},
    {"Hardmax", 13, detail::flatten_softmax},
    {"LogSoftmax", 13, detail::flatten_softmax},
    {"Pad", 11, detail::move_pads},
    {"ReduceL1", 18, detail::move_axes},
    {"ReduceL2", 18, detail::move_axes},
    {"ReduceLogSum", 18, detail::move_axes},
    {"ReduceLogSumExp", 18, detail::move_axes},
    {"ReduceMax", 18, detail::move_axes},
    {"ReduceMean", 18, detail::move_axes},
    {"ReduceMin", 18, detail::move_axes},
    {"ReduceProd", 18, detail::move_axes},
    {"ReduceSum", 13, detail::move_axes},
    {"ReduceSumSquare", 18, detail::move_axes},
    {"Resize", 11, detail::spell_out_resize},
    {"Resize", 13, detail::check_resize_mode},
    {"RoiAlign", 16, detail::spell_out_roi_align},
    {"Scatter", 11, detail::rename_scatter},
    {"Slice", 10, detail::move_slice},
    {"Softmax", 13, detail::flatten_softmax},
    {"Split", 13, detail::move_split},
    {"Split", 18, detail::count_split_outputs},
    {"Squeeze", 13, detail::move_axes},
    {"TopK", 10, detail::move_top_k},
    {"Unsqueeze", 13, detail::move_axes},
    {"Upsample", 10, detail::rename_upsample},
};

/// Operators that say the same in every version from 9 to 19, as far as they are there.
// clang-format off
constexpr std::string_view kSame[] = {
    "Abs", "Acos", "Acosh", "Add", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh",
    "AveragePool", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Cast",
    "CastLike", "Ceil", "Celu", "CenterCropPad", "Col2Im", "Compress", "Concat",
    "ConcatFromSequence", "Constant", "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose",
    "Cos", "Cosh", "CumSum", "DepthToSpace", "DequantizeLinear", "Det", "Div",
    "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike",
    "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND", "Gemm",
    "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
    "GridSample", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity",
    "InstanceNormalization", "IsInf", "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu",
    "Less", "LessOrEqual", "Log", "LpNormalization", "LpPool", "MatMul", "MatMulInteger", "Max",
    "MaxPool", "MaxRoiPool", "MaxUnpool", "Mean", "MeanVarianceNormalization", "Min", "Mish",
    "Mod", "Mul", "Multinomial", "Neg", "NonMaxSuppression", "NonZero", "Not", "OneHot",
    "Optional", "OptionalGetElement", "OptionalHasElement", "Or", "PRelu", "Pow", "QLinearConv",
    "QLinearMatMul", "QuantizeLinear", "RNN", "RandomNormal", "RandomNormalLike",
    "RandomUniform", "RandomUniformLike", "Range", "Reciprocal", "Relu", "Reshape",
    "ReverseSequence", "Round", "ScatterElements", "ScatterND", "Selu", "SequenceAt",
    "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength",
    "Shape", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Softplus", "Softsign",
    "SpaceToDepth", "SplitToSequence", "Sqrt", "Sub", "Sum", "Tan", "Tanh", "ThresholdedRelu",
    "Tile", "Transpose", "Trilu", "Unique", "Where", "Xor",
};
// clang-format on

bool has_subgraph(const Node& node) {
  return node.op == "If" || node.op == "Loop" || node.op == "Scan" || node.op == "SequenceMap" ||
         !node.captured.empty();
}

void require_rule(const Node& node) {
  if (has_subgraph(node)) fail(ErrorCode::unsupported, "its subgraphs cannot be upgraded");
  if (std::ranges::find(kSame, node.op) != std::end(kSame)) return;
  if (std::ranges::find(kChanges, node.op, &Change::op) != std::end(kChanges)) return;
  fail(ErrorCode::unsupported, "no rule for this operator");
}

void upgrade_node(Graph& graph, NodeId id, std::int64_t version) {
  const std::string op = graph[id].op;
  for (const Change& change : kChanges) {
    if (change.op == op && change.version == version) change.rule(graph, id);
  }
}

/// Brings all nodes from `version` - 1 to `version`.
void upgrade_nodes(Graph& graph, std::int64_t version) {
  for (const NodeId id : graph.nodes()) {
    if (!graph[id].domain.empty()) continue;
    try {
      require_rule(graph[id]);
      upgrade_node(graph, id, version);
    } catch (const Error& error) {
      throw error.within(fmt::format("upgrading node {} from opset {} to {}",
                                     detail::describe(graph[id]), version - 1, version));
    }
  }
}

/// The file format that came with the operators of `opset`.
std::int64_t ir_version_of(std::int64_t opset) {
  if (opset >= 19) return 9;
  return opset >= 15 ? 8 : 7;
}

void raise_ir_version(Graph& graph, int target) {
  if (graph.ir_version < 4) {
    std::erase_if(graph.inputs,
                  [&](const graph::Port& port) { return graph.constant(port.name) != nullptr; });
  }
  graph.ir_version = std::max(graph.ir_version, ir_version_of(target));
}

}  // namespace

void upgrade_opset(Graph& graph, int target) {
  if (target < kFirstTarget || target > kLastTarget) {
    fail(ErrorCode::bad_argument, "cannot make opset {}; known: {} to {}", target, kFirstTarget,
         kLastTarget);
  }
  if (graph.opset() >= target) return;
  if (graph.opset() < kOldestOpset) {
    fail(ErrorCode::unsupported, "the model's opset {} is too old, expected {} or later",
         graph.opset(), kOldestOpset);
  }
  Graph upgraded = graph;
  for (std::int64_t version = graph.opset() + 1; version <= target; ++version) {
    upgrade_nodes(upgraded, version);
  }
  raise_ir_version(upgraded, target);
  upgraded.opsets[""] = target;
  graph = std::move(upgraded);
}

}  // namespace yoloq::onnx
