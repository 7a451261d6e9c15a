"""What alignment sees in a driving clip and does not correct: a turned body, drift, a change of size."""

import numpy as np

from .anchor import mean, steady_joints
from .keypoints import NECK, NOSE, PoseSequence
from .skeleton import MID_EAR, MID_HIP, confidence_of, with_middles

TURNED = 8.0  # degrees; smaller ones are the body's own lean
GROWN = 0.08  # change of size as a fraction
MOVED = 0.1  # of the canvas
AXES = ((NECK, MID_HIP), (NECK, MID_EAR), (NECK, NOSE))  # upright lengths, which a turn does not change
LEAST_FRAMES = 8  # drift needs a start and an end


def observed(driving: PoseSequence, reference: PoseSequence) -> tuple[str, ...]:
    """Sentences' parts on the F driving frames; empty when there is nothing to say.

    A walk looks the same as a moving camera, so both are named.
    """
    notes = []
    turn = _turn(driving, reference)
    if abs(turn) >= TURNED:
        way = "clockwise" if turn > 0 else "counter-clockwise"
        notes.append(f"body turned {abs(turn):.0f} degrees {way} against the reference (not corrected)")
    if len(driving) >= LEAST_FRAMES:
        notes += _drift(driving)
    return tuple(notes)


def _turn(driving: PoseSequence, reference: PoseSequence) -> float:
    """Median over frames of the angle in degrees, clockwise, from the reference's shape to the driving one."""
    x, y, weight = steady_joints(driving, reference)
    shared = (weight > 0).sum(axis=1) >= 2
    x, y, weight = x[shared], np.broadcast_to(y, x.shape)[shared], weight[shared]
    fit = (weight * (x - mean(x, weight)) * np.conj(y - mean(y, weight))).sum(axis=1)
    return float(np.degrees(np.median(np.angle(fit))))


def _drift(driving: PoseSequence) -> list[str]:
    """How place and size at the end of a clip differ from those at its start, each the median of a quarter."""
    notes, joints = [], with_middles(driving.joints)
    quarter = len(joints) // 4
    start, end = joints[:quarter], joints[-quarter:]
    before, after = _neck(start), _neck(end)
    if before is not None and after is not None:
        move = (after - before) / (driving.width, driving.height)
        if np.abs(move).max() >= MOVED:
            notes.append(
                f"body ends ({move[0]:+.0%}, {move[1]:+.0%}) of the canvas off its start (walk or camera; kept)"
            )
    sizes = next(((a, b) for a, b in ((_size(start, axis), _size(end, axis)) for axis in AXES) if a and b), None)
    if sizes and abs(sizes[1] / sizes[0] - 1) >= GROWN:
        notes.append(f"body's size changes by {sizes[1] / sizes[0] - 1:+.0%} over the clip (depth or zoom; kept)")
    return notes


def _neck(joints: np.ndarray) -> np.ndarray | None:
    """Median place [2] of the neck over ``joints`` [F,20,3]."""
    seen = confidence_of(joints, (NECK, NECK)) > 0
    return np.median(joints[seen, NECK, :2], axis=0) if seen.any() else None


def _size(joints: np.ndarray, axis: tuple[int, int]) -> float | None:
    """Median length in pixels of ``axis`` over ``joints`` [F,20,3]."""
    seen = confidence_of(joints, axis) > 0
    if not seen.any():
        return None
    high, low = axis
    return float(np.median(np.hypot(*(joints[seen, high, :2] - joints[seen, low, :2]).T)))
