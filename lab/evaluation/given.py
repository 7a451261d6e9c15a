"""What the methods are given of a case: exact poses and mask, or such as a user has."""

import numpy as np
from torch import Tensor

from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview.bones import figure_of
from freeanimate_pack.freeanimate_core.preview.completion import with_cut_joints
from freeanimate_pack.freeanimate_core.preview.mask import person_mask

EXACT, NOISY = "exact", "noisy"
INPUTS = (EXACT, NOISY)
NOISE = 1 / 256  # of the canvas height: standard deviation of each coordinate of a joint


def noisy(poses: PoseSequence, rng: np.random.Generator) -> PoseSequence:
    """Every body joint moved by independent Gaussian noise, ``NOISE`` in x and in y; missing ones stay missing."""
    joints = poses.joints.copy()
    shift = NOISE * poses.height * rng.standard_normal(joints[..., :2].shape)
    joints[..., :2] += np.where(joints[..., 2:] > 0, shift, 0)
    return poses.with_arrays({"joints": joints})


def cut_out(picture: Tensor, pose: PoseSequence) -> Tensor:
    """The pack's own mask [1,H,W] of the person in ``picture`` [1,H,W,3], as Preview Generation has without one."""
    body = with_cut_joints(pose.joints[0, :, :2], pose.seen[0], *picture.shape[1:3])
    figure = figure_of(body.joints, body.seen)
    return person_mask(picture[0], None, list(figure.values()))[0][None]


def given(
    inputs: str, picture: Tensor, mask: Tensor, pose: PoseSequence, targets: PoseSequence, seeds: list[int]
) -> tuple[Tensor, PoseSequence, PoseSequence]:
    """Mask [1,H,W], pose and targets as the methods get them; the noise follows from ``seeds``."""
    if inputs == EXACT:
        return mask, pose, targets
    rng = np.random.default_rng([*seeds, 41])
    seen = noisy(pose, rng)
    return cut_out(picture, seen), seen, noisy(targets, rng)
