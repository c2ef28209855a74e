// SPDX-License-Identifier: Apache-2.0
#include "transform/focus_to_conv.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/shapes.h"
#include "transform/detail/constants.h"

namespace yoloq::transform {

using graph::Graph;
using graph::input_or_empty;
using graph::Knowledge;
using graph::Node;
using graph::NodeId;

namespace {

constexpr std::int64_t kToTheEnd = (std::int64_t{1} << 31) - 1;

/// x[..., dy::2, dx::2].
struct Quarter {
  std::string source{};
  std::array<std::int64_t, 2> start{-1, -1};  ///< dy, dx; -1 while an axis is not sliced.
};

std::vector<std::int64_t> constant_list(const Knowledge& knowledge, const Node& node,
                                        std::size_t index) {
  const auto& tensor = knowledge.of(input_or_empty(node, index)).tensor;
  return tensor && tensor->dtype() == DType::i64 ? tensor->to_integers()
                                                 : std::vector<std::int64_t>{};
}

/// Takes one Slice into account; false if it is none of Focus'.
bool add_slice(const Knowledge& knowledge, const Node& slice, Quarter& quarter) {
  const auto starts = constant_list(knowledge, slice, 1);
  const auto ends = constant_list(knowledge, slice, 2);
  const auto axes = constant_list(knowledge, slice, 3);
  const auto steps = constant_list(knowledge, slice, 4);
  const bool complete = !starts.empty() && starts.size() == ends.size() &&
                        starts.size() == axes.size() && starts.size() == steps.size();
  if (!complete) return false;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + 2 : axes[i] - 2;
    const bool fits = (axis == 0 || axis == 1) && steps[i] == 2 && ends[i] >= kToTheEnd &&
                      (starts[i] == 0 || starts[i] == 1);
    if (!fits || quarter.start[static_cast<std::size_t>(axis)] >= 0) return false;
    quarter.start[static_cast<std::size_t>(axis)] = starts[i];
  }
  return true;
}

std::optional<Quarter> quarter_of(const Graph& graph, const Knowledge& knowledge,
                                  const std::string& value) {
  Quarter quarter{.source = value};
  for (int depth = 0; depth < 2; ++depth) {
    if (quarter.start[0] >= 0 && quarter.start[1] >= 0) break;
    const auto producer = graph.producer(quarter.source);
    if (!producer || graph[*producer].op != "Slice") return std::nullopt;
    if (!add_slice(knowledge, graph[*producer], quarter)) return std::nullopt;
    quarter.source = graph[*producer].inputs[0];
  }
  return quarter.start[0] >= 0 && quarter.start[1] >= 0 ? std::optional(quarter) : std::nullopt;
}

/// The four quarters of one image in the Concat's order, if it joins them.
std::vector<Quarter> quarters_of(const Graph& graph, const Knowledge& knowledge,
                                 const Node& concat) {
  if (concat.op != "Concat" || concat.inputs.size() != 4 || concat.integer("axis", 0) != 1) {
    return {};
  }
  std::vector<Quarter> quarters;
  std::set<std::array<std::int64_t, 2>> starts;
  for (const auto& input : concat.inputs) {
    const auto quarter = quarter_of(graph, knowledge, input);
    if (!quarter) return {};
    starts.insert(quarter->start);
    quarters.push_back(*quarter);
    if (quarter->source != quarters.front().source) return {};
  }
  const auto& dims = knowledge.type_of(quarters.front().source).dims;
  const bool image = dims && dims->size() == 4;
  return starts.size() == 4 && image ? quarters : std::vector<Quarter>{};
}

/// `list` twice as large; `fallback` where the attribute is absent.
std::vector<std::int64_t> doubled(const Node& conv, const char* key,
                                  std::vector<std::int64_t> fallback) {
  auto list = conv.integers(key, std::move(fallback));
  for (auto& item : list) item *= 2;
  return list;
}

bool is_plain(const Node& conv) {
  const auto dilations = conv.integers("dilations", {1, 1});
  const bool dense = std::ranges::all_of(dilations, [](auto d) { return d == 1; });
  return conv.op == "Conv" && conv.domain.empty() && conv.integer("group", 1) == 1 && dense &&
         conv.text("auto_pad", "NOTSET") == "NOTSET";
}

/// W', as in the header.
Tensor spread(const Tensor& weight, const std::vector<Quarter>& quarters) {
  const auto size = [&](std::size_t d) { return static_cast<std::size_t>(weight.shape()[d]); };
  const std::size_t channels = size(1) / 4;
  const Shape shape{weight.shape()[0], weight.shape()[1] / 4, weight.shape()[2] * 2,
                    weight.shape()[3] * 2};
  std::vector<float> result(weight.size());
  const auto values = weight.values<float>();
  std::size_t next = 0;
  for (std::size_t o = 0; o < size(0); ++o) {
    for (std::size_t qc = 0; qc < size(1); ++qc) {
      const auto& start = quarters[qc / channels].start;
      for (std::size_t ky = 0; ky < size(2); ++ky) {
        for (std::size_t kx = 0; kx < size(3); ++kx) {
          const std::size_t row = 2 * ky + static_cast<std::size_t>(start[0]);
          const std::size_t column = 2 * kx + static_cast<std::size_t>(start[1]);
          const std::size_t filter = o * channels + qc % channels;
          result[(filter * 2 * size(2) + row) * 2 * size(3) + column] = values[next++];
        }
      }
    }
  }
  return Tensor::of<float>(shape, result);
}

bool rewrite(Graph& graph, const Knowledge& knowledge, NodeId id) {
  const Node& conv = graph[id];
  if (!is_plain(conv)) return false;
  const auto producer = graph.producer(conv.inputs[0]);
  const Tensor* weight = detail::float_constant(graph, conv, 1);
  const bool owned = producer && weight != nullptr && weight->rank() == 4 &&
                     weight->shape()[1] % 4 == 0 && weight->shape()[1] > 0 &&
                     graph.readers(conv.inputs[0]) == 1;
  if (!owned) return false;
  const auto quarters = quarters_of(graph, knowledge, graph[*producer]);
  if (quarters.empty()) return false;
  const Tensor wide = spread(*weight, quarters);
  detail::set_constant_input(graph, id, 1, conv.output() + ".weight", wide);
  Node& changed = graph[id];
  changed.inputs[0] = quarters.front().source;
  changed.attributes["kernel_shape"] = std::vector<std::int64_t>{wide.shape()[2], wide.shape()[3]};
  changed.attributes["strides"] = doubled(changed, "strides", {1, 1});
  changed.attributes["pads"] = doubled(changed, "pads", {0, 0, 0, 0});
  return true;
}

}  // namespace

int focus_to_conv(Graph& graph) {
  const Knowledge knowledge(graph);
  int rewritten = 0;
  for (const NodeId id : graph.nodes()) rewritten += rewrite(graph, knowledge, id) ? 1 : 0;
  return rewritten;
}

}  // namespace yoloq::transform
