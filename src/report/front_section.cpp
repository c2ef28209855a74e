// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "report/detail/words.h"
#include "report/sections.h"

namespace yoloq::report {

namespace {

/// The candidates on the front, fastest first; numbers in plot and table are places in this.
std::vector<Candidate> front_of(std::vector<Candidate> candidates) {
  std::erase_if(candidates, [](const Candidate& each) { return !each.on_front; });
  std::ranges::sort(candidates, {}, &Candidate::latency_ms);
  return candidates;
}

/// What a front is of, beside latency.
struct Accuracy {
  const char* label;
  const char* words;
  double (*of)(const Candidate&);
};

constexpr Accuracy kAp{"mAP .5:.95", "AP on the images that the search looked at",
                       [](const Candidate& each) { return each.ap; }};
constexpr Accuracy kAgreement{"agreement with float, %",
                              "agreement with the float model on images that nothing was tuned on",
                              [](const Candidate& each) { return each.agreement.value_or(0); }};

/// Agreement where the file has it for all.
const Accuracy& accuracy_of(const Search& search) {
  const bool has_agreement = std::ranges::all_of(
      search.candidates, [](const Candidate& each) { return each.agreement.has_value(); });
  return has_agreement ? kAgreement : kAp;
}

/// Numbers beside the points: names would lie on each other.
Series numbered(std::string name, const std::vector<Candidate>& candidates,
                const Accuracy& accuracy) {
  Series series{.name = std::move(name)};
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    series.add(candidates[i].latency_ms, accuracy.of(candidates[i]));
    series.notes.push_back(std::to_string(i + 1));
  }
  return series;
}

Table table_of_front(const std::vector<Candidate>& front) {
  Table table{.header = {"no.", "model", "mAP .5:.95", "latency ms"}};
  const bool has_agreement =
      std::ranges::any_of(front, [](const Candidate& each) { return each.agreement.has_value(); });
  const bool has_final =
      std::ranges::any_of(front, [](const Candidate& each) { return each.final_ap.has_value(); });
  if (has_agreement) table.header.insert(table.header.begin() + 2, "agreement with float, %");
  if (has_final) {
    table.header.insert(table.header.end(),
                        {"mAP on other images", "against float", "95 % interval"});
  }
  for (std::size_t i = 0; i < front.size(); ++i) {
    const Candidate& each = front[i];
    table.rows.push_back({std::to_string(i + 1), each.name, detail::ap_text(each.ap),
                          detail::ms_text(each.latency_ms)});
    auto& row = table.rows.back();
    if (has_agreement) {
      row.insert(row.begin() + 2, each.agreement ? fmt::format("{:.2f}", *each.agreement) : "-");
    }
    if (!has_final) continue;
    row.push_back(each.final_ap ? detail::ap_text(*each.final_ap) : "-");
    row.push_back(each.final_change ? fmt::format("{:+.4f}", each.final_change->value) : "-");
    row.push_back(each.final_change ? detail::interval_text(*each.final_change) : "-");
  }
  return table;
}

void show_search(const Search& search, Section& section) {
  const std::vector<Candidate> front = front_of(search.candidates);
  if (search.candidates.empty()) {
    section.blocks.emplace_back(Text{search.file + " has no candidate."});
    return;
  }
  const Accuracy& accuracy = accuracy_of(search);
  Series others{.name = "tried", .mark = Mark::points};
  for (const Candidate& each : search.candidates) {
    if (!each.on_front) others.add(each.latency_ms, accuracy.of(each));
  }
  Chart chart{.series = {numbered("front", front, accuracy), std::move(others)}};
  chart.series.front().mark = Mark::linked_points;
  section.blocks.emplace_back(Figure{
      .plot = {.title = "Accuracy against latency",
               .x_label = "latency, ms",
               .y_label = accuracy.label,
               .chart = std::move(chart)},
      .caption = fmt::format("{}: {} candidates, {} on the front, by measured latency and {}.",
                             search.file, search.candidates.size(), front.size(), accuracy.words)});
  section.blocks.emplace_back(table_of_front(front));
}

/// The evaluated models whose latency was measured.
std::vector<Candidate> evaluated(const RunFolder& run) {
  std::vector<Candidate> found;
  const Evaluation* evaluation = run.main_evaluation();
  if (evaluation == nullptr) return found;
  for (const EvaluatedModel& model : evaluation->models) {
    if (model.p50_ms > 0) found.push_back({model.name, model.ap, model.p50_ms, true});
  }
  return front_of(std::move(found));
}

}  // namespace

Section front_section(const RunFolder& run) {
  Section section{.title = "Accuracy against latency"};
  for (const Search& search : run.searches) show_search(search, section);
  if (!run.searches.empty()) return section;
  section.blocks.emplace_back(detail::missing(
      run, "no search in the folder", "yoloq search --weights MODEL.pt --data DATA.yaml --out {}"));
  const std::vector<Candidate> models = evaluated(run);
  if (models.size() < 2) return section;
  Chart chart{.series = {numbered("", models, kAp)}};
  chart.series.front().mark = Mark::points;
  section.blocks.emplace_back(Figure{.plot = {.title = "AP against latency",
                                              .x_label = "latency, ms",
                                              .y_label = "mAP .5:.95",
                                              .chart = std::move(chart)},
                                     .caption = "The evaluated models, measured in turn."});
  section.blocks.emplace_back(table_of_front(models));
  return section;
}

}  // namespace yoloq::report
