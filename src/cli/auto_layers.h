// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dataset/data_yaml.h"
#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "sensitivity/partial_quantization.h"
#include "sensitivity/profile.h"

namespace CLI {
class App;
}

/// @file
/// --skip-layers auto: float layers that the program chooses itself.

namespace yoloq::cli {

struct PlanArguments;

/// --max-drop, --sensitivity, --search-images, --annotations, and what --skip-layers says of auto.
struct AutoLayers {
  std::optional<double> max_drop;
  std::filesystem::path sensitivity;  ///< A sens.json; empty: measured by the fast method.
  std::size_t search_images = 300;
  std::filesystem::path annotations;  ///< Of the search images.

  bool until_drop = false;           ///< auto
  std::optional<std::size_t> count;  ///< auto:N

  void declare(CLI::App& app);

  /// Takes "auto" and "auto:N" out of `skip_layers`.
  ///
  /// @throws Error(bad_usage) if the two come together, N is no number above 0, or --max-drop is
  ///     missing or there for nothing; Error(bad_argument) if it is negative.
  void take_from(std::vector<std::string>& skip_layers);

  bool given() const { return until_drop || count; }

  /// What each layer costs: of the file, else measured.
  ///
  /// @param plan    without tuning.
  /// @param images  of the split to calibrate on, that decode.
  /// @param how     its `threads` and `backend`.
  sensitivity::Profile profile(const pipeline::DetectionModel& model, const quantize::Plan& plan,
                               const std::vector<std::filesystem::path>& images,
                               const pipeline::QuantizationOptions& how) const;

  /// The names that auto:N stands for.
  std::vector<std::string> most_sensitive(const sensitivity::Profile& profile) const;

  /// The images that the drop is measured on; says how many of them are in the val split.
  ///
  /// @param how  its `split` and `skip_bad`.
  sensitivity::LabelledImages search(const dataset::Dataset& dataset,
                                     const PlanArguments& how) const;
};

/// Prints what was chosen and why it ended there; the same with all steps for --json.
nlohmann::ordered_json report_partial(const sensitivity::PartialQuantization& partial);

}  // namespace yoloq::cli
