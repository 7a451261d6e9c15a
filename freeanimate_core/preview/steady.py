"""Joints that stay where they are: small differences between two detected poses are scatter, not motion.

A detector scatters about a joint. Two poses of one body that does not move then differ a little at every joint, and a
warp that follows each of them wrings the figure. Axes: F frames, J joints; positions are (x, y) in pixels.
"""

import numpy as np

from .bones import unit_length

# The most scatter of one coordinate of a detected joint, of the trunk's length. The key points of COCO scatter more
# from one annotator to the next: .02 (eyes) to .08 (hips) of a person's size, the root of its area.
NOISE = 0.018
CALM = 0.25  # share of the joints that are taken to move with the body alone: what is left of their way is scatter
RAYLEIGH = np.sqrt(-2 * np.log(1 - CALM))  # that share of the distances is less than so many standard deviations
STILL = 2.0  # standard deviations of a difference, up to which a joint stays; from there on it goes over into following
TOGETHER = 2.0  # the same, up to which joints tell how the body moves as a whole
ROUNDS = 15  # of the fit, after which it has settled
LEAST = 3  # joints that tell how a body moves as a whole


def steadied(joints: np.ndarray, seen: np.ndarray, targets: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Poses [F,J,2], shown [F,J] bool, of a body posed as [J,2], seen [J] bool in the reference, without scatter.

    One similarity per frame moves the body as a whole, fitted to the joints that agree on it. What is left of a
    joint's way is kept as far as it is more than scatter: all of a large one, nothing of a small one (James and
    Stein's estimator, 1961, for two coordinates). How much scatter there is, the calmest joints of the frame tell:
    where a quarter of them agrees exactly there is none, and the pose stays as it is. So do frames with few joints.
    """
    most = np.sqrt(2) * NOISE * unit_length(joints, seen)
    both = seen & shown
    start, goal = joints[:, 0] + 1j * joints[:, 1], targets[..., 0] + 1j * targets[..., 1]
    whole = _moved_together(start, goal, both, most)
    own = goal - whole
    sigma = np.minimum(_calmest(np.abs(own), both) / RAYLEIGH, most)
    share = np.clip(1 - (STILL * sigma) ** 2 / np.maximum(np.abs(own) ** 2, 1e-12), 0, 1)
    kept = both & (both.sum(axis=1, keepdims=True) >= LEAST)
    moved = np.where(kept, whole + share * own, goal)
    return np.stack([moved.real, moved.imag], axis=-1)


def _moved_together(start: np.ndarray, goal: np.ndarray, both: np.ndarray, sigma: float) -> np.ndarray:
    """Places [F,J], complex, of joints [J] moved by each frame's similarity on which most of ``goal`` [F,J] agree."""
    masked = np.where(both, goal - start, np.nan)
    with np.errstate(all="ignore"):
        shift = _median(masked.real) + 1j * _median(masked.imag)
    places = start + shift
    for _ in range(ROUNDS):
        weight = both / (1 + np.abs(goal - places) ** 2 / (TOGETHER * sigma) ** 2) ** 2
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
        middle, aim = ((weight * at).sum(axis=1, keepdims=True) / total for at in (start[None], goal))
        spread = (weight * np.abs(start - middle) ** 2).sum(axis=1, keepdims=True)
        turn = (weight * np.conj(start - middle) * (goal - aim)).sum(axis=1, keepdims=True) / np.maximum(spread, 1e-12)
        places = aim + turn * (start - middle)
    return places


def _calmest(ways: np.ndarray, both: np.ndarray) -> np.ndarray:
    """The ``CALM`` quantile [F,1] of distances [F,J] of the joints ``both`` [F,J] show; 0 where there are none."""
    found = np.sort(np.where(both, ways, np.inf), axis=1)
    rank = np.maximum(np.ceil(CALM * both.sum(axis=1, keepdims=True)).astype(int) - 1, 0)
    value = np.take_along_axis(found, rank, axis=1)
    return np.where(np.isfinite(value), value, 0.0)


def _median(values: np.ndarray) -> np.ndarray:
    """Median [F,1] of [F,J] without NaN; 0 where there is nothing else."""
    known = np.isfinite(values).any(axis=1, keepdims=True)
    return np.where(known, np.nanmedian(np.where(known, values, 0.0), axis=1, keepdims=True), 0.0)
