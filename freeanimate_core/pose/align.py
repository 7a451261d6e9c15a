"""Alignment: a driving pose sequence scaled and moved onto the reference's body.

Every mode is a function (driving, reference) -> poses on the reference's canvas, listed in
``ALIGN_MODES`` under the name that the node shows. Later modes are appended.
"""

from collections.abc import Callable

import numpy as np

from ..errors import ALIGN_POSE, FreeAnimateError
from .keypoints import PoseSequence, same_aspect

# Head, trunk and legs: without elbows and wrists, whose swing says nothing about size.
STEADY = (0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)
_SHAPE_TOLERANCE = 1.05  # frames whose shape fits the reference's this nearly as well count as equal

Align = Callable[[PoseSequence, PoseSequence], PoseSequence]


def align(driving: PoseSequence, reference: PoseSequence, mode: str) -> PoseSequence:
    """``driving`` fitted to the one frame of ``reference`` by ``mode``, a key of ``ALIGN_MODES``."""
    if len(reference) != 1:
        raise FreeAnimateError(
            f"{ALIGN_POSE}: reference_pose holds {len(reference)} frames, but one is expected: "
            "the pose of the reference image."
        )
    if mode not in ALIGN_MODES:
        raise FreeAnimateError(f"{ALIGN_POSE}: mode '{mode}' is unknown; choose one of {', '.join(ALIGN_MODES)}.")
    return ALIGN_MODES[mode](driving, reference)


def keep(driving: PoseSequence, reference: PoseSequence) -> PoseSequence:
    """No alignment: the pose as it is, only brought to the reference's size when the aspect is the same."""
    size = reference.height, reference.width
    return driving.resized(*size) if same_aspect(driving, *size) else driving


def affine_demeaned(driving: PoseSequence, reference: PoseSequence) -> PoseSequence:
    """One scale and one offset in pixels for the whole clip; moving the body does not change the scale.

    With complex x = driving, y = reference and means over the joints of each frame f alone:
    ``alpha = |sum w conj(x - mean_f x)(y - mean_f y) / sum w |x - mean_f x|^2|``; the offset puts the
    anchor frame's mean onto the reference's. The anchor is the first frame that fits the reference best.
    """
    x, y, weight = _steady_joints(driving, reference)
    flat, target = x - _mean(x, weight), y - _mean(y, weight)
    spread = (weight * np.abs(flat) ** 2).sum()
    if spread <= 1e-6:
        raise FreeAnimateError(_too_few("apart from one another"))
    scale = float(np.abs((weight * np.conj(flat) * target).sum()) / spread)
    anchor = _anchor(flat, target, weight)
    move = (_mean(y, weight) - scale * _mean(x, weight))[anchor, 0]
    return driving.moved((scale, scale), (move.real, move.imag), reference.height, reference.width)


def affine_stableanimator(driving: PoseSequence, reference: PoseSequence) -> PoseSequence:
    """As published by MimicMotion and StableAnimator, kept for compatibility, over visible joints.

    On coordinates as fractions of each canvas: ``(a_y, b_y) = polyfit(y_drive, y_ref, 1)``,
    ``a_x = a_y (f_w h) / (f_h w)``, ``b_x = mean(x_ref - a_x x_drive)``. Vertical motion shrinks it:
    a jump of 0.2 of the height gives a scale of 0.75.
    """
    x, y, weight = _steady_joints(driving, reference)
    seen = weight > 0
    down, target = x.imag[seen] / driving.height, np.broadcast_to(y, x.shape).imag[seen] / reference.height
    if np.ptp(down) <= 1e-9:
        raise FreeAnimateError(_too_few("at different heights"))
    scale_y, offset_y = np.polyfit(down, target, 1)
    scale_x = scale_y * (driving.width * reference.height) / (driving.height * reference.width)
    across, goal = x.real[seen] / driving.width, np.broadcast_to(y, x.shape).real[seen] / reference.width
    offset_x = np.mean(goal - scale_x * across)
    scale = scale_x * reference.width / driving.width, scale_y * reference.height / driving.height
    return driving.moved(
        scale, (offset_x * reference.width, offset_y * reference.height), reference.height, reference.width
    )


ALIGN_MODES: dict[str, Align] = {
    "none": keep,
    "affine": affine_demeaned,
    "affine (StableAnimator)": affine_stableanimator,
}


def _steady_joints(driving: PoseSequence, reference: PoseSequence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Complex positions x [F,J], y [1,J] in pixels and weights [F,J]: 0 unless seen in both."""
    ids = list(STEADY)
    seen = driving.seen[:, ids] & reference.seen[:, ids]
    weight = np.where(seen, driving.joints[:, ids, 2] * reference.joints[:, ids, 2], 0.0)
    if (seen.sum(axis=1) >= 2).sum() == 0:
        raise FreeAnimateError(_too_few("in common"))
    x, y = (poses.joints[:, ids, 0] + 1j * poses.joints[:, ids, 1] for poses in (driving, reference))
    return x, y, weight


def _mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean over joints [F,1]; 0 in frames without weight."""
    return (weight * values).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)


def _anchor(flat: np.ndarray, target: np.ndarray, weight: np.ndarray) -> int:
    """First frame whose shape fits the reference's best, by the residual of its own similarity fit."""
    power, goal = ((weight * np.abs(v) ** 2).sum(axis=1) for v in (flat, target))
    cross = np.abs((weight * np.conj(flat) * target).sum(axis=1)) ** 2
    misfit = 1 - cross / np.maximum(power * goal, 1e-12)
    misfit[(weight > 0).sum(axis=1) < 2] = np.inf
    return int(np.argmax(misfit <= misfit.min() * _SHAPE_TOLERANCE + 1e-3))


def _too_few(how: str) -> str:
    return (
        f"{ALIGN_POSE}: driving_pose and reference_pose have fewer than two visible joints of head, trunk and legs "
        f"{how}; set mode to none, or detect poses that show the same part of the body."
    )
