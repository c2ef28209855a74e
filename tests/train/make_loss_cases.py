#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes loss_cases.json: what the original ComputeLoss gives for the cases below.

    pip download --no-deps yolov5==7.0.14 && unzip yolov5-*.whl -d original
    make_loss_cases.py original > loss_cases.json        (needs torch and numpy, no GPU)

Inputs come from a formula of integers that loss_test.cpp has too, so only results are stored: the
total, the three parts, and of every field of every head's gradient the sum of magnitudes, the sum
weighted by the same formula, and the two largest values with their places.
"""

import importlib
import json
import pathlib
import sys
import types
from unittest import mock

import numpy as np
import torch

ANCHORS = [
    [[10, 13], [16, 30], [33, 23]],
    [[30, 61], [62, 45], [59, 119]],
    [[116, 90], [156, 198], [373, 326]],
    [[436, 615], [739, 380], [925, 792]],
]
STRIDES = [8, 16, 32, 64]
HYP = {"box": 0.05, "cls": 0.5, "obj": 1.0, "cls_pw": 1.0, "obj_pw": 1.0, "fl_gamma": 0.0,
       "anchor_t": 4.0, "label_smoothing": 0.0}


def case(name, nc, labels, *, kind="spread", batch=2, size=(64, 96), levels=3, **hyp):
    """`labels` boxes of a kind: spread over the image, crowd (same few cells), edge (on borders)."""
    return {"name": name, "nc": nc, "labels": labels, "kind": kind, "batch": batch,
            "height": size[0], "width": size[1], "levels": levels, "hyp": HYP | hyp}


CASES = [
    case("one class", 1, 12),
    case("four classes", 4, 20),
    case("eighty classes", 80, 20),
    case("no labels", 4, 0),
    case("one label", 4, 1),
    case("labels of no anchor's size", 4, 6, kind="specks"),
    case("crowded cells", 4, 60, kind="crowd"),
    case("centres on borders of cells and images", 3, 40, kind="edge"),
    case("label smoothing", 4, 20, label_smoothing=0.1),
    case("weights of positives", 4, 20, cls_pw=0.7, obj_pw=1.6),
    case("focal loss", 4, 20, fl_gamma=1.5),
    case("all options", 7, 30, label_smoothing=0.05, cls_pw=1.3, obj_pw=0.9, fl_gamma=0.5,
         box=0.02, cls=0.21, obj=0.51, anchor_t=2.91),
    case("four levels", 3, 20, size=(64, 128), levels=4),
    case("two levels", 3, 20, levels=2),
    case("batch of eight", 4, 64, batch=8, size=(128, 96)),
]


def noise(count, salt):
    """0 to 1 in steps of 2^-24: exact in float32, the same in every language."""
    index = np.arange(count, dtype=np.uint64)
    word = (index * 2654435761 + np.uint64(salt) * 40503 + 12345) % 2**32
    word ^= word >> np.uint64(15)
    word = word * 2246822519 % 2**32
    word ^= word >> np.uint64(13)
    word = word * 3266489917 % 2**32
    return (word >> np.uint64(8)).astype(np.float64) / 2**24


def make_labels(c):
    """[M, 6], float32."""
    u = noise(c["labels"] * 6, 1).reshape(-1, 6)
    labels = np.empty((c["labels"], 6))
    labels[:, 0] = np.floor(u[:, 0] * c["batch"])
    labels[:, 1] = np.floor(u[:, 1] * c["nc"])
    labels[:, 2:4] = u[:, 2:4]
    labels[:, 4:6] = 0.05 + 0.75 * u[:, 4:6] ** 2
    if c["kind"] == "specks":
        labels[:, 4:6] = 0.002
    if c["kind"] == "crowd":
        labels[:, 2:4] = 0.4 + 0.125 * u[:, 2:4]
    if c["kind"] == "edge":
        labels[:, 2:4] = np.floor(u[:, 2:4] * 25) / 24
    return labels.astype(np.float32)


def make_head(c, level):
    """[N, 3 * (5 + nc), H, W], float32, -4 to 4."""
    shape = (c["batch"], 3 * (5 + c["nc"]), c["height"] // STRIDES[level],
             c["width"] // STRIDES[level])
    return ((noise(int(np.prod(shape)), 100 + level) - 0.5) * 8).astype(np.float32).reshape(shape)


def load_compute_loss(folder):
    """The class from an unpacked wheel, without the packages that only other parts of it need."""
    utils = pathlib.Path(folder) / "yolov5" / "utils"
    for name in ("matplotlib", "matplotlib.pyplot"):
        sys.modules[name] = mock.MagicMock()
    for name, path in (("yolov5", utils.parent), ("yolov5.utils", utils)):
        module = types.ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module
    sys.modules["yolov5.utils"].TryExcept = mock.MagicMock()
    sys.modules["yolov5.utils"].threaded = lambda function: function
    torch_utils = types.ModuleType("yolov5.utils.torch_utils")
    torch_utils.de_parallel = lambda model: model
    sys.modules["yolov5.utils.torch_utils"] = torch_utils
    return importlib.import_module("yolov5.utils.loss").ComputeLoss


class Model(torch.nn.Module):
    """As much of a model as ComputeLoss looks at."""

    def __init__(self, c):
        super().__init__()
        levels = c["levels"]
        detect = torch.nn.Module()
        detect.nl, detect.na, detect.nc = levels, 3, c["nc"]
        detect.stride = torch.tensor(STRIDES[:levels]).float()
        detect.anchors = torch.tensor(ANCHORS[:levels]).float() / detect.stride.view(-1, 1, 1)
        detect.register_parameter("weight", torch.nn.Parameter(torch.zeros(1)))
        self.model = torch.nn.ModuleList([detect])
        self.hyp = c["hyp"]


def gradient_facts(gradient):
    """Per field (x, y, w, h, objectness, all classes together) of [N, 3 * (5 + nc), H, W]: the sum of
    magnitudes, the weighted sum, then index and value of the two largest (in the field's own order).
    """
    images, channels, rows, columns = gradient.shape
    fields = gradient.reshape(images, 3, channels // 3, rows, columns).astype(np.float64)
    facts = []
    for part in [fields[:, :, i] for i in range(5)] + [fields[:, :, 5:]]:
        flat = part.reshape(-1)
        facts.append([float(np.abs(flat).sum()), float((flat * noise(flat.size, 9)).sum())])
        for i in np.argsort(-np.abs(flat), kind="stable")[:2]:
            facts[-1] += [int(i), float(flat[i])]
    return facts


def main() -> None:
    compute_loss = load_compute_loss(sys.argv[1])
    torch.set_num_threads(1)
    answers = []
    for c in CASES:
        heads = [torch.tensor(make_head(c, i), requires_grad=True) for i in range(c["levels"])]
        n = 5 + c["nc"]
        views = [h.view(h.shape[0], 3, n, *h.shape[2:]).permute(0, 1, 3, 4, 2).contiguous()
                 for h in heads]
        total, parts = compute_loss(Model(c))(views, torch.tensor(make_labels(c)))
        total.sum().backward()
        answers.append(c | {
            "total": total.item(), "parts": [float(x) for x in parts],
            "gradients": [gradient_facts(h.grad.numpy()) for h in heads]})
    lines = ",\n".join(json.dumps(a, separators=(",", ":")) for a in answers)
    print(f"[\n{lines}\n]")


if __name__ == "__main__":
    main()
