# SPDX-License-Identifier: Apache-2.0
"""How fast is a float training step of yoloq beside plain PyTorch's in Python?

    python bench/compare/torch_training_step.py BENCH MODEL.pt PLAN.yaml [BATCH SIDE ROUNDS]

BENCH is the program bench_training_step. Both run in turn, each in a process of its own; a round is the
median of its steps. PyTorch trains a YOLOv5n of its own here, with folded normalization as yoloq's: forward,
backward, SGD with Nesterov momentum, in channels last. Its loss is a mean over the heads' numbers, which costs less than
YOLOv5's. Needs a torch that can be imported; prints JSON.
"""
import json
import statistics
import subprocess
import sys
import time

WARM, STEPS = 3, 16


def own_steps(batch, side):
    """Images per second of plain PyTorch, the median of STEPS."""
    import torch
    from torch import nn

    class Conv(nn.Module):
        def __init__(self, inputs, outputs, kernel=1, stride=1, padding=None):
            super().__init__()
            padding = kernel // 2 if padding is None else padding
            self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
            self.act = nn.SiLU(inplace=True)

        def forward(self, x):
            return self.act(self.conv(x))

    class Bottleneck(nn.Module):
        def __init__(self, width, shortcut):
            super().__init__()
            self.cv1, self.cv2 = Conv(width, width), Conv(width, width, 3)
            self.shortcut = shortcut

        def forward(self, x):
            y = self.cv2(self.cv1(x))
            return x + y if self.shortcut else y

    class C3(nn.Module):
        def __init__(self, inputs, outputs, count=1, shortcut=True):
            super().__init__()
            half = outputs // 2
            self.cv1, self.cv2, self.cv3 = Conv(inputs, half), Conv(inputs, half), Conv(outputs, outputs)
            self.m = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(count)))

        def forward(self, x):
            return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))

    class Pools(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.cv1, self.cv2 = Conv(width, width // 2), Conv(2 * width, width)
            self.pool = nn.MaxPool2d(5, 1, 2)

        def forward(self, x):
            x = self.cv1(x)
            y = self.pool(x)
            z = self.pool(y)
            return self.cv2(torch.cat((x, y, z, self.pool(z)), 1))

    class YoloV5n(nn.Module):
        def __init__(self, classes=80):
            super().__init__()
            self.stem = nn.Sequential(Conv(3, 16, 6, 2, 2), Conv(16, 32, 3, 2), C3(32, 32), Conv(32, 64, 3, 2), C3(64, 64, 2))
            self.middle = nn.Sequential(Conv(64, 128, 3, 2), C3(128, 128, 3))
            self.top = nn.Sequential(Conv(128, 256, 3, 2), C3(256, 256), Pools(256), Conv(256, 128))
            self.up = nn.Upsample(None, 2, "nearest")
            self.c13, self.cv14 = C3(256, 128, 1, False), Conv(128, 64)
            self.c17, self.cv18 = C3(128, 64, 1, False), Conv(64, 64, 3, 2)
            self.c20, self.cv21 = C3(128, 128, 1, False), Conv(128, 128, 3, 2)
            self.c23 = C3(256, 256, 1, False)
            self.heads = nn.ModuleList(nn.Conv2d(width, 3 * (5 + classes), 1) for width in (64, 128, 256))

        def forward(self, x):
            p3 = self.stem(x)
            p4 = self.middle(p3)
            x10 = self.top(p4)
            x14 = self.cv14(self.c13(torch.cat((self.up(x10), p4), 1)))
            x17 = self.c17(torch.cat((self.up(x14), p3), 1))
            x20 = self.c20(torch.cat((self.cv18(x17), x14), 1))
            x23 = self.c23(torch.cat((self.cv21(x20), x10), 1))
            return [head(x) for head, x in zip(self.heads, (x17, x20, x23))]

    torch.manual_seed(0)
    model = YoloV5n().to(memory_format=torch.channels_last)
    count = sum(p.numel() for p in model.parameters())
    assert 1_850_000 < count < 1_900_000, count  # YOLOv5n has 1.87 million.
    optimizer = torch.optim.SGD(model.parameters(), 1e-6, momentum=0.9, nesterov=True)
    images = torch.rand(batch, 3, side, side).to(memory_format=torch.channels_last)
    speeds = []
    for step in range(WARM + STEPS):
        start = time.perf_counter()
        loss = sum(nn.functional.binary_cross_entropy_with_logits(head, torch.zeros_like(head)) for head in model(images))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step >= WARM:
            speeds.append(batch / (time.perf_counter() - start))
    return statistics.median(speeds)


def main():
    if sys.argv[1] == "own":
        print(own_steps(int(sys.argv[2]), int(sys.argv[3])))
        return
    bench, model, plan = sys.argv[1:4]
    batch, side, rounds = (int(x) for x in (sys.argv[4:7] or (8, 320, 3)))
    python, ways = [], {}
    for _ in range(rounds):
        own = subprocess.run([sys.executable, __file__, "own", str(batch), str(side)], check=True, capture_output=True, text=True)
        python.append(float(own.stdout))
        ours = subprocess.run([bench, model, plan, "cpu", str(batch), str(side)], check=True, capture_output=True, text=True)
        for way in json.loads(ours.stdout)["ways"]:
            ways.setdefault(way["name"], []).append(way["images_per_second"])
    result = {"batch_size": batch, "side": side, "rounds": rounds, "python_images_per_second": python}
    for name, speeds in ways.items():
        result[name] = {"images_per_second": speeds,
                        "against_python": statistics.median(a / b for a, b in zip(speeds, python)),
                        "against_float": statistics.median(a / b for a, b in zip(speeds, ways["float"]))}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
