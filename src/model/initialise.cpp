// SPDX-License-Identifier: Apache-2.0
#include "model/initialise.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/random.h"
#include "model/detail/classes.h"
#include "model/metadata.h"
#include "model/visit.h"

namespace yoloq::model {

namespace {

constexpr double kObjectsPerImage = 8;  ///< What a head expects before it has learned.
constexpr double kImageSide = 640;      ///< Pixels.
constexpr double kClassShare = 0.6;

/// The stream of a tensor. Source: FNV-1a of 64 bits, Fowler, Noll and Vo.
std::uint64_t stream_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash;
}

/// Uniform in +-bound. One rounding per value, so that every platform gives the same bits.
Tensor symmetric_uniform(const Shape& shape, float bound, Random random) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) value = bound * (2.0f * random.uniform() - 1.0f);
  return Tensor::of(shape, values);
}

Tensor filled(const Shape& shape, float value) {
  return Tensor::of(shape,
                    std::vector<float>(static_cast<std::size_t>(element_count(shape)), value));
}

/// Sets the weights of the modules that it is shown.
class Initialiser {
 public:
  explicit Initialiser(std::uint64_t seed) : seed_(seed) {}

  void operator()(const std::string& path, Conv2d& conv) const {
    const Shape& shape = conv.weight.shape();
    if (shape.size() != 4 || std::ranges::any_of(shape, [](auto size) { return size < 1; })) {
      fail(ErrorCode::corrupt_file, "module {}: weight {}, expected [O, I, kH, kW]", path,
           to_string(shape));
    }
    const auto fan_in = static_cast<double>(shape[1] * shape[2] * shape[3]);
    const auto bound = static_cast<float>(1.0 / std::sqrt(fan_in));
    conv.weight = symmetric_uniform(shape, bound, random_for(path + ".weight"));
    if (!conv.bias) return;
    conv.bias = symmetric_uniform({shape[0]}, bound, random_for(path + ".bias"));
  }

  void operator()(const std::string&, BatchNorm2d& norm) const {
    const Shape shape = norm.weight.shape();
    norm.weight = filled(shape, 1);
    norm.bias = filled(shape, 0);
    norm.running_mean = filled(shape, 0);
    norm.running_var = filled(shape, 1);
  }

 private:
  Random random_for(const std::string& name) const { return Random(seed_).stream(stream_of(name)); }

  std::uint64_t seed_;
};

/// Adds what the head expects of an image before it has seen any: few objects, all classes alike.
void add_prior(Conv2d& conv, int stride, int class_count) {
  std::vector<float> bias = conv.bias->to_floats();
  const double cells = kImageSide / stride;
  const auto objectness = static_cast<float>(std::log(kObjectsPerImage / (cells * cells)));
  const auto of_class = static_cast<float>(std::log(kClassShare / (class_count - 0.99999)));
  const std::size_t channels = 5 + static_cast<std::size_t>(class_count);
  for (std::size_t i = 0; i < bias.size(); ++i) {
    const std::size_t channel = i % channels;
    if (channel >= 4) bias[i] += channel == 4 ? objectness : of_class;
  }
  conv.bias = Tensor::list(bias);
}

Detect& head_of(Description& description) {
  Detect* head = description.layers.empty()
                     ? nullptr
                     : std::get_if<Detect>(&description.layers.back().module.kind);
  if (head == nullptr) {
    fail(ErrorCode::unsupported, "the model does not end in a detection head (Detect)");
  }
  const ModelInfo& info = description.info;
  if (head->m.size() != info.strides.size() || head->m.size() != info.anchors.size()) {
    fail(ErrorCode::corrupt_file,
         "the head has {} convolutions, {} strides and anchors for {}; expected as many of each",
         head->m.size(), info.strides.size(), info.anchors.size());
  }
  return *head;
}

/// The convolutions that compute the outputs, in their order.
std::vector<graph::NodeId> head_of(const graph::Graph& graph, const ModelInfo& info) {
  std::vector<graph::NodeId> convs;
  for (const graph::Port& output : graph.outputs) {
    const auto producer = graph.producer(output.name);
    const bool is_conv = producer && graph[*producer].op == "Conv" &&
                         graph[*producer].inputs.size() == 3 &&
                         graph.constant(graph[*producer].inputs[1]) != nullptr &&
                         graph.constant(graph[*producer].inputs[2]) != nullptr;
    if (!is_conv) {
      fail(ErrorCode::unsupported,
           "the output '{}' does not come from a convolution with a bias, so it cannot be begun "
           "anew",
           output.name);
    }
    convs.push_back(*producer);
  }
  if (convs.size() != info.strides.size() || convs.size() != info.anchors.size()) {
    fail(ErrorCode::unsupported,
         "the model has {} outputs, {} strides and anchors for {}; expected as many of each",
         convs.size(), info.strides.size(), info.anchors.size());
  }
  return convs;
}

/// Gives the convolution of level `level` new weights for other classes.
void begin_anew(Conv2d& conv, const std::string& path, const ModelInfo& info, std::size_t level,
                const NewHead& head) {
  Shape shape = conv.weight.shape();
  if (!shape.empty()) {
    shape[0] = static_cast<std::int64_t>(info.anchors[level].size()) *
               (5 + std::int64_t{head.class_count});
    conv.weight = filled(shape, 0);
    conv.bias = filled({shape[0]}, 0);
  }
  Initialiser{head.seed}(path, conv);
  add_prior(conv, info.strides[level], head.class_count);
}

void add_priors(Description& description) {
  Detect& head = head_of(description);
  for (std::size_t i = 0; i < head.m.size(); ++i) {
    if (!head.m[i].bias) {
      fail(ErrorCode::corrupt_file, "module model.{}.m.{} has no bias",
           description.layers.size() - 1, i);
    }
    add_prior(head.m[i], description.info.strides[i], description.info.class_count);
  }
}

}  // namespace

void initialise(Description& description, std::uint64_t seed) {
  head_of(description);
  visit_weights(description, Initialiser(seed));
  add_priors(description);
}

void reset_head(Description& description, const NewHead& head) {
  std::vector<std::string> names = detail::class_names(head.class_count, head.names);
  Detect& detect = head_of(description);
  for (std::size_t i = 0; i < detect.m.size(); ++i) {
    begin_anew(detect.m[i], fmt::format("model.{}.m.{}", description.layers.size() - 1, i),
               description.info, i, head);
  }
  description.info.class_count = head.class_count;
  description.info.names = std::move(names);
}

void reset_head(graph::Graph& graph, const NewHead& head) {
  std::vector<std::string> names = detail::class_names(head.class_count, head.names);
  ModelInfo info = read_metadata(graph);
  const std::vector<graph::NodeId> convs = head_of(graph, info);
  for (std::size_t i = 0; i < convs.size(); ++i) {
    const graph::Node& node = graph[convs[i]];
    Conv2d conv{.weight = graph.constants.at(node.inputs[1])};
    std::string path = node.inputs[1];
    if (path.ends_with(".weight")) path.resize(path.rfind('.'));
    begin_anew(conv, path, info, i, head);
    graph.constants.at(node.inputs[1]) = conv.weight;
    graph.constants.at(node.inputs[2]) = *conv.bias;
    auto& dims = graph.outputs[i].type.dims;
    if (dims && dims->size() > 1) (*dims)[1] = graph::Dim::fixed(conv.weight.shape()[0]);
  }
  info.class_count = head.class_count;
  info.names = std::move(names);
  write_metadata(graph, info);
}

}  // namespace yoloq::model
