"""Where the driving body stands on the reference's canvas: the frame that anchors it, an offset, a ground line.

Positions are complex, x + iy in pixels, [F,J] with the driving frames F (1 for the reference) and joints J.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import FreeAnimateError
from .keypoints import PoseSequence
from .proportions import no_common_joints
from .skeleton import LEFT_ANKLE, RIGHT_ANKLE, map_points

# Head, trunk and legs: without elbows and wrists, whose swing says nothing about the place.
STEADY = (0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
TRUNK = np.isin(STEADY, (1, 2, 5, 8, 11))
# Frames whose misfit is within this factor, and this share of the body's spread, of the best are alike.
ALIKE, ALIKE_SPREAD = 1.05, 1e-3


@dataclass(frozen=True)
class Anchor:
    """The frame most like the reference, its map p -> scale * p + offset, and the frames that fit as well as it."""

    frame: int
    offset: complex
    alike: np.ndarray  # [F] bool

    @property
    def shift(self) -> tuple[float, float]:
        """The offset as x and y in pixels."""
        return self.offset.real, self.offset.imag


def anchored(driving: PoseSequence, reference: PoseSequence, scale: float) -> Anchor:
    """Offset that puts the trunk of the anchor frame, scaled by ``scale``, onto the reference's.

    The anchor is the first frame whose head, trunk and legs fit the reference's best when moved only, so that a walk
    is anchored where it comes by at the reference's size. Raises FreeAnimateError when no frame shares two joints.
    """
    x, y, weight = steady_joints(driving, reference)
    gap = y - scale * x
    shared = (weight > 0).sum(axis=1)
    misfit = mean(np.abs(gap - mean(gap, weight)) ** 2, weight)[:, 0]
    misfit[(shared < 2) | (2 * shared < shared.max())] = np.inf
    still = (weight > 0).any(axis=0, keepdims=True).astype(float)
    spread = float(mean(np.abs(y - mean(y, still)) ** 2, still)[0, 0])
    alike = misfit <= misfit.min() * ALIKE + spread * ALIKE_SPREAD
    frame = int(np.argmax(alike))
    trunk = weight[frame] * TRUNK
    held = trunk if (trunk > 0).sum() >= 2 else weight[frame]
    return Anchor(frame, complex(mean(gap[[frame]], held[None])[0, 0]), alike)


def fall_to_ground(
    aligned: PoseSequence, driving: PoseSequence, reference: PoseSequence, scale: float, alike: np.ndarray
) -> np.ndarray | None:
    """Pixels [F] by which ``aligned`` has to move down so that its lower ankle keeps its height over the ground.

    That height is ``scale`` times the driving one; the driving ground is taken from the frames ``alike`` [F] the
    reference, the reference's ground from its own lower ankle. None when either never shows an ankle.
    """
    goal, before, after = (_lower_ankle(poses) for poses in (reference, driving, aligned))
    shown = np.isfinite(before)
    if not np.isfinite(goal[0]) or not shown.any():
        return None
    standing = alike & shown if (alike & shown).any() else shown
    ground = before[standing].max()  # the lowest: the other frames may be jumps
    fall = goal[0] - scale * (ground - before[shown]) - after[shown]
    return np.interp(np.arange(len(driving)), np.flatnonzero(shown), fall)


def lowered(poses: PoseSequence, fall: np.ndarray) -> PoseSequence:
    """``poses`` moved down by ``fall`` [F] pixels; missing points stay missing."""

    def change(points: np.ndarray) -> np.ndarray:
        moved = points.copy()
        moved[..., 1] += np.where(points[..., 2] > 0, fall[:, None], 0.0)
        return moved

    return map_points(poses, change)


def steady_joints(driving: PoseSequence, reference: PoseSequence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions x [F,J], y [1,J] and weights [F,J], the product of both confidences: 0 unless visible in both."""
    ids = list(STEADY)
    seen = driving.seen[:, ids] & reference.seen[:, ids]
    if not (seen.sum(axis=1) >= 2).any():
        raise FreeAnimateError(no_common_joints("of head, trunk and legs"))
    weight = np.where(seen, driving.joints[:, ids, 2] * reference.joints[:, ids, 2], 0.0)
    x, y = (poses.joints[:, ids, 0] + 1j * poses.joints[:, ids, 1] for poses in (driving, reference))
    return x, y, weight


def mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean over joints, [F,J] -> [F,1]; 0 in frames without weight."""
    return (weight * values).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)


def _lower_ankle(poses: PoseSequence) -> np.ndarray:
    """Height y of the lower visible ankle in pixels, [F]; -inf in frames that show none."""
    ankles = [RIGHT_ANKLE, LEFT_ANKLE]
    return np.where(poses.seen[:, ankles], poses.joints[:, ankles, 1], -np.inf).max(axis=1)
