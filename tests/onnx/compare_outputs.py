# SPDX-License-Identifier: Apache-2.0
"""compare_outputs.py FOLDER OTHER OPSET: fails unless OTHER/<name>.onnx computes what FOLDER's does.

Those in OTHER must pass ONNX's checker and be of operator set OPSET or later. Equal to the last bit
unless there are float16 or a Softmax or a sum, whose kernels may add up in another order.
"""

import pathlib
import sys

import numpy as np
import onnx
from compare_models import outputs

SUMS = 1e-6  # Some float32 roundings.
HALVES = 1e-3  # A float16 rounding: the runtime leaves out casts around what it has in float32 only.


def tolerance(model):
    sums = ("Reduce", "Softmax", "LogSoftmax", "BatchNormalization", "Resize", "Upsample")
    operators = {node.op_type for node in model.graph.node}
    if "Cast" in operators:
        return HALVES
    return SUMS if any(op.startswith(sums) for op in operators) else 0.0


def main(folder, other, opset):
    paths = sorted(folder.glob("*.onnx"))
    assert len(paths) > 5, f"no models in {folder}"
    for before in paths:
        after = other / before.name
        onnx.checker.check_model(str(after), full_check=True)
        model = onnx.load(after)
        versions = {entry.domain: entry.version for entry in model.opset_import}
        assert versions[""] >= opset, f"{before.stem} has opset {versions['']}"
        for old, new in zip(outputs(before), outputs(after), strict=True):
            bound = tolerance(model)
            np.testing.assert_allclose(new, old, rtol=bound, atol=bound, err_msg=before.stem)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3]))
