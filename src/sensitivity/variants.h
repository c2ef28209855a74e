// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "detect/decode.h"
#include "graph/graph.h"
#include "pipeline/image_stream.h"
#include "runtime/engine.h"
#include "sensitivity/difference.h"

/// @file
/// Many graphs that differ from one in a layer each, over the same images. What they share is
/// computed once per image:
///
///     image ─▶ base engine ─┬─ values at the cuts ─▶ difference 0 ─▶ outputs of variant 0
///                           │                    └─▶ difference 1 ─▶ outputs of variant 1 ...
///                           └─ outputs that a variant does not change

namespace yoloq::sensitivity {

/// One variant's outputs for one image, in the order of the graph's.
struct VariantOutputs {
  const pipeline::Item& item;
  std::size_t variant = 0;
  std::span<const detect::HeadOutput> base;     ///< Empty views where they are not needed.
  std::span<const detect::HeadOutput> outputs;  ///< Valid during the call.
};

/// Called by several threads at once, for one image by one.
using Visit = std::function<void(const VariantOutputs&)>;

struct VariantOptions {
  std::string backend = "openvino";  ///< Runtime that computes; see runtime/engine.h.
  int threads = 0;                   ///< 0: all that the process may use.
  bool base_outputs = false;         ///< Compute all outputs of the base, to be compared with.
};

/// A compiled base and its variants.
class Variants {
 public:
  /// @param base  float, of known types, one image per inference.
  Variants(const graph::Graph& base, std::span<const graph::Graph> variants,
           const VariantOptions& options);

  /// Runs the base and all variants over the images.
  ///
  /// @throws as pipeline::stream_images().
  pipeline::StreamReport run(std::span<const std::filesystem::path> images, vision::Size size,
                             const Progress& progress, const Visit& visit) const;

 private:
  struct Variant {
    Difference difference;
    std::vector<std::size_t> sources;  ///< Output of the base engine for each input, or kImage.
    std::shared_ptr<runtime::Engine> engine;
  };
  using Requests = std::vector<std::unique_ptr<runtime::Request>>;

  void visit_image(const pipeline::Item& item, runtime::Request& request, Requests& requests,
                   const Visit& visit) const;
  void run_variant(std::size_t index, runtime::Request& base, runtime::Request& own) const;

  std::size_t outputs_ = 0;        ///< Of the graph.
  std::vector<std::size_t> kept_;  ///< Which of them the base engine computes.
  std::vector<Variant> variants_;
  std::shared_ptr<runtime::Engine> base_;
};

}  // namespace yoloq::sensitivity
