# SPDX-License-Identifier: Apache-2.0
"""compare_simplified.py outputs|counts FOLDER SIMPLIFIED

For each FOLDER/<name>.onnx and SIMPLIFIED/<name>.onnx:

outputs  fails unless the second passes ONNX's checker and computes in ONNX Runtime what the first
         does, for static files at their size, for dynamic ones at two sizes and batches
counts   fails if the second has more nodes than onnxslim or onnxsim leave of the first; exits with
         status 77 where those are not installed
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5  # Of the largest value: sums of a convolution in another order.
DYNAMIC_SHAPES = [(1, 3, 64, 96), (2, 3, 128, 64)]


def shapes(model):
    dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    return [dims] if all(dims) else DYNAMIC_SHAPES


def run(model, images):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})


def compare_outputs(name, before, after):
    onnx.checker.check_model(after, full_check=True)
    names = [[o.name for o in m.graph.output] for m in (before, after)]
    assert names[0] == names[1], f"{name}: outputs {names[0]} became {names[1]}"
    random = np.random.default_rng(3)
    for shape in shapes(before):
        images = random.random(shape, dtype=np.float32)
        for old, new in zip(run(before, images), run(after, images), strict=True):
            bound = TOLERANCE * np.abs(old).max()
            np.testing.assert_allclose(new, old, rtol=0, atol=bound, err_msg=f"{name} at {shape}")


def compare_counts(name, before, after):
    import onnxsim
    import onnxslim

    copies = [onnx.ModelProto.FromString(before.SerializeToString()) for _ in range(2)]
    others = {"onnxslim": onnxslim.slim(copies[0]), "onnxsim": onnxsim.simplify(copies[1])[0]}
    own = len(after.graph.node)
    for tool, model in others.items():
        count = len(model.graph.node)
        assert own <= count, f"{name}: {own} nodes, {tool} leaves {count}"
    print(name, len(before.graph.node), own, {t: len(m.graph.node) for t, m in others.items()})


def main(mode, folder, simplified):
    if mode == "counts":
        try:
            import onnxsim  # noqa: F401
            import onnxslim  # noqa: F401
        except ImportError as error:
            print(error)
            sys.exit(77)
    paths = sorted(folder.glob("*.onnx"))
    assert len(paths) > 5, f"no models in {folder}"
    for path in paths:
        compare = compare_counts if mode == "counts" else compare_outputs
        compare(path.stem, onnx.load(path), onnx.load(simplified / path.name))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
