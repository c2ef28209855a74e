// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <system_error>
#include <vector>

#include "report/detail/words.h"
#include "report/pairs.h"
#include "report/sections.h"
#include "vision/draw.h"
#include "vision/image.h"

namespace yoloq::report {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kShownImages = 6;  ///< Of one model, where there are few.
constexpr std::size_t kMostImages = 24;  ///< Of all: two pictures of each are in the page.
constexpr double kShownScore = 0.25;     ///< What `yoloq detect` shows.
constexpr double kMoved = 0.1;           ///< A score that moved this far is marked.
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

/// The images in which something changed, the most changed first.
std::vector<Change> changes_of(const EvaluatedModel& first, const EvaluatedModel& other) {
  std::vector<Change> changes;
  for (auto& [image, pairs] : pair_up(*first.detections, *other.detections, kShownScore)) {
    const double amount = change_of(pairs);
    if (amount > 0) changes.push_back({image, std::move(pairs), amount});
  }
  std::ranges::stable_sort(changes, std::ranges::greater{}, &Change::amount);
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
  vision::Image canvas = vision::resized(image, kSidePx);
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

/// The models that are compared with the first, as far as there are detections.
std::vector<const EvaluatedModel*> others_of(const Evaluation* evaluation) {
  std::vector<const EvaluatedModel*> others;
  if (evaluation == nullptr || !evaluation->models.front().detections) return others;
  for (const EvaluatedModel& model : std::span(evaluation->models).subspan(1)) {
    if (model.detections) others.push_back(&model);
  }
  return others;
}

Block block_of(const Change& change, const Evaluation& evaluation, const EvaluatedModel& other) {
  const auto found = evaluation.image_files.find(change.image);
  std::error_code ignored;
  if (found == evaluation.image_files.end() || !fs::exists(found->second, ignored)) {
    return Missing{fmt::format("the file of image {} is not there", change.image), ""};
  }
  const vision::Image image = vision::read_image(found->second);
  return Pictures{.jpegs = {picture_of(image, change, evaluation.models.front(), &Pair::first),
                            picture_of(image, change, other, &Pair::second)},
                  .caption = words_of(change, found->second)};
}

void show_model(const Evaluation& evaluation, const EvaluatedModel& other, std::size_t most,
                Section& section) {
  section.blocks.emplace_back(Heading{other.name});
  const std::vector<Change> changes = changes_of(evaluation.models.front(), other);
  if (changes.empty()) {
    section.blocks.emplace_back(Text{"No detection changed."});
    return;
  }
  const std::size_t shown = std::min(most, changes.size());
  section.blocks.emplace_back(
      Text{fmt::format("Shown: {} of the {} images with a change.", shown, changes.size())});
  for (const Change& change : std::span(changes).first(shown)) {
    section.blocks.push_back(block_of(change, evaluation, other));
  }
}

}  // namespace

Section changes_section(const RunFolder& run) {
  Section section{.title = "Images whose detections changed most"};
  const Evaluation* evaluation = run.main_evaluation();
  const std::vector<const EvaluatedModel*> others = others_of(evaluation);
  if (others.empty() || evaluation->image_files.empty()) {
    section.blocks.emplace_back(
        detail::missing(run, "no detections of two models, with the list of images, in the folder",
                        detail::kEvalCommand));
    return section;
  }
  section.blocks.emplace_back(Text{fmt::format(
      "Left {}, right the model of the heading: objects that one of them finds with a score of {} "
      "or more, with what the other makes of them. Red: the other has no such box, or its score "
      "differs by {} or more.",
      evaluation->models.front().name, kShownScore, kMoved)});
  const std::size_t shown = std::min(others.size(), kMostImages);
  const std::size_t most = std::min(kShownImages, kMostImages / shown);
  for (std::size_t i = 0; i < shown; ++i) show_model(*evaluation, *others[i], most, section);
  if (shown < others.size()) {
    section.blocks.emplace_back(
        Text{fmt::format("Of {} other models the first {} are shown.", others.size(), shown)});
  }
  return section;
}

}  // namespace yoloq::report
