"""A figure that the picture's lower border cuts: the cut stays at the border or beyond it.

Axes: F frames. Positions are in pixels, y down.
"""

import numpy as np

from .anchor import lowered
from .fitted import Fitted
from .keypoints import PoseSequence
from .skeleton import BONES, HIPS, LEG_LENGTHS, SHOULDERS, trunk_length

# What hangs from a joint on either side, and how long that is, in trunk's lengths: from the cut upwards.
TRUNK_SIDES = tuple(zip(SHOULDERS, HIPS))
HANGING = ((BONES["shins"], LEG_LENGTHS[1]), (BONES["thighs"], LEG_LENGTHS[0]), (TRUNK_SIDES, 1.0))
HELD = 0.1  # of the canvas: as far the whole clip is moved; in frames that rise by more the rise is cut short
SLIGHT = 0.5  # pixels that nobody sees


def hold_cut(fitted: Fitted, reference: PoseSequence) -> Fitted:
    """``fitted`` moved down until the cut of ``reference`` (one frame) is in no frame higher than in the picture.

    The joints next to the cut tell where it is: hips where the knees are beyond the border. Of two legs the lower one
    counts, as the other may be lifted. Nothing moves where the lower border cuts nobody, or no frame shows the joints.
    """
    rise = _rise(fitted.poses, reference, _cut_joints(reference))
    if rise.max() <= SLIGHT:
        return fitted
    whole = min(float(rise.max()), HELD * reference.height)
    note = f"moved down by {whole:.1f} px to keep the legs' cut at the border"
    if rise.max() > whole:
        note += f", by up to {rise.max():.1f} px in {int((rise > whole).sum())} frames that rise higher"
    return Fitted(lowered(fitted.poses, np.maximum(rise, whole)), fitted.notes).noting(note)


def _cut_joints(reference: PoseSequence) -> list[int]:
    """The lowest joints inside the picture of whose limbs the lower border cuts the rest."""
    seen, height = reference.seen[0], reference.height
    unit = trunk_length(reference.joints[0, :, :2], seen)
    inside = seen & (reference.joints[0, :, 1] < height)
    for sides, length in HANGING:
        reach = reference.joints[0, :, 1] + length * unit
        found = [joint for joint, next_ in sides if inside[joint] and not inside[next_] and reach[joint] >= height]
        if found:
            return found
    return []


def _rise(poses: PoseSequence, reference: PoseSequence, cut: list[int]) -> np.ndarray:
    """Pixels [F], 0 or more, by which the lowest of the joints ``cut`` stands higher than in the reference."""
    rise = np.where(poses.seen[:, cut], reference.joints[0, cut, 1] - poses.joints[:, cut, 1], np.inf)
    least = rise.min(axis=1, initial=np.inf)
    known = np.flatnonzero(np.isfinite(least))
    if not len(known):
        return np.zeros(len(poses))
    return np.maximum(np.interp(np.arange(len(poses)), known, least[known]), 0.0)
