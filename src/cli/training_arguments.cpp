// SPDX-License-Identifier: Apache-2.0
#include "cli/training_arguments.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/launch.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "cli/results.h"
#include "core/available_threads.h"
#include "core/error.h"
#include "dataset/hyperparameters.h"
#include "dataset/images.h"

namespace yoloq::cli {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr int kDefaultSide = 640;

Json to_json(const train::EpochReport& report) {
  Json json{{"epoch", report.epoch},        {"box_loss", report.losses[0]},
            {"obj_loss", report.losses[1]}, {"cls_loss", report.losses[2]},
            {"seconds", report.seconds},    {"images_per_second", report.images_per_second}};
  if (report.ap) {
    json["AP"] = *report.ap;
    json["AP50"] = *report.ap50;
    json["precision"] = report.precision;
    json["recall"] = report.recall;
  }
  return json;
}

void print_epoch(const train::EpochReport& report, int epochs) {
  fmt::print("epoch {:>3}/{}  box {:.5f}  obj {:.5f}  cls {:.5f}  {:6.1f} images/s",
             report.epoch + 1, epochs, report.losses[0], report.losses[1], report.losses[2],
             report.images_per_second);
  if (report.ap) fmt::print("  AP {:.4f}  AP50 {:.4f}", *report.ap, *report.ap50);
  fmt::print("{}\n", report.best && report.ap ? "  best" : "");
  std::fflush(stdout);
}

/// Where this rank computes for long and would not see that another is gone.
void end_process(std::string_view why) {
  fmt::print(stderr, "yoloq: {}\n", why);
  std::_Exit(kWrongInput);
}

/// Of a rank that has nothing to say.
void silence_output() {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const bool silent = nowhere >= 0 && ::dup2(nowhere, STDOUT_FILENO) >= 0;
  if (nowhere >= 0) ::close(nowhere);
  if (!silent) fail(ErrorCode::io, "/dev/null cannot be written to");
}

/// "cuda:0" of "0", as Ultralytics' commands take it.
std::string device_named(const std::string& name) {
  const bool is_number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? "cuda:" + name : name;
}

/// What one of several ranks has of its machine, and of the terminal.
void take_share(train::Recipe& recipe, const Launch& launch) {
  if (recipe.device == "cuda") recipe.device = fmt::format("cuda:{}", launch.local_rank);
  if (recipe.threads == 0) recipe.threads = std::max(available_threads() / launch.local_ranks, 1);
  if (recipe.place.rank > 0) silence_output();
}

/// The hyper-parameters of --hyp. Tells what in it has no effect: a key that is mistyped would
/// leave its default, and hours of training would not show it.
dataset::Hyperparameters read_hyp(const std::string& file) {
  using Kind = dataset::HypFinding::Kind;
  const std::string text = dataset::hyperparameters_text(file);
  const dataset::Hyperparameters hyp = dataset::parse_hyperparameters(text, file);
  for (const dataset::HypFinding& found : dataset::check_hyperparameters(text, file)) {
    if (found.kind != Kind::unknown && found.kind != Kind::unused) continue;
    fmt::print("notice: {}: '{}' is {}: {}\n", found.where, found.key, name_of(found.kind),
               found.what);
  }
  return hyp;
}

/// A bar for each epoch, with the losses and images/s of the epoch so far.
std::function<void(const train::StepReport&)> epoch_bars() {
  struct State {
    Progress bar;
    train::StepReport latest{.epoch = -1};
  };
  return [state = std::make_shared<State>()](const train::StepReport& report) {
    const bool begins = report.epoch != state->latest.epoch;
    state->latest = report;
    if (begins) {
      const auto note = [latest = &state->latest] {
        return fmt::format("box {:.4f} obj {:.4f} cls {:.4f}  {:.1f} images/s", latest->losses[0],
                           latest->losses[1], latest->losses[2], latest->images_per_second);
      };
      state->bar = progress_bar(fmt::format("epoch {}/{}", report.epoch + 1, report.epochs), note,
                                report.step);
    }
    state->bar(report.step, report.steps);
  };
}

}  // namespace

void TrainingArguments::declare(CLI::App& app, const char* hyp_default, const char* out_default) {
  hyp = hyp_default;
  out = out_default;
  size.declare(app);
  json.declare(app);
  app.add_option("--data", data, "data set yaml")->required();
  app.add_option("--annotations", annotations, "COCO ground truth of the val split");
  app.add_option("--hyp", hyp, "hyper-parameters: a yaml, or a built-in one by name")
      ->capture_default_str();
  app.add_option("--epochs", recipe.epochs)->check(CLI::Range(1, 100000))->capture_default_str();
  app.add_option("--batch-size,--batch", recipe.batch_size,
                 "images per step, of all ranks together")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--nominal-batch", nominal_batch,
                 "gradients of smaller batches are added up to so many images, which weight decay "
                 "is meant for")
      ->check(CLI::Range(1, 100000))
      ->default_str(nominal_batch ? std::to_string(*nominal_batch) : "as --batch-size");
  app.add_option("--device", recipe.device, "cpu, cuda, cuda:N, or N for short")
      ->transform(device_named)
      ->capture_default_str();
  app.add_option("--seed", recipe.seed)->capture_default_str();
  app.add_option("--threads", recipe.threads, "0: all that the process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--workers", recipe.workers, "threads that make samples; 0: as --threads")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--split", split, "split to train on")->capture_default_str();
  app.add_option("--optimizer", recipe.method, "of weights and biases")
      ->transform(CLI::CheckedTransformer(std::map<std::string, train::Method>{
          {"sgd", train::Method::sgd}, {"adamw", train::Method::adamw}}))
      ->type_name("TEXT:{sgd,adamw}")
      ->default_str("sgd");
  app.add_option("--average-steps", recipe.average_steps,
                 "how slowly the moving averages come to their full length")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--evaluate-every", recipe.evaluate_every, "epochs; 0: only the last")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  app.add_flag("--linear-lr", linear, "learning rate falls along a line, not a cosine");
  app.add_flag("--amp", recipe.amp, "convolutions in bfloat16, on CUDA");
  app.add_flag("!--no-augment", recipe.augment, "letterboxed images as they are");
  app.add_flag("!--no-val", validate, "do not measure AP on the val split");
  app.add_flag("--skip-bad", recipe.skip_bad, "leave out images that do not decode");
  app.add_flag("--resume", resume, "go on from last.ckpt in the folder of --out");
  app.add_flag("--exist-ok", replace, "a training that --out holds already makes way");
  app.add_option("--out", out, "folder")->capture_default_str();
}

void TrainingArguments::join_ranks() {
  const Launch launch = read_launch();
  recipe.place = launch.place;
  if (recipe.place.ranks > 1) take_share(recipe, launch);
  team = std::make_shared<train::Team>(recipe.place, end_process);
}

pipeline::Processes TrainingArguments::processes() const {
  return {.rank = static_cast<std::size_t>(recipe.place.rank),
          .count = static_cast<std::size_t>(recipe.place.ranks),
          .gather = [all = team](const std::string& bytes) { return all->gather(bytes); }};
}

void TrainingArguments::check_files(const std::vector<fs::path>& start) const {
  if (recipe.place.rank > 0) return;
  train::check_folder(out, resume, replace);
  std::vector<fs::path> inputs = start;
  inputs.insert(inputs.end(), {data, annotations, hyp});
  if (!resume) require_other_files(std::array{out / "last.ckpt", out / "best.ckpt"}, inputs);
  require_writable(out / "last.ckpt");
  require_writable(json.file, inputs);
}

vision::Size TrainingArguments::side() const {
  return size.size().value_or(vision::Size{kDefaultSide, kDefaultSide});
}

void TrainingArguments::fill(train::Job& job, const dataset::Dataset& dataset) const {
  job.recipe = recipe;
  job.recipe.size = side();
  job.recipe.cosine = !linear;
  job.recipe.nominal_batch = nominal_batch.value_or(recipe.batch_size);
  job.hyp = read_hyp(hyp);
  job.folder = out;
  job.resume = resume;
  job.replace = replace;
  if (static_cast<int>(dataset.names.size()) != job.head.class_count) {
    fail(ErrorCode::bad_argument, "'{}' has {} classes, the model {}", dataset.file.string(),
         dataset.names.size(), job.head.class_count);
  }
  job.images = dataset::list_images(dataset, split);
  if (!validate || !dataset.splits.contains("val")) return;
  job.val_images = dataset::list_images(dataset, "val");
  job.truth = pipeline::find_ground_truth(dataset, job.val_images,
                                          {.split = "val", .annotations = annotations});
  print_notices(job.truth.notices);
}

train::Result TrainingArguments::run(const train::Job& job) const {
  const train::RankPlace& place = job.recipe.place;
  if (place.rank > 0) return train::train(job, {}, *team);
  fmt::print("{} images of '{}', {} to measure on; batches of {} at {} pixels on {}\n",
             job.images.size(), split, job.val_images.size(), job.recipe.batch_size,
             job.recipe.size.width, job.recipe.device);
  if (place.ranks > 1) {
    fmt::print("{} ranks, {} images of each batch on each\n", place.ranks,
               job.recipe.batch_size / place.ranks);
  }
  std::fflush(stdout);
  Json epochs = Json::array();
  const train::Result result =
      train::train(job,
                   {.step = epoch_bars(),
                    .epoch =
                        [&](const train::EpochReport& report) {
                          print_epoch(report, job.recipe.epochs);
                          epochs.push_back(to_json(report));
                        },
                    .notice = [](std::string_view text) { fmt::print("notice: {}\n", text); }},
                   *team);
  if (result.best_epoch >= 0 && !job.val_images.empty()) {
    fmt::print("{}: AP {:.4f} in epoch {}\n", result.best.string(), result.best_ap,
               result.best_epoch + 1);
  }
  json.write(text_of(Json{{"best", result.best.string()},
                          {"last", result.last.string()},
                          {"best_AP", result.best_ap},
                          {"best_epoch", result.best_epoch},
                          {"epochs", epochs},
                          {"provenance", provenance()}}));
  return result;
}

}  // namespace yoloq::cli
