"""The maps of the part warp, on answers known by geometry."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.drawn.body import Posture, body
from freeanimate_pack.demo.drawn.motion import motion, on_canvas, rest_pose
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.preview.depth import parse_overrides
from freeanimate_pack.freeanimate_core.preview.head import ball_of, slid
from freeanimate_pack.freeanimate_core.preview.placement import place
from freeanimate_pack.freeanimate_core.preview.warp import Placed, affine, bone_map, inverted, similarity

ELBOW = np.array([50.0, 50.0])


def direction(degrees):
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def arm(bend, bend_in_reference=0.0, shrink=1.0):
    """Upper arm and forearm of length 30, from the left to the elbow and on, bent by degrees."""
    a, b = ELBOW - 30 * direction(0), ELBOW + 30 * direction(bend_in_reference)
    ta, tb = ELBOW - 30 * shrink * direction(0), ELBOW + 30 * shrink * direction(bend)
    points = [torch.tensor(p, dtype=torch.float32) for p in (a, b, ELBOW)]
    targets = [torch.tensor(p, dtype=torch.float32)[None] for p in (ta, tb, ELBOW)]
    upper = Placed(points[0], points[2], targets[0], targets[2], 0.0, 6.0)
    lower = Placed(points[2], points[1], targets[2], targets[1], 0.0, 6.0)
    return replace(upper, mate=lower), replace(lower, mate=upper, lower=True)


def mapped(bone, point, width_scale=1.0):
    x, y = (torch.tensor([[float(v)]]) for v in point)
    sx, sy = bone_map(bone, x, y, width_scale)
    return np.array([float(sx), float(sy)])


@pytest.mark.parametrize("bend", [-100.0, -20.0, 35.0, 120.0])
def test_an_unmoved_bent_limb_maps_to_itself(bend):
    upper, lower = arm(bend, bend)
    outer = -np.sign(bend) * 90
    for bone, point in (
        (upper, ELBOW - 12 * direction(0) + 4 * direction(90)),
        (lower, ELBOW + 12 * direction(bend) + 4 * direction(bend + 90)),
        (lower, ELBOW + 40 * direction(bend)),
        (upper, ELBOW + 5 * direction(outer + bend / 3)),
        (lower, ELBOW + 5 * direction(outer + bend / 3)),
    ):
        np.testing.assert_allclose(mapped(bone, point), point, atol=1e-3)


@pytest.mark.parametrize("bend", [-140.0, -60.0, 60.0, 140.0])
def test_the_outer_wedge_of_a_bend_shows_the_straight_limbs_edge(bend):
    """All around the bend the picture is the cross-section at the joint, so the outline stays closed."""
    outer = -np.sign(bend) * 90
    for share in (0.05, 0.5, 0.95):
        point = ELBOW + 6 * direction(outer + share * bend)
        for bone in arm(bend):
            np.testing.assert_allclose(mapped(bone, point), ELBOW + 6 * direction(outer), atol=1e-3)


def test_the_wedge_is_spread_over_a_bend_of_the_reference():
    for bone in arm(80.0, 40.0):
        expected = ELBOW + 6 * direction(-90 + 20)
        np.testing.assert_allclose(mapped(bone, ELBOW + 6 * direction(-90 + 40)), expected, atol=1e-3)


def test_foreshortening_shortens_without_thinning_and_keeps_the_hand():
    upper, lower = arm(0.0, shrink=0.5)
    np.testing.assert_allclose(mapped(upper, ELBOW + (-7.5, 4)), ELBOW + (-15, 4), atol=1e-3)
    np.testing.assert_allclose(mapped(lower, ELBOW + (15 + 8, 4)), ELBOW + (30 + 8, 4), atol=1e-3)
    np.testing.assert_allclose(mapped(lower, ELBOW + (15 + 8, 4), 2.0), ELBOW + (30 + 4, 2), atol=1e-3)


def test_similarity_and_affine_recover_what_made_the_points():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (4, 2))
    z = points[:, 0] + 1j * points[:, 1]
    m, t = similarity(z, (0.6 + 0.5j) * z + (3 - 8j), np.ones(4))
    assert (m, t) == (pytest.approx(0.6 + 0.5j), pytest.approx(3 - 8j))
    matrix = np.array([[0.7, 0.2, 5.0], [-0.1, 1.3, -9.0]])
    target = points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(affine(points, target, matrix, 0.02), matrix, atol=1e-9)
    there_and_back = inverted(matrix, 0.1)
    np.testing.assert_allclose(target @ there_and_back[:, :2].T + there_and_back[:, 2], points, atol=1e-9)
    assert similarity(z, np.full(4, 7 + 7j), np.ones(4)) is None
    assert similarity(z[:1], z[:1], np.ones(1)) is None


def placed(joints):
    rest = rest_pose(4, 256, 256)
    return place(rest[0, :, :2], rest[0, :, 2] > 0, joints[..., :2].astype(float), joints[..., 2] > 0)


def test_heads_are_turned_and_scaled_never_sheared_and_keep_their_size():
    joints = motion("wave", 4, 9, 256, 256)
    joints[3, [0, 14, 15, 16, 17], 0] += 0.7 * (joints[3, [0, 14, 15, 16, 17], 1] - joints[3, 0, 1])
    joints[5, [14, 15, 16, 17], 0] = joints[5, 0, 0] + 0.3 * (joints[5, [14, 15, 16, 17], 0] - joints[5, 0, 0])
    for matrix in placed(joints).heads.maps:
        linear = matrix[:, :2]
        scale = np.sqrt(np.linalg.det(linear))
        np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-9)
        assert scale == pytest.approx(1, abs=0.085)


def turned_joints():
    """At rest, turned to the picture's left, turned to its right: five frames of each, narrow shoulders, nose aside."""
    joints = np.repeat(rest_pose(4, 256, 256), 15, axis=0)
    middle = joints[0, 1, 0]
    joints[5:, :, 0] = middle + 0.3 * (joints[5:, :, 0] - middle)
    joints[5:10, 0, 0], joints[10:, 0, 0] = middle - 12, middle + 12
    return joints


def test_the_arm_on_the_side_that_the_turned_face_looks_to_is_far():
    depth = placed(turned_joints()).depth
    steady = [2, 7, 12]
    assert depth.right_arm_behind[steady].tolist() == [False, True, False]
    assert depth.left_arm_behind[steady].tolist() == [False, False, True]
    assert depth.left_leg_over[steady].tolist() == [False, True, False]
    order = {k: [name for name, there in depth.layers() if there[k]] for k in steady}
    assert order[2].index("torso") < order[2].index("right arm") and order[2].index("torso") < order[2].index(
        "left arm"
    )
    assert order[7].index("right arm") < order[7].index("torso") < order[7].index("left arm")
    assert order[12].index("left arm") < order[12].index("torso") < order[12].index("right arm")
    assert all(sorted(names) == sorted(order[2]) for names in order.values())


def test_one_uncertain_pose_does_not_turn_the_order_over():
    joints = np.repeat(rest_pose(4, 256, 256), 7, axis=0)
    joints[3] = turned_joints()[7]
    assert not placed(joints).depth.right_arm_behind.any()


def test_overrides_are_read_line_by_line_and_the_last_wins():
    overrides = parse_overrides("0-9: left arm behind\n\n 4 left ARM front \nall: left leg front", 15)
    joints = np.repeat(rest_pose(4, 256, 256), 15, axis=0)
    rest = joints[:1]
    depth = place(rest[0, :, :2], rest[0, :, 2] > 0, joints[..., :2].astype(float), joints[..., 2] > 0, overrides).depth
    assert depth.left_arm_behind.tolist() == [k < 10 and k != 4 for k in range(15)]
    assert depth.left_arm_over[4] and depth.left_leg_over.all() and not depth.right_arm_behind.any()


@pytest.mark.parametrize(
    "text", ["left arm behind", "0-3: left hand behind", "15: left arm front", "6-2 right leg front"]
)
def test_an_override_that_says_nothing_is_refused_by_its_line(text):
    with pytest.raises(FreeAnimateError, match="depth_order line 2"):
        parse_overrides("all right arm front\n" + text, 15)


@pytest.mark.parametrize("degrees", [-40.0, -15.0, 0.0, 25.0, 50.0])
def test_a_turning_head_stays_where_it_is_and_its_face_slides(degrees):
    """The true turn about the vertical axis: the ears' middle is the head's, eyes and nose move across it."""
    standing, turned = on_canvas(body(4), [Posture(), Posture(yaw=np.radians(degrees))], 256, 256)
    whole = np.stack([standing, turned])
    heads = place(
        standing[:, :2].astype(float), standing[:, 2] > 0, whole[..., :2].astype(float), whole[..., 2] > 0
    ).heads
    centre = standing[[16, 17], :2].mean(axis=0)
    moved = heads.maps[1, :, :2] @ centre + heads.maps[1, :, 2]
    expected = np.array([turned[1, 0], centre[1] + turned[1, 1] - standing[1, 1]])  # over the neck
    half = abs(heads.ball.half)
    assert np.hypot(*(moved - expected)) < 0.12 * half
    assert np.degrees(heads.yaw[1]) == pytest.approx(degrees, abs=6)
    np.testing.assert_allclose(heads.maps[0], [[1, 0, 0], [0, 1, 0]], atol=1e-6)


def test_the_sliding_face_moves_as_one_piece_and_the_outline_stays():
    ball = ball_of(rest_pose(4, 256, 256)[0, :, :2], np.ones(18, dtype=bool))
    slide = torch.tensor([0.4, -0.4, 0.0])
    half = abs(ball.half)

    def offset(across, down):
        x = torch.full((3, 1, 1), ball.centre.real + across * half, dtype=torch.float64)
        y = torch.full((3, 1, 1), ball.centre.imag + down * half, dtype=torch.float64)
        sx, sy = slid(ball, slide.double(), x, y)
        assert float((sy - y).abs().max()) < 0.05 * half
        return ((sx - x) / half).flatten().numpy()

    for across, down in ((0.4, -0.2), (0.4, 0.1), (0.6, 0.0), (0.3, 0.4)):
        assert offset(across, down)[0] == pytest.approx(-0.4, abs=1e-6)  # the core, where it has come to
        assert offset(-across, down)[1] == pytest.approx(0.4, abs=1e-6)
    for across, down in ((1.0, 0.0), (-1.0, 0.0), (0.0, ball.chin), (0.0, -0.95)):
        np.testing.assert_allclose(offset(across, down), 0, atol=1e-6)
    ways = np.linspace(-1, 1, 81)
    for column in (0, 1):
        assert (np.diff([way + offset(way, 0.0)[column] for way in ways]) > 0).all()  # no fold
