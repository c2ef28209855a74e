# SPDX-License-Identifier: Apache-2.0
"""Writes ONNX models that use what foreign files use: make_models.py FOLDER.

FOLDER/<name>.onnx are sound; FOLDER/broken/<name>.onnx are not, and broken/expected.json says
which words the error must hold.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32 = TensorProto.FLOAT
RANDOM = np.random.default_rng(7)


def info(name, shape, dtype=F32):
    return helper.make_tensor_value_info(name, dtype, shape)


def constant(name, shape):
    return numpy_helper.from_array(RANDOM.standard_normal(shape).astype(np.float32), name)


def model(nodes, inputs, outputs, initializers=(), opset=13, ir=8, **graph_fields):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers), **graph_fields)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("acme", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir, producer_name="foreign")


def relu(read="x", write="y", **fields):
    return helper.make_node("Relu", [read], [write], **fields)


def unary_model(**fields):
    return model([relu()], [info("x", [1, 4])], [info("y", [1, 4])], **fields)


def with_unknown_field(message):
    """The same message with a field 1234 that no ONNX has."""
    later = bytes([0x92, 0x4D, 0x05]) + b"later"
    return type(message).FromString(message.SerializeToString() + later)


def conv():
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "model.0.conv", pads=[1] * 4),
        helper.make_node("Clip", ["c", "", "six"], ["y"], "clip", doc_string="no lower bound"),
    ]
    six = numpy_helper.from_array(np.float32(6.0), "six")
    made = model(
        nodes,
        [info("x", ["batch", 3, "height", 8])],
        [info("y", ["batch", 4, "height", 8])],
        [constant("w", (4, 3, 3, 3)), constant("b", (4,)), six],
        value_info=[info("c", ["batch", 4, None, 8])],
    )
    helper.set_model_props(made, {"names": "{0: 'person'}", "stride": "32"})
    made.producer_version = "1.0"
    made.doc_string = "two\nlines"
    made.model_version = 5
    made.domain = "org.example"
    return made


def every_attribute():
    subgraph = helper.make_graph([relu("x", "inner")], "body", [], [info("inner", [2])])
    sequence = helper.make_sequence_type_proto(helper.make_tensor_type_proto(F32, [2]))
    values = {
        "an_int": -5, "a_float": 0.1, "a_text": "text", "zero": 0, "nothing": "",
        "infinite": float("-inf"), "bytes": b"\x00\xff\xfe",
        "ints": [1, -(2**62)], "floats": [0.5, 1e-30], "texts": ["a", "", "b"],
        "a_tensor": numpy_helper.from_array(np.arange(6).reshape(2, 3), "its name"),
        "tensors": [constant("p", (2,)), constant("q", ())],
        "a_graph": subgraph, "graphs": [subgraph, subgraph],
        "sparse": helper.make_sparse_tensor(
            constant("", (2,)), numpy_helper.from_array(np.array([1, 4])), [6]),
        "a_type": sequence, "types": [sequence, sequence],
        "strings_tensor": helper.make_tensor("", TensorProto.STRING, [2], ["u", "v"]),
    }
    node = helper.make_node("Everything", ["x", "", "x"], ["y", "", "z"], "all", domain="acme")
    for name, value in values.items():
        node.attribute.append(helper.make_attribute(name, value, doc_string=f"about {name}"))
    for kind in ("INTS", "FLOATS", "STRINGS"):
        empty = onnx.AttributeProto(name=f"empty_{kind}", type=kind)
        node.attribute.append(empty)
    node.attribute.append(with_unknown_field(helper.make_attribute("later", 3)))
    node.metadata_props.add(key="origin", value="layer 3")
    node.overload = "second"
    node = with_unknown_field(node)
    return model([node], [info("x", [2])], [info("y", [2]), info("z", [2])], ir=10)


def every_type():
    """Typed and raw elements of each type, with shapes [], [0], [2, 3]."""
    tensors = []
    for dtype in sorted(TensorProto.DataType.values()):
        if dtype in (TensorProto.UNDEFINED, TensorProto.STRING) or dtype > 24:
            continue
        kind = helper.tensor_dtype_to_np_dtype(dtype)
        for shape in ((), (0,), (2, 3)):
            values = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape) % 2
            raw = numpy_helper.from_array(values.astype(kind), f"raw{dtype}_{len(shape)}{shape}")
            raw.data_type = dtype
            raw.doc_string = "kept" if shape else ""
            tensors.append(raw)
            if dtype not in (23, 24):
                name = f"typed{dtype}_{shape}"
                tensors.append(helper.make_tensor(name, dtype, shape, values.astype(kind).ravel()))
    tensors.append(helper.make_tensor("words", TensorProto.STRING, [2, 1], ["one", ""]))
    nan = np.array([np.nan, -0.0, np.inf, 1e-45], np.float32)
    tensors.append(numpy_helper.from_array(nan, "special"))
    return unary_model(initializers=tensors, ir=11, opset=19)


def sparse():
    weight = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([2.0, 3.0], np.float32), "w"),
        numpy_helper.from_array(np.array([0, 5])), [2, 3])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Constant", [], ["k"], sparse_value=weight),
        helper.make_node("Add", ["m", "k"], ["y"]),
    ]
    made = model(nodes, [info("x", [2, 2])], [info("y", [2, 3])])
    made.graph.sparse_initializer.append(weight)
    return made


def subgraphs():
    """An If in a Loop in an If; the innermost reads values of every level."""
    inner = helper.make_graph(
        [helper.make_node("Mul", ["state", "outer"], ["scaled"])], "inner", [],
        [info("scaled", [2])])
    other = helper.make_graph(
        [helper.make_node("Sub", ["state", "w"], ["less"])], "other", [], [info("less", [2])])
    body = helper.make_graph(
        [
            helper.make_node("If", ["keep"], ["next"], then_branch=inner, else_branch=other),
            helper.make_node("Identity", ["keep"], ["still"]),
        ],
        "body",
        [info("i", [], TensorProto.INT64), info("keep", [], TensorProto.BOOL), info("state", [2])],
        [info("still", [], TensorProto.BOOL), info("next", [2])],
    )
    loop = helper.make_graph(
        [helper.make_node("Loop", ["count", "", "local"], ["looped"], body=body)], "then", [],
        [info("looped", [2])], [constant("local", (2,))])
    plain = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["same"])], "else", [], [info("same", [2])])
    nodes = [
        helper.make_node("Abs", ["x"], ["outer"]),
        helper.make_node("If", ["flag"], ["y"], "choose", then_branch=loop, else_branch=plain),
    ]
    count = numpy_helper.from_array(np.array(3), "count")
    return model(nodes, [info("x", [2]), info("flag", [], TensorProto.BOOL)], [info("y", [2])],
                 [count, constant("w", (2,))])


def functions():
    body = [helper.make_node("Sigmoid", ["v"], ["s"]), helper.make_node("Mul", ["v", "s"], ["o"])]
    silu = helper.make_function("acme", "SiLU", ["v"], ["o"], body, [helper.make_opsetid("", 13)])
    made = model([helper.make_node("SiLU", ["x"], ["y"], domain="acme")],
                 [info("x", [1, 4])], [info("y", [1, 4])])
    made.functions.append(silu)
    return made


def annotations():
    made = unary_model(doc_string="a graph", ir=10)
    made.graph.quantization_annotation.add(tensor_name="x").quant_parameter_tensor_names.add(
        key="SCALE_TENSOR", value="x_scale")
    made.graph.metadata_props.add(key="scope", value="all")
    made.graph.input[0].doc_string = "the image"
    made.graph.input[0].type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    made.graph.output[0].type.denotation = "TENSOR"
    made.graph.value_info.append(info("stale", [1]))
    made.graph.value_info[0].doc_string = "of no node"
    made.graph.CopyFrom(with_unknown_field(made.graph))
    made.training_info.add().initialization_binding.add(key="x", value="y")
    return with_unknown_field(made)


def initializers_as_inputs():
    weight = constant("w", (4, 4))
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])],
                 [info("x", [1, 4]), info("w", [4, 4])], [info("y", [1, 4])], [weight],
                 opset=8, ir=3)


def sequences():
    element = helper.make_tensor_type_proto(F32, [2])
    listed = helper.make_sequence_type_proto(element)
    optional = helper.make_optional_type_proto(listed)
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "x"], ["s"]),
        helper.make_node("Optional", ["s"], ["y"]),
    ]
    return model(nodes, [info("x", [2])], [helper.make_value_info("y", optional)], opset=15,
                 value_info=[helper.make_value_info("s", listed)])


def spelled_out_domain():
    made = model([relu(domain="ai.onnx")], [info("x", [2])], [info("y", [2])])
    made.opset_import[0].domain = "ai.onnx"
    return made


def early_attributes():
    """Attributes without a kind, and fields that a proto3 writer leaves out when they are zero."""
    node = helper.make_node("Concat", ["x", "x"], ["y"], axis=1)
    node.attribute[0].ClearField("type")
    softmax = helper.make_node("Softmax", ["x"], ["z"], axis=0)
    softmax.attribute[0].ClearField("i")
    return model([node, softmax], [info("x", [2, 2])], [info("y", [2, 4]), info("z", [2, 2])])


def save_external(folder):
    inner = helper.make_graph([helper.make_node("Add", ["x", "k"], ["a"])], "then", [],
                              [info("a", [8])], [constant("k", (8,))])
    nodes = [
        helper.make_node("Constant", [], ["c"], value=constant("c", (8,))),
        helper.make_node("If", ["flag"], ["chosen"], then_branch=inner, else_branch=inner),
        helper.make_node("Sum", ["x", "w", "c", "chosen"], ["y"]),
    ]
    made = model(nodes, [info("x", [8]), info("flag", [], TensorProto.BOOL)], [info("y", [8])],
                 [constant("w", (8,))])
    data = (folder / "weights.bin").open("wb")
    tensors = [made.graph.initializer[0], made.graph.node[0].attribute[0].t]
    tensors += [a.g.initializer[0] for a in made.graph.node[1].attribute]
    for tensor in tensors:
        data.write(b"\0" * 3)
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": "weights.bin", "offset": data.tell(), "length": 32}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
        data.write(tensor.raw_data)
        tensor.ClearField("raw_data")
    data.close()
    (folder / "external.onnx").write_bytes(made.SerializeToString())


SOUND = [conv, every_attribute, every_type, sparse, subgraphs, functions, annotations,
         initializers_as_inputs, sequences, spelled_out_domain, early_attributes]


def edited(change, make=unary_model):
    made = make()
    change(made.graph)
    return made.SerializeToString()


def external(**entries):
    made = unary_model(initializers=[constant("w", (4,))])
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return made.SerializeToString()


def nested(depth):
    """Subgraphs in subgraphs, deeper than Python's own protobuf writes them."""
    def field(number, content):
        length = len(content)
        size = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])
        return bytes([number << 3 | 2]) + size + content

    graph = relu_graph().SerializeToString()
    for _ in range(depth):  # GraphProto.node, NodeProto.attribute, AttributeProto.g
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def relu_graph():
    return helper.make_graph([relu("x", "v")], "leaf", [], [info("v", [1])])


def tensor_with(**fields):
    tensor = TensorProto(name="w", data_type=F32, dims=[2])
    for key, value in fields.items():
        field = getattr(tensor, key)
        if hasattr(field, "extend"):
            del field[:]
            field.extend(value)
        else:
            setattr(tensor, key, value)
    return lambda graph: graph.initializer.append(tensor)


def broken():
    """Name, bytes, and the words that the error must hold."""
    sound = conv().SerializeToString()
    loop = [relu("b", "a", name="first"), relu("a", "b", name="second")]
    huge = tensor_with(dims=[1 << 40, 1 << 40], raw_data=b"1234")
    yield "empty", b"", ["no graph"]
    yield "truncated", sound[: len(sound) // 2], ["truncated"]
    yield "text", b"this is not a model, at all", ["not an ONNX model"]
    yield "nested", nested(60), ["nested deeper"]
    yield "huge_dims", edited(huge), ["initializer 'w'", "1099511627776"]
    yield "little_data", edited(tensor_with(dims=[1 << 40], raw_data=b"1234")), ["'w'", "4"]
    yield "negative_dims", edited(tensor_with(dims=[-2], raw_data=b"1234")), ["'w'", "[-2]"]
    yield "no_type", edited(tensor_with(data_type=0, raw_data=bytes(8))), ["'w'", "element type"]
    yield "no_data", edited(tensor_with()), ["'w'", "needs 8 bytes"]
    yield "wrong_field", edited(tensor_with(int32_data=[1, 2])), ["'w'", "another type"]
    yield "wide_element", edited(tensor_with(data_type=2, int32_data=[1, 256])), ["'w'", "256"]
    yield "odd_bool", edited(tensor_with(data_type=9, raw_data=b"\x01\x07")), ["'w'", "bool"]
    yield "few_strings", edited(tensor_with(data_type=8, string_data=[b"a"])), ["'w'", "1 strings"]
    yield "segment", edited(lambda g: g.initializer.add(name="w", data_type=1).segment.SetInParent()
                            ), ["'w'", "segments"]
    yield "dangling", edited(lambda g: g.node.append(relu("nowhere", "z", name="lost"))), [
        "Relu 'lost'", "'nowhere'"]
    yield "cycle", edited(lambda g: g.node.extend(loop)), ["Relu 'first', Relu 'second'"]
    yield "computed_twice", edited(lambda g: g.node.append(relu(name="again"))), [
        "Relu 'again'", "'y'"]
    yield "computed_input", edited(lambda g: g.node.append(relu("y", "x"))), ["Relu 'x'", "input"]
    yield "constant_twice", edited(
        lambda g: g.initializer.extend([constant("w", (1,))] * 2)), ["'w'", "twice"]
    yield "input_twice", edited(lambda g: g.input.append(info("x", [1]))), ["input 'x'", "twice"]
    yield "two_types", edited(
        lambda g: g.value_info.extend([info("v", [1]), info("v", [2])])), ["'v'", "two types"]
    yield "no_output", edited(lambda g: g.output.append(info("z", [1]))), ["output 'z'"]
    yield "nameless_input", edited(lambda g: g.input.append(info("", [1]))), ["no name"]
    yield "nameless_constant", edited(lambda g: g.initializer.append(constant("", (1,)))), [
        "no name"]
    yield "control_character", edited(lambda g: g.node.append(relu("x", "a\tb"))), ["a?b", "UTF-8"]
    yield "no_operator", edited(lambda g: g.node.add(input=["x"], output=["z"])), ["no operator"]
    yield "outputless_node", edited(lambda g: g.node.add(op_type="Print", name="p")), [
        "Print 'p'", "no output"]
    yield "attribute_twice", edited(lambda g: g.node[0].attribute.extend(
        [helper.make_attribute("a", 1)] * 2)), ["Relu 'y'", "attribute 'a'", "twice"]
    yield "reserved_attribute", edited(lambda g: g.node[0].attribute.append(
        helper.make_attribute("onnx:node", 1))), ["Relu 'y'", "'onnx:node'"]
    yield "dangling_subgraph", edited(lambda g: g.node.append(helper.make_node(
        "If", ["x"], ["v"], "branch", then_branch=relu_graph(), else_branch=helper.make_graph(
            [relu("gone", "v")], "e", [], [info("v", [1])])))), ["If 'branch'", "'gone'"]
    yield "external_escape", external(location="../secret.bin"), ["'w'", "outside"]
    yield "external_absolute", external(location="/etc/passwd"), ["'w'", "outside"]
    yield "external_link", external(location="link.bin"), ["'w'", "outside"]
    yield "external_missing", external(location="none.bin"), ["'w'", "none.bin", "missing"]
    yield "external_folder", external(location="."), ["'w'", "not a file"]
    yield "external_short", external(location="four.bin", length="16"), ["'w'", "four.bin"]
    yield "external_offset", external(location="four.bin", offset="99"), ["'w'", "99"]
    yield "external_number", external(location="four.bin", offset="-1"), ["'w'", "-1"]
    yield "external_nowhere", external(), ["'w'", "no location"]
    yield "external_wrong_size", external(location="four.bin"), ["'w'", "needs 16 bytes"]


def main(folder):
    (folder / "broken").mkdir(parents=True)
    for make in SOUND:
        (folder / f"{make.__name__}.onnx").write_bytes(make().SerializeToString())
    save_external(folder)
    # Nodes may stand in any order in a damaged file; what is read from it is in order.
    unsorted = model([relu("a", "y"), relu("x", "a")], [info("x", [2])], [info("y", [2])])
    (folder / "unsorted.onnx").write_bytes(unsorted.SerializeToString())

    (folder / "broken/four.bin").write_bytes(b"1234")
    (folder / "secret.bin").write_bytes(b"0123456789abcdef")
    (folder / "broken/link.bin").symlink_to(folder / "secret.bin")
    expected = {}
    for name, content, words in broken():
        (folder / f"broken/{name}.onnx").write_bytes(content)
        expected[name] = words
    (folder / "broken/expected.json").write_text(json.dumps(expected))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
