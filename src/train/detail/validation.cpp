// SPDX-License-Identifier: Apache-2.0
#include "train/detail/validation.h"

#include <memory>

#include "coco/accumulate.h"
#include "coco/match.h"
#include "pipeline/evaluation.h"
#include "pipeline/model.h"
#include "runtime/engine.h"
#include "runtime/torch/engine.h"
#include "runtime/torch/network.h"

namespace yoloq::train::detail {

namespace {

/// Enough for a GPU to be busy.
constexpr int kBatchOnGpu = 16;

std::shared_ptr<runtime::Engine> compile(const graph::Graph& graph, const Job& job,
                                         c10::Device device) {
  if (device.is_cpu()) return runtime::compile(graph, {.threads = job.recipe.threads});
  return runtime::torch::engine_of(std::make_shared<runtime::torch::Network>(graph, device));
}

}  // namespace

Accuracy measure(const Job& job, const pipeline::TrainingCheckpoint& checkpoint,
                 c10::Device device) {
  const int batch = device.is_cpu() ? 1 : kBatchOnGpu;
  graph::Graph graph = pipeline::deployed(checkpoint);
  if (device.is_cpu()) graph = pipeline::with_input(graph, batch, job.recipe.size);
  const detect::Head head = detect::find_head(pipeline::with_input(graph, batch, job.recipe.size),
                                              {.names = job.head.names});
  const pipeline::Detector detector{.engine = compile(graph, job, device),
                                    .head = head,
                                    .size = job.recipe.size,
                                    .batch = batch,
                                    .fixed_batch = device.is_cpu()};
  const auto found =
      pipeline::find_objects(detector, job.val_images, {.skip_bad = job.recipe.skip_bad});
  const coco::Matches matches =
      coco::match(job.truth.annotations, pipeline::to_coco(found.boxes, job.truth),
                  {.image_ids = job.truth.image_ids});
  const coco::Metrics metrics = coco::accumulate(matches);
  return {metrics[coco::Figure::ap], metrics[coco::Figure::ap50], coco::best_f1(matches)};
}

}  // namespace yoloq::train::detail
