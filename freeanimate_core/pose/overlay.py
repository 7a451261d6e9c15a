"""Aligned poses over the reference, so that their fit is seen before the long work."""

import torch
from torch import Tensor

from ..errors import ALIGN_POSE, FreeAnimateError
from .draw import draw_poses
from .keypoints import PoseSequence, same_aspect

GROUND = 0.2  # grey without a reference image
SHADOW = 0.6  # how strongly the reference's own skeleton shows


def overlay(poses: PoseSequence, reference_pose: PoseSequence, reference: Tensor | None) -> Tensor:
    """``poses`` over ``reference`` [1,H,W,3] or grey, with the reference's own skeleton in white: [F,H,W,3] 0-1.

    The picture has the reference's size. Raises FreeAnimateError when the poses' canvas has another aspect.
    """
    if reference is None:
        ground = torch.full((poses.height, poses.width, 3), GROUND)
    else:
        ground = reference[0]
    height, width = ground.shape[:2]
    if not same_aspect(poses, height, width):
        raise FreeAnimateError(
            f"{ALIGN_POSE}: the aligned poses are on a canvas of {poses.width} x {poses.height}, but reference is "
            f"{width} x {height}, of another aspect; set mode to affine with this reference's pose, or disconnect it."
        )
    if same_aspect(reference_pose, height, width):
        cover = SHADOW * draw_poses(reference_pose.resized(height, width))[0].amax(dim=-1, keepdim=True)
        ground = ground + cover * (1 - ground)
    return draw_poses(poses.resized(height, width), ground)
