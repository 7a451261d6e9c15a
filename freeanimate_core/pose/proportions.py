"""How large the reference's body is against the driving one: one scale, and a ratio for every bone.

A bone never looks longer than it is, only shorter when it points at the viewer, so its length is taken near the
longest that a clip shows. That makes the measure blind to jumps, swinging limbs, turns and a foreshortened frame.
Lengths are in pixels.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from ..errors import ALIGN_POSE, FreeAnimateError
from .keypoints import NOSE, PoseSequence
from .skeleton import BONES, MEASURED, PARENTS, WIDTHS, confidence_of, with_middles

LONGEST = 0.95  # quantile over frames
# How much of what the median filter takes out is taken off: jitter makes the longest lengths too long by about that.
# With a jitter of 0.2 % of the height the scale is 0.4 % too small on average, and 1.5 % without.
JITTER = 1.5
GLITCH = 5  # frames of the median filter that takes single wrong detections out
MOST_UNLIKE = 2.0  # a bone's ratio is kept within this factor of the scale
BUILD = 4 / 3  # a width further than this factor from the scale is that of a turned body, not of another build
FACING = 0.97  # share of the head's greatest width that a head seen from the front has
LARGEST_SCALE = 50.0  # no pair of detections of people differs so much
LEAST = 1e-3  # pixels; below, a bone has no length


@dataclass(frozen=True)
class Proportions:
    """Reference over driving."""

    scale: float  # of the whole body
    bones: dict[str, float]  # by name of BONES
    borrowed: tuple[str, ...]  # bones that one of the poses does not show well: their ratio is their parent's
    unlike: float  # mean deviation of the bones from one scale, as a fraction


def measure(driving: PoseSequence, reference: PoseSequence) -> Proportions:
    """Compare the bodies of F driving frames and of one reference frame.

    The scale is the median of the bones' ratios, weighted by length and confidence: with the driving body itself as
    the reference it is exact, where a least squares fit is up to 8 % off over the drawn motions and the mean of the
    ratios 2.5 %. Raises FreeAnimateError when no bone is visible in both, or when the scale is beyond reason.
    """
    moving, still = _facing(with_middles(driving.joints)), with_middles(reference.joints)
    ratios, weights = {}, {}
    for name, sides in MEASURED.items():
        (own, trust), (goal, trust_goal) = _longest(moving, sides), _longest(still, sides)
        if own > LEAST and goal > LEAST:
            ratios[name], weights[name] = goal / own, goal * trust * trust_goal
    if not ratios:
        raise FreeAnimateError(no_common_joints("joined by a bone"))
    logs, weight = np.log(list(ratios.values())), np.array(list(weights.values()))
    scale = float(np.exp(quantile(logs, weight, 0.5)))
    _check(scale)
    unlike = float(np.expm1((weight * np.abs(logs - np.log(scale))).sum() / weight.sum()))
    told = {name: ratio for name, ratio in ratios.items() if name not in WIDTHS or _is_build(ratio / scale)}
    return Proportions(scale, _complete(told, scale), tuple(name for name in BONES if name not in told), unlike)


def quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """Weighted quantile of ``values`` [N]: each stands at the middle of its weight, between them it is linear."""
    order = np.argsort(values)
    reach = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(share * weights.sum(), reach, values[order]))


def no_common_joints(how: str) -> str:
    """The message for poses that cannot be compared."""
    return (
        f"{ALIGN_POSE}: driving_pose and reference_pose have fewer than two visible joints {how} in common; "
        "set mode to none, or detect poses that show the same part of the body."
    )


def _facing(joints: np.ndarray) -> np.ndarray:
    """Joints [F,20,3] with the nose hidden where the head is turned, which moves it away from the neck."""
    width = np.hypot(*(joints[:, 16, :2] - joints[:, 17, :2]).T) * (confidence_of(joints, (16, 17)) > 0)
    longest, _ = _longest(joints, MEASURED["ears"])
    facing = joints.copy()
    facing[width < FACING * longest, NOSE, 2] = 0
    return facing


def _longest(joints: np.ndarray, sides: tuple[tuple[int, int], ...]) -> tuple[float, float]:
    """Length in pixels of the longer side of a bone over the frames of ``joints`` [F,20,3], and its mean confidence."""
    best = (0.0, 0.0)
    for high, low in sides:
        confidence = confidence_of(joints, (high, low))
        shown = confidence > 0
        if shown.any():
            length = np.hypot(*(joints[shown, high, :2] - joints[shown, low, :2]).T)
            steady = median_filter(length, GLITCH, mode="nearest")
            longest = quantile(steady, confidence[shown], LONGEST) - JITTER * np.median(np.abs(length - steady))
            best = max(best, (longest, confidence[shown].mean()))
    return best


def _complete(ratios: dict[str, float], scale: float) -> dict[str, float]:
    """A ratio for every bone: its own within bounds, else that of the bone above it, else the scale."""
    bones: dict[str, float] = {}
    for name, sides in BONES.items():
        upper = sides[0][0]
        above = bones[PARENTS[upper][1]] if upper in PARENTS else scale
        bones[name] = float(np.clip(ratios.get(name, above), scale / MOST_UNLIKE, scale * MOST_UNLIKE))
    return bones


def _is_build(unlike: float) -> bool:
    return 1 / BUILD <= unlike <= BUILD


def _check(scale: float) -> None:
    if not 1 / LARGEST_SCALE <= scale <= LARGEST_SCALE:
        raise FreeAnimateError(
            f"{ALIGN_POSE}: the body in reference_pose is {scale:.3g} times as large as the one in driving_pose; "
            f"1/{LARGEST_SCALE:g} to {LARGEST_SCALE:g} is supported. Detect the poses again, or set mode to none."
        )
