"""A real photograph, waved with and tilted: NASA's portrait of Eileen Collins, which scikit-image ships.

Pose and mask are made by hand, in pixels of the 512 x 512 picture. Hips and the left forearm are not in
the picture: a half body. The helmet is part of the figure, as an object that is held.
"""

import math

import cv2
import numpy as np
import torch
from skimage.data import astronaut
from torch import Tensor

from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import Preview, generate

SIZE, FRAMES = 512, 16
JOINTS = {
    0: (222, 128),
    1: (215, 235),
    2: (98, 278),
    3: (60, 438),
    4: (152, 486),
    5: (322, 278),
    14: (203, 101),
    15: (247, 101),
    16: (174, 112),
    17: (276, 112),
}
FACE = (0, 14, 15, 16, 17)
OUTLINE = (
    ((186, 152), (172, 138), (158, 115), (153, 85), (160, 55), (180, 35), (205, 20), (235, 14), (265, 25), (288, 45))
    + ((300, 75), (297, 105), (285, 125), (270, 136), (264, 160), (259, 178), (285, 198), (303, 225), (306, 250))
    + ((325, 245), (345, 262), (356, 290), (362, 330), (364, 350), (390, 344), (425, 347), (460, 362), (484, 395))
    + ((496, 440), (503, 465), (511, 480), (511, 511), (22, 511), (20, 470), (22, 420), (28, 360), (38, 300))
    + ((55, 265), (80, 240), (112, 218), (113, 195), (118, 178), (132, 161), (158, 151))
)


def picture() -> Tensor:
    """The photograph [1,512,512,3], float32 0-1."""
    return torch.from_numpy(astronaut().astype(np.float32) / 255)[None]


def outline() -> Tensor:
    """The mask [1,512,512] of the polygon, float32 0-1, with a soft edge."""
    mask = np.zeros((SIZE, SIZE), dtype=np.float32)
    cv2.fillPoly(mask, [np.array(OUTLINE, dtype=np.int32)], 1.0)
    return torch.from_numpy(cv2.GaussianBlur(mask, (0, 0), 1.0))[None]


def standing() -> np.ndarray:
    """The pose [1,18,3] of the photograph."""
    joints = np.zeros((1, 18, 3))
    for joint, (x, y) in JOINTS.items():
        joints[0, joint] = x, y, 1.0
    return joints


def waving(frames: int = FRAMES) -> np.ndarray:
    """Poses [F,18,3]: the right arm swings out and back, the head tilts from side to side.

    The picture's border cuts the forearm, so the arm moves outwards and does not come up.
    """
    joints = np.repeat(standing(), frames, axis=0)
    for k in range(frames):
        round_trip = 2 * math.pi * k / max(frames - 1, 1)
        swing = 0.5 - 0.5 * math.cos(round_trip)
        _turn(joints[k], (3, 4), 2, 0.24 * swing)
        _turn(joints[k], (4,), 3, 0.2 * swing + 0.12 * math.sin(2 * round_trip))
        _turn(joints[k], FACE, 1, 0.12 * math.sin(round_trip))
    return joints


def preview(mask: Tensor | None) -> Preview:
    """The clip, by a mask or, without one, by the figure that the pose cuts out."""
    poses = (PoseSequence.from_joints(joints, SIZE, SIZE) for joints in (standing(), waving()))
    return generate(picture(), *poses, mask)


def _turn(joints: np.ndarray, moved: tuple[int, ...], about: int, angle: float) -> None:
    """Turn some joints of [18,3] clockwise on the screen about another one, in place."""
    c, s = math.cos(angle), math.sin(angle)
    pivot = joints[about, :2].copy()
    joints[list(moved), :2] = (joints[list(moved), :2] - pivot) @ np.array([[c, s], [-s, c]]) + pivot
