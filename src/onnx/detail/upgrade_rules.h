// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

/// @file
/// How one node is said in the next version of its operator. Each function is one change of
/// upgrade.cpp's table and describes it as before -> after.

namespace yoloq::onnx::detail {

using graph::Graph;
using graph::NodeId;

/// Squeeze(x) axes=[..] -> Squeeze(x, axes). Unsqueeze and the reductions alike.
void move_axes(Graph& graph, NodeId id);

/// Split(x) split=[..] -> Split(x, split).
void move_split(Graph& graph, NodeId id);

/// Split(x) -> Split(x) num_outputs=n, which equal parts need from opset 18 on.
void count_split_outputs(Graph& graph, NodeId id);

/// Slice(x) starts=[..] ends=[..] axes=[..] -> Slice(x, starts, ends, axes).
void move_slice(Graph& graph, NodeId id);

/// TopK(x) k=n -> TopK(x, k).
void move_top_k(Graph& graph, NodeId id);

/// Clip(x) min=a max=b -> Clip(x, min, max); a bound that is absent stays so.
void move_clip_bounds(Graph& graph, NodeId id);

/// Pad(x) pads=[..] value=v -> Pad(x, pads, value).
void move_pads(Graph& graph, NodeId id);

/// Dropout(x) ratio=r -> Dropout(x, ratio). It passes x through either way.
void move_dropout_ratio(Graph& graph, NodeId id);

/// Upsample(x, scales) -> Resize(x, scales), of opset 10.
void rename_upsample(Graph& graph, NodeId id);

/// Resize(x, scales) -> Resize(x, , scales) coordinate_transformation_mode=asymmetric
/// nearest_mode=floor. Refuses to shrink by nearest neighbours, where runtimes differ.
void spell_out_resize(Graph& graph, NodeId id);

/// Refuses the mode tf_half_pixel_for_nn, which went.
void check_resize_mode(Graph& graph, NodeId id);

/// Scatter -> ScatterElements.
void rename_scatter(Graph& graph, NodeId id);

/// Softmax(x) axis=a, over all dimensions from a on together, becomes one of these; LogSoftmax and
/// Hardmax alike:
///
///     a is the last    Softmax(x) axis=-1
///     else             f = Flatten(x) axis=a; s = Softmax(f) axis=-1; Reshape(s, Shape(x))
void flatten_softmax(Graph& graph, NodeId id);

/// Refuses outputs that only training has: running statistics, the mask of Dropout.
void refuse_training_outputs(Graph& graph, NodeId id);

/// RoiAlign -> RoiAlign coordinate_transformation_mode=output_half_pixel, the earlier default.
void spell_out_roi_align(Graph& graph, NodeId id);

}  // namespace yoloq::onnx::detail
