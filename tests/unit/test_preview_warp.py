"""The maps of the part warp, on answers known by geometry."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from demo.motion import motion, rest_pose
from freeanimate_core.preview.place import place
from freeanimate_core.preview.warp import Placed, affine, bone_map, inverted, similarity

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
    for matrix in placed(joints).head:
        linear = matrix[:, :2]
        scale = np.sqrt(np.linalg.det(linear))
        np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-9)
        assert scale == pytest.approx(1, abs=0.085)


def test_the_arm_on_the_side_that_the_turned_face_looks_to_is_far():
    joints = np.repeat(rest_pose(4, 256, 256), 3, axis=0)
    middle = joints[0, 1, 0]
    joints[1:, :, 0] = middle + 0.3 * (joints[1:, :, 0] - middle)
    joints[1, 0, 0], joints[2, 0, 0] = middle - 12, middle + 12
    far = placed(joints).far
    assert far["right arm"].tolist() == [False, True, False]
    assert far["left arm"].tolist() == [False, False, True]
