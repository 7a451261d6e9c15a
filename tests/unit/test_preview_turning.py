"""The trunk as a body that turns: known angles, limits, and what it says that nobody has seen."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.bones import Trunk
from freeanimate_pack.freeanimate_core.preview.turning import BACK, DOWN, FRONT, solid_of, turned, turned_points
from freeanimate_pack.freeanimate_core.preview.yaw import trunk_yaw

SIDE, LEFT, RIGHT, TOP, LOW = 96, 30, 66, 20, 76
CHEST, SPINE = (float(np.interp(0.5, DOWN, depth)) for depth in (FRONT, BACK))  # half way down the trunk
TRUNK = Trunk(np.array([[33.0, 24], [63, 24], [63, 72], [33, 72]]))


@pytest.fixture
def solid():
    """A trunk 36 pixels broad with a light stripe down its middle."""
    layer = torch.zeros(5, SIDE, SIDE)
    layer[:3, TOP:LOW, LEFT:RIGHT] = 0.4
    layer[0, TOP:LOW, 47:49] = 0.9
    layer[3, TOP:LOW, LEFT:RIGHT] = 1
    return solid_of(TRUNK, layer)


def _seen(solid, yaw):
    x = torch.arange(SIDE).float()[None, None] + 0.5
    y = torch.full((1, 1, 1), 48.0)
    return turned(solid, torch.tensor([yaw]), x.expand(1, 1, SIDE), y.expand(1, 1, SIDE)), x[0, 0]


def test_without_a_turn_every_pixel_is_where_it_was(solid):
    seen, x = _seen(solid, 0.0)
    inside = slice(LEFT, RIGHT)
    for place in (seen.outline, seen.colours):
        torch.testing.assert_close(place[0][0, 0, inside], x[inside], atol=1e-3, rtol=0)
    assert not seen.unseen[0, 0, inside].any()


@pytest.mark.parametrize("degrees", [-60, -20, 20, 45, 60])
def test_the_middle_of_the_chest_slides_to_the_side_of_the_turn(solid, degrees):
    yaw = math.radians(degrees)
    seen, x = _seen(solid, yaw)
    nearest = (seen.colours[0][0, 0] - 48).abs()[LEFT:RIGHT].argmin() + LEFT
    assert x[nearest] == pytest.approx(48 + CHEST * 18 * math.sin(yaw), abs=1.0)


@pytest.mark.parametrize("degrees", [-90, 90])
def test_from_the_side_half_is_unseen_and_the_body_is_as_broad_as_it_is_deep(solid, degrees):
    seen, x = _seen(solid, math.radians(degrees))
    shown = (seen.outline[0][0, 0] > LEFT) & (seen.outline[0][0, 0] < RIGHT)
    assert int(shown.sum()) == pytest.approx((CHEST + SPINE) * 18, abs=2)
    ahead = torch.sign(torch.tensor(degrees)) * (x - 48)
    assert (seen.unseen[0, 0][shown & (ahead < -2)] > 0.9).all()
    assert (seen.unseen[0, 0][shown & (ahead > 8)] < 0.4).all()


def test_from_behind_nothing_has_been_seen_and_no_stripe_is_drawn(solid):
    seen, _ = _seen(solid, math.pi)
    assert (seen.unseen[0, 0, LEFT + 1 : RIGHT - 1] == 1).all()
    torch.testing.assert_close(seen.plain, torch.full_like(seen.plain, 0.4))


@pytest.mark.parametrize("degrees", [-170, -120, -75, -45, -30, 0, 30, 45, 75, 120, 170])
def test_the_turn_is_read_from_the_breadth_and_the_side_from_the_head(degrees):
    yaw = math.radians(degrees)
    ref = np.zeros((18, 2))
    ref[[2, 5, 11, 8]] = TRUNK.corners
    known = np.ones(18, dtype=bool)
    frame = ref.copy()
    frame[[2, 5, 11, 8]] = turned_points(TRUNK, TRUNK.corners, yaw)
    found = trunk_yaw(ref, known, frame[None], known[None], 1.0, np.array([yaw]))
    assert math.degrees(found[0]) == pytest.approx(degrees, abs=8)


def test_a_side_that_nobody_shows_is_the_one_before():
    ref = np.zeros((18, 2))
    ref[[2, 5, 11, 8]] = TRUNK.corners
    known = np.ones(18, dtype=bool)
    turns = np.radians([-60.0, -70, -80, -80])
    frames = np.repeat(ref[None], 4, axis=0)
    for frame, yaw in zip(frames, turns):
        frame[[2, 5, 11, 8]] = turned_points(TRUNK, TRUNK.corners, yaw)
    found = trunk_yaw(ref, known, frames, np.repeat(known[None], 4, axis=0), 1.0, np.array([-1.0, 0, 0, 0]))
    assert (found < -0.8).all()


def test_a_small_turn_is_none():
    """Joints a pixel off their places are no turn, and such frames stay as they were, bit for bit."""
    ref = np.zeros((18, 2))
    ref[[2, 5, 11, 8]] = TRUNK.corners
    known, frame = np.ones(18, dtype=bool), ref.copy()
    frame[2, 0] += 1
    assert trunk_yaw(ref, known, frame[None], known[None], 1.0, np.array([0.1]))[0] == 0


def test_the_rectangle_about_a_solid_holds_it_from_every_side(solid):
    left_heavy = replace(solid, right=solid.right / 3)
    for each in (solid, left_heavy):
        half = (each.corners[1] - each.corners[0])[0] / 2
        assert half >= max(each.right.max(), each.left.max(), each.front.max()) - 1e-6


@pytest.fixture
def standing():
    """Picture [1,96,96,3], mask [1,96,96] and joints [1,18,3] of a trunk with shoulders, hips and a face."""
    joints = np.zeros((1, 18, 3))
    places = {1: (48, 24), 2: (33, 24), 5: (63, 24), 8: (36, 72), 11: (60, 72), 0: (48, 12), 16: (44, 10), 17: (52, 10)}
    for joint, place in places.items():
        joints[0, joint] = *place, 1
    image, mask = torch.full((1, SIDE, SIDE, 3), 0.2), torch.zeros(1, SIDE, SIDE)
    mask[:, TOP:LOW, LEFT:RIGHT] = 1
    image[mask > 0] = 0.7
    return image, mask, joints


def _behind(joints):
    """Shoulders and hips change sides, and the face is gone."""
    back = joints.copy()
    back[:, [2, 5, 8, 11]] = joints[:, [5, 2, 11, 8]]
    back[:, [0, 16, 17], 2] = 0
    return back


def _made(image, mask, joints, frames, **options):
    poses = (PoseSequence.from_joints(points, SIDE, SIDE) for points in (joints, np.concatenate(frames)))
    return generate(image, *poses, mask, **options)


def test_a_back_is_a_hole_of_the_trunk(standing):
    image, mask, joints = standing
    made = _made(image, mask, joints, [joints, _behind(joints)])
    inner = slice(30, 64), slice(38, 58)
    assert not (made.hole_mask[0][inner] > 0.5).any()
    assert (made.hole_mask[1][inner] > 0.5).all()
    assert made.coverage[1] < made.coverage[0] - 0.3


def test_frames_that_are_turned_leave_the_others_as_they_are(standing):
    """Whatever else is in the chunk or in the clip."""
    image, mask, joints = standing
    frames = [joints, joints, _behind(joints), _behind(joints), joints]
    whole, single = (_made(image, mask, joints, frames, chunk=chunk) for chunk in (8, 1))
    alone = _made(image, mask, joints, [joints])
    for name in ("frames", "person_mask", "hole_mask"):
        assert torch.equal(getattr(whole, name), getattr(single, name))
    assert torch.equal(whole.frames[0], alone.frames[0])


def test_a_half_body_turns_without_hips(standing):
    """Hips that the reference lacks hang below the shoulders, wherever the arrays say they are."""
    image, mask, joints = standing
    joints = joints.copy()
    joints[:, [8, 11]] = 0
    made = _made(image, mask, joints, [joints, _behind(joints)])
    assert (made.hole_mask[1][30:60, 38:58] > 0.5).all()
    assert made.person_mask[1][30:60, 38:58].min() > 0.9
