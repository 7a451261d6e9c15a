"""Joints that the picture's border cut off, put where a body has them: hips, knees, ankles, elbows, wrists.

A joint that is missing inside the picture is hidden by something and stays missing. Positions are (x, y) in pixels.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..pose.skeleton import LEG_LENGTHS, LONG, trunk_length
from .bones import ARM, ARMS, HIPS, LEG, LEGS, LIMBS, RADIUS, SHOULDERS, Half

# Usual lengths of a limb's halves in trunk's lengths, from the trunk outwards.
LENGTHS = {ARM: (0.62, 0.52), LEG: LEG_LENGTHS}
HIPS_WIDE = 0.65  # the hips' width in shoulders' widths
MARGIN = 0.1  # of the trunk's length: a joint that would be this close to the border is taken as cut off
DOWN = np.array([0.0, 1.0])
WAYS = 72  # directions in which a forearm is looked for
STRAIGHT = 0.02  # what a forearm in line with its upper arm is worth, of the arm's radius, per radian
MOST_BENT = 2.2  # radians: a forearm does not fold back further
LONGEST = 1.2  # of a usual forearm: how far from the elbow the border may be that cuts it


@dataclass(frozen=True)
class Completed:
    """Joints [18,2], which are there [18] bool, and which of these were put there [18] bool."""

    joints: np.ndarray
    seen: np.ndarray
    added: np.ndarray


def with_cut_joints(joints: np.ndarray, seen: np.ndarray, height: int, width: int) -> Completed:
    """A person posed as [18,2] with hips, knees, ankles and elbows hung down where the border cut them off."""
    made = Completed(joints.astype(np.float64), seen.copy(), np.zeros_like(seen))
    if not seen.any():
        return made
    unit = trunk_length(joints, seen)
    _hang_hips(made, height, width, unit)
    for half in (*(half for halves in LEGS.values() for half in halves), *(upper for upper, _ in ARMS.values())):
        _hang(made, half, half_length(half, joints, seen, unit), (height, width), MARGIN * unit)
    return made


def with_cut_wrists(made: Completed, alpha: np.ndarray) -> Completed:
    """The same with wrists on along the forearms that the mask ``alpha`` [h,w] shows running out of the picture."""
    joints, seen, added = made.joints.copy(), made.seen.copy(), made.added.copy()
    if not seen.any():
        return made
    unit = trunk_length(joints, seen)
    inner = np.pad(alpha >= 0.5, 1, mode="edge")
    room = distance_transform_edt(inner)[1:-1, 1:-1]
    for (upper, lower), radius in ((halves, RADIUS[ARM][1] * unit) for halves in ARMS.values()):
        shoulder, elbow, wrist = upper.joints[0], *lower.joints
        if seen[wrist] or not (seen[shoulder] and seen[elbow]):
            continue
        length = half_length(lower, joints, seen, unit)
        if added[elbow]:
            spot = joints[elbow] + length * DOWN
        else:
            spot = _forearm_end(joints[shoulder], joints[elbow], length, room, radius)
        if spot is not None:
            joints[wrist], seen[wrist], added[wrist] = spot, True, True
    return Completed(joints, seen, added)


def targets_completed(
    joints: np.ndarray, seen: np.ndarray, reference: Completed, size: float, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Poses [F,18,2] and what they show [F,18] with the joints that their border, or the reference's, cut off.

    ``size`` is the target's size against the reference's.
    """
    unit = trunk_length(reference.joints, reference.seen)
    joints, seen = joints.astype(np.float64), seen.copy()
    for half in (half for halves in LIMBS.values() for half in halves):
        first, last = half.joints
        length = size * half_length(half, reference.joints, reference.seen, unit)
        for frame in np.flatnonzero(seen[:, first] & ~seen[:, last]):
            way = _line_on(half, joints[frame], seen[frame])
            spot = joints[frame, first] + length * way
            cut = _outside(spot, height, width, MARGIN * unit * size)
            if cut or (reference.added[last] and half.limb != ARM):
                joints[frame, last], seen[frame, last] = spot, True
    return joints, seen


def half_length(half: Half, joints: np.ndarray, seen: np.ndarray, unit: float) -> float:
    """Length in pixels of a limb's half: as seen, as on the other side, or the usual one."""
    for one in (half, *(other for pair in LIMBS.values() for other in pair)):
        a, b = one.joints
        if (one.limb, one.index) == (half.limb, half.index) and seen[a] and seen[b]:
            return max(float(np.hypot(*(joints[b] - joints[a]))), 0.5 * LENGTHS[half.limb][half.index] * unit)
    return LENGTHS[half.limb][half.index] * unit


def _hang_hips(made: Completed, height: int, width: int, unit: float) -> None:
    """Write hips below the shoulders where they would be beyond the border."""
    right, left = (made.joints[k] for k in SHOULDERS)
    if made.seen[list(HIPS)].any() or not made.seen[list(SHOULDERS)].all():
        return
    across = left - right
    middle = (right + left) / 2 + LONG * np.array([-across[1], across[0]])
    for hip, side in zip(HIPS, (-0.5, 0.5)):
        spot = middle + side * HIPS_WIDE * across
        if _outside(spot, height, width, MARGIN * unit):
            made.joints[hip], made.seen[hip], made.added[hip] = spot, True, True


def _hang(made: Completed, half: Half, length: float, canvas: tuple[int, int], margin: float) -> None:
    """Write the far joint of a half straight below its near one where that is beyond the border."""
    first, last = half.joints
    if not made.seen[first] or made.seen[last]:
        return
    spot = made.joints[first] + length * DOWN
    if _outside(spot, *canvas, margin):
        spot[1] = max(spot[1], canvas[0] + 1.0)
        made.joints[last], made.seen[last], made.added[last] = spot, True, True


def _forearm_end(
    shoulder: np.ndarray, elbow: np.ndarray, length: float, room: np.ndarray, radius: float
) -> np.ndarray | None:
    """The wrist [2] beyond the border, in the middle of what leads there from the elbow; None where nothing does.

    ``room`` [h,w] is each pixel's distance to what is not the figure.
    """
    height, width = room.shape
    upper = np.arctan2(*(elbow - shoulder)[::-1])
    best, found = 0.0, None
    for bend in np.linspace(-MOST_BENT, MOST_BENT, WAYS):
        way = np.array([np.cos(upper + bend), np.sin(upper + bend)])
        spots = elbow + np.arange(0.0, LONGEST * length)[:, None] * way
        out = (spots < 0).any(axis=1) | (spots[:, 0] >= width) | (spots[:, 1] >= height)
        if not out.any() or out[0]:
            continue
        cols, rows = spots[: out.argmax()].astype(int).T
        clear = np.minimum(room[rows, cols], radius)
        score = float(clear.mean()) - STRAIGHT * radius * abs(bend)
        if clear.min() > 0 and score > best:
            best, found = score, elbow + max(length, float(out.argmax()) + 1) * way
    return found


def _line_on(half: Half, joints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Where a missing half points to [2]: a forearm on from its upper arm, everything else down."""
    shoulder = half.joints[0] - 1
    if half.limb != ARM or half.index == 0 or not seen[shoulder]:
        return DOWN
    line = joints[half.joints[0]] - joints[shoulder]
    return line / max(float(np.hypot(*line)), 1e-6)


def _outside(spot: np.ndarray, height: int, width: int, margin: float) -> bool:
    """Whether a place is beyond the picture's border, or nearly."""
    x, y = spot
    return bool(min(x, y, width - x, height - y) < margin)
