"""Gaps in a clip: short ones are filled, long ones are refused or left as they are.

Axes: F frames, N points as (x, y, confidence) in pixels. A point is missing below the visible confidence.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import ALIGN_POSE, FreeAnimateError, counted
from .keypoints import NECK, NOSE, VISIBLE, PoseSequence
from .skeleton import LEFT_ANKLE, MID_HIP, PARENTS, RIGHT_ANKLE, WRISTS, map_points, turned

SHOULDERS = [2, 5]
# What hangs from which joints: each takes an equal part of the points, in this order.
HOLDERS = {"face": (NOSE,), "feet": (LEFT_ANKLE, RIGHT_ANKLE), **{hand: (wrist,) for hand, wrist in WRISTS.items()}}


@dataclass(frozen=True)
class Repaired:
    """A clip without short gaps."""

    poses: PoseSequence
    frames: int  # filled that showed nobody
    joints: int  # body joints filled in other frames, counted once for each frame
    missing: int  # body joints that stay missing in some frames and are seen in others


def fill_gaps(poses: PoseSequence, longest: int) -> Repaired:
    """Fill gaps of at most ``longest`` frames; 0 fills none.

    A joint swings about the joint it hangs from where that one is seen, and goes straight where not; at the start and
    the end it hangs there as where it is seen next. Frames without anybody at the start or the end repeat the nearest
    pose. Raises FreeAnimateError for those that stay empty.
    """
    empty = poses.seen.sum(axis=1) == 0
    _refuse(_runs(empty), longest, len(poses))
    ends = _held_ends(poses, empty)
    seen_before = poses.seen[~empty].sum()
    if longest:
        body = _filled_body(ends.joints, longest)
        ends = ends.with_arrays({"joints": body, **_filled_limb_ends(ends, body, longest)})
    some = ends.seen.any(axis=0)
    missing = int((some & ~ends.seen.all(axis=0)).sum())
    return Repaired(ends, int(empty.sum()), int(ends.seen[~empty].sum() - seen_before), missing)


def _refuse(runs: list[tuple[int, int]], longest: int, frames: int) -> None:
    """Raise for the runs [first, end) of frames without a person that are longer than ``longest``."""
    refused = [(first, end) for first, end in runs if end - first > longest or end - first == frames]
    if not refused:
        return
    named = ", ".join(str(first) if end == first + 1 else f"{first}-{end - 1}" for first, end in refused)
    raise FreeAnimateError(
        f"{ALIGN_POSE}: driving_pose shows no person in frames {named} (counted from 0), or not the one chosen by "
        f"person, and fill_gaps fills up to {counted(longest, 'frame')}. Detect these frames again with a lower "
        "threshold, leave them out, choose another person, or raise fill_gaps."
    )


def _held_ends(poses: PoseSequence, empty: np.ndarray) -> PoseSequence:
    """``poses`` with the empty frames at its start and end showing the first and the last pose."""
    shown = np.flatnonzero(~empty)
    source = np.clip(np.arange(len(poses)), shown[0], shown[-1])
    return map_points(poses, lambda points: points[source])


def _filled_body(joints: np.ndarray, longest: int) -> np.ndarray:
    """Joints [F,18,3], each filled relative to its parent, parents first."""
    filled = joints.copy()
    inner = _filled(joints[:, [NECK]], longest)
    filled[:, [NECK]] = _held(inner, longest, _shoulders(joints))
    for joint, (parent, _) in PARENTS.items():
        if joint < MID_HIP:
            above = NECK if parent == MID_HIP else parent
            inner = _filled(joints[:, [joint]], longest, filled[:, above])
            filled[:, [joint]] = _held(inner, longest, filled[:, above])
    return filled


def _shoulders(joints: np.ndarray) -> np.ndarray:
    """The middle of the shoulders [F,3], which carries a neck that is not seen; the lower confidence of the two."""
    middle = joints[:, SHOULDERS].mean(axis=1)
    middle[:, 2] = joints[:, SHOULDERS, 2].min(axis=1)
    return middle


def _filled_limb_ends(poses: PoseSequence, body: np.ndarray, longest: int) -> dict[str, np.ndarray]:
    """Face, hands and feet by name: straight within a clip, at its ends with what they hang from in ``body``."""
    filled = {}
    for name, points in poses.arrays.items():
        joints = HOLDERS.get(name)
        if joints:
            inner = _filled(points, longest)
            share = points.shape[1] // len(joints)
            parts = [inner[:, part * share : (part + 1) * share] for part in range(len(joints))]
            held = [_held(part, longest, body[:, joint]) for part, joint in zip(parts, joints)]
            filled[name] = np.concatenate(held, axis=1)
    return filled


def _filled(points: np.ndarray, longest: int, parent: np.ndarray | None = None) -> np.ndarray:
    """Points [F,N,3] with the short gaps of each filled, relative to ``parent`` [F,3] where that is seen throughout."""
    filled = points.copy()
    for point in range(points.shape[1]):
        seen = points[:, point, 2] >= VISIBLE
        for first, end in _runs(~seen):
            if 0 < first and end < len(points) and end - first <= longest:
                around = slice(first - 1, end + 1)
                filled[around, point] = _bridged(points[around, point], None if parent is None else parent[around])
    return filled


def _held(points: np.ndarray, longest: int, parent: np.ndarray) -> np.ndarray:
    """Points [F,N,3] with short gaps at the clip's ends filled: as far from ``parent`` [F,3] as where next seen.

    Where the parent is missing they stay in their place.
    """
    held = points.copy()
    for point in range(points.shape[1]):
        seen = points[:, point, 2] >= VISIBLE
        for first, end in _runs(~seen):
            at_one_end = (first == 0) != (end == len(points))
            if at_one_end and end - first <= longest:
                near = end if first == 0 else first - 1
                held[first:end, point] = points[near, point]
                moved = parent[first:end, :2] - parent[near, :2]
                hangs = (parent[first:end, 2:] >= VISIBLE) & (parent[near, 2] >= VISIBLE)
                held[first:end, point, :2] += np.where(hangs, moved, 0.0)
    return held


def _bridged(points: np.ndarray, parent: np.ndarray | None) -> np.ndarray:
    """Points [G,3] of one joint between its first and last row, which are seen; confidence is the lower of theirs."""
    share = np.linspace(0, 1, len(points))[:, None]
    if parent is not None and (parent[:, 2] >= VISIBLE).all():
        place = parent[:, :2] + turned(points[0, :2] - parent[0, :2], points[-1, :2] - parent[-1, :2], share)
    else:
        place = points[0, :2] + share * (points[-1, :2] - points[0, :2])
    middle = np.concatenate([place, np.full_like(share, points[[0, -1], 2].min())], axis=1)
    return np.concatenate([points[:1], middle[1:-1], points[-1:]])


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First index and end of every run of True in ``flags`` [F]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))
