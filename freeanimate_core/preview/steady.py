"""Joints that stay where they are: small differences between two detected poses are scatter, not motion.

A detector scatters about a joint. Two poses of one body that does not move then differ a little at every joint, and a
warp that follows each of them wrings the figure. Axes: F frames, J joints, B bones; positions are in pixels, (x, y)
or complex, x + iy.
"""

import numpy as np

from ..pose.skeleton import trunk_length
from .bones import HALVES, HIPS, SHOULDERS

# The most scatter of one coordinate of a detected joint, of the trunk's length. The key points of COCO scatter more
# from one annotator to the next: .02 (eyes) to .08 (hips) of a person's size, the root of its area.
NOISE = 0.018
STILL = 2.0  # standard deviations of a difference, up to which a joint stays; from there on it goes over into following
TOGETHER = 2.0  # the same, up to which joints tell how the body moves as a whole
ROUNDS = 15  # of the fit, after which it has settled
LEAST = 6  # bones that tell how much scatter there is
# Nose, eyes and ears, neck and nose, shoulders, hips, the trunk's sides, and the halves of the limbs.
FACE = ((1, 0), (0, 14), (0, 15), (14, 16), (15, 17))
PAIRS = np.array([*FACE, SHOULDERS, HIPS, *zip(SHOULDERS, HIPS), *(half.joints for half in HALVES.values())])
CALM, DEVIATIONS = 0.35, 0.454  # that share of normal numbers is within so many standard deviations
CALM_FRAMES = 0.25  # that share of the frames shows the body about as the reference does


def steadied(joints: np.ndarray, seen: np.ndarray, targets: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Poses [F,J,2], shown [F,J] bool, of a body posed as [J,2], seen [J] bool in the reference, without scatter.

    One similarity per frame moves the body as a whole, fitted to the joints that agree on it. What is left of a
    joint's way is kept as far as it is more than scatter: all of a large one, nothing of a small one (James and
    Stein's estimator, 1961, for two coordinates). How much scatter there is, bones tell: a limb that moves a little
    keeps its length, a joint that scatters does not; of a clip its calmest frames are asked. Exact poses stay as they
    are.
    """
    both = seen & shown
    start, goal = joints[:, 0] + 1j * joints[:, 1], targets[..., 0] + 1j * targets[..., 1]
    most = np.sqrt(2) * NOISE * trunk_length(joints, seen)
    whole, size = _moved_together(start, goal, both, most)
    sigma = min(_scatter(start, goal, both, size), most)
    own = goal - whole
    if sigma == 0:
        return targets
    share = np.clip(1 - (STILL * sigma) ** 2 / np.maximum(np.abs(own) ** 2, 1e-12), 0, 1)
    moved = np.where(both, whole + share * own, goal)
    return np.stack([moved.real, moved.imag], axis=-1)


def _moved_together(
    start: np.ndarray, goal: np.ndarray, both: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Joints [J] moved by each frame's similarity on which most of ``goal`` [F,J] agree, [F,J], and its size [F,1]."""
    ways = np.where(both, goal - start, 0.0)
    places = start + _median(ways.real, both) + 1j * _median(ways.imag, both)
    for _ in range(ROUNDS):
        weight = both / (1 + np.abs(goal - places) ** 2 / (TOGETHER * sigma) ** 2) ** 2
        total = np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
        middle, aim = ((weight * at).sum(axis=1, keepdims=True) / total for at in (start[None], goal))
        spread = (weight * np.abs(start - middle) ** 2).sum(axis=1, keepdims=True)
        turn = (weight * np.conj(start - middle) * (goal - aim)).sum(axis=1, keepdims=True) / np.maximum(spread, 1e-12)
        places = aim + turn * (start - middle)
    return places, np.abs(turn)


def _scatter(start: np.ndarray, goal: np.ndarray, both: np.ndarray, size: np.ndarray) -> float:
    """Standard deviation of the difference of one coordinate between two detections, by the bones' lengths.

    Bones that turn towards the viewer change theirs too: the calmer ones are asked. 0 where too few are seen.
    """
    first, last = PAIRS.T
    shown = both[:, first] & both[:, last]
    change = np.abs(np.abs(goal[:, last] - goal[:, first]) - size * np.abs(start[last] - start[first]))
    of_frames = [_quantile(row[of], CALM) for row, of in zip(change, shown) if of.sum() >= LEAST]
    return _quantile(np.array(of_frames), CALM_FRAMES) / DEVIATIONS / np.sqrt(2) if of_frames else 0.0


def _quantile(values: np.ndarray, share: float) -> float:
    """The largest of the smallest ``share`` of the values [n], at least one of them."""
    return float(np.sort(values)[max(int(np.ceil(share * len(values))) - 1, 0)])


def _median(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Median [F,1] of those values [F,J] that are ``known`` [F,J] bool; 0 where none is."""
    rows = [row[of] for row, of in zip(values, known)]
    return np.array([[np.median(row) if len(row) else 0.0] for row in rows])
