// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/profile.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "quantize/layers.h"

namespace yoloq::sensitivity {

namespace {

constexpr double kTail = 0.025;  // On each side of a 95 % interval.

}  // namespace

void put_most_sensitive_first(Profile& profile) {
  std::ranges::sort(profile.layers, [](const LayerCost& a, const LayerCost& b) {
    return a.cost != b.cost ? a.cost > b.cost : a.id < b.id;
  });
}

std::string hash_of_layers(const graph::Graph& model) {
  Hasher hasher;
  for (const quantize::Layer& layer : quantize::quantizable_layers(model)) {
    hasher.add(layer.name).add(model.constant(layer.weight)->bytes());
    if (const Tensor* bias = model.constant(layer.bias)) hasher.add(bias->bytes());
  }
  return hasher.hex();
}

std::string hash_of_images(std::span<const std::filesystem::path> images) {
  Hasher hasher;
  for (const std::filesystem::path& image : images) {
    hasher.add(image.filename().string()).add(read_file(image));
  }
  return hasher.hex();
}

std::string hash_of_labels(const pipeline::GroundTruth& truth) {
  Hasher hasher;
  for (const std::int64_t id : truth.image_ids) hasher.add(std::to_string(id));
  for (const std::int64_t id : truth.category_ids) hasher.add("category " + std::to_string(id));
  for (const coco::Box& box : truth.annotations.boxes) {
    hasher.add(std::to_string(box.image_id)).add(std::to_string(box.category_id));
    hasher.add(std::as_bytes(std::span(box.bbox))).add(box.is_crowd ? "crowd" : "");
  }
  return hasher.hex();
}

std::optional<Interval> interval_of(const LayerCost& layer) {
  if (layer.draws.empty()) return std::nullopt;
  std::vector<double> draws = layer.draws;
  std::ranges::sort(draws);
  const auto cut = static_cast<std::size_t>(kTail * static_cast<double>(draws.size()));
  return Interval{.low = draws[cut], .high = draws[draws.size() - 1 - cut]};
}

bool is_significant(const LayerCost& layer) {
  const auto interval = interval_of(layer);
  return interval && interval->low > 0;
}

void require_profile_of(const Profile& profile, const graph::Graph& model) {
  if (profile.model_hash != hash_of_layers(model)) {
    fail(ErrorCode::bad_argument,
         "the sensitivities are those of another model ('{}', {} layers): measure them anew with "
         "'yoloq sensitivity'",
         profile.model, profile.layers.size());
  }
}

}  // namespace yoloq::sensitivity
