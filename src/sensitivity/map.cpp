// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "detect/detect.h"
#include "pipeline/evaluation.h"
#include "sensitivity/methods.h"
#include "sensitivity/profile.h"
#include "sensitivity/resample.h"
#include "sensitivity/subject.h"
#include "sensitivity/variants.h"

namespace yoloq::sensitivity {

namespace fs = std::filesystem;

namespace {

bool same_question(const Profile& a, const Profile& b) {
  return a.method == b.method && a.backend == b.backend && a.model_hash == b.model_hash &&
         a.plan_hash == b.plan_hash && a.images_hash == b.images_hash &&
         a.labels_hash == b.labels_hash;
}

/// One run over all layers.
class MapRun {
 public:
  MapRun(const Subject& subject, const pipeline::GroundTruth& truth, const MapOptions& options)
      : subject_(subject), truth_(truth), options_(options), base_(base_graph(subject.model)) {
    result_.profile = empty_profile(subject, "map", "AP points");
    result_.profile.labels_hash = hash_of_labels(truth);
  }

  MapResult run() && {
    const std::vector<LayerCost> all = quantized_layers(subject_);
    read_state();
    result_.resumed = result_.profile.layers.size();
    measure_float();
    const Stopwatch watch;
    std::vector<LayerCost> left;
    std::ranges::copy_if(all, std::back_inserter(left),
                         [&](const LayerCost& layer) { return !is_done(layer); });
    steps_ = (left.size() + options_.group - 1) / options_.group * subject_.images.size();
    for (std::size_t first = 0; first < left.size(); first += options_.group) {
      measure(std::span(left).subspan(first, std::min(options_.group, left.size() - first)));
      write_state();
    }
    result_.layers = watch.elapsed();
    put_most_sensitive_first(result_.profile);
    return std::move(result_);
  }

 private:
  bool is_done(const LayerCost& layer) const {
    return std::ranges::find(result_.profile.layers, layer.id, &LayerCost::id) !=
           result_.profile.layers.end();
  }

  void read_state() {
    std::error_code ignored;
    if (options_.state.empty() || !fs::exists(options_.state, ignored)) return;
    Profile state = read_profile(options_.state);
    const bool same = same_question(state, result_.profile) &&
                      state.layers.front().draws.size() == options_.draws;
    result_.state_replaced = !same;
    if (same) result_.profile.layers = std::move(state.layers);
  }

  void write_state() const {
    if (!options_.state.empty()) write_file(options_.state, to_json(result_.profile));
  }

  void measure_float() {
    const pipeline::Detector detector{
        .engine =
            runtime::compile(base_, {.backend = subject_.backend, .threads = options_.threads}),
        .head = subject_.model.head,
        .size = subject_.model.size};
    const Stopwatch watch;
    const auto found = pipeline::find_objects(detector, subject_.images);
    const auto detections = pipeline::to_coco(found.boxes, truth_);
    result_.float_ap = pipeline::evaluate(detections, truth_)[coco::Figure::ap];
    result_.full_evaluation = watch.elapsed();
    float_draws_ = ap_draws(detections, truth_, options_.draws);
  }

  /// The layers of one group.
  void measure(std::span<const LayerCost> layers) {
    const auto& head = subject_.model.head;
    std::vector<std::vector<detect::Boxes>> boxes(
        layers.size(), std::vector<detect::Boxes>(subject_.images.size()));
    const Variants variants(base_, variants_of(base_, subject_.plan, layers),
                            {.backend = subject_.backend, .threads = options_.threads});
    const auto progress = [&](std::size_t done, std::size_t) {
      if (options_.progress) options_.progress(done_ + done, steps_);
    };
    variants.run(subject_.images, subject_.model.size, progress, [&](const VariantOutputs& found) {
      std::vector<detect::HeadOutput> outputs;
      for (const std::size_t index : head.indices) outputs.push_back(found.outputs[index]);
      boxes[found.variant][found.item.index] =
          detect::detect(head, {.outputs = outputs, .canvas = subject_.model.size},
                         found.item.placement, {.decode = {.multi_label = head.class_count > 1}});
    });
    done_ += subject_.images.size();
    for (std::size_t i = 0; i < layers.size(); ++i) add(layers[i], boxes[i]);
  }

  void add(LayerCost layer, std::span<const detect::Boxes> boxes) {
    const ApDraws quantized = ap_draws(pipeline::to_coco(boxes, truth_), truth_, options_.draws);
    layer.cost = kPoints * (float_draws_.ap - quantized.ap);
    for (std::size_t draw = 0; draw < options_.draws; ++draw) {
      layer.draws.push_back(kPoints * (float_draws_.draws[draw] - quantized.draws[draw]));
    }
    result_.profile.layers.push_back(std::move(layer));
  }

  const Subject& subject_;
  const pipeline::GroundTruth& truth_;
  const MapOptions& options_;
  graph::Graph base_;
  MapResult result_;
  ApDraws float_draws_;
  std::size_t done_ = 0;
  std::size_t steps_ = 0;
};

}  // namespace

MapResult map_profile(const Subject& subject, const pipeline::GroundTruth& truth,
                      const MapOptions& options) {
  return MapRun(subject, truth, options).run();
}

}  // namespace yoloq::sensitivity
