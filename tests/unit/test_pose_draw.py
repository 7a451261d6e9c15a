"""The drawing that openpose ControlNets expect."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.drawn.motion import motion
from freeanimate_pack.freeanimate_core.pose import PoseSequence, draw_poses, overlay

# Published order: colour k belongs to joint k and, at 0.6, to limb k (joints counted from 1).
COLOURS = [
    "FF0000", "FF5500", "FFAA00", "FFFF00", "AAFF00", "55FF00", "00FF00", "00FF55", "00FFAA",
    "00FFFF", "00AAFF", "0055FF", "0000FF", "5500FF", "AA00FF", "FF00FF", "FF00AA", "FF0055",
]  # fmt: skip
LIMBS = [
    (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11),
    (2, 12), (12, 13), (13, 14), (2, 1), (1, 15), (15, 17), (1, 16), (16, 18),
]  # fmt: skip


def rgb(code):
    return torch.tensor([int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)])


def spread(size=512):
    """Joints far from one another on a circle, on pixel centres, [1,18,3]."""
    turn = np.arange(18) * 2 * np.pi * 5 / 18
    places = size * (0.5 + 0.4 * np.stack([np.cos(turn), np.sin(turn)], axis=-1))
    return np.concatenate([np.floor(places) + 0.5, np.ones((18, 1))], axis=-1)[None]


def at(picture, point):
    return picture[int(point[1]), int(point[0])]


def only(joints, *kept):
    """The pose with the named joints alone."""
    kept_only = np.zeros_like(joints)
    kept_only[:, list(kept)] = joints[:, list(kept)]
    return kept_only


def test_joints_are_discs_of_radius_four_in_their_colour():
    joints = spread()
    for joint, code in enumerate(COLOURS):
        picture = draw_poses(PoseSequence.from_joints(only(joints, joint), 512, 512))[0]
        torch.testing.assert_close(at(picture, joints[0, joint]), rgb(code))
        area = float(picture.sum() / rgb(code).sum())
        assert area == pytest.approx(np.pi * 16, rel=0.03)


def test_limbs_are_dimmed_ellipses_nine_pixels_across():
    joints = spread()
    for (a, b), code in zip(LIMBS, COLOURS):
        picture = draw_poses(PoseSequence.from_joints(only(joints, a - 1, b - 1), 512, 512))[0]
        start, end = joints[0, a - 1, :2], joints[0, b - 1, :2]
        middle, across = (start + end) / 2, np.array([end[1] - start[1], start[0] - end[0]]) / np.hypot(*(end - start))
        torch.testing.assert_close(at(picture, middle), 0.6 * rgb(code))
        torch.testing.assert_close(at(picture, middle + 3.2 * across), 0.6 * rgb(code))
        assert at(picture, middle + 5.8 * across).sum() == 0


def test_thickness_grows_with_the_canvas():
    areas = []
    for size in (256, 512, 1024):
        joints = only(spread(size), 4)
        areas.append(float(draw_poses(PoseSequence.from_joints(joints, size, size)).sum()))
    assert areas[1] / areas[0] == pytest.approx(4, rel=0.1)
    assert areas[2] / areas[1] == pytest.approx(4, rel=0.05)


def test_unseen_and_distant_joints_leave_no_trace():
    joints = spread()
    joints[..., 2] = 0.1
    assert draw_poses(PoseSequence.from_joints(joints, 512, 512)).sum() == 0
    joints[..., 2] = 1.0
    joints[..., :2] += 5000
    assert draw_poses(PoseSequence.from_joints(joints, 512, 512)).sum() == 0


def test_hands_and_face():
    poses = PoseSequence.from_joints(only(spread(), 1), 512, 512)
    hand = np.stack([np.linspace(50, 250, 21), np.full(21, 60.5), np.ones(21)], axis=-1)[None]
    face = np.full((1, 70, 3), (300.5, 300.5, 1.0))
    picture = draw_poses(replace(poses, right_hand=hand, face=face))[0]
    torch.testing.assert_close(at(picture, hand[0, 7]), torch.tensor([0.0, 0.0, 1.0]))
    between = at(picture, (hand[0, 19] + hand[0, 20]) / 2)
    assert between.max() > 0.5 and between[1] < 0.5  # the last finger's hues are magenta to red
    torch.testing.assert_close(at(picture, (300, 300)), torch.ones(3))


def test_hand_lines_keep_their_width_to_the_end():
    hand = np.zeros((1, 21, 3))
    hand[0, :2] = (100.5, 100.5, 1), (180.5, 100.5, 1)
    picture = draw_poses(replace(PoseSequence.from_joints(np.zeros((1, 18, 3)), 512, 512), right_hand=hand))[0]
    red = picture[90:112, 106:175, 0]  # between the discs
    torch.testing.assert_close(red.sum(dim=0), torch.full((69,), 3.0))
    assert picture[95:106, 106:175, 1:].max() == 0


def test_frames_are_drawn_alone():
    """All frames at once equal one frame at a time."""
    joints = motion("side step", 2, 5, 96, 128)
    together = draw_poses(PoseSequence.from_joints(joints, 96, 128))
    alone = torch.cat([draw_poses(PoseSequence.from_joints(joints[k : k + 1], 96, 128)) for k in range(5)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=0)
    assert together.shape == (5, 96, 128, 3)


def test_overlay_shows_reference_picture_and_both_skeletons():
    joints = motion("wave", 2, 3, 96, 128)
    poses, standing = (PoseSequence.from_joints(j, 96, 128) for j in (joints, joints[:1]))
    ground = torch.full((1, 192, 256, 3), 0.5)
    shown = overlay(poses, standing, ground)
    assert shown.shape == (3, 192, 256, 3)
    assert (shown[2, 0, 0] == 0.5).all()
    assert at(shown[2], 2 * joints[2, 4]).max() > 0.6  # the raised hand's joint
    assert at(shown[2], 2 * joints[0, 4]).min() > 0.6  # white where the reference has it
    assert overlay(poses, standing, None).shape == (3, 96, 128, 3)
