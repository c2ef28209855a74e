// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Rewrites Focus, the stem of YOLOv5 up to v5.0, as one convolution that computes the same sums.
///
///     before   four times  q = x[..., dy::2, dx::2]    dy, dx in {0, 1}, by one Slice or two
///              y = Concat(q0, q1, q2, q3) axis=1
///              z = Conv(y, W, b) strides=[s,s] pads=[p,p,p,p]
///     after    z = Conv(x, W', b) strides=[2s,2s] pads=[2p,2p,2p,2p]
///
///     W' [o, c, 2 ky + dy, 2 kx + dx] = W [o, q C + c, ky, kx]       [O, C, 2 kH, 2 kW]
///
/// For the usual 3x3 Conv that is a 6x6 one with stride 2, as v6.0 has from the start. The height
/// and width of x have to be even, which the Concat asks for anyway.
///
/// Leaves alone: other slices, a Concat or Conv that others read too, groups and dilations. The
/// slices stay until eliminate_dead. A second run finds nothing to do.
///
/// @returns how many stems were rewritten.
int focus_to_conv(graph::Graph& graph);

}  // namespace yoloq::transform
