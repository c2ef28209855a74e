// SPDX-License-Identifier: Apache-2.0
#include "graph/summary.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <unordered_map>

#include "graph/shapes.h"

namespace yoloq::graph {

namespace {

constexpr std::array<std::string_view, 5> kLayers = {"Conv", "ConvTranspose", "Gemm", "MatMul",
                                                     "BatchNormalization"};

std::optional<std::uint64_t> product(const Dims& dims, std::size_t first = 0) {
  std::uint64_t count = 1;
  for (std::size_t d = first; d < dims.size(); ++d) {
    const auto size = static_cast<std::uint64_t>(dims[d].size);
    if (!dims[d].known() || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

std::optional<std::uint64_t> times(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
  std::uint64_t result = 0;
  if (!a || !b || __builtin_mul_overflow(*a, *b, &result)) return std::nullopt;
  return result;
}

class Summarizer {
 public:
  explicit Summarizer(const Graph& graph) : graph_(graph), knowledge_(graph) {
    for (const NodeId id : graph.nodes()) {
      const Node& node = graph[id];
      if (node.op == "DequantizeLinear" || node.op == "QuantizeLinear") {
        sources_[node.output()] = input_or_empty(node, 0);
      }
    }
  }

  Summary run() {
    Summary summary;
    std::optional<std::uint64_t> macs = 0;
    for (const NodeId id : graph_.nodes()) {
      summary.nodes.push_back(row(graph_[id]));
      const auto& own = summary.nodes.back().macs;
      macs = macs && own ? std::optional(*macs + *own) : std::nullopt;
    }
    for (const auto& name : counted_) summary.parameters += graph_.constant(name)->size();
    summary.flops = times(macs, 2);
    return summary;
  }

 private:
  NodeSummary row(const Node& node) {
    NodeSummary row{.name = node.name.empty() ? node.output() : node.name,
                    .op = node.op,
                    .output = knowledge_.type_of(node.output()),
                    .parameters = 0,
                    .macs = macs_of(node)};
    if (std::ranges::find(kLayers, node.op) == kLayers.end()) return row;
    for (const auto& input : node.inputs) {
      const std::string& name = source_of(input);
      const Tensor* constant = graph_.constant(name);
      if (constant == nullptr) continue;
      counted_.insert(name);
      row.parameters += constant->size();
    }
    return row;
  }

  /// The value that is quantized and dequantized into `value`.
  const std::string& source_of(const std::string& value) const {
    const std::string* source = &value;
    for (int depth = 0; depth < 2; ++depth) {
      const auto found = sources_.find(*source);
      if (found == sources_.end()) break;
      source = &found->second;
    }
    return *source;
  }

  std::optional<std::uint64_t> macs_of(const Node& node) const {
    const bool deconv = node.op == "ConvTranspose";
    const auto& x = knowledge_.type_of(input_or_empty(node, 0)).dims;
    const auto& weight = knowledge_.type_of(input_or_empty(node, 1)).dims;
    const auto& y = knowledge_.type_of(node.output()).dims;
    if (node.op == "Conv" || deconv) {
      const auto& positions = deconv ? x : y;
      if (!positions || !weight || weight->empty()) return std::nullopt;
      return times(product(*positions), product(*weight, 1));
    }
    if (node.op == "MatMul" || node.op == "Gemm") {
      if (!x || !y || x->empty()) return std::nullopt;
      const bool columns = node.op == "Gemm" && node.integer("transA", 0) != 0;
      return times(product(*y), product({columns ? x->front() : x->back()}));
    }
    return 0;
  }

  const Graph& graph_;
  Knowledge knowledge_;
  std::unordered_map<std::string, std::string> sources_;
  std::set<std::string> counted_;
};

}  // namespace

Summary summarize(const Graph& graph) { return Summarizer(graph).run(); }

}  // namespace yoloq::graph
