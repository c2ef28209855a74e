// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "pipeline/ground_truth.h"

/// @file
/// What quantizing each layer costs, one layer at a time: its weight (per channel) and its input
/// (per tensor) in 8 bits, everything else float.
///
///     Graph, Plan, images ─▶ map_profile | sqnr_profile | fast_profile ─▶ Profile ─▶ sens.json
///
/// Where to go on: one_layer.h makes the variants, difference.h cuts out what has to be computed,
/// variants.h runs them, correlation.h compares two profiles, partial.h chooses float layers.

namespace yoloq::sensitivity {

/// AP points in an AP of 1.
constexpr double kPoints = 100;

/// One layer.
struct LayerCost {
  int id = 0;  ///< As `yoloq inspect` prints it.
  std::string name;
  double cost = 0;            ///< The larger, the more sensitive; in Profile::unit.
  std::vector<double> draws;  ///< The cost on resampled images, the same images for all layers.

  friend bool operator==(const LayerCost&, const LayerCost&) = default;
};

/// All layers of one model.
struct Profile {
  std::string method;                ///< "map", "sqnr" or "fast".
  std::string unit;                  ///< Of the costs.
  std::string backend = "openvino";  ///< Runtime that computed.
  std::string model;                 ///< Name of the file, for people.
  std::string model_hash;            ///< See hash_of_layers().
  std::string plan_hash;             ///< Of the scales and codes with which layers were quantized.
  std::string images_hash;           ///< Of the names and bytes of the images.
  std::string labels_hash;           ///< Of the boxes to find; empty where the method needs none.
  std::size_t images = 0;
  std::vector<LayerCost> layers;  ///< Most sensitive first; ties by id.

  friend bool operator==(const Profile&, const Profile&) = default;
};

/// Sorts the layers, most sensitive first.
void put_most_sensitive_first(Profile& profile);

/// The hash of all quantizable layers: names, weights and biases. The same for a checkpoint and for
/// its export.
std::string hash_of_layers(const graph::Graph& model);

/// The hash of a list of images: file names and bytes.
std::string hash_of_images(std::span<const std::filesystem::path> images);

/// The hash of what is to be found in the images: which annotated images they are, which category
/// each class is, and the boxes.
std::string hash_of_labels(const pipeline::GroundTruth& truth);

/// The middle 95 % of a layer's draws; none without draws.
struct Interval {
  double low = 0;
  double high = 0;
};
std::optional<Interval> interval_of(const LayerCost& layer);

/// True if the whole interval lies above 0: the cost is more than the luck of these images.
bool is_significant(const LayerCost& layer);

/// The text of a sens.json, version 1. Numbers read back to the same doubles.
std::string to_json(const Profile& profile);

/// @throws Error(corrupt_file) naming the field that is missing or wrong, Error(unsupported) for
///     another version.
Profile parse_profile(std::string_view json);

/// parse_profile() of a file, with its path in front of errors.
Profile read_profile(const std::filesystem::path& path);

/// @throws Error(bad_argument) unless the profile is one of just these layers and weights; it may
///     lack layers that were float when it was made.
void require_profile_of(const Profile& profile, const graph::Graph& model);

}  // namespace yoloq::sensitivity
