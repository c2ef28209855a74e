#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what a state_dict file holds, as JSON: class, then name, type, shape and values of each.

    read_state_dict.py FILE [--torch]

With zipfile, and pickle where only the four names are known that such a file needs; or with
PyTorch's torch.load(weights_only=True). Exit status 77: there is no PyTorch.
"""

import collections
import json
import pickle
import struct
import sys
import zipfile

import numpy as np

TYPES = {"FloatStorage": np.float32, "HalfStorage": np.float16, "LongStorage": np.int64}


def rebuild(storage, offset, sizes, strides, requires_grad, hooks):
    assert not requires_grad and hooks == collections.OrderedDict()
    width = storage.itemsize
    return np.lib.stride_tricks.as_strided(
        storage[offset:], sizes, [stride * width for stride in strides]).copy()


class Unpickler(pickle.Unpickler):
    def __init__(self, archive, folder):
        super().__init__(archive.open(f"{folder}/data.pkl"))
        self.archive, self.folder = archive, folder

    def find_class(self, module, name):
        if module == "torch" and name in TYPES:
            return TYPES[name]
        return {("collections", "OrderedDict"): collections.OrderedDict,
                ("torch._utils", "_rebuild_tensor_v2"): rebuild}[module, name]

    def persistent_load(self, pid):
        kind, dtype, key, device, count = pid
        assert (kind, device) == ("storage", "cpu")
        values = np.frombuffer(self.archive.read(f"{self.folder}/data/{key}"), dtype)
        assert values.size == count
        return values


def load(path):
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        assert archive.testzip() is None
        entries = archive.infolist()
        folder = entries[0].filename.split("/")[0]
        for entry in entries:
            assert entry.compress_type == zipfile.ZIP_STORED, entry
            file.seek(entry.header_offset)
            name_size, extra_size = struct.unpack("<26x2H", file.read(30))
            assert (entry.header_offset + 30 + name_size + extra_size) % 64 == 0, entry
        assert archive.read(f"{folder}/version") == b"3\n"
        assert archive.read(f"{folder}/byteorder") == b"little"
        return Unpickler(archive, folder).load()


def load_with_torch(path):
    try:
        import torch
    except ImportError as error:
        print(error)
        sys.exit(77)
    read = torch.load(path, weights_only=True)
    mapped = torch.load(path, weights_only=True, mmap=True)
    assert all(torch.equal(read[name], mapped[name]) for name in read)
    return type(read)((name, tensor.numpy()) for name, tensor in read.items())


state = load_with_torch(sys.argv[1]) if "--torch" in sys.argv else load(sys.argv[1])
print(json.dumps({
    "class": type(state).__name__,
    "tensors": [[name, str(value.dtype), list(value.shape), value.reshape(-1).tolist()]
                for name, value in state.items()]}))
