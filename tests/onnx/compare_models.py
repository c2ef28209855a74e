# SPDX-License-Identifier: Apache-2.0
"""compare_models.py FOLDER OTHER: fails unless each FOLDER/<name>.onnx says what OTHER's says.

Same messages but for what files may choose: the order of named things, raw or typed elements,
external data, absent or empty text. The model in OTHER passes ONNX's checker, and both give the
same bytes in ONNX Runtime where that can run them.
"""

import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from google.protobuf.descriptor import FieldDescriptor
from onnx import TensorProto, numpy_helper

# What ONNX Runtime refuses: operators and types without kernels, attributes without a kind.
NOT_RUN = {"every_attribute", "every_type", "early_attributes", "sequences", "unsorted"}
NOT_INFERRED = NOT_RUN | {"sparse"}  # ONNX's shape inference does not look at sparse initializers.
UNSORTED = {"unsorted"}


def normalise_tensor(tensor):
    if tensor.data_type == TensorProto.STRING:
        return
    name, doc, dtype, dims = tensor.name, tensor.doc_string, tensor.data_type, list(tensor.dims)
    if not tensor.HasField("raw_data"):
        raw = numpy_helper.from_array(numpy_helper.to_array(tensor)).raw_data
        tensor.Clear()
        tensor.MergeFrom(TensorProto(name=name, doc_string=doc, data_type=dtype, dims=dims))
        tensor.raw_data = raw
    tensor.ClearField("data_location")


def normalise(message):
    if isinstance(message, TensorProto):
        normalise_tensor(message)
    if isinstance(message, onnx.AttributeProto) and message.type in (0, onnx.AttributeProto.INT):
        message.type = onnx.AttributeProto.INT
        message.i = message.i  # A zero is the same, written or not.
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for part in list_of(value):
                normalise(part)
        elif field.name == "domain" and value == "ai.onnx":
            message.domain = ""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING and value == "":
            message.ClearField(field.name)


def list_of(value):
    return value if hasattr(value, "__len__") else [value]


def by_name(entries, key):
    ordered = sorted(entries, key=key)
    del entries[:]
    entries.extend(ordered)


def normalised(path):
    model = onnx.load(path)
    normalise(model)
    by_name(model.opset_import, lambda entry: entry.domain)
    by_name(model.metadata_props, lambda entry: entry.key)
    by_name(model.graph.initializer, lambda entry: entry.name)
    by_name(model.graph.sparse_initializer, lambda entry: entry.values.name)
    by_name(model.graph.value_info, lambda entry: entry.name)
    for node in model.graph.node:
        by_name(node.attribute, lambda entry: entry.name)
    return model


def random_input(port, generator):
    sides = {"height": 64, "width": 96}  # Of images; any other free size is 2.
    shape = [dim if isinstance(dim, int) else sides.get(dim, 2) for dim in port.shape]
    if port.type == "tensor(bool)":
        return np.ones(shape, bool)
    return generator.standard_normal(shape).astype(np.float32)


def outputs(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(3)
    feed = {port.name: random_input(port, generator) for port in session.get_inputs()}
    return session.run(None, feed)


def check(before, after):
    onnx.checker.check_model(str(after), full_check=before.stem not in NOT_INFERRED)
    if before.stem not in UNSORTED:
        old, new = normalised(before), normalised(after)
        assert old.SerializeToString(deterministic=True) == new.SerializeToString(
            deterministic=True), f"{before.stem} differs:\n{old}\n{new}"
    if before.stem in NOT_RUN:
        return
    for old, new in zip(outputs(before), outputs(after), strict=True):
        np.testing.assert_array_equal(old, new, err_msg=before.stem)


def main(folder, other):
    models = sorted(folder.glob("*.onnx"))
    assert len(models) > 5, f"no models in {folder}"
    for path in models:
        check(path, other / path.name)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
