// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph/graph.h"

namespace yoloq::transform {

/// Moves a Pad by zeros in front of a Conv into the Conv.
///
///     before   y = Pad(x, pads)  pads = [0,0,1,2, 0,0,3,4]     after   z = Conv(x, W)
///     pads=[1,2,3,4]
///              z = Conv(y, W)
///
/// Leaves alone: other modes, values and axes than zeros around the image; pads that cut off; a
/// Conv with auto_pad. The Pad stays until eliminate_dead, or for good if others read it. A second
/// run finds nothing to do.
///
/// @returns how many Convs took in a Pad.
int fuse_pad(graph::Graph& graph);

}  // namespace yoloq::transform
