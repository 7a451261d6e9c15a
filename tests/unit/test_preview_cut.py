"""Figures that the picture's border cuts, and what belongs to whom: joints, hands on cloth, bystanders, bent limbs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from freeanimate_pack.demo.drawn.character import draw_character
from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.bones import bones_of, trunk_of
from freeanimate_pack.freeanimate_core.preview.completion import (
    targets_completed,
    with_cut_joints,
    with_cut_wrists,
)
from freeanimate_pack.freeanimate_core.preview.hands import Claim, hands_told_apart
from freeanimate_pack.freeanimate_core.preview.ownership import share_out
from freeanimate_pack.freeanimate_core.preview.warp import NOWHERE, WEDGE, Placed, bone_map

SIZE = 96
KNEES_ANKLES = [9, 10, 12, 13]
CHEAP = settings(max_examples=12, deadline=None, derandomize=True)


def standing(size=SIZE):
    """Joints [18,2] of a resting character, all seen."""
    return rest_pose(2, size, size)[0, :, :2].copy(), np.ones(18, dtype=bool)


def cut_at(height, moving):
    """Reference, its mask, pose and targets of a character of whom the picture shows the rows above ``height``."""
    rest = rest_pose(2, SIZE, SIZE)
    image, mask = (torch.from_numpy(item)[:, :height] for item in draw_character(2, rest, SIZE, SIZE))
    poses = []
    for joints in (rest, moving):
        kept = joints.copy()
        kept[kept[..., 1] >= height] = 0
        poses.append(PoseSequence.from_joints(kept, height, SIZE))
    return image, mask, *poses


def test_knees_and_ankles_beyond_the_border_hang_below_the_hips():
    joints, seen = standing()
    height = int(joints[[8, 11], 1].mean() + 0.3 * (joints[9, 1] - joints[8, 1]))
    seen[KNEES_ANKLES] = False
    made = with_cut_joints(joints, seen, height, SIZE)
    assert made.added[KNEES_ANKLES].all() and made.seen[KNEES_ANKLES].all()
    assert (made.joints[KNEES_ANKLES, 1] > height).all()
    assert np.allclose(made.joints[[9, 12], 0], joints[[8, 11], 0])
    assert (made.joints[[10, 13], 1] > made.joints[[9, 12], 1]).all()


def test_a_joint_missing_inside_the_picture_stays_missing():
    joints, seen = standing()
    seen[[9, 4]] = False
    made = with_cut_wrists(with_cut_joints(joints, seen, SIZE, SIZE), np.ones((SIZE, SIZE), np.float32))
    assert not made.seen[[9, 10]].all() and not made.added[9]
    shown, there = targets_completed(joints[None], seen[None], made, 1.0, SIZE, SIZE)
    assert not there[0, 9]


def test_a_wrist_goes_on_along_the_forearm_that_the_mask_shows():
    joints, seen = standing()
    joints[3], joints[2] = (30.0, 7.0), (44.0, 23.0)
    seen[4] = False
    alpha = np.zeros((SIZE, SIZE), np.float32)
    alpha[:10, 26:34] = 1  # straight up and out of the picture, while the upper arm leans to the left
    made = with_cut_wrists(with_cut_joints(joints, seen, SIZE, SIZE), alpha)
    assert made.added[4] and made.joints[4, 1] < 0
    assert abs(made.joints[4, 0] - 30) < 4


@pytest.mark.parametrize("height", [56, 64, 72])
def test_a_cut_figure_in_its_own_pose_is_the_reference(height):
    image, mask, pose, _ = cut_at(height, rest_pose(2, SIZE, SIZE))
    made = generate(image, pose, pose, mask)
    assert float((made.person_mask - mask).abs().mean()) < 0.01
    error = ((made.frames - image) ** 2).mean(dim=-1)[mask > 0.5].mean()
    assert float(-10 * torch.log10(error)) > 30


@CHEAP
@given(height=st.integers(50, 90), name=st.sampled_from(["wave", "dance", "side step"]))
def test_no_piece_of_a_cut_figure_is_drawn_apart(height, name):
    image, mask, pose, target = cut_at(height, motion(name, 2, 3, SIZE, SIZE))
    made = generate(image, pose, target, mask)
    assert bool(torch.isfinite(made.frames).all())
    for frame in made.person_mask.numpy():
        pieces, count = label(frame > 0.5, np.ones((3, 3)))
        sizes = np.bincount(pieces.ravel())[1:]
        assert count == 1 or sizes.max() > 0.97 * sizes.sum()


def test_without_knees_the_hands_do_not_take_the_legs():
    joints, seen = standing()
    height = int(joints[8, 1] + 12)
    alpha = np.zeros((height, SIZE), np.float32)
    left, right = int(joints[:, 0].min()), int(joints[:, 0].max())
    alpha[int(joints[0, 1]) :, left:right] = 1
    seen[KNEES_ANKLES] = False
    made = with_cut_joints(joints, seen, height, SIZE)
    colours = np.zeros((height, SIZE, 3), np.float32)
    _, shares = share_out(bones_of(made.joints, made.seen), trunk_of(made.joints, made.seen), alpha, colours)
    below = slice(int(joints[8, 1]) + 4, height)
    middle = slice(int(joints[8, 0]), int(joints[11, 0]))
    legs = shares["right leg 0"].own | shares["left leg 0"].own | shares["torso"].own
    legs |= shares["skirt"].own if "skirt" in shares else False
    assert legs[below, middle].all()


def test_fingers_beside_the_bone_leave_the_cloth_and_cloth_leaves_the_hand():
    joints, seen = standing(160)
    bone = bones_of(joints, seen)["right arm 1"]
    rows, cols = np.mgrid[:160, :160] + 0.5
    way, aside = bone.offsets(cols, rows)
    forearm = (np.abs(aside) < 4) & (way > 0) & (way < bone.length)
    bent = (np.abs(aside - 5) < 8) & (way >= bone.length) & (way < bone.length + 10)
    truth = forearm | bent
    owner = np.where(forearm | ((np.abs(aside) < 7) & (way >= bone.length) & (way < bone.length + 14)), 0, 1)
    colours = np.where(truth[..., None], [0.9, 0.7, 0.6], [0.1, 0.2, 0.5])
    solid = np.ones((160, 160), dtype=bool)
    ranks = {"right arm 1": 0, "torso": 1}
    made, beneath = hands_told_apart(Claim(owner, ranks, colours), {"right arm 1": bone}, None, solid)
    before, after = ((item == 0) ^ truth for item in (owner, made))
    assert after.sum() < 0.25 * before.sum()
    assert set(np.unique(beneath)) <= {-1, 1} and (beneath == 1).any()


def test_no_wedge_fetches_the_other_half_of_a_bent_limb():
    def point(*at):
        return torch.tensor(at, dtype=torch.float32)

    upper = Placed(point(20, 50), point(50, 50), point(20, 50)[None], point(50, 50)[None], 0.0, 5.0)
    lower = Placed(point(50, 50), point(50, 80), point(50, 50)[None], point(50, 20)[None], 0.0, 5.0, upper, lower=True)
    x, y = torch.arange(100.0)[None], torch.arange(100.0)[:, None]
    sx, _ = bone_map(lower, x, y, 1.0)
    past = y.expand(100, 100) > 50
    away = torch.hypot(x - 50, y - 50)
    assert bool((sx[0][past & (away > WEDGE * 5)] == NOWHERE).all())
    assert bool((sx[0][past & (away < WEDGE * 5)] > NOWHERE).all())
