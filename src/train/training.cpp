// SPDX-License-Identifier: Apache-2.0
#include "train/training.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <system_error>
#include <utility>

#include "core/available_threads.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/anchor_fit.h"
#include "dataset/loader.h"
#include "dataset/training_set.h"
#include "runtime/torch/device.h"
#include "runtime/torch/errors.h"
#include "train/detail/job_check.h"
#include "train/detail/logs.h"
#include "train/detail/progress.h"
#include "train/detail/ranks.h"
#include "train/detail/session.h"
#include "train/detail/validation.h"
#include "train/schedule.h"
#include "train/team.h"

namespace yoloq::train {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (!fs::is_directory(folder)) {
    fail(ErrorCode::io, "cannot make the folder '{}' for checkpoints: {}", folder.string(),
         problem.message());
  }
}

void remove_file(const fs::path& file) {
  std::error_code problem;
  fs::remove(file, problem);
  if (problem) fail(ErrorCode::io, "cannot remove '{}': {}", file.string(), problem.message());
}

/// Of a training that makes way for another. Its checkpoints stay until there are new ones.
void remove_curves(const fs::path& folder) {
  std::vector<fs::path> files{folder / "results.csv"};
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) {
      files.push_back(entry.path());
    }
  }
  for (const fs::path& file : files) remove_file(file);
}

int threads_of(const Recipe& recipe) {
  return recipe.threads > 0 ? recipe.threads : available_threads();
}

dataset::TrainingSet open_set(const Job& job, const std::vector<fs::path>& images, bool augment) {
  return {images,
          static_cast<std::size_t>(job.head.class_count),
          {.size = job.recipe.size,
           .hyp = job.hyp,
           .augment = augment,
           .seed = job.recipe.seed,
           .cache_bytes = job.recipe.cache_bytes,
           .skip_bad = job.recipe.skip_bad,
           .need_labels = job.recipe.teacher == Teacher::labels}};
}

/// What there is to go back to when something breaks in an epoch, counted from 0.
std::string last_whole(int epoch) {
  return epoch == 0 ? std::string("there is no checkpoint yet")
                    : fmt::format("the last whole checkpoint is that of epoch {}", epoch);
}

/// A step may break the weights without its own loss being broken.
///
/// @throws Error(bad_value) naming the first parameter that holds no finite number.
void require_finite(const pipeline::TrainingCheckpoint& checkpoint, int epoch) {
  for (const auto& [name, tensor] : checkpoint.state) {
    if (tensor.dtype() != DType::f32) continue;
    const auto values = tensor.to_floats();
    if (std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) continue;
    fail(ErrorCode::bad_value, "after epoch {}, '{}' is no finite number any more; {}: lower lr0",
         epoch + 1, name, last_whole(epoch));
  }
}

/// @throws Error(bad_argument) on a rank whose job is another than rank 0's.
void check_agreement(const Job& job, const std::string& data, const detail::Ranks& ranks) {
  if (ranks.alone()) return;
  const std::string own = detail::fingerprint(job, data);
  if (ranks.from_first(own) == own) return;
  fail(ErrorCode::bad_argument,
       "rank {} of {} was started with another model, plan, recipe, --hyp, list of images or "
       "labels than rank 0; start all ranks with the same arguments and files",
       ranks.rank(), ranks.size());
}

/// One training, epoch by epoch.
class Run {
 public:
  Run(const Job& job, const Watcher& watcher, detail::Ranks& ranks)
      : job_(job),
        watcher_(watcher),
        device_(runtime::torch::open_device(job.recipe.device)),
        ranks_(ranks),
        set_(open_set(job, job.images, job.recipe.augment)),
        data_(set_.fingerprint()),
        loader_(set_,
                {.batch_size = static_cast<std::size_t>(job.recipe.batch_size) / ranks_.size(),
                 .threads = job.recipe.workers > 0 ? job.recipe.workers : threads_of(job.recipe),
                 .seed = job.recipe.seed,
                 .rank = ranks_.rank(),
                 .ranks = ranks_.size()}),
        schedule_(job.hyp, {.epochs = job.recipe.epochs,
                            .batches = loader_.batches(),
                            .batch_size = job.recipe.batch_size,
                            .nominal_batch = job.recipe.nominal_batch,
                            .cosine = job.recipe.cosine}),
        session_(job, ranks_) {
    check_agreement(job, data_, ranks_);
    if (!ranks_.first()) return;
    for (const std::string& text : set_.notices()) notice(text);
    report_anchors();
  }

  Result run() {
    Result result{
        .epochs = {}, .last = job_.folder / "last.ckpt", .best = job_.folder / "best.ckpt"};
    if (job_.resume) resume(result.last);
    if (progress_.epochs_done >= job_.recipe.epochs) {
      notice(fmt::format("'{}' is of a training that was finished after {} epochs: nothing to do",
                         result.last.string(), progress_.epochs_done));
    }
    if (ranks_.first()) {
      if (!job_.resume) remove_curves(job_.folder);
      logs_.emplace(job_.folder, progress_.epochs_done);
      open_val_set();
    }
    while (progress_.epochs_done < job_.recipe.epochs) {
      EpochReport report = train_epoch(progress_.epochs_done);
      ++progress_.epochs_done;
      finish_epoch(report, result);
      result.epochs.push_back(report);
      if (watcher_.epoch) watcher_.epoch(report);
    }
    result.best_ap = progress_.best_ap;
    result.best_epoch = progress_.best_epoch;
    ranks_.finish();
    return result;
  }

 private:
  void notice(const std::string& text) const {
    if (watcher_.notice) watcher_.notice(text);
  }

  void resume(const fs::path& path) {
    try {
      // Other ranks' machines need not have the folder.
      const std::string bytes = ranks_.from_first(ranks_.first() ? read_file(path) : "");
      const auto checkpoint = pipeline::parse_training_checkpoint(bytes);
      progress_ = detail::read_progress(job_, data_, checkpoint.training);
      session_.restore(checkpoint);
      const int threads = threads_of(job_.recipe);
      if (ranks_.first() && progress_.threads != threads) {
        notice(
            fmt::format("trained with {} threads so far, now with {}: sums are rounded in another "
                        "order, so the weights will differ in their last bits from those of an "
                        "unbroken training",
                        progress_.threads, threads));
      }
    } catch (const Error& error) {
      throw error.within("while resuming from '" + path.string() + "'");
    }
  }

  /// The loss on val images takes label files, where AP takes annotations just as well.
  void open_val_set() {
    if (job_.val_images.empty()) return;
    try {
      val_set_.emplace(open_set(job_, job_.val_images, false));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::not_found) throw;
      notice(fmt::format("no loss is measured on the val images: {}", error.what()));
    }
  }

  Losses val_losses() {
    dataset::Loader loader(*val_set_,
                           {.batch_size = static_cast<std::size_t>(job_.recipe.batch_size),
                            .threads = threads_of(job_.recipe),
                            .shuffle = false});
    at::Tensor sums = at::zeros({3}, at::TensorOptions(at::kDouble).device(device_));
    std::size_t batches = 0;
    loader.start(0);
    while (auto batch = loader.next()) {
      sums += session_.validation_loss(*batch);
      ++batches;
      loader.give_back(std::move(*batch));
    }
    return means(sums, batches);
  }

  EpochReport train_epoch(int epoch) {
    const auto start = Clock::now();
    EpochReport report{.epoch = epoch};
    at::Tensor sums = at::zeros({3}, at::TensorOptions(at::kDouble).device(device_));
    std::size_t images = 0;
    loader_.start(static_cast<std::uint64_t>(epoch));
    while (auto batch = next_batch()) {
      const Rates rates = schedule_.at(epoch, batch->index);
      sums += step(*batch, rates, epoch);
      images += batch->global_count;
      report.rates = {rates.biases, rates.weights, rates.weights};
      const std::size_t done = batch->index + 1;
      if (watcher_.step) {
        watcher_.step({epoch, job_.recipe.epochs, done, loader_.batches(), means(sums, done),
                       static_cast<double>(images) / seconds_since(start)});
      }
      report.losses = means(sums, done);
      loader_.give_back(std::move(*batch));
    }
    report.seconds = seconds_since(start);
    report.images_per_second = static_cast<double>(images) / report.seconds;
    return report;
  }

  std::optional<dataset::Batch> next_batch() {
    try {
      return loader_.next();
    } catch (const std::exception& error) {
      if (!runtime::torch::is_out_of_memory(error)) throw;
      fail(ErrorCode::backend,
           "there is no memory to prepare batches of {} images of {} pixels; give a smaller "
           "--batch-size",
           job_.recipe.batch_size, job_.recipe.size.width);
    }
  }

  at::Tensor step(const dataset::Batch& batch, const Rates& rates, int epoch) {
    since_update_.push_back({batch.epoch, batch.first, batch.count});
    try {
      const double scale_rate = job_.recipe.scale_lr * schedule_.factor(epoch);
      const at::Tensor losses = session_.step(batch, rates, scale_rate);
      if (session_.waiting() == 0) since_update_.clear();
      return losses;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::bad_value) throw;
      fail(ErrorCode::bad_value,
           "epoch {}, batch {}: {}; images since the last update: {}; {}: lower lr0, or look at "
           "these images and labels",
           epoch + 1, batch.index + 1, error.what(), fmt::join(names_since_update(), ", "),
           last_whole(epoch));
    } catch (const std::exception& error) {
      if (!runtime::torch::is_out_of_memory(error)) throw;
      fail(ErrorCode::backend,
           "a batch of {} images of {} pixels does not fit into the memory of "
           "'{}'; {}",
           batch.count, job_.recipe.size.width, job_.recipe.device, advice_on(batch));
    }
  }

  /// Which --batch-size would fit, tried.
  std::string advice_on(const dataset::Batch& batch) {
    for (std::size_t count = batch.count / 2; count > 0; count /= 2) {
      if (!session_.fits(batch, count)) continue;
      return fmt::format("--batch-size {} does", count * ranks_.size());
    }
    return "not even one image does: give a smaller --img";
  }

  /// What Ultralytics' autoanchor looks at, as a report: anchors stay as they are.
  void report_anchors() const {
    if (job_.recipe.teacher != Teacher::labels) return;
    const auto boxes = dataset::box_sides(set_.index(), job_.recipe.size.width);
    if (boxes.empty() || job_.hyp.anchor_t <= 1) return;
    std::vector<dataset::Sides> anchors;
    for (const auto& level : job_.head.anchors) {
      anchors.insert(anchors.end(), level.begin(), level.end());
    }
    const dataset::AnchorFit fit = dataset::fit_anchors(boxes, anchors, job_.hyp.anchor_t);
    notice(
        fmt::format("anchors: best possible recall {:.4f}, {:.2f} anchors for a box in the mean{}",
                    fit.best_possible_recall, fit.anchors_per_box,
                    fit.is_good() ? ""
                                  : "; below 0.98: the other boxes cannot be learned, give anchors "
                                    "that fit in the model yaml"));
  }

  std::vector<std::string> names_since_update() const {
    std::vector<std::string> names;
    for (const Place& place : since_update_) {
      const auto order = loader_.order(place.epoch);
      for (std::size_t i = 0; i < place.count; ++i) {
        const auto& image = set_.index().images.at(order.at(place.first + i));
        names.push_back(image.filename().string());
      }
    }
    return names;
  }

  static Losses means(const at::Tensor& sums, std::size_t count) {
    const at::Tensor here = sums.cpu();
    const double* values = here.const_data_ptr<double>();
    const auto n = static_cast<double>(count);
    return {values[0] / n, values[1] / n, values[2] / n};
  }

  bool measures(int epoch) const {
    if (job_.val_images.empty()) return false;
    if (epoch + 1 == job_.recipe.epochs) return true;
    return job_.recipe.evaluate_every > 0 && (epoch + 1) % job_.recipe.evaluate_every == 0;
  }

  /// Rank 0 measures and writes; the others wait and are told.
  void finish_epoch(EpochReport& report, const Result& result) {
    session_.gather_gradients();
    if (ranks_.first()) save(report, result);
    const bool first = ranks_.first();
    const auto told = ranks_.sum(
        first ? std::vector<double>{progress_.best_ap, static_cast<double>(progress_.best_epoch)}
              : std::vector<double>{0, 0});
    progress_.best_ap = told[0];
    progress_.best_epoch = static_cast<int>(told[1]);
  }

  void save(EpochReport& report, const Result& result) {
    pipeline::TrainingCheckpoint checkpoint = session_.checkpoint();
    require_finite(checkpoint, report.epoch);
    if (measures(report.epoch)) {
      const detail::Accuracy accuracy = detail::measure(job_, checkpoint, device_);
      report.ap = accuracy.ap;
      report.ap50 = accuracy.ap50;
      report.precision = accuracy.best.precision;
      report.recall = accuracy.best.recall;
      if (val_set_) report.val_losses = val_losses();
      report.best = progress_.best_epoch < 0 || accuracy.ap > progress_.best_ap;
    }
    // Without anything to measure the latest is the best, unless an earlier one was measured.
    if (job_.val_images.empty()) report.best = progress_.best_ap < 0;
    if (report.best) {
      progress_.best_ap = report.ap.value_or(-1);
      progress_.best_epoch = report.epoch;
    }
    progress_.threads = threads_of(job_.recipe);
    checkpoint.training = detail::training_json(job_, data_, progress_);
    const std::string last = pipeline::serialize(checkpoint);
    std::vector<FileContent> files;
    if (report.best) {
      checkpoint.state.clear();  // A model to deploy: nobody goes on from it.
      // It is renamed first: killed in between, the epoch is done again and gives the same file.
      files.push_back({result.best, pipeline::serialize(checkpoint)});
    }
    files.push_back({result.last, last});
    // Before the checkpoint: what a run that ends between the two does again is taken out.
    logs_->add(report);
    write_files(files);
    if (progress_.best_epoch < 0) remove_file(result.best);  // If any, it is another training's.
  }

  /// A batch's images in the order of an epoch.
  struct Place {
    std::uint64_t epoch;
    std::size_t first;
    std::size_t count;
  };

  const Job& job_;
  const Watcher& watcher_;
  c10::Device device_;
  detail::Ranks& ranks_;
  dataset::TrainingSet set_;
  std::string data_;  ///< Fingerprint of its images and labels.
  std::optional<dataset::TrainingSet> val_set_;
  dataset::Loader loader_;
  Schedule schedule_;
  detail::Session session_;
  std::optional<detail::Logs> logs_;  ///< Of rank 0.
  detail::Progress progress_;
  std::vector<Place> since_update_;
};

Result train_checked(const Job& job, const Watcher& watcher, const Team& team) {
  at::set_num_threads(threads_of(job.recipe));
  if (team.ranks().first()) {
    check_folder(job.folder, job.resume, job.replace);
    make_folder(job.folder);
  }
  return Run(job, watcher, team.ranks()).run();
}

}  // namespace

void check_device(const std::string& device) { runtime::torch::open_device(device); }

Result train(const Job& job, const Watcher& watcher, const Team& team) {
  detail::check_job(job);
  return train_checked(job, watcher, team);
}

Result train(const Job& job, const Watcher& watcher) {
  detail::check_job(job);  // Before others are waited for.
  check_device(job.recipe.device);
  return train_checked(job, watcher, Team(job.recipe.place, watcher.lost));
}

}  // namespace yoloq::train
