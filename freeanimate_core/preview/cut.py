"""The person cut out of the reference by the pose. Uses OpenCV and SciPy.

What a pixel is follows from where it lies about the bones, and from which colours near by are like its own: those
of sure figure or those of sure ground. Axes: h, w are the rows and columns of a picture made small.
"""

import math
from dataclasses import replace

import cv2
import numpy as np
import torch
from scipy.ndimage import binary_erosion, binary_fill_holes
from scipy.spatial import cKDTree
from torch import Tensor

from .beyond import goes_on
from .bones import Bone, Trunk

LARGEST, COARSE = 512, 192
LEVELS = ((0.0, 0.4, 0.7, 1.0, 1.4, 2.2, 3.2), (3.0, 2.5, 1.2, 0.0, -1.2, -2.5, -4.0))
SURE, FAR, FARTHEST = 0.4, 2.6, 8.0
SAMPLES = 3000
LIGHT = 0.6
AWAY = 3.0
RIM = 0.16
HAND = 0.2
THICK = {'arm 0': 0.85, 'arm 1': 0.7, 'leg 1': 0.85, 'head': 0.75, 'torso': 1.3}
ALIKE = 3
DIM = 4.0
WEIGHT = 3.0
MOST = 6.0
PULL = 10.0
ROUNDS = 2
STEP = 30


def cut_out(image: Tensor, bones: list[Bone | Trunk]) -> Tensor:
    height, width = image.shape[:2]
    shrink = min(1.0, LARGEST / max(height, width))
    size = max(round(width * shrink), 2), max(round(height * shrink), 2)
    picture = cv2.resize(image.numpy().astype(np.float32), size, interpolation=cv2.INTER_AREA)
    figure = goes_on(bones, height, width)
    near, sure = nearest(figure, size[1], size[0], (size[0] / width, size[1] / height))
    inside = _segmented(picture, near, sure, _unit(bones) * shrink)
    full = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(cv2.GaussianBlur(full, (0, 0), 0.7))


def nearest(bones, height, width, scale=(1.0, 1.0)):
    """Distance to the nearest bone in units of its radius, [h,w] on a canvas scaled by (x, y)."""
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) / scale[0]
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / scale[1]
    unit = _unit(bones)
    found, sure = [], np.zeros((height, width), dtype=bool)
    for bone in bones:
        radius = THICK.get(_kind(bone), 1.0) * bone.radius
        d = bone.depth(x, y) + bone.radius - radius
        found.append(1 + np.where(d > 0, d / min(radius, RIM * unit), d / radius))
        if isinstance(bone, Bone) and bone.beyond:
            part = replace(bone, beyond=HAND * bone.beyond)
            sure |= part.depth(x, y) + bone.radius < SURE * radius
        else:
            sure |= found[-1] < SURE
    return np.min(found, axis=0).astype(np.float32), sure


def _kind(bone):
    half = bone.half
    return "torso" if isinstance(bone, Trunk) else bone.name if half is None else f"{half.limb} {half.index}"


def _unit(bones):
    for b in bones:
        if isinstance(b, Trunk):
            return b.length
    return max(max(b.length for b in bones), 2.5 * max(b.radius for b in bones))


def _segmented(picture, near, sure, unit):
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    prior = np.interp(near, *LEVELS).astype(np.float32)
    if not (sure.any() and (near >= FAR).any()):
        return near < 1
    shrink = min(1.0, COARSE / max(near.shape))
    size = max(round(near.shape[1] * shrink), 2), max(round(near.shape[0] * shrink), 2)
    small, small_near, small_sure = (cv2.resize(i, size, interpolation=cv2.INTER_AREA) for i in (lab, near, sure.astype(np.float32)))
    small_sure = small_sure > 0.5
    figure, ground = small_sure, (small_near >= FAR) & (small_near < FARTHEST)
    open_ = ~small_sure & (small_near < FAR)
    for round_ in range(ROUNDS):
        alike = _alike(small, figure, ground, open_, unit * shrink)
        evidence = prior + cv2.resize(alike, near.shape[::-1], interpolation=cv2.INTER_LINEAR)
        inside = _cheapest(lab, evidence, near, sure)
        if round_ + 1 < ROUNDS:
            ev = cv2.resize(evidence, size, interpolation=cv2.INTER_AREA)
            ins = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            figure = small_sure | ((ins > 0.99) & (ev > SURELY))
            ground = ((small_near >= FAR) & (small_near < FARTHEST)) | ((ins < 0.01) & (ev < -SURELY) & open_)
    return inside

SURELY = 3.0

def _alike(lab, figure, ground, open_, unit):
    y, x = np.mgrid[: lab.shape[0], : lab.shape[1]].astype(np.float32) * (AWAY / unit)
    features = np.dstack([lab * np.float32([LIGHT, 1, 1]), x, y])
    away = []
    for area in (figure, ground):
        points = features[area]
        points = points[:: max(len(points) // SAMPLES, 1)]
        d, _ = cKDTree(points).query(features[open_], k=min(ALIKE + 1, len(points)))
        d = np.atleast_2d(d.T).T
        away.append(d[:, -1])
    found = np.zeros(open_.shape, dtype=np.float32)
    found[open_] = WEIGHT * np.log((away[1] + DIM) / (away[0] + DIM))
    return found.clip(-MOST, MOST)


def _cheapest(lab, evidence, near, sure):
    level = 128 + STEP / MOST * evidence.clip(-MOST, MOST)
    flat = lab.reshape(-1, 3) - lab.reshape(-1, 3).mean(0)
    axes = np.linalg.eigh(flat.T @ flat)[1][:, :0:-1]
    plane = (128 + 1.2 * flat @ axes).reshape(*near.shape, 2)
    shown = np.dstack([level, plane]).round().clip(0, 255).astype(np.uint8)
    seeds = np.where(evidence > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[sure] = cv2.GC_FGD
    seeds[near >= FAR] = cv2.GC_BGD
    spread = 2 * STEP * STEP / MOST / PULL
    models = []
    for mean in (128 - STEP, 128 + STEP):
        m = np.zeros((1, 65))
        m[0, 0] = 1
        m[0, 5:8] = mean, 128, 128
        m[0, 20:29] = np.diag([spread, 1e4, 1e4]).ravel()
        models.append(m)
    cv2.grabCut(shown, seeds, (0, 0, 0, 0), models[0], models[1], 1, cv2.GC_EVAL_FREEZE_MODEL)
    return np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD))
