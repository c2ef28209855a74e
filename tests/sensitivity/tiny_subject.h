// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "pipeline/ground_truth.h"
#include "pipeline/model.h"
#include "pipeline/tiny_data_set.h"
#include "quantize/plan.h"
#include "sensitivity/methods.h"
#include "support/data.h"

namespace yoloq::test {

/// A small detector with a plan for it, images, and labels that are what the float model finds, so
/// that its own AP is high and any change costs.
class TinySubject {
 public:
  TinySubject();

  sensitivity::Subject subject() const { return {model, plan, images}; }

  /// Makes the input scale of a layer so coarse that nothing is left of it.
  void ruin(const std::string& layer);

  TemporaryFolder folder;
  TinyDataSet set;
  pipeline::DetectionModel model;
  quantize::Plan plan;
  std::vector<std::filesystem::path> images;
  pipeline::GroundTruth truth;
};

}  // namespace yoloq::test
