"""Alignment that gives every bone the reference's length and keeps the driving angles."""

import math

import numpy as np

from .anchor import anchored
from .fitted import Fitted, stand
from .keypoints import NOSE, VISIBLE, PoseSequence
from .proportions import Proportions, measure
from .skeleton import LEFT_ANKLE, LEFT_FOOT, PARENTS, RIGHT_ANKLE, WRISTS, with_middles


def bone_length(driving: PoseSequence, reference: PoseSequence, ground: bool) -> Fitted:
    """Each bone scaled by its own ratio down the tree from the neck: ``K'_child = K'_parent + r (K_child - K_parent)``.

    The neck's path is scaled as the whole body is; its offset puts the trunk of the frame that then looks most like
    the reference onto the reference's. A joint whose parent is missing hangs from its nearest visible ancestor, else
    it moves as the whole body does. Hands go with the wrist, the face with the nose, feet with the ankle. With
    ``ground`` the lower ankle keeps its scaled height over the ground.
    """
    sizes = measure(driving, reference)
    whole = driving.moved((sizes.scale,) * 2, (0.0, 0.0), reference.height, reference.width)
    poses = _rebuilt(driving, whole, sizes)
    anchor = anchored(poses, reference, 1.0)
    poses = poses.moved((1.0, 1.0), anchor.shift, reference.height, reference.width)
    return stand(poses, driving, reference, sizes, anchor, ground).noting(_bones_note(sizes))


def _rebuilt(driving: PoseSequence, whole: PoseSequence, sizes: Proportions) -> PoseSequence:
    """The tree built anew from the neck; ``whole`` is ``driving`` under the map of the whole body."""
    old, new = with_middles(driving.joints), with_middles(whole.joints)
    hung = old[..., 2] >= VISIBLE  # [F,20] has a place in the tree; so far the visible joints
    source, goal = old[..., :2].copy(), new[..., :2].copy()
    for joint, (parent, bone) in PARENTS.items():
        seen, rooted = hung[:, [joint]], hung[:, [parent]]
        placed = goal[:, parent] + sizes.bones[bone] * (source[:, joint] - source[:, parent])
        goal[:, joint] = np.where(seen & rooted, placed, goal[:, joint])
        # An unseen joint stands where its parent does, so that what hangs from it hangs from that one.
        source[:, joint] = np.where(seen, source[:, joint], source[:, parent])
        goal[:, joint] = np.where(seen, goal[:, joint], goal[:, parent])
        hung[:, [joint]] |= rooted
    shown = driving.seen[..., None]
    joints = np.concatenate([np.where(shown, goal[:, :18], whole.joints[..., :2]), driving.joints[..., 2:]], axis=2)
    return whole.with_arrays({"joints": joints, **_ends(driving, whole, joints, sizes.bones)})


def _ends(
    driving: PoseSequence, whole: PoseSequence, joints: np.ndarray, ratios: dict[str, float]
) -> dict[str, np.ndarray]:
    """Face, hands and feet by name, scaled about the aligned ``joints`` [F,18,3] that they hang from."""

    def about(name: str, joint: int, ratio: float, points: slice = slice(None)) -> np.ndarray:
        own, rest = driving.arrays[name][:, points], whole.arrays[name][:, points]
        moved = joints[:, [joint], :2] + ratio * (own[..., :2] - driving.joints[:, [joint], :2])
        use = (own[..., 2:] > 0) & driving.seen[:, [joint], None]
        return np.concatenate([np.where(use, moved, rest[..., :2]), own[..., 2:]], axis=2)

    left = about("feet", LEFT_ANKLE, ratios["shins"], slice(None, LEFT_FOOT))
    right = about("feet", RIGHT_ANKLE, ratios["shins"], slice(LEFT_FOOT, None))
    hands = {name: about(name, wrist, ratios["forearms"]) for name, wrist in WRISTS.items()}
    face = about("face", NOSE, math.sqrt(ratios["eyes"] * ratios["ears"]))
    return {"face": face, "feet": np.concatenate([left, right], axis=1), **hands}


def _bones_note(sizes: Proportions) -> str:
    least, most = min(sizes.bones.values()), max(sizes.bones.values())
    note = f"bones scaled by {least:.2f} to {most:.2f}"
    return note + (f", {', '.join(sizes.borrowed)} by what they hang from" if sizes.borrowed else "")
