// SPDX-License-Identifier: Apache-2.0
#include "model/detail/yaml_anchors.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace yoloq::model::detail {

namespace {

std::optional<float> size_in(const Argument& argument) {
  double value = 0;
  if (const auto* integer = std::get_if<std::int64_t>(&argument.kind)) {
    value = static_cast<double>(*integer);
  } else if (const auto* real = std::get_if<double>(&argument.kind)) {
    value = *real;
  }
  const auto size = static_cast<float>(value);
  return std::isfinite(size) && size > 0 ? std::optional(size) : std::nullopt;
}

/// One head's list: width, height, width, height, ...
std::vector<Anchor> anchors_of_head(const Architecture& yaml, const Argument& list) {
  const auto* sizes = std::get_if<std::vector<Argument>>(&list.kind);
  std::vector<Anchor> result;
  for (std::size_t i = 0; sizes != nullptr && i + 1 < sizes->size(); i += 2) {
    const auto width = size_in((*sizes)[i]);
    const auto height = size_in((*sizes)[i + 1]);
    if (width && height) result.push_back({*width, *height});
  }
  if (!result.empty() && sizes->size() == 2 * result.size()) return result;
  yaml.anchors_place.reject(ErrorCode::corrupt_file,
                            "anchors of a head are {}; expected [width, height, width, height, "
                            "...], each above 0",
                            list.describe());
}

void check_sizes(const std::vector<Anchor>& anchors) {
  const auto sound = [](float side) { return std::isfinite(side) && side > 0; };
  for (const Anchor& anchor : anchors) {
    if (std::ranges::all_of(anchor, sound)) continue;
    fail(ErrorCode::bad_argument, "an anchor of {} x {} pixels; expected sides above 0", anchor[0],
         anchor[1]);
  }
}

double mean_area(const std::vector<Anchor>& anchors) {
  double sum = 0;
  for (const Anchor& anchor : anchors) sum += double{anchor[0]} * double{anchor[1]};
  return sum / static_cast<double>(anchors.size());
}

}  // namespace

AnchorLists anchors_from(const Architecture& yaml, const AnchorLists& given) {
  AnchorLists result = given;
  for (const auto& list : given) check_sizes(list);
  if (result.empty()) {
    const auto* heads = std::get_if<std::vector<Argument>>(&yaml.anchors.kind);
    if (heads == nullptr) {
      yaml.anchors_place.reject(
          ErrorCode::unsupported,
          "'anchors' is {}, which leaves them to be found from a data set; expected one list per "
          "head, [width, height, ...] in pixels: write them into the yaml",
          yaml.anchors.describe());
    }
    for (const Argument& list : *heads) result.push_back(anchors_of_head(yaml, list));
  }
  const auto differs = [&](const auto& list) {
    return list.empty() || list.size() != result.front().size();
  };
  if (result.empty() || std::ranges::any_of(result, differs)) {
    yaml.anchors_place.reject(ErrorCode::corrupt_file,
                              "every head should have the same number of anchors, at least one");
  }
  return result;
}

void order_anchors(ModelInfo& info) {
  const double growth = mean_area(info.anchors.back()) - mean_area(info.anchors.front());
  const int strides = info.strides.back() - info.strides.front();
  if ((growth > 0 && strides < 0) || (growth < 0 && strides > 0)) {
    std::ranges::reverse(info.anchors);
  }
}

}  // namespace yoloq::model::detail
