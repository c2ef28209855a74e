// SPDX-License-Identifier: Apache-2.0
#include "model/detail/emit_detect.h"

#include <fmt/core.h>

#include <utility>

#include "core/error.h"
#include "model/detail/emit_torch.h"

namespace yoloq::model::detail {

namespace {

/// What is known of one head when its boxes are written.
struct HeadParts {
  std::string path;  ///< "model.24.0"; prefix of its nodes.
  Flow raw;
  std::vector<Anchor> anchors;
  float stride = 0;
  std::int64_t channels_per_anchor = 0;

  std::int64_t anchor_count() const { return static_cast<std::int64_t>(anchors.size()); }
};

void check(const std::string& path, const Description& description, std::size_t inputs) {
  const auto& heads = std::get<Detect>(description.layers.back().module.kind).m;
  const ModelInfo& info = description.info;
  if (heads.empty() || heads.size() != inputs || heads.size() != info.strides.size() ||
      heads.size() != info.anchors.size()) {
    fail(
        ErrorCode::corrupt_file,
        "module {}: {} head convolutions, {} inputs, {} strides and anchors for {} heads; expected "
        "as many of each",
        path, heads.size(), inputs, info.strides.size(), info.anchors.size());
  }
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto anchors = static_cast<std::int64_t>(info.anchors[i].size());
    const std::int64_t expected = anchors * (5 + std::int64_t{info.class_count});
    const Shape& weight = heads[i].weight.shape();
    if (anchors > 0 && info.class_count > 0 && !weight.empty() && weight[0] == expected) continue;
    fail(ErrorCode::corrupt_file,
         "module {}.m.{}: weight {} does not fit {} anchors of 5 + {} channels", path, i,
         to_string(weight), anchors, info.class_count);
  }
}

/// The size of a head along one axis, checked against the size of the input.
graph::Dim head_dim(const std::string& path, std::optional<std::int64_t> given,
                    std::optional<std::int64_t> computed, graph::Dim symbol) {
  if (!given) return symbol;
  if (computed == given) return graph::Dim::fixed(*given);
  fail(ErrorCode::corrupt_file, "module {}: the head has {} cells where its stride asks for {}",
       path, computed.value_or(-1), *given);
}

graph::Port raw_port(const std::string& name, const Flow& head, int stride,
                     const EmitOptions& options) {
  const auto cells = [&](std::optional<std::int64_t> pixels) {
    return pixels ? std::optional(*pixels / stride) : std::nullopt;
  };
  const auto symbol = [&](const char* axis) {
    return graph::Dim::named(fmt::format("{}/{}", axis, stride));
  };
  const graph::Dim batch =
      options.batch ? graph::Dim::fixed(*options.batch) : graph::Dim::named("batch");
  return {
      name,
      {DType::f32, graph::Dims{batch, graph::Dim::fixed(head.channels),
                               head_dim(name, cells(options.height), head.height, symbol("height")),
                               head_dim(name, cells(options.width), head.width, symbol("width"))}}};
}

std::string int64s(Builder& builder, std::string name, const std::vector<std::int64_t>& values) {
  return builder.constant(std::move(name), Tensor::list(values));
}

/// Columns and rows less a half, [1, 1, H, W, 2].
Tensor grid_of(std::int64_t height, std::int64_t width) {
  std::vector<float> cells;
  cells.reserve(static_cast<std::size_t>(2 * height * width));
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      cells.push_back(static_cast<float>(column) - 0.5f);
      cells.push_back(static_cast<float>(row) - 0.5f);
    }
  }
  return Tensor::of({1, 1, height, width, 2}, cells);
}

/// 0, 1, ... as float along one axis of the head, broadcast to `size` ([2] = H, W), [H, W, 1].
std::string axis_grid(Builder& builder, const std::string& path, const std::string& size,
                      std::int64_t axis) {
  const auto scalar = [&](const char* key, std::int64_t value) {
    return builder.constant(path + "." + key, Tensor::scalar<std::int64_t>(value));
  };
  const std::string count = builder.add({"Gather", path + "/Gather", {size, scalar("axis", axis)}});
  const std::string range =
      builder.add({"Range", path + "/Range", {scalar("zero", 0), count, scalar("one", 1)}});
  const std::string real =
      builder.add({"Cast", path + "/Cast", {range}, {{"to", std::int64_t{1}}}});
  const std::string line = builder.add(
      {"Unsqueeze", path + "/Unsqueeze", {real, int64s(builder, path + ".axes", {1 - axis})}});
  const std::string plane = builder.add({"Expand", path + "/Expand", {line, size}});
  return builder.add(
      {"Unsqueeze", path + "/Unsqueeze", {plane, int64s(builder, path + ".axes", {2})}});
}

/// The shape to view a head under, and the grid of its cells.
struct Layout {
  std::string shape;  ///< [5]: 0, anchors, channels, H, W.
  std::string grid;   ///< Broadcasts to [N, anchors, H, W, 2].
};

Layout static_layout(Builder& builder, const HeadParts& head) {
  const std::int64_t height = *head.raw.height;
  const std::int64_t width = *head.raw.width;
  return {int64s(builder, head.path + ".shape",
                 {0, head.anchor_count(), head.channels_per_anchor, height, width}),
          builder.constant(head.path + ".grid", grid_of(height, width))};
}

Layout dynamic_layout(Builder& builder, const HeadParts& head) {
  const std::string shape = builder.add({"Shape", head.path + "/Shape", {head.raw.value}});
  const std::string size = builder.add({"Slice",
                                        head.path + "/Slice",
                                        {shape, int64s(builder, head.path + ".starts", {2}),
                                         int64s(builder, head.path + ".ends", {4})}});
  const std::string leading =
      int64s(builder, head.path + ".leading", {0, head.anchor_count(), head.channels_per_anchor});
  const std::map<std::string, graph::Attribute> along{{"axis", std::int64_t{0}}};
  const std::string view = builder.add({"Concat", head.path + "/Concat", {leading, size}, along});

  const std::string rows = axis_grid(builder, head.path + ".rows", size, 0);
  const std::string columns = axis_grid(builder, head.path + ".columns", size, 1);
  const std::string cells = builder.add(
      {"Concat", head.path + ".grid/Concat", {columns, rows}, {{"axis", std::int64_t{2}}}});
  const std::string half = builder.constant(head.path + ".half", Tensor::scalar(0.5f));
  return {view, builder.add({"Sub", head.path + ".grid/Sub", {cells, half}})};
}

Tensor anchor_grid(const std::vector<Anchor>& anchors) {
  std::vector<float> sizes;
  for (const Anchor& anchor : anchors) sizes.insert(sizes.end(), anchor.begin(), anchor.end());
  return Tensor::of({1, static_cast<std::int64_t>(anchors.size()), 1, 1, 2}, sizes);
}

/// Boxes of one head, [N, anchors * H * W, channels].
std::string decode(Builder& builder, const HeadParts& head) {
  const std::string& path = head.path;
  const Layout layout = head.raw.height && head.raw.width ? static_layout(builder, head)
                                                          : dynamic_layout(builder, head);
  const std::string view =
      builder.add({"Reshape", path + "/Reshape", {head.raw.value, layout.shape}});
  const std::string last = builder.add({"Transpose",
                                        path + "/Transpose",
                                        {view},
                                        {{"perm", std::vector<std::int64_t>{0, 1, 3, 4, 2}}}});
  const std::string p = builder.add({"Sigmoid", path + "/Sigmoid", {last}});

  graph::Node split;
  split.op = "Split";
  split.name = path + "/Split";
  split.inputs = {p, int64s(builder, path + ".split", {2, 2, head.channels_per_anchor - 4})};
  split.outputs = {path + ".xy", path + ".wh", path + ".rest"};
  split.attributes = {{"axis", std::int64_t{4}}};
  builder.graph().append(split);

  const std::string two = builder.constant(path + ".two", Tensor::scalar(2.0f));
  const std::string stride = builder.constant(path + ".stride", Tensor::scalar(head.stride));
  const std::string anchors = builder.constant(path + ".anchor_grid", anchor_grid(head.anchors));
  const auto binary = [&](const char* op, const std::string& a, const std::string& b,
                          const char* part) {
    return builder.add({op, fmt::format("{}.{}/{}", path, part, op), {a, b}});
  };
  std::string xy = binary("Mul", split.outputs[0], two, "xy");
  xy = binary("Mul", binary("Add", xy, layout.grid, "xy"), stride, "xy");
  std::string wh = binary("Mul", split.outputs[1], two, "wh");
  wh = binary("Mul", binary("Mul", wh, wh, "wh"), anchors, "wh");

  const std::string joined = builder.add(
      {"Concat", path + ".boxes/Concat", {xy, wh, split.outputs[2]}, {{"axis", std::int64_t{4}}}});
  const std::string flat = int64s(builder, path + ".flat", {0, -1, head.channels_per_anchor});
  return builder.add({"Reshape", path + ".boxes/Reshape", {joined, flat}});
}

graph::Port decoded_port(const Description& description, const std::vector<Flow>& heads,
                         const EmitOptions& options) {
  std::optional<std::int64_t> boxes = 0;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (!heads[i].height || !heads[i].width) boxes.reset();
    const auto anchors = static_cast<std::int64_t>(description.info.anchors[i].size());
    if (boxes) *boxes += anchors * *heads[i].height * *heads[i].width;
  }
  const auto dim = [](std::optional<std::int64_t> size, const char* symbol) {
    return size ? graph::Dim::fixed(*size) : graph::Dim::named(symbol);
  };
  return {"output",
          {DType::f32, graph::Dims{dim(options.batch, "batch"), dim(boxes, "boxes"),
                                   graph::Dim::fixed(5 + description.info.class_count)}}};
}

}  // namespace

void emit_detect(Builder& builder, const std::string& path, const Description& description,
                 const std::vector<Flow>& inputs, const EmitOptions& options) {
  check(path, description, inputs.size());
  const auto& convs = std::get<Detect>(description.layers.back().module.kind).m;
  const ModelInfo& info = description.info;
  graph::Graph& graph = builder.graph();

  std::vector<Flow> heads;
  for (std::size_t i = 0; i < convs.size(); ++i) {
    heads.push_back(emit(builder, fmt::format("{}.m.{}", path, i), convs[i], inputs[i]));
    const std::string name = fmt::format("output_{}", i);
    graph::Port port = raw_port(name, heads.back(), info.strides[i], options);
    if (options.head == Head::decoded) continue;
    graph[graph.nodes().back()].outputs = {name};
    graph.outputs.push_back(std::move(port));
  }
  if (options.head == Head::raw) return;

  std::vector<std::string> boxes;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    boxes.push_back(decode(builder, {.path = fmt::format("{}.{}", path, i),
                                     .raw = heads[i],
                                     .anchors = info.anchors[i],
                                     .stride = static_cast<float>(info.strides[i]),
                                     .channels_per_anchor = 5 + info.class_count}));
  }
  builder.add({"Concat", path + "/Concat", boxes, {{"axis", std::int64_t{1}}}, "output"});
  graph.outputs.push_back(decoded_port(description, heads, options));
}

}  // namespace yoloq::model::detail
