"""Alignments that scale and move a whole clip alike: none, ours, and the published one."""

import numpy as np

from ..errors import FreeAnimateError
from .anchor import anchored, steady_joints
from .fitted import Fitted, map_note, stand
from .keypoints import PoseSequence, same_aspect
from .proportions import measure, no_common_joints

UNLIKE = 0.06  # mean deviation of the bones from one scale from which the report says so


def keep(driving: PoseSequence, reference: PoseSequence, ground: bool) -> Fitted:
    """No alignment: the pose as it is, only brought to the reference's size when the aspect is the same."""
    size = reference.height, reference.width
    poses = driving.resized(*size) if same_aspect(driving, *size) else driving
    return Fitted(poses, (f"poses as they are, on a canvas of {poses.width} x {poses.height}",))


def affine(driving: PoseSequence, reference: PoseSequence, ground: bool) -> Fitted:
    """One scale and one offset in pixels for the whole clip, for bodies of like proportions.

    The scale is the weighted median of the ratios of bone lengths, each the longest that the clip shows, so that
    neither jumps, limbs, turns nor foreshortened frames change it; the offset puts the trunk of the frame
    that looks most like the reference onto the reference's; with ``ground`` its height is set by the ankles.
    """
    sizes = measure(driving, reference)
    anchor = anchored(driving, reference, sizes.scale)
    poses = driving.moved((sizes.scale,) * 2, anchor.shift, reference.height, reference.width)
    fitted = stand(poses, driving, reference, sizes, anchor, ground)
    if sizes.unlike <= UNLIKE:
        return fitted
    return fitted.noting(f"bones differ from one scale by {sizes.unlike:.0%} on average (bone length fits each)")


def affine_stableanimator(driving: PoseSequence, reference: PoseSequence, ground: bool) -> Fitted:
    """As published by MimicMotion (arXiv 2406.19680) and StableAnimator (arXiv 2411.17697); no ground line.

    Kept for compatibility. Over visible joints, on coordinates as fractions of each canvas:
    ``(a_y, b_y) = polyfit(y_drive, y_ref, 1)``, ``a_x = a_y (f_w h) / (f_h w)``,
    ``b_x = mean(x_ref - a_x x_drive)``. Vertical motion shrinks it: a jump of 0.2 of the height gives 0.75.
    """
    x, y, weight = steady_joints(driving, reference)
    seen = weight > 0
    down, target = x.imag[seen] / driving.height, np.broadcast_to(y, x.shape).imag[seen] / reference.height
    if np.ptp(down) <= 1e-9:
        raise FreeAnimateError(no_common_joints("at different heights"))
    scale_y, offset_y = np.polyfit(down, target, 1)
    scale_x = scale_y * (driving.width * reference.height) / (driving.height * reference.width)
    across, goal = x.real[seen] / driving.width, np.broadcast_to(y, x.shape).real[seen] / reference.width
    offset_x = np.mean(goal - scale_x * across)
    scale = scale_x * reference.width / driving.width, scale_y * reference.height / driving.height
    offset = offset_x * reference.width, offset_y * reference.height
    poses = driving.moved(scale, offset, reference.height, reference.width)
    return Fitted(poses, (f"{map_note(scale, offset)} as published",))
