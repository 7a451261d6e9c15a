"""The cases, drawn by the nodes of the pack. Needs the host."""

import torch

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import rest_pose
from freeanimate_pack.demo.model import SIDE
from freeanimate_pack.freeanimate_core.pose import parse_poses
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview

from .case import Case, motion_of, prompts_of


def make_case(seed: int, frames: int) -> Case:
    """Draw character ``seed`` and run the pack's own pose and preview stages on it."""
    name = motion_of(seed)
    drawn = FreeAnimateDemoCharacter.execute(seed, name, 2 * frames, SIDE, SIDE).args
    reference, standing, driving, _, _, mask = drawn[:6]
    # The middle of the motion: it starts at the reference's own pose, as a driving clip seldom does, and a
    # preview frame in that pose would stand for the reference wherever a method takes one as its anchor
    driving = driving[frames // 2 : frames // 2 + frames]
    poses, pose_image = FreeAnimateAlignPose.execute(driving, standing, "affine", reference).args[:2]
    preview, preview_masks, holes, background = FreeAnimatePreview.execute(reference, standing, poses, mask).args[:4]
    joints = parse_poses(poses, "aligned poses").joints
    truth, masks, labels = (torch.from_numpy(values) for values in draw_parts(seed, joints, SIDE, SIDE)[:3])
    standing_labels = draw_parts(seed, rest_pose(seed, SIDE, SIDE), SIDE, SIDE)[2]
    return Case(
        seed=seed,
        motion=name,
        prompts=prompts_of(seed),
        reference=reference,
        reference_mask=mask,
        reference_labels=torch.from_numpy(standing_labels[0]),
        truth=truth,
        masks=masks,
        labels=labels,
        joints=joints,
        poses=pose_image,
        preview=preview,
        preview_masks=preview_masks,
        holes=holes,
        background=background,
    )
