// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/shapes_of.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "graph/detail/arguments.h"

namespace yoloq::graph::detail {

AxisSlice slice_of(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) fail(ErrorCode::corrupt_file, "Slice: a step is 0");
  const auto from_front = [&](std::int64_t index) {
    return index < 0 ? std::max<std::int64_t>(index, -size - 1) + size : index;
  };
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? size : size - 1;
  const std::int64_t first = std::clamp(from_front(start), std::min(low + (step < 0), high), high);
  const std::int64_t last = std::clamp(from_front(end), low, high);
  const std::int64_t span = step > 0 ? last - first : first - last;
  if (span <= 0 || size == 0) return {0, 1, 0};
  const auto width =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const auto count = (static_cast<std::uint64_t>(span) - 1) / width + 1;
  return {first, count == 1 ? 1 : step, static_cast<std::int64_t>(count)};
}

SliceArguments completed(const Node& node, SliceArguments arguments, std::size_t rank) {
  const std::size_t count = arguments.starts.size();
  if (arguments.axes.empty()) {
    arguments.axes.resize(count);
    std::iota(arguments.axes.begin(), arguments.axes.end(), 0);
  }
  if (arguments.steps.empty()) arguments.steps.assign(count, 1);
  const bool fits = arguments.ends.size() == count && arguments.axes.size() == count &&
                    arguments.steps.size() == count;
  if (!fits) contradict(node, "starts, ends, axes and steps differ in length");
  for (auto& axis : arguments.axes) {
    axis = static_cast<std::int64_t>(axis_of(node, axis, rank));
  }
  return arguments;
}

std::vector<std::int64_t> split_sizes(const Node& node, std::int64_t size,
                                      std::vector<std::int64_t> sizes) {
  const auto parts = static_cast<std::int64_t>(node.outputs.size());
  if (sizes.empty()) {
    const std::int64_t part = (size + parts - 1) / parts;
    for (std::int64_t i = 0; i < parts; ++i) {
      sizes.push_back(std::clamp<std::int64_t>(size - i * part, 0, part));
    }
  }
  std::int64_t total = 0;
  for (const std::int64_t part : sizes) {
    if (part < 0 || part > size) contradict(node, "a part is larger than the whole");
    total += part;
  }
  const bool fits = total == size && static_cast<std::int64_t>(sizes.size()) == parts;
  if (!fits) contradict(node, "the parts do not add up to " + std::to_string(size));
  return sizes;
}

Shape reshape_target(const Node& node, const Shape& from, std::vector<std::int64_t> target) {
  const bool keeps_zero = node.integer("allowzero", 0) != 0;
  std::optional<std::size_t> open;
  Shape rest;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0 && !keeps_zero) {
      if (i >= from.size()) contradict(node, "a 0 in its shape stands behind the input's axes");
      target[i] = from[i];
    }
    if (target[i] == -1 && open) contradict(node, "its shape has more than one -1");
    if (target[i] == -1) {
      open = i;
    } else {
      rest.push_back(target[i]);
    }
  }
  const std::int64_t all = element_count(from);
  const std::int64_t given = element_count(rest);
  if (open && given > 0) target[*open] = all / given;
  if (open && given == 0) target[*open] = 0;
  if (element_count(target) != all) {
    contradict(node, "shape " + to_string(from) + " does not fit " + to_string(target));
  }
  return target;
}

std::vector<std::int64_t> permutation_of(const Node& node, std::size_t rank) {
  auto permutation = node.integers("perm");
  if (permutation.empty()) {
    permutation.resize(rank);
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  auto sorted = permutation;
  std::ranges::sort(sorted);
  std::vector<std::int64_t> expected(rank);
  std::iota(expected.begin(), expected.end(), 0);
  if (sorted != expected) contradict(node, "perm is no permutation of the input's axes");
  return permutation;
}

std::vector<std::int64_t> sorted_axes(const Node& node, const std::vector<std::int64_t>& axes,
                                      std::size_t rank) {
  std::vector<std::int64_t> result;
  for (const std::int64_t axis : axes) {
    result.push_back(static_cast<std::int64_t>(axis_of(node, axis, rank)));
  }
  std::ranges::sort(result);
  if (std::ranges::adjacent_find(result) != result.end()) contradict(node, "an axis stands twice");
  return result;
}

}  // namespace yoloq::graph::detail
