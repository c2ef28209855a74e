// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "runtime/engine.h"
#include "vision/letterbox.h"

/// @file
/// Images through an engine, with decoding, inference and what follows overlapped:
///
///     worker 0   decode, letterbox │ infer │ consume │ decode, letterbox │ infer │ ...
///     worker 1          decode, letterbox │ infer │ consume │ ...
///
/// Each worker owns one Request and takes the next batch when it is done with the last. There are
/// more workers than streams, so that some prepare or consume while others compute.

namespace yoloq::pipeline {

/// One image of a batch that has just been computed.
struct Item {
  std::size_t index = 0;  ///< Into the list of images.
  std::size_t slot = 0;   ///< Into the batch: outputs are [N, ...], this is n.
  vision::Placement placement;
};

struct StreamOptions {
  vision::Size size;        ///< Of the canvas.
  int batch = 1;            ///< Images per inference; the last batch may be smaller.
  bool fixed_batch = true;  ///< The engine takes exactly `batch` images: a short one is padded.
  int workers = 0;          ///< 0: two more than streams, at least one per processor.
  bool skip_bad = false;    ///< Leave out images that do not decode instead of ending the run.
  Progress progress;
};

/// Takes the items of one batch and the request that holds their outputs. Called by several threads
/// at once; what it keeps of the outputs it must copy.
using Consume = std::function<void(std::span<const Item>, runtime::Request&)>;

struct StreamReport {
  std::size_t images = 0;                    ///< Computed and consumed.
  std::vector<std::string> skipped;          ///< Messages, each naming an image; in list order.
  std::vector<std::size_t> skipped_indices;  ///< The same as places in the list.
  double seconds = 0;                        ///< From the first image to the last, engine ready.

  double images_per_second() const {
    return seconds > 0 ? static_cast<double>(images) / seconds : 0;
  }
};

/// Runs every image of the list through the engine's first input, as [N, 3, H, W] RGB in 0..1.
///
/// @throws the first Error of any worker, when all have stopped; Error(corrupt_file) with the path
///     of an image that does not decode, unless `skip_bad`.
StreamReport stream_images(runtime::Engine& engine, std::span<const std::filesystem::path> images,
                           const StreamOptions& options, const Consume& consume);

}  // namespace yoloq::pipeline
