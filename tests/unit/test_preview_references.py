"""References that show a back or a side, or sit: in their own pose they stay."""

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.drawn.character import draw_character
from freeanimate_pack.demo.drawn.motion import rest_pose
from freeanimate_pack.demo.people import clip
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate

SIZE = 128
RIGHT, LEFT = [2, 3, 4, 8, 9, 10, 14, 16], [5, 6, 7, 11, 12, 13, 15, 17]
FACE = [0, 14, 15, 16, 17]


def psnr(shown, truth, mask):
    """dB over a mask [1,H,W]."""
    return float(-10 * torch.log10(((shown - truth) ** 2)[mask > 0.5].mean()))


def from_behind(seed):
    """A character's picture and mask, and its joints [1,18,3] as those of somebody who shows the back."""
    joints = rest_pose(seed, SIZE, SIZE).astype(np.float64)
    image, mask = (torch.from_numpy(part) for part in draw_character(seed, joints, SIZE, SIZE))
    joints[:, RIGHT + LEFT] = joints[:, LEFT + RIGHT]
    joints[:, FACE] = 0
    return image, mask, joints


@pytest.mark.parametrize("seed", range(6))  # some in skirts, some in trousers
def test_a_back_in_its_own_pose_stays(seed):
    image, mask, joints = from_behind(seed)
    pose = PoseSequence.from_joints(joints, SIZE, SIZE)
    made = generate(image, pose, pose, mask)
    assert psnr(made.frames, image, mask) > 30
    assert float((made.hole_mask * mask).sum() / mask.sum()) < 0.05
    assert float((made.person_mask - mask).abs().mean()) < 0.01


def test_a_back_that_lifts_an_arm_is_still_a_back():
    image, mask, joints = from_behind(2)
    lifted = joints.copy()
    lifted[0, [6, 7]] = lifted[0, 5] + np.array([[-14.0, -8.0, 0.0], [-24.0, -22.0, 0.0]])
    poses = [PoseSequence.from_joints(each, SIZE, SIZE) for each in (joints, lifted)]
    made = generate(image, *poses, mask)
    assert float((made.hole_mask * made.person_mask).sum() / made.person_mask.sum()) < 0.15


def test_a_back_that_turns_round_is_unseen():
    image, mask, joints = from_behind(2)
    pose, front = (PoseSequence.from_joints(each, SIZE, SIZE) for each in (joints, rest_pose(2, SIZE, SIZE)))
    made = generate(image, pose, front, mask)
    assert float((made.hole_mask * made.person_mask).sum() / made.person_mask.sum()) > 0.6
    assert any("seen from behind" in words for words in made.warnings)


@pytest.mark.parametrize(("motion", "frame", "least"), [("sit down", 4, 25), ("full turn", 2, 25)])
def test_somebody_who_sits_or_stands_sideways_stays_in_that_pose(motion, frame, least):
    _, frames = clip(10_003, motion, 9 if motion == "full turn" else 5, SIZE, SIZE, "frontal")
    shown = frames[frame]
    image, mask = torch.from_numpy(shown.picture)[None], torch.from_numpy(shown.mask.astype(np.float32))[None]
    pose = PoseSequence.from_joints(shown.joints[None], SIZE, SIZE)
    made = generate(image, pose, pose, mask)
    assert psnr(made.frames, image, mask) > least
    assert float((made.hole_mask * mask).sum() / mask.sum()) < 0.05
