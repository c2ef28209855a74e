# SPDX-License-Identifier: Apache-2.0
"""Writes one value as Python's own pickler does, in protocols 2 to 5, with and without memo entries
that nothing reads.

    make_pickles.py FOLDER    writes FOLDER/protocol-N.pkl and FOLDER/optimized-N.pkl
"""
import collections
import pathlib
import pickle
import pickletools
import sys

import numpy

SHARED = ["shared"]


class Thing:
    def __init__(self):
        self.weight = 3


Thing.__module__ = "models.common"
for name in ("models", "models.common"):
    sys.modules[name] = type(sys)(name)
sys.modules["models.common"].Thing = Thing

VALUE = {
    "numbers": [0, 1, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**40, -(2**63), 2.5, -0.0],
    "huge": 2**80,
    "words": [None, True, False, "", "short", "é" * 300, "x" * 70000],
    "bytes": [b"", b"\x00\xff", b"b" * 300],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "set": {7},
    "frozen": frozenset([8]),
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "default": collections.defaultdict(list, {"k": [1]}),
    "shared": [SHARED, SHARED],
    "many": list(range(2500)),
    "thing": Thing(),
    "class": Thing,
    "scalar32": numpy.float32(1.5),
    "scalar64": numpy.int64(-5),
    "array": numpy.array([[1, 2, 3], [4, 5, 250]], dtype=numpy.float64),
    "bytearray": bytearray(b"\x01\x80"),
}

for protocol in range(2, 6):
    folder = pathlib.Path(sys.argv[1])
    data = pickle.dumps(VALUE, protocol)
    (folder / f"protocol-{protocol}.pkl").write_bytes(data)
    (folder / f"optimized-{protocol}.pkl").write_bytes(pickletools.optimize(data))
