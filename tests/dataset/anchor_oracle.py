#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Best possible recall and matching anchors per box, with numpy and by the definition.

    anchor_oracle.py BOXES ANCHORS ANCHOR_T      (text files of "width height" lines)
"""

import sys

import numpy as np

boxes = np.loadtxt(sys.argv[1], ndmin=2).astype(np.float32)
anchors = np.loadtxt(sys.argv[2], ndmin=2).astype(np.float32)
limit = float(sys.argv[3])

pair = np.stack(np.broadcast_arrays(boxes[:, None], anchors[None]))  # [2, boxes, anchors, sides]
factor = pair.max(0) / pair.min(0)
matches = (factor < limit).all(-1)
print(matches.any(1).mean(), matches.sum(1).mean())
