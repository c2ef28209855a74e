#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training samples as YOLOv5 makes them, from the numbers that yoloq drew, by numpy and cv2.

    make_samples.py PLAN OUT.npz

A plan has one line per word and its values; floats are hexadecimal. `sample` ends one.

    side 96                      augment 1
    image PATH LABELS            one per image of the set, in order
    picture MOSAIC CX CY I0 I1 I2 I3 ANGLE SCALE SHEAR_X SHEAR_Y TILT_X TILT_Y CENTRE_X CENTRE_Y
    weight W                     flip UP_DOWN LEFT_RIGHT         gains HUE SATURATION VALUE
    sample NAME
"""

import math
import pathlib
import sys

import cv2
import numpy as np

GREY = (114, 114, 114)


def load(path, side, augment):
    image = cv2.imread(path)
    height, width = image.shape[:2]
    ratio = side / max(height, width)
    if ratio == 1:
        return image
    size = (math.ceil(width * ratio), math.ceil(height * ratio))
    way = cv2.INTER_LINEAR if augment or ratio > 1 else cv2.INTER_AREA
    return cv2.resize(image, size, interpolation=way)


def corners(labels, image, left, top, limit):
    """[class, x1, y1, x2, y2] on the canvas."""
    height, width = image.shape[:2]
    boxes = np.zeros((len(labels), 5))
    for row, (kind, x, y, w, h) in zip(boxes, labels):
        row[:] = (kind, (x - w / 2) * width + left, (y - h / 2) * height + top,
                  (x + w / 2) * width + left, (y + h / 2) * height + top)
    boxes[:, 1:] = boxes[:, 1:].clip(0, limit)
    return boxes


def on_canvas(canvas, image, left, top):
    height, width = image.shape[:2]
    limit = canvas.shape[0]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + width, limit), min(top + height, limit)
    canvas[y1:y2, x1:x2] = image[y1 - top:y2 - top, x1 - left:x2 - left]


def mosaic(images, labels, which, centre, side):
    canvas = np.full((2 * side, 2 * side, 3), 114, np.uint8)
    boxes = []
    for place, index in enumerate(which):
        image = images[index]
        left = centre[0] - (image.shape[1] if place in (0, 2) else 0)
        top = centre[1] - (image.shape[0] if place in (0, 1) else 0)
        on_canvas(canvas, image, left, top)
        boxes.append(corners(labels[index], image, left, top, 2 * side))
    return canvas, np.concatenate(boxes)


def centred(image, labels, side, scale_up):
    height, width = image.shape[:2]
    ratio = min(side / height, side / width)
    if not scale_up:
        ratio = min(ratio, 1)
    new = (round(width * ratio), round(height * ratio))
    if new != (width, height):
        image = cv2.resize(image, new, interpolation=cv2.INTER_LINEAR)
    left, top = round((side - new[0]) / 2 - 0.1), round((side - new[1]) / 2 - 0.1)
    canvas = np.full((side, side, 3), 114, np.uint8)
    on_canvas(canvas, image, left, top)
    return canvas, corners(labels, image, left, top, side)


def perspective_matrix(values, old, new):
    angle, scale, shear_x, shear_y, tilt_x, tilt_y, centre_x, centre_y = values
    centre = np.array([[1, 0, -old / 2], [0, 1, -old / 2], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, 1, 0], [tilt_x, tilt_y, 1]])
    turn = np.eye(3)
    turn[:2] = cv2.getRotationMatrix2D(angle=angle, center=(0, 0), scale=scale)
    shear = np.array([[1, math.tan(math.radians(shear_x)), 0],
                      [math.tan(math.radians(shear_y)), 1, 0], [0, 0, 1]])
    place = np.array([[1, 0, centre_x * new], [0, 1, centre_y * new], [0, 0, 1]])
    return place @ shear @ turn @ tilt @ centre


def moved(canvas, boxes, values, side):
    matrix = perspective_matrix(values, canvas.shape[0], side)
    if canvas.shape[0] != side or (matrix != np.eye(3)).any():
        if values[4] or values[5]:
            canvas = cv2.warpPerspective(canvas, matrix, (side, side), borderValue=GREY)
        else:
            canvas = cv2.warpAffine(canvas, matrix[:2], (side, side), borderValue=GREY)
    points = np.ones((len(boxes), 4, 3))
    points[:, :, 0] = boxes[:, [1, 3, 1, 3]]
    points[:, :, 1] = boxes[:, [2, 4, 4, 2]]
    points = points @ matrix.T
    points = points[:, :, :2] / points[:, :, 2:]
    new = np.concatenate([boxes[:, :1], points.min(1), points.max(1)], 1)
    new[:, 1:] = new[:, 1:].clip(0, side)
    old_size = (boxes[:, 3:] - boxes[:, 1:3]) * values[1]
    size = new[:, 3:] - new[:, 1:3]
    ratio = np.maximum(size[:, 0] / (size[:, 1] + 1e-16), size[:, 1] / (size[:, 0] + 1e-16))
    kept = ((size > 2).all(1) & (size.prod(1) / (old_size.prod(1) + 1e-16) > 0.1) & (ratio < 100))
    return canvas, new[kept]


def colours(image, gains):
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    x = np.arange(256, dtype=np.float64)
    tables = (((x * gains[0]) % 180), (x * gains[1]).clip(0, 255), (x * gains[2]).clip(0, 255))
    parts = [cv2.LUT(part, table.astype(np.uint8))
             for part, table in zip((hue, saturation, value), tables)]
    return cv2.cvtColor(cv2.merge(parts), cv2.COLOR_HSV2BGR)


def make(plan, images, labels, side, augment):
    if not augment:
        image, boxes = centred(images[plan["picture"][0][3]], labels[plan["picture"][0][3]], side,
                               False)
    else:
        pictures = []
        for is_mosaic, cx, cy, *rest in plan["picture"]:
            which, values = rest[:4], rest[4:]
            if is_mosaic:
                picture = mosaic(images, labels, which, (cx, cy), side)
            else:
                picture = centred(images[which[0]], labels[which[0]], side, True)
            pictures.append(moved(*picture, values, side))
        image, boxes = pictures[0]
        if len(pictures) == 2:
            weight = plan["weight"][0][0]
            image = (image * weight + pictures[1][0] * (1 - weight)).astype(np.uint8)
            boxes = np.concatenate([boxes, pictures[1][1]])
        if "gains" in plan:
            image = colours(image, plan["gains"][0])
    boxes = boxes.copy()
    boxes[:, 1:] = boxes[:, 1:].clip(0, side - 1e-3)
    x, y = (boxes[:, 1] + boxes[:, 3]) / 2 / side, (boxes[:, 2] + boxes[:, 4]) / 2 / side
    size = (boxes[:, 3:] - boxes[:, 1:3]) / side
    up_down, left_right = plan["flip"][0] if augment else (0, 0)
    if up_down:
        image, y = image[::-1], 1 - y
    if left_right:
        image, x = image[:, ::-1], 1 - x
    rows = np.column_stack([boxes[:, 0], x, y, size]).astype(np.float32)
    return np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1)), rows


def number(word):
    return float.fromhex(word) if "x" in word or "." in word else int(word)


def main(plan_path, out):
    images, labels, made, plan = [], [], {}, {}
    side, augment = 0, True
    for line in pathlib.Path(plan_path).read_text().splitlines():
        word, *values = line.split()
        if word == "side":
            side = int(values[0])
        elif word == "augment":
            augment = values[0] == "1"
        elif word == "image":
            images.append(load(values[0], side, augment))
            text = pathlib.Path(values[1]).read_text()
            labels.append(np.array([float(v) for v in text.split()], np.float64).reshape(-1, 5))
        elif word == "sample":
            made[values[0] + "_planes"], made[values[0] + "_labels"] = make(
                plan, images, labels, side, augment)
            plan = {}
        else:
            plan.setdefault(word, []).append([number(v) for v in values])
    np.savez(out, **made)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
