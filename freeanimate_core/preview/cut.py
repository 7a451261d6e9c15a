"""The person cut out of the reference by the pose. Uses OpenCV and SciPy.

What a pixel is follows from where it lies about the bones, and from the colours that are most like its own and near
by: those of sure figure, or those of sure ground. Distances are in radii of the nearest bone, 0 on its axis and 1
on its surface; evidence is in nats, above 0 for the figure. Axes: h, w are the rows and columns of a picture.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from scipy.ndimage import label
from scipy.spatial import cKDTree
from torch import Tensor

from .bones import LEG, Bone, Trunk

LARGEST, COARSE = 512, 192  # longest sides of the pictures that are cut, and whose colours are compared
SURE, FAR, FARTHEST = 0.4, 2.6, 8.0  # distances: up to SURE a pixel is figure; from FAR on ground, which tells colours
HAND, FOOT = 0.2, 0.5  # of what reaches beyond a wrist or an ankle: how much is sure, as hands bend
# How thick the figure is, of a bone's radius, which is generous where the mask shall decide.
THICK = {"right arm 0": 0.85, "left arm 0": 0.85, "right arm 1": 0.7, "left arm 1": 0.7}
THICK |= {"right leg 1": 0.85, "left leg 1": 0.85, "head": 0.75, "torso": 1.3}
CROWN = 0.35  # of the head's radius: how far hair may rise above it
RIM = 0.16  # of the trunk's length: what a radius is at most outside of a bone
HABIT = (0.0, 0.4, 0.7, 1.0, 1.4, 2.2, 3.2), (3.0, 2.5, 1.2, 0.0, -1.2, -2.5, -4.0)  # evidence by distance
SAMPLES = 3000  # at most, about: pixels of figure and of ground that tell their colours
ALIKE = 4  # that many of them must be as like a pixel
LIGHT = 0.6  # what a difference of lightness counts, of one of hue: shadows are ground
AWAY = 6.0  # what a trunk's length away counts, in differences of CIELAB
SAME, NEW = 4.0, 20.0  # in CIELAB: what is no difference, and a difference from which on a colour is new
WEIGHT = 2.5  # of colours against places
MOST = 6.0  # nats of evidence of one pixel
CERTAIN = 3.0  # nats from which on a pixel tells its colour in the next round
ROUNDS = 2
PULL = 10.0  # of evidence against the length of the outline, as grabCut weighs it
STEP = 30.0  # grey levels that MOST is shown as
HOLE = 0.002  # of the trunk's length squared: a hole of this area is filled
SOFT = 0.7  # pixels, standard deviation of the edge


@dataclass(frozen=True)
class Surroundings:
    """Distance to the nearest bone and what is sure to be figure, each [h,w]; the trunk's length in pixels."""

    distance: np.ndarray
    sure: np.ndarray
    unit: float

    def resized(self, size: tuple[int, int]) -> "Surroundings":
        """The same on a canvas of ``size`` (width, height)."""
        share = cv2.resize(self.sure.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        distance = cv2.resize(self.distance, size, interpolation=cv2.INTER_AREA)
        return Surroundings(distance, share > 0.5, self.unit * size[0] / self.distance.shape[1])


def cut_out(image: Tensor, bones: list[Bone | Trunk]) -> Tensor:
    """The person in ``image`` [H,W,3], posed as ``bones``, as a mask [H,W] 0-1 with a soft edge."""
    height, width = image.shape[:2]
    size = _within(width, height, LARGEST)
    picture = cv2.resize(image.numpy().astype(np.float32), size, interpolation=cv2.INTER_AREA)
    about = surroundings(bones, height, width)
    figure = about.distance < 1
    if about.sure.any() and (about.distance >= FAR).any():  # else there is nothing to tell apart
        figure = _filled(_told_apart(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), about), HOLE * about.unit**2)
    full = cv2.resize(figure.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(cv2.GaussianBlur(full, (0, 0), SOFT))


def surroundings(bones: list[Bone | Trunk], height: int, width: int) -> Surroundings:
    """Where pixels lie about a figure, which goes on beyond the border of its canvas [height,width].

    Measured on a canvas of at most LARGEST pixels a side, and in its pixels.
    """
    columns, rows = _within(width, height, LARGEST)
    x = (np.arange(columns, dtype=np.float32)[None] + 0.5) * (width / columns)
    y = (np.arange(rows, dtype=np.float32)[:, None] + 0.5) * (height / rows)
    unit = _unit(bones)
    crown = _crown(bones)
    distance, sure = np.full((rows, columns), np.inf, dtype=np.float32), np.zeros((rows, columns), dtype=bool)
    for bone in (*bones, *crown):
        thick = THICK.get(bone.name if isinstance(bone, Bone) else "torso", 1.0) * bone.radius
        beside = bone.depth(x, y) + bone.radius - thick
        own = 1 + beside / np.where(beside > 0, min(thick, RIM * unit), thick)
        distance = np.minimum(distance, own.astype(np.float32))
        if isinstance(bone, Bone) and bone.beyond:
            sure_end = FOOT if bone.half is not None and bone.half.limb == LEG else HAND
            own = (replace(bone, beyond=sure_end * bone.beyond).depth(x, y) + bone.radius) / thick
        if not any(bone is hair for hair in crown):  # which may be there
            sure |= own < SURE
    return Surroundings(distance, sure, unit * columns / width)


def _crown(bones: list[Bone | Trunk]) -> list[Bone]:
    """What may be hair above the head, as the neck points."""
    known = {bone.name: bone for bone in bones if isinstance(bone, Bone)}
    if not {"head", "neck"} <= set(known):
        return []
    head = known["head"]
    return [
        replace(
            head, name="crown", b=head.b + CROWN * head.radius * known["neck"].along, radius=THICK["head"] * head.radius
        )
    ]


def _unit(bones: Iterable[Bone | Trunk]) -> float:
    """The trunk's length in pixels, or about as much."""
    trunks = [bone.length for bone in bones if isinstance(bone, Trunk)]
    return max(trunks or [max(bone.length, 2.5 * bone.radius) for bone in bones])


def _within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height of a picture whose longest side is at most ``longest``."""
    shrink = min(1.0, longest / max(height, width))
    return max(round(width * shrink), 2), max(round(height * shrink), 2)


def _told_apart(lab: np.ndarray, about: Surroundings) -> np.ndarray:
    """The figure [h,w] in a picture ``lab`` [h,w,3] in CIELAB; later rounds know more colours of both."""
    height, width = about.distance.shape
    size = _within(width, height, COARSE)
    small, near = cv2.resize(lab, size, interpolation=cv2.INTER_AREA), about.resized(size)
    unsure = ~near.sure & (near.distance < FAR)
    far = (near.distance >= FAR) & (near.distance < FARTHEST) & ~near.sure
    figure, ground, habit = near.sure, far, np.interp(about.distance, *HABIT).astype(np.float32)
    inside = about.sure
    for _ in range(ROUNDS):
        if not (figure.any() and ground.any()):
            return about.distance < 1
        colours = _likeness(small, figure, ground, unsure, near.unit)
        evidence = habit + cv2.resize(colours, (width, height), interpolation=cv2.INTER_LINEAR)
        inside = _cheapest(lab, evidence, about)
        told, share = (
            cv2.resize(item, size, interpolation=cv2.INTER_AREA) for item in (evidence, inside.astype(np.float32))
        )
        figure = near.sure | ((share > 0.99) & (told > CERTAIN))
        ground = far | ((share < 0.01) & (told < -CERTAIN) & unsure)
    return inside


def _likeness(lab: np.ndarray, figure: np.ndarray, ground: np.ndarray, unsure: np.ndarray, unit: float) -> np.ndarray:
    """Evidence [h,w] where ``unsure``: whether the most similar pixels near by are figure or ground.

    A colour unlike both is more likely the figure's: the ground goes on all around, a shoe or hair does not.
    """
    y, x = np.mgrid[: lab.shape[0], : lab.shape[1]].astype(np.float32) * np.float32(AWAY / unit)
    features = np.dstack([lab * np.array([LIGHT, 1, 1], dtype=np.float32), x, y])
    to_figure, to_ground = (_distance(features[area], features[unsure]) for area in (figure, ground))
    found = np.zeros(unsure.shape, dtype=np.float32)
    found[unsure] = WEIGHT * np.log((to_ground + SAME) / (np.minimum(to_figure, NEW) + SAME))
    return found.clip(-MOST, MOST)


def _distance(known: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Distance [n] from each of ``asked`` [n,5] to the ALIKE-th nearest of ``known`` [m,5]."""
    points = known[:: max(len(known) // SAMPLES, 1)]
    return cKDTree(points).query(asked, k=[min(ALIKE, len(points))])[0][:, 0]


def _cheapest(lab: np.ndarray, evidence: np.ndarray, about: Surroundings) -> np.ndarray:
    """The figure [h,w] that agrees best with ``evidence`` and whose outline follows edges of colour: a minimal cut.

    GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004) with its colour models frozen, as OpenCV cuts graphs in no other
    way: the first channel is the evidence, the others are the two main axes of colour, which the models ignore.
    """
    centred = lab.reshape(-1, 3) - lab.reshape(-1, 3).mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, :0:-1]
    shown = [128 + STEP / MOST * evidence.clip(-MOST, MOST), *np.moveaxis(128 + centred @ axes, -1, 0)]
    planes = [np.reshape(plane, evidence.shape) for plane in shown]
    picture = np.dstack(planes).round().clip(0, 255).astype(np.uint8)
    seeds = np.where(evidence > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[about.distance >= FAR] = cv2.GC_BGD
    seeds[about.sure] = cv2.GC_FGD
    models, rectangle = [_model(128 + side * STEP) for side in (-1, 1)], (0, 0, 0, 0)
    cv2.grabCut(picture, seeds, rectangle, models[0], models[1], 1, cv2.GC_EVAL_FREEZE_MODEL)
    return np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _model(mean: float) -> np.ndarray:
    """One Gaussian as OpenCV keeps five of them: 5 weights, 5 means [3], 5 covariances [3,3].

    Two of them at 128 +- STEP differ in log likelihood by PULL times the evidence shown in the first channel.
    """
    model = np.zeros((1, 65))
    model[0, 0] = 1
    model[0, 5:8] = mean, 128, 128
    model[0, 20:29] = np.diag([2 * STEP**2 / MOST / PULL, 1e4, 1e4]).ravel()
    return model


def _filled(figure: np.ndarray, most: float) -> np.ndarray:
    """The figure [h,w] without holes of at most ``most`` pixels."""
    pieces, _ = label(~figure)
    areas = np.bincount(pieces.ravel())
    return figure | ((areas <= most)[pieces] & (pieces > 0))
