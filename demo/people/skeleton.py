"""The bones of one person at rest, and the lengths that poses are measured in."""

from dataclasses import dataclass

import numpy as np

from .geometry import unit

PARTS = {  # bone's name before its side -> part label, for the right side; the left has 2 more
    "upperarm": 3,
    "lowerarm": 4,
    "hand": 4,
    "thumb": 4,
    "index": 4,
    "middle": 4,
    "ring": 4,
    "pinky": 4,
    "thigh": 7,
    "calf": 8,
    "foot": 8,
    "ball": 8,
}
TORSO, HEAD = 1, 2


@dataclass(frozen=True)
class Skeleton:
    """Rest positions in decimetres, y up, facing +z; ``head`` is a bone's upper end."""

    bones: tuple[str, ...]
    parent: dict[str, str]
    head: dict[str, np.ndarray]
    lengths: dict[str, tuple[float, float]]  # by first bone of a limb, of its two bones
    arm: float
    leg: float
    sole: float  # ankle joint above the floor
    ball: float  # ankle joint to the ball of the foot
    toes_out: float  # of the feet at rest, radians
    elbow_hinge: dict[str, np.ndarray]  # by "_r", "_l", at rest
    knuckles: dict[str, np.ndarray]  # axis about which fingers curl, at rest


def skeleton_of(bones: tuple[str, ...], parents: tuple[int, ...], joints: np.ndarray, floor: float) -> Skeleton:
    """The skeleton with ``joints`` [b,2,3] (heads and tails) over the floor at the height ``floor``."""
    head = {bone: joints[k, 0].astype(np.float64) for k, bone in enumerate(bones)}
    lengths = {}
    for first, second, third in (("upperarm", "lowerarm", "hand"), ("thigh", "calf", "foot")):
        for end in ("_r", "_l"):
            spots = [head[name + end] for name in (first, second, third)]
            lengths[first + end] = _far(spots[0], spots[1]), _far(spots[1], spots[2])
    foot = head["ball_l"] - head["foot_l"]
    return Skeleton(
        bones=bones,
        parent={bone: bones[parents[k]] for k, bone in enumerate(bones) if parents[k] >= 0},
        head=head,
        lengths=lengths,
        arm=sum(lengths["upperarm_l"]),
        leg=sum(lengths["thigh_l"]),
        sole=float(head["foot_l"][1] - floor),
        ball=float(np.hypot(foot[0], foot[2])),
        toes_out=float(np.arctan2(foot[0], foot[2])),
        elbow_hinge={end: _elbow_hinge(head, end) for end in ("_r", "_l")},
        knuckles={end: _knuckles(head, end) for end in ("_r", "_l")},
    )


def part_of(bone: str) -> int:
    """The part label of a bone: 1 torso, 2 head, 3/4 right arm, 5/6 left, 7/8 right leg, 9/10 left."""
    name, _, end = bone.rpartition("_")
    label = PARTS.get(name.split("_")[0])
    if label is None:
        return HEAD if bone in ("head", "neck_01") else TORSO
    return label + (2 if end == "l" else 0)


def _far(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))


def _elbow_hinge(head: dict[str, np.ndarray], end: str) -> np.ndarray:
    """As ``reach`` gives it: the line from shoulder to wrist times the way that the elbow bulges."""
    shoulder, elbow, wrist = (head[name + end] for name in ("upperarm", "lowerarm", "hand"))
    line = unit(wrist - shoulder)
    away = elbow - shoulder
    return np.cross(line, unit(away - (away @ line) * line))


def _knuckles(head: dict[str, np.ndarray], end: str) -> np.ndarray:
    """A turn about it closes the fingers towards the palm."""
    axis = unit(head["pinky_01" + end] - head["index_01" + end])
    return axis if end == "_r" else -axis
