"""The drawn characters: one seed, one character, in any pose."""

import numpy as np
import pytest

from demo.body import body
from demo.character import draw_character, draw_parts
from demo.looks import looks
from demo.motion import MOTIONS, motion, rest_pose

SIZE = 128
BONES = [(1, 2), (2, 3), (3, 4), (5, 6), (6, 7), (1, 0)]


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_is_the_same_character_everywhere(seed):
    first, second = (draw_character(seed, rest_pose(seed, SIZE, SIZE), SIZE, SIZE) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    image, mask = first
    assert image.shape == (1, SIZE, SIZE, 3) and mask.shape == (1, SIZE, SIZE)
    assert image.dtype == mask.dtype == np.float32
    assert 0 <= image.min() and image.max() <= 1 and 0 <= mask.min() and mask.max() <= 1


def test_hundreds_of_characters_differ():
    assert len({(looks(seed), body(seed)) for seed in range(400)}) == 400
    pictures = [draw_character(seed, rest_pose(seed, 64, 64), 64, 64)[0][0] for seed in range(30)]
    gaps = [np.abs(a - b).mean() for k, a in enumerate(pictures) for b in pictures[:k]]
    assert min(gaps) > 0.03


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("size", [(128, 128), (192, 128)])
def test_motions_are_smooth_on_the_canvas_and_keep_the_bones(name, size):
    joints = motion(name, 11, 24, *size)
    assert joints.shape == (24, 18, 3) and (joints[..., 2] == 1).all()
    np.testing.assert_allclose(joints[0], rest_pose(11, *size)[0], atol=1e-3)
    assert (joints[..., 0] > 0).all() and (joints[..., 0] < size[1]).all()
    assert (joints[..., 1] > 0).all() and (joints[..., 1] < size[0]).all()
    assert np.abs(np.diff(joints[..., :2], axis=0)).max() < 0.12 * size[0]
    assert np.abs(np.diff(joints[..., :2], axis=0)).max() > 0.02 * size[0]
    for a, b in BONES:
        length = np.hypot(*(joints[:, a, :2] - joints[:, b, :2]).T)
        assert np.ptp(length) < 0.01 * length.mean()


def test_the_mask_is_where_the_figure_differs_from_the_ground():
    joints = motion("wave", 3, 3, SIZE, SIZE)
    images, masks = draw_character(3, joints, SIZE, SIZE)
    empty = (masks == 0).all(axis=0)
    assert 0.4 < empty.mean() < 0.95
    np.testing.assert_array_equal(images[0][empty], images[2][empty])
    joints[1:] = 0  # a frame without joints is the ground alone
    bare, none = draw_character(3, joints, SIZE, SIZE)
    assert none[1].sum() == 0
    assert np.abs(bare[1] - bare[0])[masks[0] > 0.99].mean() > 0.04


def test_parts_lie_at_their_joints():
    joints = rest_pose(9, SIZE, SIZE)
    _, masks, labels = draw_parts(9, joints, SIZE, SIZE)
    assert labels[0][masks[0] < 0.01].max() == 0
    for label, (a, b) in {1: (1, 8), 2: (0, 0), 3: (2, 3), 4: (3, 4), 5: (5, 6), 8: (9, 10), 10: (12, 13)}.items():
        x, y = (0.5 * (joints[0, a, :2] + joints[0, b, :2])).astype(int)
        assert labels[0, y, x] == label
