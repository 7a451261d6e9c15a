"""Errors of aligned poses against the truth, and their summary by mode and kind of clip.

Errors are fractions: of scale and bone lengths relative to the true ones, of joints relative to the canvas height.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from freeanimate_pack.freeanimate_core.pose import VISIBLE, PoseSequence
from freeanimate_pack.freeanimate_core.pose.skeleton import PARENTS, with_middles

from .clips import DrivingClip

SHORT = 0.25  # bones seen at less than this share of their longest have no length worth comparing


@dataclass(frozen=True)
class Score:
    """One clip under one mode."""

    kind: str
    scale_error: float | None  # None where no single scale is the truth
    bone_error: float  # the worst bone's, over all frames
    joint_error: float  # mean over frames and joints


def score(clip: DrivingClip, poses: PoseSequence) -> Score:
    """Compare ``poses`` [F] with the clip's truth, over the joints that both show."""
    own, goal = _bones(poses.joints), _bones(clip.driving.joints)
    errors, lengths = [], np.zeros(2)
    for joint, (_, bone) in PARENTS.items():
        true = goal[:, joint] * clip.ratios[bone]
        seen = np.isfinite(true) & np.isfinite(own[:, joint])
        if seen.any():
            # A bone that points at the viewer counts by its error against its whole length.
            error = np.abs(own[seen, joint] - true[seen]) / np.maximum(true[seen], SHORT * true[seen].max())
            errors.append(error.max())
            lengths += own[seen, joint].sum(), true[seen].sum()
    shown = (poses.joints[..., 2] >= VISIBLE) & (clip.truth[..., 2] >= VISIBLE)
    off = np.hypot(*(poses.joints - clip.truth)[shown][:, :2].T)
    scale_error = abs(lengths[0] / lengths[1] - 1) if clip.alike else None
    return Score(clip.kind, scale_error, float(max(errors)), float(off.mean() / clip.reference.height))


def summary(scores: Iterable[Score]) -> dict:
    """The worst scale and bone and the mean joint of all clips, and the same for each kind."""
    scores = list(scores)
    kinds = {score.kind: [other for other in scores if other.kind == score.kind] for score in scores}
    return {**_worst(scores), "kinds": {kind: _worst(group) for kind, group in kinds.items()}}


def _worst(scores: list[Score]) -> dict:
    scales = [score.scale_error for score in scores if score.scale_error is not None]
    return {
        "clips": len(scores),
        "scale_error_max": float(max(scales)) if scales else None,
        "bone_error_max": max(score.bone_error for score in scores),
        "joint_error_mean": float(np.mean([score.joint_error for score in scores])),
        "joint_error_max": max(score.joint_error for score in scores),
    }


def _bones(joints: np.ndarray) -> np.ndarray:
    """Length in pixels of the bone that ends in each joint, [F,20]; NaN where an end is missing."""
    points = with_middles(joints)
    lengths = np.full(points.shape[:2], np.nan)
    for joint, (parent, _) in PARENTS.items():
        seen = points[:, [joint, parent], 2].min(axis=1) >= VISIBLE
        lengths[seen, joint] = np.hypot(*(points[seen, joint, :2] - points[seen, parent, :2]).T)
    return lengths
