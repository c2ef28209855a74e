// SPDX-License-Identifier: Apache-2.0
#include "pipeline/weight_tuning.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "pipeline/calibration.h"
#include "pipeline/detail/node_runner.h"
#include "pipeline/detail/object_map.h"
#include "pipeline/detail/patches.h"
#include "quantize/apply.h"
#include "quantize/half_scales.h"
#include "quantize/weights.h"
#include "vision/image.h"
#include "vision/letterbox.h"

namespace yoloq::pipeline {

namespace fs = std::filesystem;
using graph::Graph;
using graph::Node;
using graph::NodeId;

namespace {

/// One value of the graph for every image, in both versions.
struct Twin {
  Shape shape;  ///< Of one image, [1, ...].
  std::vector<std::vector<float>> exact;
  std::vector<std::vector<float>> quantized;
};

/// Images whose moments are made at once: each needs memory of its own.
constexpr std::size_t kImagesAtOnce = 8;

std::vector<fs::path> spread(std::span<const fs::path> images, std::size_t count) {
  count = std::min(count, images.size());
  std::vector<fs::path> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(images[i * images.size() / count]);
  return chosen;
}

void fake_quantize_all(std::span<const float> values, const quantize::Quantizer& q,
                       std::vector<float>& result) {
  const auto [low_code, high_code] = quantize::code_limits(q.dtype);
  const auto low = static_cast<float>(low_code - q.zero_point);
  const auto high = static_cast<float>(high_code - q.zero_point);
  const float scale = q.scale;
  result.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float code = std::min(std::max(values[i] / scale, low), high);
    result[i] = quantize::round_to_even(code) * scale;
  }
}

/// Buffers that are done with, for those to come: fresh memory costs more than what is computed in
/// it.
class Spares {
 public:
  void give(std::vector<float>&& buffer) {
    if (buffer.capacity() > 0) spares_.emplace(buffer.capacity(), std::move(buffer));
  }

  /// The smallest that holds `size` values, of any content and size.
  std::vector<float> take(std::size_t size) {
    const auto fit = spares_.lower_bound(size);
    if (fit == spares_.end()) return {};
    std::vector<float> buffer = std::move(fit->second);
    spares_.erase(fit);
    return buffer;
  }

 private:
  std::multimap<std::size_t, std::vector<float>> spares_;  // By capacity.
};

class Walk {
 public:
  Walk(const Graph& model, quantize::Plan& plan, const WeightTuningOptions& options)
      : model_(model), plan_(plan), options_(options), runners_(options.threads) {
    for (const auto& activation : plan.activations) {
      if (!activation.on) continue;
      for (const std::string& reader : activation.readers)
        quantizers_[reader] = activation.quantizer;
    }
    for (auto& weight : plan.weights) {
      if (weight.on) weights_[weight.layer] = &weight;
    }
    plan_order();
  }

  void run(std::span<const fs::path> images) {
    load(images);
    find_objects();
    for (std::size_t step = 0; step < order_.size(); ++step) {
      const Node& node = model_[order_[step]];
      const auto weight = weights_.find(node.name);
      if (node.op == "Conv" && weight != weights_.end()) {
        tune(node, *weight->second);
      } else {
        compute(node);
      }
      forget_after(step);
      if (options_.progress) options_.progress(step + 1, order_.size());
    }
  }

 private:
  /// The nodes up to the last convolution to tune, and after which step each value is done with.
  void plan_order() {
    std::set<std::string> wanted;
    const auto nodes = model_.nodes();
    for (auto id = nodes.rbegin(); id != nodes.rend(); ++id) {
      const Node& node = model_[*id];
      const bool tuned = node.op == "Conv" && weights_.contains(node.name);
      if (!tuned && !wanted.contains(node.output())) continue;
      order_.push_back(*id);
      wanted.insert(node.inputs.begin(), node.inputs.end());
    }
    std::ranges::reverse(order_);
    for (std::size_t step = 0; step < order_.size(); ++step) {
      for (const std::string& value : model_[order_[step]].inputs) last_use_[value] = step;
      for (const std::string& value : model_[order_[step]].outputs) last_use_.emplace(value, step);
    }
  }

  void load(std::span<const fs::path> images) {
    Twin& input = values_[model_.inputs.front().name];
    input.shape = {1, 3, options_.size.height, options_.size.width};
    for (const fs::path& path : images) {
      std::vector<float> canvas(static_cast<std::size_t>(element_count(input.shape)));
      vision::letterbox_into(canvas, vision::read_image(path), {.size = options_.size});
      input.exact.push_back(canvas);
      input.quantized.push_back(std::move(canvas));
    }
  }

  /// Runs the float model once to see where the objects are.
  void find_objects() {
    if (options_.object_weight <= 0 || options_.heads.empty()) return;
    Graph heads = model_;
    heads.outputs.clear();
    for (const std::string& head : options_.heads) {
      heads.outputs.push_back({head, {DType::f32, std::nullopt}});
    }
    const auto engine =
        runtime::compile(heads, {.mode = runtime::Mode::latency, .threads = options_.threads});
    const auto request = engine->make_request();
    for (const std::vector<float>& image : values_.begin()->second.exact) {
      std::ranges::copy(image, request->input(0).values<float>().begin());
      request->run();
      std::vector<detail::HeadLogits> logits;
      for (std::size_t i = 0; i < options_.heads.size(); ++i) {
        const runtime::TensorView output = request->output(i);
        logits.push_back({.anchors = output.shape.at(1) / (5 + options_.classes),
                          .classes = options_.classes,
                          .height = output.shape.at(2),
                          .width = output.shape.at(3),
                          .values = output.values<float>()});
      }
      maps_.emplace_back(logits);
    }
  }

  /// The places of objects on a [1, C, H, W] value of each image; empty without objects.
  const std::vector<std::uint32_t>& objects_of(std::size_t image, const Shape& shape) {
    return places_.at({shape[2], shape[3]})[image];
  }

  void place_objects(const Shape& shape, std::size_t images) {
    const auto [entry, is_new] = places_.try_emplace({shape[2], shape[3]});
    if (!is_new) return;
    entry->second.resize(images);
    for (std::size_t i = 0; i < maps_.size(); ++i) {
      entry->second[i] = maps_[i].places(shape[2], shape[3], kObjectThreshold);
    }
  }

  /// What a node reads at an input in the quantized network: a value of the walk, or a rounded
  /// copy.
  class Read {
   public:
    Read(Walk& walk, const Node& node, std::size_t input) : walk_(walk) {
      const auto& values = walk.values_.at(node.inputs[input]).quantized;
      const auto found = walk.quantizers_.find(node.name + ":" + std::to_string(input));
      images_ = &values;
      if (found == walk.quantizers_.end()) return;
      for (const auto& image : values) rounded_.push_back(walk.spares_.take(image.size()));
      tbb::parallel_for(std::size_t{0}, values.size(), [&](std::size_t i) {
        fake_quantize_all(values[i], found->second, rounded_[i]);
      });
      images_ = &rounded_;
    }
    Read(const Read&) = delete;
    Read& operator=(const Read&) = delete;
    ~Read() { walk_.recycle(rounded_); }

    const std::vector<std::vector<float>>& images() const { return *images_; }

   private:
    Walk& walk_;
    std::vector<std::vector<float>> rounded_;
    const std::vector<std::vector<float>>* images_ = nullptr;
  };

  void recycle(std::vector<std::vector<float>>& images) {
    for (auto& image : images) spares_.give(std::move(image));
    images.clear();
  }

  using Inputs = std::vector<const std::vector<float>*>;

  /// The node's outputs for one image, in buffers that were used before if there are some.
  std::vector<std::vector<float>> run(detail::NodeRunner& runner, const Inputs& inputs,
                                      std::size_t outputs) {
    std::vector<std::vector<float>> results(outputs);
    for (auto& result : results) result = spares_.take(last_size_);
    runner.run(inputs, results);
    last_size_ = results.back().size();
    return results;
  }

  std::vector<float> run(detail::NodeRunner& runner, const std::vector<float>& input) {
    return std::move(run(runner, {&input}, 1).front());
  }

  /// Runs a node that is not tuned on both versions.
  void compute(const Node& node) {
    std::vector<const Twin*> exact;
    std::list<Read> quantized;
    std::vector<Shape> shapes;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto value = values_.find(node.inputs[i]);
      if (value == values_.end()) continue;
      exact.push_back(&value->second);
      quantized.emplace_back(*this, node, i);
      shapes.push_back(value->second.shape);
    }
    std::vector<std::string> names;
    std::ranges::copy_if(node.outputs, std::back_inserter(names),
                         [](const std::string& name) { return !name.empty(); });
    detail::NodeRunner& runner = runners_.of(detail::node_alone(model_, node, shapes));
    std::vector<Twin> results(names.size());
    const auto keep = [&](std::vector<std::vector<float>> Twin::*version, const Inputs& inputs) {
      auto outputs = run(runner, inputs, names.size());
      for (std::size_t i = 0; i < names.size(); ++i) {
        (results[i].*version).push_back(std::move(outputs[i]));
      }
    };
    const std::size_t images = values_.begin()->second.exact.size();
    for (std::size_t image = 0; image < images; ++image) {
      Inputs inputs;
      for (const Twin* twin : exact) inputs.push_back(&twin->exact[image]);
      keep(&Twin::exact, inputs);
      inputs.clear();
      for (const Read& read : quantized) inputs.push_back(&read.images()[image]);
      keep(&Twin::quantized, inputs);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      results[i].shape = runner.output_shape(i);
      values_[names[i]] = std::move(results[i]);
    }
  }

  /// Weights are hardly ever those of another convolution, so that its runners are not kept.
  void tune(const Node& conv, quantize::WeightPlan& plan) {
    const Twin& input = values_.at(conv.inputs[0]);
    Graph alone = detail::node_alone(model_, conv, {{input.shape}});
    const Read read(*this, conv, 0);

    Twin result;
    {
      detail::NodeRunner runner(alone, options_.threads);
      for (const auto& image : input.exact) result.exact.push_back(run(runner, image));
      result.shape = runner.output_shape(0);
    }
    place_objects(result.shape, read.images().size());
    if (options_.weights && plan.axis == 0) {
      choose_codes(conv, plan, input.shape, read.images(), result);
    }

    alone.constants[alone[alone.nodes().front()].inputs[1]] = quantize::dequantize_weight(
        quantize::codes_of(*model_.constant(conv.inputs[1]), plan), plan.scales);
    detail::NodeRunner runner(alone, options_.threads);
    for (const auto& image : read.images()) result.quantized.push_back(run(runner, image));
    if (options_.biases) shift_bias(plan, result);
    values_[conv.output()] = std::move(result);
  }

  /// Of each group, over all images.
  std::vector<quantize::Moments> moments_of(const detail::PatchGeometry& geometry,
                                            const std::vector<std::vector<float>>& read,
                                            const Twin& result) {
    const auto none = [&] {
      std::vector<quantize::Moments> moments;
      for (std::int64_t g = 0; g < geometry.groups; ++g) {
        moments.emplace_back(geometry.patch_size(), geometry.group_outputs());
      }
      return moments;
    };
    std::vector<quantize::Moments> moments = none();
    for (std::size_t first = 0; first < read.size(); first += kImagesAtOnce) {
      const std::size_t count = std::min(kImagesAtOnce, read.size() - first);
      std::vector<std::vector<quantize::Moments>> parts(count);
      tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
        const std::size_t image = first + i;
        const detail::Samples sample =
            detail::sample_patches(geometry, read[image], result.exact[image],
                                   {.positions = options_.positions,
                                    .seed = image,
                                    .objects = objects_of(image, result.shape),
                                    .object_weight = options_.object_weight});
        parts[i] = none();
        for (std::size_t g = 0; g < parts[i].size(); ++g) {
          parts[i][g].add(sample.patches[g], sample.targets[g]);
        }
      });
      for (const auto& part : parts) {
        for (std::size_t g = 0; g < moments.size(); ++g) moments[g].add(part[g]);
      }
    }
    return moments;
  }

  void choose_codes(const Node& conv, quantize::WeightPlan& plan, const Shape& input_shape,
                    const std::vector<std::vector<float>>& read, const Twin& result) {
    const Tensor& weight = *model_.constant(conv.inputs[1]);
    const detail::PatchGeometry geometry(conv, weight.shape(), input_shape, result.shape);
    const std::vector<quantize::Moments> moments = moments_of(geometry, read, result);
    std::vector<std::int8_t> codes;
    plan.scales.clear();
    quantize::TuningOptions tuning = options_.tuning;
    tuning.top_code = plan.top_code;
    const std::size_t length = weight.size() / moments.size();
    for (std::size_t g = 0; g < moments.size(); ++g) {
      const auto tuned = quantize::tune_weight(weight.values<float>().subspan(g * length, length),
                                               moments[g], tuning);
      plan.scales.insert(plan.scales.end(), tuned.scales.begin(), tuned.scales.end());
      codes.insert(codes.end(), tuned.codes.begin(), tuned.codes.end());
    }
    plan.axis = 0;
    plan.codes = Tensor::of(weight.shape(), codes);
    plan.why = "tuned on " + std::to_string(read.size()) + " images";
    if (plan_.float_type == quantize::Precision::fp16) quantize::round_scales_to_half(plan);
  }

  /// Moves each channel so that its mean, with objects counted more, is that of the float layer.
  void shift_bias(quantize::WeightPlan& plan, Twin& result) {
    const auto channels = static_cast<std::size_t>(result.shape[1]);
    const std::size_t length = result.exact[0].size() / channels;
    plan.bias_shift.assign(channels, 0.0f);
    tbb::parallel_for(std::size_t{0}, channels, [&](std::size_t c) {
      double difference = 0;
      double weight = 0;
      for (std::size_t i = 0; i < result.exact.size(); ++i) {
        const float* exact = result.exact[i].data() + c * length;
        const float* quantized = result.quantized[i].data() + c * length;
        for (std::size_t p = 0; p < length; ++p) difference += double{exact[p]} - quantized[p];
        weight += static_cast<double>(length);
        const double more = options_.object_weight;
        for (const std::uint32_t p : objects_of(i, result.shape)) {
          difference += more * (double{exact[p]} - quantized[p]);
          weight += more;
        }
      }
      const auto shift = static_cast<float>(difference / weight);
      plan.bias_shift[c] = shift;
      for (auto& image : result.quantized) {
        for (std::size_t p = 0; p < length; ++p) image[c * length + p] += shift;
      }
    });
  }

  void forget_after(std::size_t step) {
    for (auto entry = values_.begin(); entry != values_.end();) {
      const auto last = last_use_.find(entry->first);
      if (last != last_use_.end() && last->second > step) {
        ++entry;
        continue;
      }
      recycle(entry->second.exact);
      recycle(entry->second.quantized);
      entry = values_.erase(entry);
    }
  }

  const Graph& model_;
  quantize::Plan& plan_;
  const WeightTuningOptions& options_;
  std::map<std::string, quantize::Quantizer> quantizers_;  // By "node name:input".
  std::map<std::string, quantize::WeightPlan*> weights_;   // By layer.
  std::vector<NodeId> order_;
  std::map<std::string, std::size_t> last_use_;
  std::map<std::string, Twin> values_;
  Spares spares_;
  detail::NodeRunners runners_;
  std::size_t last_size_ = 0;            // Of an output: the next one is likely to be as large.
  std::vector<detail::ObjectMap> maps_;  // One per image; empty without object_weight.
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::vector<std::uint32_t>>> places_;
};

}  // namespace

void tune_weights(const Graph& model, quantize::Plan& plan, std::span<const fs::path> images,
                  const WeightTuningOptions& options) {
  if (!options.weights && !options.biases) return;
  const auto chosen = spread(images, options.images);
  if (chosen.empty()) fail(ErrorCode::not_found, "there are no images to tune weights on");
  Walk(model, plan, options).run(chosen);
}

}  // namespace yoloq::pipeline
