"""The tree of a body: which bones there are, and what hangs from what.

Axes: F frames; 20 joints are the 18 of POSE_KEYPOINT and two middles. The middle of the hips is the lower
end of the trunk; the middle of the ears, unlike the nose, stays where it is when the head turns.
"""

from collections.abc import Callable

import numpy as np

from .keypoints import NECK, NOSE, VISIBLE, PoseSequence

MID_HIP, MID_EAR = 18, 19
WRISTS = {"right_hand": 4, "left_hand": 7}  # the joint that each hand hangs from
RIGHT_ANKLE, LEFT_ANKLE = 10, 13
LEFT_FOOT = 3  # the first points of ``feet``: left big toe, small toe, heel; then those of the right foot
SHOULDERS, HIPS = (2, 5), (8, 11)  # right, left
LONG = 1.35  # the trunk's length in shoulders' breadths
LEG_LENGTHS = (0.85, 0.80)  # of thigh and shin, in trunk's lengths
MIDDLES = ((8, 11), (16, 17))
# Bone -> its (upper, lower) joints, right before left. Both sides of a body are equally long. Parents come first.
BONES: dict[str, tuple[tuple[int, int], ...]] = {
    "trunk": ((NECK, MID_HIP),),
    "hips": ((MID_HIP, 8), (MID_HIP, 11)),
    "thighs": ((8, 9), (11, 12)),
    "shins": ((9, 10), (12, 13)),
    "shoulders": ((NECK, 2), (NECK, 5)),
    "upper arms": ((2, 3), (5, 6)),
    "forearms": ((3, 4), (6, 7)),
    "neck": ((NECK, NOSE),),
    "eyes": ((NOSE, 14), (NOSE, 15)),
    "ears": ((14, 16), (15, 17)),
}
# What is measured: a turned head shows more of an ear's bone than a head seen from the front, so the width counts.
MEASURED = BONES | {"ears": ((16, 17),), "head": ((NECK, MID_EAR),)}
WIDTHS = ("shoulders", "hips")  # what a turned body shows less of
# Joint -> the joint that it hangs from, and the bone between them; an order in which parents come first.
PARENTS = {low: (high, bone) for bone, sides in BONES.items() for high, low in sides}


def trunk_length(joints: np.ndarray, seen: np.ndarray) -> float:
    """The trunk's length in pixels, at least 1, of a body posed as [18,2] of which [18] bool is seen.

    By trunk, else by the shoulders' breadth, else by all that is seen.
    """
    shoulders, hips = ([k for k in pair if seen[k]] for pair in (SHOULDERS, HIPS))
    if shoulders and hips:
        length = np.hypot(*(joints[shoulders].mean(0) - joints[hips].mean(0)))
    elif len(shoulders) == 2:
        length = LONG * np.hypot(*(joints[shoulders[0]] - joints[shoulders[1]]))
    else:
        length = 0.5 * np.ptp(joints[seen], axis=0).max() if seen.any() else 0.0
    return max(float(length), 1.0)


def with_middles(joints: np.ndarray) -> np.ndarray:
    """Joints [F,18,3] and the two middles: [F,20,3]; a middle has the lower confidence of its two sides."""
    middles = [(joints[:, right] + joints[:, left]) / 2 for right, left in MIDDLES]
    for middle, sides in zip(middles, MIDDLES):
        middle[:, 2] = joints[:, sides, 2].min(axis=1)
    return np.concatenate([joints, np.stack(middles, axis=1)], axis=1)


def confidence_of(joints: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Of a bone between two joints [F]: that of its worse end, 0 unless both are visible."""
    confidence = joints[:, pair, 2].min(axis=1)
    return np.where(confidence >= VISIBLE, confidence, 0.0)


def map_points(poses: PoseSequence, change: Callable[[np.ndarray], np.ndarray]) -> PoseSequence:
    """``poses`` with ``change`` made to the points [F,N,3] of body, face, hands and feet in turn."""
    return poses.with_arrays({name: change(points) for name, points in poses.arrays.items()})


def turned(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Bones [n,2] from ``start`` to ``end`` [2] at each ``share`` [n,1] of the way.

    The angle goes the short way round, the length evenly, so that a swinging bone does not shrink.
    """
    first, last = complex(*start), complex(*end)
    angle = np.angle(first) + share[:, 0] * np.angle(last * np.conj(first))
    bone = (abs(first) + share[:, 0] * (abs(last) - abs(first))) * np.exp(1j * angle)
    return np.stack([bone.real, bone.imag], axis=1)
