// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "cli/search_report.h"
#include "coco/accumulate.h"
#include "coco/match.h"
#include "coco/metrics.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/version.h"
#include "dataset/images.h"
#include "onnx/model_file.h"
#include "pipeline/calibration.h"
#include "pipeline/decodable.h"
#include "pipeline/ground_truth.h"
#include "pipeline/plan_file.h"
#include "quantize/target.h"
#include "search/laboratory.h"
#include "search/strategy.h"
#include "sensitivity/partial_quantization.h"
#include "sensitivity/profile.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

volatile std::sig_atomic_t interrupted = 0;

/// The first Ctrl-C ends the search and keeps its front; the second ends the process.
extern "C" void on_interrupt(int /*signal*/) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

/// Fewer images than these, and there is nothing to search on.
constexpr std::size_t kLeastImages = 8;

/// Numbers of calibration images that are tried.
constexpr std::size_t kImageCounts[] = {32, 64, 256, 512, 1024, 1536};

struct SearchArguments {
  ModelArguments model;
  SizeArguments size;
  JsonArguments json;
  fs::path data;
  fs::path annotations;
  std::string split = "train";
  std::string final_split = "val";
  std::optional<double> max_drop;
  std::string objective = "latency";
  std::string target = "tensorrt";
  std::string backend = "openvino";
  double seconds = 600;
  std::size_t search_images = 300;
  std::size_t loss_images = 48;
  int threads = 0;
  bool resume = false;
  bool skip_bad = false;
  bool reduce_range = false;
  fs::path cache = ".cache/yoloq";
  fs::path out = "runs/search";
};

/// A data set as a search uses it.
struct Splits {
  dataset::Dataset dataset;
  search::Images images;
  std::vector<fs::path> final_images;  ///< Empty: there is no such split.
};

/// Takes the last images by the order of pick_images() for the loss: sets of calibration images
/// begin with the first ones.
void set_loss_images_apart(const SearchArguments& arguments, const std::vector<fs::path>& all,
                           search::Images& images) {
  const std::size_t loss = std::min(arguments.loss_images, all.size() / 2);
  images.calibration = pipeline::pick_images(all, all.size() - loss);
  images.loss = pipeline::without(all, images.calibration);
}

/// The images of a split; with --skip-bad those that decode, after the others are named.
std::vector<fs::path> usable_images(const SearchArguments& arguments,
                                    const dataset::Dataset& dataset, const std::string& split) {
  auto all = dataset::list_images(dataset, split);
  if (!arguments.skip_bad) return all;
  pipeline::Decodable good = pipeline::decodable(all);
  for (const std::string& message : good.skipped) fmt::print("skipped: {}\n", message);
  if (!good.images.empty()) return std::move(good.images);
  fail(ErrorCode::not_found, "none of the {} images of the split '{}' decodes", all.size(), split);
}

Splits read_splits(const SearchArguments& arguments) {
  Splits splits{.dataset = dataset::read_data_yaml(arguments.data)};
  const auto all = usable_images(arguments, splits.dataset, arguments.split);
  if (all.size() < kLeastImages) {
    fail(ErrorCode::bad_argument, "the split '{}' has {} images; a search needs {} or more",
         arguments.split, all.size(), kLeastImages);
  }
  set_loss_images_apart(arguments, all, splits.images);
  splits.images.search =
      sensitivity::labelled_images(splits.dataset, {.split = arguments.split,
                                                    .annotations = arguments.annotations,
                                                    .count = arguments.search_images,
                                                    .skip_bad = arguments.skip_bad});
  if (!splits.dataset.splits.contains(arguments.final_split)) {
    fmt::print("notice: the data have no split '{}': there are no final figures\n",
               arguments.final_split);
    return splits;
  }
  splits.final_images = usable_images(arguments, splits.dataset, arguments.final_split);
  const std::size_t common = sensitivity::overlap(all, splits.final_images);
  if (common > 0) {
    fmt::print(
        "notice: {} of the {} images of '{}' are in '{}' too: final figures on it say "
        "nothing of images that the search has not seen\n",
        common, all.size(), arguments.split, arguments.final_split);
  }
  return splits;
}

/// What all answers of a journal depend on.
std::string subject_of(const SearchArguments& arguments, const pipeline::DetectionModel& model,
                       const Splits& splits) {
  const search::Images& images = splits.images;
  return Hasher()
      .add(kVersion)
      .add(model.hash)
      .add(fmt::format("{}x{} {} {} {}{}", model.size.height, model.size.width, arguments.target,
                       arguments.backend, arguments.objective,
                       arguments.reduce_range ? " reduced range" : ""))
      .add(sensitivity::hash_of_images(images.calibration))
      .add(sensitivity::hash_of_images(images.loss))
      .add(sensitivity::hash_of_images(images.search.images))
      .add(sensitivity::hash_of_labels(images.search.truth))
      .add(runtime::identity(arguments.backend))
      .hex();
}

/// The folder's journal, new or, with --resume, that of before.
search::Journal open_journal(const SearchArguments& arguments, const std::string& subject) {
  const fs::path path = arguments.out / "journal.jsonl";
  if (fs::exists(path) && !arguments.resume) {
    fail(ErrorCode::bad_argument,
         "'{}' holds a search: go on with it by --resume, or choose another --out",
         arguments.out.string());
  }
  if (!fs::exists(path) && arguments.resume) {
    fmt::print("notice: there is nothing to resume in '{}': a new search begins\n",
               arguments.out.string());
  }
  return {path, subject};
}

/// Counts of calibration images, without the usual one.
std::vector<std::size_t> image_counts(std::size_t available) {
  std::vector<std::size_t> counts;
  for (const std::size_t count : kImageCounts) {
    if (count < available) counts.push_back(count);
  }
  if (available != search::default_candidate().images) counts.push_back(available);
  return counts;
}

/// Says what was tried, a line each as it comes.
void print_tried(const search::Tried& tried, bool kept, const search::Journal& journal) {
  std::string figures = fmt::format("{:5.0f} s  loss {:.3f} %", journal.seconds(), tried.loss);
  if (tried.complete) figures += fmt::format("  AP {:.4f}  time {:.3f}", tried.ap, tried.time);
  fmt::print("{}  {}{}\n", figures, search::text_of(tried.candidate), kept ? "  (kept)" : "");
  std::fflush(stdout);
}

SearchReport report_of(const SearchArguments& arguments, const pipeline::DetectionModel& model,
                       const search::Search& found, search::Laboratory& laboratory) {
  SearchReport report{.model = model.name,
                      .objective = arguments.objective,
                      .float_ap = laboratory.float_ap(),
                      .reference_ms = laboratory.reference_ms(),
                      .layers_total = pipeline::count_layers(model.graph).total};
  for (const search::Tried& tried : found.tried) {
    if (!tried.complete) continue;
    report.rows.push_back({.name = search::text_of(tried.candidate),
                           .candidate = tried.candidate,
                           .loss = tried.loss,
                           .ap = tried.ap,
                           .time = tried.time,
                           .layers_int8 = report.layers_total -
                                          static_cast<int>(tried.candidate.float_layers.size())});
  }
  report.rows.push_back(
      {.name = "float", .ap = laboratory.float_ap(), .time = laboratory.float_time()});
  mark_front(report);
  report.chosen = choose(report, arguments.max_drop);
  return report;
}

/// Writes the models of the front and the default; the chosen one as best.onnx, too.
void write_front(const SearchArguments& arguments, SearchReport& report,
                 search::Laboratory& laboratory, std::vector<graph::Graph>& graphs) {
  graphs.resize(report.rows.size());
  int number = 0;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    SearchRow& row = report.rows[i];
    const bool is_written = row.on_front || report.chosen == i || row.name == "default";
    if (!row.candidate || !is_written) continue;
    const pipeline::QuantizedModel made = laboratory.make(*row.candidate);
    const auto write = [&](const std::string& stem) {
      auto files = pipeline::plan_files(made.plan, arguments.out / (stem + ".plan.yaml"));
      files.push_back({arguments.out / (stem + ".onnx"), onnx::serialize(made.graph)});
      write_files(files);
      row.file = stem + ".onnx";
    };
    if (report.chosen == i) write("best");
    if (row.on_front) write(fmt::format("front-{}", ++number));
    if (row.name == "default" && !row.on_front) write("default");
    graphs[i] = made.graph;
  }
}

/// Measures the front on images that the search has not used.
void measure_final(const SearchArguments& arguments, const pipeline::DetectionModel& model,
                   const Splits& splits, const std::vector<graph::Graph>& graphs,
                   SearchReport& report) {
  if (splits.final_images.empty()) return;
  const sensitivity::LabelledImages final_images{
      splits.final_images, pipeline::find_ground_truth(splits.dataset, splits.final_images,
                                                       {.split = arguments.final_split})};
  print_notices(final_images.truth.notices);
  const auto matches_of = [&](const graph::Graph& graph, const std::string& name) {
    return sensitivity::matches_of(model, graph, final_images,
                                   {.backend = arguments.backend, .threads = arguments.threads},
                                   progress_bar(name));
  };
  report.final_images = splits.final_images.size();
  const coco::Matches plain = matches_of(model.graph, "final: float");
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    SearchRow& row = report.rows[i];
    if (!row.candidate) {
      row.final_ap = coco::accumulate(plain)[coco::Figure::ap];
    } else if (!row.file.empty()) {
      const coco::Matches own = matches_of(graphs[i], "final: " + row.file);
      row.final_ap = coco::accumulate(own)[coco::Figure::ap];
      row.final_change = coco::bootstrap(plain, own);
    }
  }
}

std::string reason_of(const SearchArguments& arguments, const search::Search& found) {
  if (interrupted) return "interrupted";
  if (found.exhausted) return "a whole round of options gained nothing";
  return fmt::format("the {:.0f} s of --time are used up", arguments.seconds);
}

void check(const SearchArguments& arguments) {
  if (arguments.data.empty()) fail(ErrorCode::bad_usage, "--data is required");
  if (arguments.max_drop && !(*arguments.max_drop >= 0)) {
    fail(ErrorCode::bad_argument, "--max-drop {} cannot be met: give 0 or more AP points",
         *arguments.max_drop);
  }
  if (arguments.cache.empty()) {
    fail(ErrorCode::bad_usage, "a search needs its --cache: no calibration is done twice");
  }
  quantize::target_named(arguments.target);
}

void run_search(const SearchArguments& arguments) {
  check(arguments);
  const auto objective = search::objective_named(arguments.objective);
  require_writable(arguments.out / "search.json");
  require_writable(arguments.json.file,
                   std::array{arguments.model.one(), arguments.data, arguments.annotations});
  const Splits splits = read_splits(arguments);
  const pipeline::DetectionModel model = pipeline::load_model(
      arguments.model.one(),
      {.size = arguments.size.size(), .hints = arguments.model.hints(splits.dataset.names)});
  print_notices(splits.images.search.truth, model.head, splits.dataset.names);
  search::Journal journal = open_journal(arguments, subject_of(arguments, model, splits));
  if (journal.recalled() > 0) {
    fmt::print("{} measurements of before\n", journal.recalled());
  }
  std::signal(SIGINT, on_interrupt);
  search::Laboratory laboratory(model, splits.images, journal,
                                {.target = arguments.target,
                                 .backend = arguments.backend,
                                 .objective = objective,
                                 .cache = arguments.cache,
                                 .threads = arguments.threads,
                                 .reduce_range = arguments.reduce_range,
                                 .progress = [](std::size_t, std::size_t) {
                                   if (interrupted)
                                     fail(ErrorCode::cancelled,
                                          "interrupted before anything was measured");
                                 }});
  const auto counts = image_counts(splits.images.calibration.size());
  laboratory.calibrate_ahead(counts);
  const search::Space space{.image_counts = counts,
                            .residual = quantize::target_named(arguments.target).residual,
                            .layers = laboratory.layers_by_worth(),
                            .float_ap = laboratory.float_ap()};
  laboratory.float_time();
  laboratory.reference_ms();
  print_notices(laboratory.notices());
  fmt::print(
      "float AP {:.4f} on {} search images, {:.3f} of the time of default int8; loss on {} "
      "other images\n",
      space.float_ap, splits.images.search.images.size(), laboratory.float_time(),
      splits.images.loss.size());
  const search::Search found = search::run_search(
      space,
      {.loss = [&](const search::Candidate& each) { return laboratory.loss(each); },
       .ap = [&](const search::Candidate& each) { return laboratory.ap(each); },
       .time = [&](const search::Candidate& each) { return laboratory.time(each); }},
      [&] { return !interrupted && journal.seconds() < arguments.seconds; },
      [&](const search::Tried& tried, bool kept) { print_tried(tried, kept, journal); });
  const std::string reason = reason_of(arguments, found);
  std::signal(SIGINT, SIG_DFL);
  interrupted = 0;  // What is left has to be done to keep the front.

  SearchReport report = report_of(arguments, model, found, laboratory);
  report.reason = reason;
  report.seconds = journal.seconds();
  report.search_images = splits.images.search.images.size();
  report.loss_images = splits.images.loss.size();
  std::vector<graph::Graph> graphs;
  write_front(arguments, report, laboratory, graphs);
  measure_final(arguments, model, splits, graphs, report);
  auto result = search_json(report);
  result["provenance"] = provenance();
  const std::string json = text_of(result);
  write_file(arguments.out / "search.json", json + "\n");
  arguments.json.write(json);
  print_front(report);
  fmt::print("{}: {} candidates measured in {:.0f} s; {}\n", arguments.out.string(),
             found.tried.size(), report.seconds, report.reason);
  if (!report.chosen) fail(ErrorCode::below_target, "nothing was measured in this time");
  const SearchRow& best = report.rows[*report.chosen];
  fmt::print("chosen: {} ({}/best.onnx)\n", best.name, arguments.out.string());
  if (arguments.max_drop && drop_of(report, best) > *arguments.max_drop) {
    fail(ErrorCode::below_target,
         "no quantized model is within {} AP points of float on the search images: the best one "
         "loses {:.2f}",
         *arguments.max_drop, drop_of(report, best));
  }
}

}  // namespace

void declare_search(CLI::App& app) {
  const auto arguments = std::make_shared<SearchArguments>();
  arguments->model.declare(app, false);
  arguments->size.declare(app);
  arguments->json.declare(app);
  app.add_option("--data", arguments->data, "data set yaml");
  app.add_option("--annotations", arguments->annotations,
                 "COCO ground truth of --split; else found beside the data or in labels");
  app.add_option("--split", arguments->split, "split to calibrate and search on")
      ->capture_default_str();
  app.add_option("--final-split", arguments->final_split,
                 "split of the final figures, which decide nothing")
      ->capture_default_str();
  app.add_option("--max-drop", arguments->max_drop,
                 "choose the fastest model that loses at most so many AP points (of 100) on the "
                 "search images; else the fastest one");
  app.add_option("--objective", arguments->objective, "latency (one thread) or throughput")
      ->capture_default_str();
  app.add_option("--target", arguments->target, "as of quantize")->capture_default_str();
  app.add_option("--backend", arguments->backend, "what AP and time are measured on")
      ->capture_default_str();
  app.add_option("--time", arguments->seconds, "how long to search: 90s, 10m, 2h")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}}))
      ->capture_default_str();
  app.add_option("--search-images", arguments->search_images, "labelled images to measure AP on")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--loss-images", arguments->loss_images,
                 "images to measure the loss on; they are kept out of calibration")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--threads", arguments->threads, "0: all that the process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--cache", arguments->cache, "folder of calibrations and tuned plans")
      ->capture_default_str();
  app.add_flag("--reduce-range", arguments->reduce_range,
               "weight codes -64..64 in all models: for CPUs without VNNI");
  app.add_flag("--skip-bad", arguments->skip_bad,
               "try all images first, leave out those that do not decode, and say which");
  app.add_flag("--resume", arguments->resume, "go on with the search in --out");
  app.add_option("--out", arguments->out, "folder for the front, best.onnx and search.json")
      ->capture_default_str();
  app.callback([arguments] { run_search(*arguments); });
}

}  // namespace yoloq::cli
