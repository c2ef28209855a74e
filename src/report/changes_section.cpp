// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>

#include "report/detail/words.h"
#include "report/pairs.h"
#include "report/sections.h"
#include "vision/draw.h"
#include "vision/image.h"

namespace yoloq::report {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShownImages = 6;
constexpr double kShownScore = 0.25;  ///< What `yoloq detect` shows.
constexpr double kMoved = 0.1;        ///< A score that moved this far is marked.
constexpr int kSidePx = 480;
constexpr int kJpegQuality = 82;

/// Of vision::colour_of(): red and green.
constexpr int kChangedColour = 0;
constexpr int kSameColour = 1;

/// An image and what became of its objects.
struct Change {
  std::int64_t image = 0;
  std::vector<Pair> pairs;
  double amount = 0;
};

std::vector<Change> largest_changes(const EvaluatedModel& first, const EvaluatedModel& other) {
  std::vector<Change> changes;
  for (auto& [image, pairs] : pair_up(*first.detections, *other.detections, kShownScore)) {
    const double amount = change_of(pairs);
    if (amount > 0) changes.push_back({image, std::move(pairs), amount});
  }
  std::ranges::stable_sort(changes, std::ranges::greater{}, &Change::amount);
  if (changes.size() > kShownImages) changes.resize(kShownImages);
  return changes;
}

bool has_moved(const Pair& pair) {
  return !pair.first || !pair.second ||
         std::abs(pair.first_score() - pair.second_score()) >= kMoved;
}

std::string class_name(const EvaluatedModel& model, std::int64_t id) {
  const auto found = std::ranges::find(model.classes, id, &ClassAp::id);
  return found == model.classes.end() ? std::to_string(id) : found->name;
}

vision::Mark mark_of(const coco::Detection& detection, bool moved, const EvaluatedModel& model,
                     double ratio) {
  const auto at = [&](double px) { return static_cast<float>(px * ratio); };
  const auto& [x, y, width, height] = detection.bbox;
  const std::string text =
      moved ? fmt::format("{} {:.2f}", class_name(model, detection.category_id), detection.score)
            : "";
  return {.box = {at(x), at(y), at(x + width), at(y + height)},
          .class_index = moved ? kChangedColour : kSameColour,
          .text = text};
}

/// The image with the boxes of one model.
std::string picture_of(const vision::Image& image, const Change& change,
                       const EvaluatedModel& model, std::optional<coco::Detection> Pair::*which) {
  vision::Image canvas = vision::shrunk(image, kSidePx);
  const double ratio = static_cast<double>(canvas.size.width) / image.size.width;
  std::vector<vision::Mark> marks;
  for (const bool moved : {false, true}) {  // Those that moved on top.
    for (const Pair& pair : change.pairs) {
      const std::optional<coco::Detection>& detection = pair.*which;
      if (!detection || has_moved(pair) != moved) continue;
      marks.push_back(mark_of(*detection, moved, model, ratio));
    }
  }
  vision::draw(canvas, marks);
  return vision::encode_jpeg(canvas, kJpegQuality);
}

std::string words_of(const Change& change, const fs::path& file) {
  std::size_t lost = 0;
  std::size_t won = 0;
  std::size_t moved = 0;
  for (const Pair& pair : change.pairs) {
    const bool is_lost = pair.second_score() < kShownScore;
    const bool is_won = pair.first_score() < kShownScore;
    lost += is_lost ? 1 : 0;
    won += is_won ? 1 : 0;
    moved += !is_lost && !is_won && has_moved(pair) ? 1 : 0;
  }
  return fmt::format(
      "{}: of {} objects {} above {} left only, {} right only, {} with another score",
      file.filename().string(), change.pairs.size(), lost, kShownScore, won, moved);
}

/// The first model that is compared, with detections.
const EvaluatedModel* other_of(const Evaluation* evaluation) {
  if (evaluation == nullptr || !evaluation->models.front().detections) return nullptr;
  for (std::size_t i = 1; i < evaluation->models.size(); ++i) {
    if (evaluation->models[i].detections) return &evaluation->models[i];
  }
  return nullptr;
}

}  // namespace

Section changes_section(const RunFolder& run) {
  Section section{.title = "Images whose detections changed most"};
  const Evaluation* evaluation = run.main_evaluation();
  const EvaluatedModel* other = other_of(evaluation);
  if (other == nullptr || evaluation->image_files.empty()) {
    section.blocks.emplace_back(
        detail::missing(run, "no detections of two models, with the list of images, in the folder",
                        detail::kEvalCommand));
    return section;
  }
  const EvaluatedModel& first = evaluation->models.front();
  section.blocks.emplace_back(Text{fmt::format(
      "Left {}, right {}: objects that one of them finds with a score of {} or more, with what the "
      "other makes of them. Red: the other has no such box, or its score differs by {} or more.",
      first.name, other->name, kShownScore, kMoved)});
  for (const Change& change : largest_changes(first, *other)) {
    const auto found = evaluation->image_files.find(change.image);
    std::error_code ignored;
    if (found == evaluation->image_files.end() || !fs::exists(found->second, ignored)) {
      section.blocks.emplace_back(
          Missing{fmt::format("the file of image {} is not there", change.image), ""});
      continue;
    }
    const vision::Image image = vision::read_image(found->second);
    section.blocks.emplace_back(
        Pictures{.jpegs = {picture_of(image, change, first, &Pair::first),
                           picture_of(image, change, *other, &Pair::second)},
                 .caption = words_of(change, found->second)});
  }
  if (section.blocks.size() == 1) section.blocks.emplace_back(Text{"No detection changed."});
  return section;
}

}  // namespace yoloq::report
