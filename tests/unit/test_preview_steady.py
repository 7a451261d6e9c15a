"""Scatter of detected joints is taken out of a preview's poses, and motion is not."""

import numpy as np
import pytest

from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.pose.skeleton import trunk_length
from freeanimate_pack.freeanimate_core.preview.steady import NOISE, steadied

SIZE = 256
ALL = np.ones(18, dtype=bool)
STANDING = rest_pose(2, SIZE, SIZE)[0, :, :2].astype(np.float64)
UNIT = trunk_length(STANDING, ALL)


def scattered(poses, share, seed=0):
    """``poses`` with Gaussian noise of ``share`` of the trunk's length on each coordinate."""
    return poses + share * UNIT * np.random.default_rng(seed).standard_normal(poses.shape)


def distance(one, other):
    """Root mean square distance in pixels."""
    return float(np.sqrt(np.square(one - other).sum(axis=-1).mean()))


def moved(scale, angle, offset):
    """The standing pose under a similarity, [1,18,2]."""
    spots = (STANDING @ [1, 1j]) * scale * np.exp(1j * angle) + offset
    return np.stack([spots.real, spots.imag], axis=-1)[None]


@pytest.mark.parametrize("name", ["wave", "dance", "squat", "side step"])
def test_an_exact_clip_stays_nearly_as_it_is(name):
    clip = motion(name, 2, 12, SIZE, SIZE)[..., :2].astype(np.float64)
    made = steadied(STANDING, ALL, clip, np.ones((12, 18), dtype=bool))
    assert distance(made, clip) < 0.004 * UNIT


@pytest.mark.parametrize("way", [(1.0, 0.0, 0.0), (1.4, 0.0, 30 + 5j), (0.7, 0.4, -20j)])
def test_a_body_that_moves_as_a_whole_stays_exactly(way):
    target = moved(*way)
    assert np.allclose(steadied(STANDING, ALL, target, ALL[None]), target, atol=1e-9)


def test_a_body_that_stands_still_is_still_however_its_joints_scatter():
    reference = scattered(STANDING, NOISE, seed=9)
    clip = scattered(np.repeat(STANDING[None], 40, axis=0), NOISE)
    made = steadied(reference, ALL, clip, np.ones((40, 18), dtype=bool))
    assert distance(made, reference) < 0.6 * distance(clip, reference)
    assert distance(made[1:], made[:-1]) < 0.7 * distance(clip[1:], clip[:-1])


def test_a_limb_that_moves_is_followed_while_the_rest_stays():
    target = STANDING[None].copy()
    target[0, [3, 4]] += (-0.5 * UNIT, -0.5 * UNIT)
    noisy = scattered(np.repeat(target, 20, axis=0), NOISE, seed=3)
    made = steadied(scattered(STANDING, NOISE, seed=9), ALL, noisy, np.ones((20, 18), dtype=bool))
    assert distance(made[:, [3, 4]], noisy[:, [3, 4]]) < NOISE * UNIT
    legs = [8, 9, 10, 11, 12, 13]
    assert distance(made[1:, legs], made[:-1, legs]) < 0.6 * distance(noisy[1:, legs], noisy[:-1, legs])


def test_frames_come_in_any_order_and_missing_joints_count_for_nothing():
    clip = scattered(motion("wave", 2, 9, SIZE, SIZE)[..., :2].astype(np.float64), NOISE)
    shown = np.ones((9, 18), dtype=bool)
    shown[4, 9:11] = False
    made = steadied(STANDING, ALL, clip, shown)
    order = np.random.default_rng(1).permutation(9)
    assert np.array_equal(steadied(STANDING, ALL, clip[order], shown[order]), made[order])
    odd = clip.copy()
    odd[4, 9:11] = 1e4
    assert np.array_equal(np.delete(steadied(STANDING, ALL, odd, shown)[4], [9, 10], 0), np.delete(made[4], [9, 10], 0))


def test_it_scales_with_the_picture():
    clip = scattered(np.repeat(STANDING[None], 5, axis=0), NOISE)
    shown = np.ones((5, 18), dtype=bool)
    assert np.allclose(steadied(3 * STANDING, ALL, 3 * clip, shown), 3 * steadied(STANDING, ALL, clip, shown))


def test_a_few_joints_are_left_alone():
    seen = np.zeros(18, dtype=bool)
    seen[[2, 3, 4]] = True
    clip = scattered(STANDING[None], NOISE)
    assert np.array_equal(steadied(STANDING, seen, clip, seen[None]), clip)
