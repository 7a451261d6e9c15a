"""A lead-in: frames before the clip in which the reference's pose goes over into the first aligned one."""

import numpy as np

from ..errors import ALIGN_POSE, FreeAnimateError
from .keypoints import NECK, NOSE, VISIBLE, PoseSequence
from .skeleton import LEFT_ANKLE, LEFT_FOOT, PARENTS, RIGHT_ANKLE, WRISTS, turned, with_middles


def with_lead_in(poses: PoseSequence, reference: PoseSequence, frames: int) -> PoseSequence:
    """``poses`` after ``frames`` more that start with the reference's pose itself; 0 adds none.

    Angles and lengths of the bones and the place of the neck change smoothly. What only one of the two poses shows
    is left out between them. Raises FreeAnimateError when ``poses`` are on another canvas than the reference.
    """
    if frames == 0:
        return poses
    if (poses.height, poses.width) != (reference.height, reference.width):
        raise FreeAnimateError(
            f"{ALIGN_POSE}: lead_in starts at the reference's pose on {reference.width} x {reference.height}, but mode "
            f"none leaves the poses on {poses.width} x {poses.height}; set mode to affine, or lead_in to 0."
        )
    time = np.arange(frames) / frames
    share = (time * time * (3 - 2 * time))[:, None]  # [n,1], no jump in speed
    joints = _joints_between(reference.joints[0], poses.joints[0], share)
    before = {"joints": joints, **_ends_between(reference, poses, joints, share)}
    for name, points in before.items():
        points[0] = reference.arrays[name][0]
    return poses.with_arrays({name: np.concatenate([before[name], after]) for name, after in poses.arrays.items()})


def _joints_between(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Joints [n,18,3] between two poses [18,3], built down the tree."""
    start, end = with_middles(start[None])[0], with_middles(end[None])[0]
    points = _straight(start, end, share)
    holder: dict[int, int | None] = {NECK: NECK if points[0, NECK, 2] > 0 else None}
    for joint, (parent, _) in PARENTS.items():
        above = holder[parent]
        holder[joint] = joint if points[0, joint, 2] > 0 else above
        if above is not None and points[0, joint, 2] > 0:
            bone = turned(start[joint, :2] - start[above, :2], end[joint, :2] - end[above, :2], share)
            points[:, joint, :2] = points[:, above, :2] + bone
    return points[:, :18]


def _ends_between(
    reference: PoseSequence, poses: PoseSequence, joints: np.ndarray, share: np.ndarray
) -> dict[str, np.ndarray]:
    """Face, hands and feet by name, each moved with the joint of ``joints`` [n,18,3] that it hangs from."""

    def about(name: str, joint: int, points: slice = slice(None)) -> np.ndarray:
        between = _straight(reference.arrays[name][0, points], poses.arrays[name][0, points], share)
        straight = _straight(reference.joints[0, [joint]], poses.joints[0, [joint]], share)
        moved = joints[:, [joint], :2] - straight[..., :2]
        between[..., :2] += np.where(between[..., 2:] > 0, moved, 0.0)
        return between

    feet = [about("feet", LEFT_ANKLE, slice(None, LEFT_FOOT)), about("feet", RIGHT_ANKLE, slice(LEFT_FOOT, None))]
    hands = {name: about(name, wrist) for name, wrist in WRISTS.items()}
    return {"face": about("face", NOSE), "feet": np.concatenate(feet, axis=1), **hands}


def _straight(start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points [n,N,3] on straight lines between two [N,3]; missing (0) unless visible in both."""
    both = (start[:, 2] >= VISIBLE) & (end[:, 2] >= VISIBLE)
    points = np.zeros((len(share), len(start), 3))
    points[:, both, :2] = start[both, :2] + share[:, None] * (end[both, :2] - start[both, :2])
    points[:, both, 2] = np.minimum(start[both, 2], end[both, 2])
    return points
