// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataset/training_set.h"

namespace yoloq::dataset {

/// A box of one of a batch's images.
struct BatchLabel {
  std::size_t image = 0;  ///< Within the batch.
  TrainingLabel label = {};

  friend bool operator==(const BatchLabel&, const BatchLabel&) = default;
};

struct Batch {
  std::vector<std::uint8_t> images = {};  ///< [count, 3, height, width].
  std::size_t count = 0;                  ///< Images; 0 where the last batch has too few for all
                                          ///< ranks: such a rank only joins the exchange.
  std::vector<BatchLabel> labels = {};    ///< By image.
  std::uint64_t epoch = 0;
  std::size_t index = 0;         ///< Of the batch within the epoch.
  std::size_t first = 0;         ///< Place of its first image in the epoch's order().
  std::size_t global_count = 0;  ///< Images of all ranks' batches of this index.
};

struct LoaderOptions {
  std::size_t batch_size = 16;  ///< Per rank.
  int threads = 0;              ///< That make samples; 0: available_threads().
  bool shuffle = true;          ///< Another order each epoch; false: that of the list.
  std::uint64_t seed = 0;       ///< Of the order.
  std::size_t rank = 0;         ///< Which of `ranks` processes that train together this is.
  std::size_t ranks = 1;
  bool drop_last = false;  ///< Leave out the images that do not fill a batch of all ranks.
  std::size_t ahead = 3;   ///< Batches made before they are asked for.
};

/// Makes the batches of an epoch on its own threads, in order, some ahead of who takes them.
///
///     Loader loader(set, {.batch_size = 16});
///     for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
///       loader.start(epoch);
///       while (auto batch = loader.next()) {
///         train(*batch);
///         loader.give_back(std::move(*batch));
///       }
///     }
///
/// What a batch holds depends on seeds, epoch and index alone. With several ranks, the images of
/// each batch of batch_size * ranks are cut into contiguous parts, one per rank: together they see
/// what one rank with the larger batch sees.
///
/// One thread calls start(), next() and give_back(). The object may end at any moment.
class Loader {
 public:
  /// @param set  must outlive the loader.
  /// @throws Error(bad_argument) for a batch of no images, a rank that is not below `ranks`, no
  /// batch ahead, or fewer images than drop_last leaves a batch of.
  Loader(const TrainingSet& set, const LoaderOptions& options);
  ~Loader();
  Loader(Loader&&) noexcept;
  Loader& operator=(Loader&&) = delete;

  /// Batches per epoch, the same for all ranks.
  std::size_t batches() const;

  /// Images of the set in the order of an epoch, before ranks share them.
  std::vector<std::size_t> order(std::uint64_t epoch) const;

  /// Starts an epoch at a batch, whatever was going on before.
  ///
  /// @throws Error(bad_argument) if first_batch is above batches().
  void start(std::uint64_t epoch, std::size_t first_batch = 0);

  /// Waits for the next batch; none at the end of the epoch or before any start().
  ///
  /// @throws what making one of its images threw, or std::bad_alloc or std::length_error where
  /// memory has no room for the batch; the epoch is then over.
  std::optional<Batch> next();

  /// Lets the memory of a batch be used for another; without it each batch has memory of its own.
  void give_back(Batch&& batch);

 private:
  class Workers;
  std::unique_ptr<Workers> workers_;
};

}  // namespace yoloq::dataset
