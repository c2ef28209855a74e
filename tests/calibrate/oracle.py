# SPDX-License-Identifier: Apache-2.0
"""Calibration by the definitions, from all values, in float64: the oracle of the calibrator tests.

oracle.py QUESTION values.f32 ...   prints numbers, one a line
"""

import sys

import numpy as np


def min_max(x):
    return [np.abs(x).max(), min(x.min(), 0.0), max(x.max(), 0.0)]


def percentiles(x, *several):
    return [value for p in several for value in percentile(x, float(p))]


def percentile(x, p):
    """Two-sided cuts hold on to zero, as a range must."""
    tail = (100.0 - p) / 2.0
    a = np.percentile(np.abs(x), p, method="inverted_cdf")
    low = -np.percentile(-x, 100.0 - tail, method="inverted_cdf")
    high = np.percentile(x, 100.0 - tail, method="inverted_cdf")
    return [a, min(low, 0.0), max(high, 0.0)]


def divergence(counts, first, kept, levels):
    """KL(P || Q) where bins first ... first + kept - 1 are kept and the rest is clipped into them."""
    inside = counts[first : first + kept].astype(np.float64)
    p = inside.copy()
    p[0] += counts[:first].sum()
    p[-1] += counts[first + kept :].sum()
    level = np.arange(kept) * levels // kept
    occupied = np.bincount(level, inside > 0)
    q = np.where(inside > 0, (np.bincount(level, inside) / np.maximum(occupied, 1))[level], 0.0)
    if inside.sum() == 0 or ((p > 0) & (q == 0)).any():
        return np.inf
    p, q = p / p.sum(), q / q.sum()
    used = p > 0
    return float((p[used] * np.log(p[used] / q[used])).sum())


def least(counts, fewest, levels, chosen, begin=0):
    """How much the chosen number of bins from `begin` on diverges above the best one."""
    most = len(counts) - begin
    every = range(min(max(fewest, 1), most), most + 1)
    some = [k for k in every if k % 3 == 0 or abs(k - chosen) <= 6 or k in (every[0], every[-1])]
    found = {k: divergence(counts, begin, k, levels) for k in some}
    if np.isinf(min(found.values())):
        return 0.0 if chosen == most else np.inf
    return found.get(chosen, np.inf) - min(found.values())


def side_counts(x, width):
    """Counts of magnitudes [0, w), [w, 2w) ... of the values below zero and of the others."""
    below, above = -x[np.signbit(x)], x[~np.signbit(x)]
    return [np.bincount((side / width).astype(int)) if side.size else np.zeros(0, int)
            for side in (below, above)]


def trimmed(counts):
    used = np.flatnonzero(counts)
    return counts[: used[-1] + 1] if used.size else counts[:0]


def bins_inside(end, counts, width):
    """How many bins a threshold keeps; the last bin in use ends at its outermost value."""
    return counts.size if end / width >= counts.size - 1 else round(end / width)


def entropy(x, width, a, low, high):
    width, a, low, high = (float(v) for v in (width, a, low, high))
    magnitudes = np.bincount((np.abs(x) / width).astype(int), minlength=2)
    magnitudes[0] = magnitudes[1]
    magnitudes = trimmed(magnitudes)
    symmetric = least(magnitudes, 128, 128, bins_inside(a, magnitudes, width))

    below, above = side_counts(x, width)
    if above.size:
        above[0] = above[1] if above.size > 1 else 0
    below, above = trimmed(below), trimmed(above)
    kept_low = bins_inside(-low, below, width)
    kept_high = bins_inside(high, above, width)
    if below.size > above.size:  # searched first: the longer side
        below, above, kept_low, kept_high = above, below, kept_high, kept_low
    # Seen from the near side (now "below") outwards.
    both = np.concatenate([below[::-1], above])
    far = least(both, max(256, below.size), 256, below.size + kept_high)
    both = np.concatenate([above[::-1], below])
    begin = above.size - kept_high
    near = least(both, max(256, kept_high), 256, kept_high + kept_low, begin)
    return [symmetric, far, near]


def quantized(x, scale, low_code, high_code):
    return scale * np.clip(np.rint(x / scale), low_code, high_code)


def error(x, scale, low_code, high_code):
    return float(np.mean((x - quantized(x, scale, low_code, high_code)) ** 2)) if scale > 0 else 0.0


def mse_of(x, *scales):
    return [error(x, float(scale), -128, 127) for scale in scales]


def mse(x, a, low, high):
    a, low, high = float(a), float(low), float(high)
    scale = (high - low) / 255
    zero_point = round(-low / scale) if scale > 0 else 0
    ours = [error(x, a / 127, -128, 127), error(x, scale, -zero_point, 255 - zero_point)]
    most = np.abs(x).max()
    if most == 0:
        return [ours[0], 0.0, ours[1], 0.0]
    octaves = 2.0 ** -np.arange(0, 10, 1 / 16)
    symmetric = min(error(x, most / 127 * o, -128, 127) for o in octaves)
    least_low, most_high = min(x.min(), 0.0), max(x.max(), 0.0)
    lows = np.unique(np.minimum(np.quantile(x, [0, 1e-4, 1e-3, 0.01, 0.1, 0.3]), 0.0))
    asymmetric = np.inf
    for scale in (most_high - least_low) / 254 * octaves[:96]:
        points = {int(np.clip(np.rint(-end / scale) + d, 0, 255)) for end in lows for d in (-1, 0, 1)}
        points |= {255 - int(np.clip(np.rint(most_high / scale), 0, 255))}
        asymmetric = min([asymmetric] + [error(x, scale, -z, 255 - z) for z in points])
    return [ours[0], symmetric, ours[1], asymmetric]


QUESTIONS = {"min-max": min_max, "percentiles": percentiles, "entropy": entropy, "mse": mse,
             "mse-of": mse_of}

question, path, *arguments = sys.argv[1:]
values = np.fromfile(path, np.float32).astype(np.float64)
for number in QUESTIONS[question](values, *arguments):
    print(repr(float(number)))
