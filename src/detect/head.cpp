// SPDX-License-Identifier: Apache-2.0
#include "detect/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "detect/detail/outline.h"

namespace yoloq::detect {

namespace {

using detail::Outline;
using detail::Output;
using detail::Source;

constexpr std::int64_t kBoxColumns = 5;  // x, y, w, h, objectness.
constexpr int kLeastStride = 4;
constexpr int kFinestStride = 8;

[[noreturn]] void fail_without_head(const Outline& outline) {
  fail(ErrorCode::unsupported,
       "no YOLOv5 detection head: expected one output [N, boxes, 5 + classes], or one output per "
       "level [N, anchors * (5 + classes), H, W] or [N, anchors, H, W, 5 + classes]; the outputs "
       "are {}",
       described(outline));
}

/// What the file says of itself, and the user where it does not.
struct Facts {
  model::ModelInfo file;
  const HeadHints& hints;

  const std::vector<std::string>& names() const {
    return file.names.empty() ? hints.names : file.names;
  }
  const std::vector<std::vector<model::Anchor>>& anchors() const {
    return file.anchors.empty() ? hints.anchors : file.anchors;
  }
};

/// True if each source makes whole rows of `columns`.
bool makes_rows(const Output& output, std::int64_t columns) {
  return !output.sources.empty() && std::ranges::all_of(output.sources, [&](const Source& source) {
    return source.channels > 0 && source.channels % columns == 0;
  });
}

/// An output [N, boxes, 5 + nc]; none if the model has no such output.
const Output* decoded_output(const Outline& outline) {
  for (const Output& output : outline.outputs) {
    if (output.shape.size() != 3 || output.shape[2] <= kBoxColumns) continue;
    if (!outline.has_nodes || makes_rows(output, output.shape[2])) return &output;
  }
  return nullptr;
}

/// The outputs of `rank` that may be levels of a raw head, fine to coarse.
std::vector<const Output*> raw_outputs(const Outline& outline, std::size_t rank) {
  std::vector<const Output*> levels;
  for (const Output& output : outline.outputs) {
    if (output.shape.size() != rank) continue;
    if (output.stride != 0 && output.stride < kLeastStride) continue;
    if (outline.has_nodes && output.sources.size() != 1) continue;
    levels.push_back(&output);
  }
  std::ranges::stable_sort(levels, {}, [](const Output* output) { return output->stride; });
  return levels;
}

/// Channels na * (5 + nc) shared out by the anchors that are known, else by the names.
std::int64_t columns_of(std::int64_t channels, std::size_t level, const Facts& facts) {
  const auto& anchors = facts.anchors();
  if (level < anchors.size() && !anchors[level].empty()) {
    const auto count = static_cast<std::int64_t>(anchors[level].size());
    return channels % count == 0 ? channels / count : 0;
  }
  const auto by_names = kBoxColumns + static_cast<std::int64_t>(facts.names().size());
  if (facts.names().empty()) {
    fail(ErrorCode::bad_argument,
         "neither the file nor the options say the model's anchors and class names: give them with "
         "--anchors and --data");
  }
  return channels % by_names == 0 ? by_names : 0;
}

/// 5 + nc of a raw head; 0 if the levels contradict each other.
std::int64_t columns_of(const std::vector<const Output*>& levels, const Facts& facts) {
  std::int64_t agreed = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const Shape& shape = levels[i]->shape;
    const std::int64_t columns = shape.size() == 5 ? shape[4] : columns_of(shape[1], i, facts);
    if (columns <= kBoxColumns || (agreed != 0 && columns != agreed)) return 0;
    agreed = columns;
  }
  return agreed;
}

/// Without a list for each level, what the levels share out is a guess.
void require_lists_for(const std::vector<const Output*>& levels, const Facts& facts) {
  const std::size_t lists = facts.anchors().size();
  if (lists == 0 || lists >= levels.size()) return;
  std::string names;
  for (const Output* level : levels)
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", level->name);
  fail(ErrorCode::bad_argument,
       "the outputs that may be levels of a head and the anchors do not fit: "
       "{} levels, {} list{} in {}; the levels are {}",
       levels.size(), lists, lists == 1 ? "" : "s",
       facts.file.anchors.empty() ? "--anchors" : "the file", names);
}

/// Strides by the shapes, else by the file, else those of every YOLOv5: 8, 16, 32, ...
std::vector<int> strides_of(const std::vector<int>& measured, const Facts& facts) {
  const bool known = std::ranges::all_of(measured, [](int stride) { return stride > 0; });
  if (known) return measured;
  if (facts.file.strides.size() == measured.size()) return facts.file.strides;
  std::vector<int> strides;
  for (std::size_t i = 0; i < measured.size(); ++i) strides.push_back(kFinestStride << i);
  return strides;
}

void name_classes(Head& head, const Facts& facts) {
  head.names = facts.names();
  if (head.names.empty()) {
    fail(ErrorCode::bad_argument,
         "the file does not say its class names: give --data with a yaml that has {} 'names:'",
         head.class_count);
  }
  if (head.names.size() == static_cast<std::size_t>(head.class_count)) return;
  fail(ErrorCode::bad_argument, "the model's head has {} classes, but {} names {}",
       head.class_count, facts.file.names.empty() ? "the data set" : "the file", head.names.size());
}

/// Anchors of a raw head: one list per level, each with `count` entries.
void take_anchors(Head& head, const Facts& facts, const std::vector<std::size_t>& counts) {
  head.anchors = facts.anchors();
  if (head.anchors.empty()) {
    fail(ErrorCode::bad_argument,
         "the file does not say its anchors: give {} lists of width,height pairs in pixels, fine "
         "to coarse, with --anchors",
         counts.size());
  }
  bool fit = head.anchors.size() == counts.size();
  for (std::size_t i = 0; fit && i < counts.size(); ++i) fit = head.anchors[i].size() == counts[i];
  if (fit) return;
  fail(ErrorCode::bad_argument,
       "the head has {} levels with {} anchors each, but {} anchors are given on {} levels",
       counts.size(), counts.front(), head.anchors.front().size(), head.anchors.size());
}

Head decoded_head(const Output& output, const Facts& facts) {
  Head head{.form = HeadForm::decoded};
  head.outputs = {output.name};
  head.indices = {output.index};
  head.class_count = static_cast<int>(output.shape[2] - kBoxColumns);
  std::vector<Source> sources = output.sources;
  std::ranges::stable_sort(sources, {}, &Source::stride);
  for (const Source& source : sources) {
    if (source.stride > 0) head.strides.push_back(source.stride);
    if (!source.anchors.empty()) head.anchors.push_back(source.anchors);
  }
  if (head.strides.empty()) head.strides = facts.file.strides;
  if (head.anchors.size() != sources.size() || !facts.file.anchors.empty()) {
    head.anchors = facts.file.anchors;
  }
  name_classes(head, facts);
  return head;
}

std::optional<Head> raw_head(const Outline& outline, std::size_t rank, const Facts& facts) {
  const std::vector<const Output*> levels = raw_outputs(outline, rank);
  if (levels.empty()) return std::nullopt;
  if (rank == 4) require_lists_for(levels, facts);
  const std::int64_t columns = columns_of(levels, facts);
  if (columns == 0) return std::nullopt;

  Head head{.form = rank == 4 ? HeadForm::raw4d : HeadForm::raw5d};
  head.class_count = static_cast<int>(columns - kBoxColumns);
  std::vector<std::size_t> counts;
  std::vector<int> strides;
  for (const Output* level : levels) {
    head.outputs.push_back(level->name);
    head.indices.push_back(level->index);
    strides.push_back(level->stride);
    const std::int64_t count = rank == 4 ? level->shape[1] / columns : level->shape[1];
    counts.push_back(static_cast<std::size_t>(count));
  }
  head.strides = strides_of(strides, facts);
  take_anchors(head, facts, counts);
  name_classes(head, facts);
  return head;
}

}  // namespace

Head find_head(const graph::Graph& graph, const HeadHints& hints) {
  const Outline outline = detail::outline_of(graph);
  const Facts facts{.file = model::read_metadata(graph), .hints = hints};
  if (const Output* decoded = decoded_output(outline)) return decoded_head(*decoded, facts);
  for (const std::size_t rank : {5, 4}) {
    if (auto head = raw_head(outline, rank, facts)) return *std::move(head);
  }
  fail_without_head(outline);
}

}  // namespace yoloq::detect
