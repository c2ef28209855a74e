// SPDX-License-Identifier: Apache-2.0
#include "dataset/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "core/available_threads.h"
#include "core/error.h"
#include "dataset/detail/epoch_order.h"
#include "vision/image.h"

namespace yoloq::dataset {

namespace {

detail::Shares shares_of(const TrainingSet& set, const LoaderOptions& options) {
  return {.images = set.size(),
          .batch_size = options.batch_size,
          .rank = options.rank,
          .ranks = options.ranks,
          .drop_last = options.drop_last};
}

void check_loader(const TrainingSet& set, const LoaderOptions& options) {
  if (options.batch_size == 0) fail(ErrorCode::bad_argument, "batches of no images");
  if (options.ahead == 0) fail(ErrorCode::bad_argument, "no batch ahead: expected at least 1");
  if (options.rank >= options.ranks) {
    fail(ErrorCode::bad_argument, "rank {} of {}: expected 0 to {}", options.rank, options.ranks,
         static_cast<std::ptrdiff_t>(options.ranks) - 1);
  }
  if (detail::batch_count(shares_of(set, options)) > 0) return;
  fail(ErrorCode::bad_argument,
       "{} images do not fill one batch of {} on {} rank(s); make batches smaller or keep the last",
       set.size(), options.batch_size, options.ranks);
}

/// A batch while it is made.
struct Slot {
  Batch batch;
  std::vector<std::vector<TrainingLabel>> labels;  ///< By image.
  std::size_t to_do = 0;                           ///< Images that are not finished.
  std::exception_ptr error;
};

/// Brings labels into the order of the images, whichever thread finished first.
void gather_labels(Slot& slot) {
  slot.batch.labels.clear();
  for (std::size_t image = 0; image < slot.labels.size(); ++image) {
    for (const TrainingLabel& label : slot.labels[image]) {
      slot.batch.labels.push_back({image, label});
    }
  }
}

}  // namespace

/// The threads and what they share. Work is handed out image by image, so that a batch is ready
/// soon however many threads there are; slots form a ring of batches, which bounds what is ahead.
class Loader::Workers {
 public:
  Workers(const TrainingSet& set, const LoaderOptions& options)
      : set_(set), options_(options), shares_(shares_of(set, options)), ring_(options.ahead) {
    vision::use_one_thread_per_image();
    const int threads = options.threads > 0 ? options.threads : available_threads();
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      end();
      fail(ErrorCode::io, "cannot start {} threads: {}", threads, error.what());
    }
  }

  ~Workers() { end(); }

  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t batches() const { return detail::batch_count(shares_); }

  std::vector<std::size_t> order(std::uint64_t epoch) const {
    if (options_.shuffle) return detail::shuffled(set_.size(), options_.seed, epoch);
    std::vector<std::size_t> order(set_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return order;
  }

  void start(std::uint64_t epoch, std::size_t first_batch) {
    std::vector<std::size_t> order = this->order(epoch);
    std::unique_lock lock(mutex_);
    stop_epoch(lock);
    epoch_ = epoch;
    order_ = std::move(order);
    taken_ = begun_ = first_batch;
    next_image_ = 0;
    end_ = batches();
    work_to_do_.notify_all();
  }

  std::optional<Batch> next() {
    std::unique_lock lock(mutex_);
    if (taken_ >= end_) return std::nullopt;
    Slot& slot = ring_[taken_ % ring_.size()];
    batch_done_.wait(lock, [&] { return begun_ > taken_ && slot.to_do == 0; });
    if (slot.error) {
      const std::exception_ptr error = std::exchange(slot.error, nullptr);
      stop_epoch(lock);
      std::rethrow_exception(error);
    }
    gather_labels(slot);
    Batch batch = std::move(slot.batch);
    slot.batch = {};
    if (!spare_.empty()) {
      slot.batch.images = std::move(spare_.back());
      spare_.pop_back();
    }
    ++taken_;
    work_to_do_.notify_all();
    return batch;
  }

  void give_back(Batch&& batch) {
    const std::lock_guard lock(mutex_);
    if (spare_.size() < ring_.size()) spare_.push_back(std::move(batch.images));
  }

 private:
  /// An image to make.
  struct Task {
    Slot* slot;
    std::size_t image;  ///< Within the batch.
    std::size_t index;  ///< Within the set.
    std::uint64_t epoch;
  };

  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    work_to_do_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// Lets nobody begin anything, and waits for what was begun. The lock is held at both ends.
  void stop_epoch(std::unique_lock<std::mutex>& lock) {
    end_ = taken_ = begun_ = 0;
    next_image_ = 0;
    batch_done_.wait(lock, [&] { return busy_ == 0; });
    for (Slot& slot : ring_) {
      slot.to_do = 0;
      slot.error = nullptr;
    }
  }

  /// True if there is an image to begin with. A batch counts as begun once all its images are
  /// handed out.
  bool has_task() const { return begun_ < end_ && begun_ < taken_ + ring_.size(); }

  Task take_task() {
    const detail::Stretch stretch = detail::stretch_of(shares_, begun_);
    Slot& slot = ring_[begun_ % ring_.size()];
    if (next_image_ == 0) prepare(slot, stretch);
    const Task task{.slot = &slot,
                    .image = next_image_,
                    .index = slot.batch.count > 0 ? order_[stretch.first + next_image_] : 0,
                    .epoch = epoch_};
    if (++next_image_ >= slot.batch.count) {
      next_image_ = 0;
      ++begun_;
    }
    return task;
  }

  /// A batch that memory has no room for becomes one of no images with an error.
  void prepare(Slot& slot, const detail::Stretch& stretch) {
    slot.batch.count = stretch.count;
    slot.batch.epoch = epoch_;
    slot.batch.index = begun_;
    slot.batch.first = stretch.first;
    slot.batch.global_count = stretch.global_count;
    slot.error = nullptr;
    try {
      slot.batch.images.resize(stretch.count * sample_bytes());
      slot.labels.resize(stretch.count);
    } catch (...) {
      slot.batch.count = 0;
      slot.error = std::current_exception();
    }
    slot.to_do = slot.batch.count;
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_to_do_.wait(lock, [&] { return ending_ || has_task(); });
      if (ending_) return;
      const Task task = take_task();
      if (task.slot->batch.count > 0) {
        ++busy_;
        lock.unlock();
        std::exception_ptr error = make(task);
        lock.lock();
        --busy_;
        --task.slot->to_do;
        if (error && !task.slot->error) task.slot->error = std::move(error);
      }
      batch_done_.notify_all();
    }
  }

  /// Makes an image; returns what stopped it.
  std::exception_ptr make(const Task& task) const {
    try {
      const auto planes =
          std::span(task.slot->batch.images).subspan(task.image * sample_bytes(), sample_bytes());
      task.slot->labels[task.image] = set_.sample_into(planes, task.epoch, task.index);
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  std::size_t sample_bytes() const {
    const auto [width, height] = set_.options().size;
    return 3 * static_cast<std::size_t>(width) * height;
  }

  const TrainingSet& set_;
  const LoaderOptions options_;
  const detail::Shares shares_;

  std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::condition_variable batch_done_;
  std::vector<Slot> ring_;
  std::vector<std::vector<std::uint8_t>> spare_;
  std::vector<std::size_t> order_;
  std::uint64_t epoch_ = 0;
  std::size_t end_ = 0;         ///< Batches of the epoch; 0 before the first.
  std::size_t taken_ = 0;       ///< Batches that next() gave.
  std::size_t begun_ = 0;       ///< Batches all of whose images were handed out.
  std::size_t next_image_ = 0;  ///< Of batch begun_.
  std::size_t busy_ = 0;        ///< Threads that make an image.
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

Loader::Loader(const TrainingSet& set, const LoaderOptions& options) {
  check_loader(set, options);
  workers_ = std::make_unique<Workers>(set, options);
}

Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;

std::size_t Loader::batches() const { return workers_->batches(); }

std::vector<std::size_t> Loader::order(std::uint64_t epoch) const { return workers_->order(epoch); }

void Loader::start(std::uint64_t epoch, std::size_t first_batch) {
  if (first_batch > batches()) {
    fail(ErrorCode::bad_argument, "batch {} of an epoch of {}", first_batch, batches());
  }
  workers_->start(epoch, first_batch);
}

std::optional<Batch> Loader::next() { return workers_->next(); }

void Loader::give_back(Batch&& batch) { workers_->give_back(std::move(batch)); }

}  // namespace yoloq::dataset
