// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/prediction_loss.h"

#include <optional>

#include "core/error.h"
#include "sensitivity/detection_error.h"
#include "sensitivity/subject.h"
#include "sensitivity/variants.h"

namespace yoloq::sensitivity {

namespace fs = std::filesystem;

std::vector<double> prediction_losses(const pipeline::DetectionModel& model,
                                      std::span<const graph::Graph> versions,
                                      std::span<const fs::path> images,
                                      const PredictionLossOptions& options) {
  const graph::Graph base = base_graph_to_heads(model);
  const std::vector<Level> levels = levels_of(model, base);
  std::vector<graph::Graph> to_heads;
  for (const graph::Graph& version : versions) {
    to_heads.push_back(pipeline::with_input(version, 1, model.size));
    to_heads.back().outputs = base.outputs;
  }
  const Variants variants(
      base, to_heads,
      {.backend = options.backend, .threads = options.threads, .base_outputs = true});
  std::vector<std::vector<std::optional<double>>> moved(versions.size());
  for (auto& row : moved) row.resize(images.size());
  variants.run(images, model.size, options.progress, [&](const VariantOutputs& found) {
    moved[found.variant][found.item.index] = moved_part(levels, found.base, found.outputs);
  });
  std::vector<double> losses;
  for (const auto& row : moved) {  // Summed in the order of images: the same for any threads.
    double sum = 0;
    std::size_t count = 0;
    for (const auto& image : row) {
      if (!image) continue;
      sum += *image;
      ++count;
    }
    if (count == 0) {
      fail(ErrorCode::bad_argument, "'{}' sees nothing in the {} images: take others", model.name,
           images.size());
    }
    losses.push_back(100 * sum / static_cast<double>(count));
  }
  return losses;
}

}  // namespace yoloq::sensitivity
