// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quantize/quantize.h"
#include "runtime/engine.h"
#include "runtime/tensorrt/build_log.h"
#include "vision/geometry.h"

/// @file
/// Plans of quantized models, looked into through the builder's log: what can be seen of TensorRT's
/// compiler on a machine without a GPU, with TensorRT-RTX as a stand-in.

namespace yoloq::test {

inline constexpr bool kStandIn = YOLOQ_TENSORRT_STAND_IN;
inline constexpr const char* kNoStandIn =
    "needs TensorRT-RTX, which builds without a GPU: configure with -DTENSORRT_RTX_ROOT=DIR";

inline constexpr vision::Size kSize{320, 320};

/// A checkpoint and images to calibrate on: "tiny" is made here, others are those of data_folder().
struct Source {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> images;
};

/// @param folder  where "tiny" is written to.
Source source_named(const std::string& model, const std::filesystem::path& folder);

/// Quantized from two images, weights rounded to nearest; of one batch and size.
struct Quantized {
  graph::Graph graph;
  int int8_layers = 0;  ///< That the plan asks for.
};
Quantized quantize(const Source& source, const quantize::Options& options);

/// A plan and its layers.
struct Built {
  std::shared_ptr<runtime::Engine> engine;
  std::vector<runtime::tensorrt::BuiltLayer> layers;

  /// Convolutions; those in int8.
  int convolutions() const;
  int int8() const;

  /// True if a layer reads, holds or writes values of a type in TensorRT's words.
  bool has_type(const std::string& type) const;

  /// The layer that computes a Conv of the graph.
  ///
  /// @throws std::out_of_range naming the Conv if there is none.
  const runtime::tensorrt::BuiltLayer& of(const std::string& conv) const;
};
Built build(const graph::Graph& graph, runtime::EngineOptions options = {});

/// The Sigmoids of a graph without a decoder that do not get the float result of a convolution
/// straight from its kernel: something stands between, in the file or in the plan. Each with what.
std::vector<std::string> parted_from_activation(const graph::Graph& graph, const Built& built);

}  // namespace yoloq::test
