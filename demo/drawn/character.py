"""Drawn characters with known truth: one seed is one character, in any pose of 18 joints.

The same character can be drawn in a reference's pose and in every pose of a motion, so the true
frames of an animation exist.
"""

import math

import numpy as np
from einops import rearrange

from .body import Body, body
from .figure import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TORSO, Figure
from .head import HEAD, head_frame, paint_back_hair, paint_head
from .limbs import paint_arm, paint_leg
from .looks import looks
from .scenery import scenery
from .shapes import Painter
from .trunk import paint_skirt, paint_torso

TURNED = math.radians(20)  # yaw from which the far arm is behind the torso
BONES = (  # joints and the body's length between them, for the size on the canvas
    (2, 3, "upper_arm"),
    (3, 4, "forearm"),
    (5, 6, "upper_arm"),
    (6, 7, "forearm"),
    (8, 9, "thigh"),
    (9, 10, "shin"),
    (11, 12, "thigh"),
    (12, 13, "shin"),
)


def draw_character(seed: int, joints: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Images [F,H,W,3] and person masks [F,H,W], float32 0-1, of character ``seed`` in poses [F,18,3].

    Joints are x, y, confidence in pixels; a part whose joints have confidence 0 is left out.
    """
    return draw_parts(seed, joints, height, width)[:2]


def draw_parts(
    seed: int, joints: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As ``draw_character``, then part labels [F,H,W] and the depth order [F,10] of the parts, both uint8.

    Returns the tuple (images, masks, labels, order). Labels: 0 ground, 1 torso, 2 head with hair and hat, 3 / 4
    right upper arm / forearm with hand, 5 / 6 left, 7 / 8 right thigh / shin with shoe, 9 / 10 left; a skirt is the
    thighs'. ``order`` has the labels back to front: a pixel belongs to the last of the parts that cover it. Only
    hair that falls behind the neck is painted before the rest, though it is the head's.
    """
    ground, shape, look = scenery(seed, height, width), body(seed), looks(seed)
    scale = _scale(shape, joints)
    line = 0.008 * scale
    figures = [Figure(shape, look, scale, line, pose, head_frame(shape, pose, scale, line)) for pose in joints]
    painters = [_painted(figure, ground) for figure in figures]
    images = np.clip(np.stack([painter.image for painter in painters]), 0, 1)
    masks, labels = (np.stack([getattr(painter, name) for painter in painters]) for name in ("cover", "labels"))
    return images, masks, labels, np.stack([_labels_in_order(figure) for figure in figures])


def _scale(shape: Body, joints: np.ndarray) -> float:
    """Pixels per standing height: the median over frames of the trunk's, else of the least foreshortened limb's."""
    hips = 0.5 * (joints[:, 8] + joints[:, 11])
    whole = (joints[:, [1, 8, 11], 2] > 0).all(axis=1)
    sizes = np.zeros(len(joints))
    for a, b, name in BONES:
        seen = (joints[:, [a, b], 2] > 0).all(axis=1)
        length = np.hypot(*(joints[:, a, :2] - joints[:, b, :2]).T) / getattr(shape, name)
        sizes = np.maximum(sizes, np.where(seen, length, 0))
    sizes = np.where(whole, np.hypot(*(joints[:, 1, :2] - hips[:, :2]).T) / shape.torso, sizes)
    return float(max(np.median(sizes), 1.0))


def depth_order(yaw: float) -> tuple[int, ...]:
    """Torso, head and limbs (their first labels) back to front of a person turned by ``yaw`` radians.

    Someone who faces the viewer has both arms in front; else the far arm goes behind, and the far leg first.
    """
    if abs(yaw) < TURNED:
        return RIGHT_LEG, LEFT_LEG, TORSO, HEAD, RIGHT_ARM, LEFT_ARM
    if yaw > 0:
        return LEFT_ARM, LEFT_LEG, RIGHT_LEG, TORSO, HEAD, RIGHT_ARM
    return RIGHT_ARM, RIGHT_LEG, LEFT_LEG, TORSO, HEAD, LEFT_ARM


def _labels_in_order(figure: Figure) -> np.ndarray:
    """All ten labels back to front, [10] uint8; a skirt lies over both shins."""
    labels = []
    for part in depth_order(figure.yaw):
        labels += [part] if part in (TORSO, HEAD) else [part, part + 1]
    if figure.looks.legwear == "skirt":
        legs = [label for label in labels if label >= RIGHT_LEG]
        skirted = iter([legs[1], legs[3], legs[0], legs[2]])
        labels = [next(skirted) if label >= RIGHT_LEG else label for label in labels]
    return np.array(labels, dtype=np.uint8)


def _painted(figure: Figure, ground: np.ndarray) -> Painter:
    """The whole figure over the ground, back to front."""
    painter = Painter(rearrange(ground, "h w c -> c h w").copy())
    if figure.head is not None:
        paint_back_hair(painter, figure.head, figure.looks)
    for part in depth_order(figure.yaw):
        if part == TORSO:
            paint_skirt(painter, figure)
            paint_torso(painter, figure)
        elif part == HEAD:
            if figure.head is not None:
                paint_head(painter, figure.head, figure.looks)
        elif part in (RIGHT_ARM, LEFT_ARM):
            paint_arm(painter, figure, part)
        else:
            paint_leg(painter, figure, part)
    return painter
