"""The drawn characters: one seed, one character, in any pose, and words that are true of it."""

import math

import numpy as np
import pytest

from freeanimate_pack.demo.drawn.body import Posture, body, joints_of
from freeanimate_pack.demo.drawn.character import draw_character, draw_parts
from freeanimate_pack.demo.drawn.head import head_frame
from freeanimate_pack.demo.drawn.looks import looks
from freeanimate_pack.demo.drawn.motion import MOTIONS, canvas_scale, motion, on_canvas, rest_pose
from freeanimate_pack.demo.drawn.scenery import ground_tints
from freeanimate_pack.demo.drawn.words import VOCABULARY, caption
from lab.training.poses import varied_pose

SIZE = 128
BONES = [(1, 2), (1, 5), (1, 8), (1, 11), (8, 9), (9, 10)]
ARMS = {3: (2, 3), 4: (3, 4), 5: (5, 6), 6: (6, 7)}  # label to the joints of its bone
LEGS = {7: (8, 9), 8: (9, 10), 9: (11, 12), 10: (12, 13)}


def turned(seed, yaw, **posture):
    return on_canvas(body(seed), [Posture(yaw=yaw, **posture)], SIZE, SIZE)


def first_seed(**wanted):
    """The first character with these looks."""
    return next(s for s in range(500) if all(getattr(looks(s), name) == value for name, value in wanted.items()))


def colour_at(image, point):
    """Mean colour [3] of the 3 x 3 pixels about a point (x, y)."""
    x, y = np.round(np.asarray(point) - 0.5).astype(int)
    return image[y - 1 : y + 2, x - 1 : x + 2].mean(axis=(0, 1))


@pytest.mark.parametrize("seed", [0, 7])
def test_a_seed_is_the_same_character_everywhere(seed):
    first, second = (draw_parts(seed, rest_pose(seed, SIZE, SIZE), SIZE, SIZE) for _ in range(2))
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one, other)
    image, mask, labels, order = first
    assert image.shape == (1, SIZE, SIZE, 3) and mask.shape == labels.shape == (1, SIZE, SIZE)
    assert image.dtype == mask.dtype == np.float32 and labels.dtype == order.dtype == np.uint8
    assert 0 <= image.min() and image.max() <= 1 and 0 <= mask.min() and mask.max() <= 1
    np.testing.assert_array_equal(np.sort(order[0]), np.arange(1, 11))


def test_hundreds_of_characters_differ():
    colours = []
    for seed in range(400):
        image, _, labels, _ = draw_parts(seed, rest_pose(seed, 64, 64), 64, 64)
        colours.append([image[labels == part].mean(axis=0) for part in range(11)])
    colours = np.array(colours)  # [400,11,3]
    distinct = []
    for seed in range(400):
        gaps = np.abs(colours[distinct] - colours[seed]).max(axis=2)  # of each part to each kept character
        if not distinct or ((gaps > 0.1).sum(axis=1) >= 3).all():
            distinct.append(seed)
    assert len(distinct) >= 300


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("size", [(128, 128), (192, 128)])
def test_motions_are_smooth_on_the_canvas_and_start_at_rest(name, size):
    for seed in (0, 2, 11):
        joints = motion(name, seed, 24, *size)
        spots = joints[..., :2]
        assert joints.shape == (24, 18, 3)
        np.testing.assert_allclose(joints[0], rest_pose(seed, *size)[0], atol=1e-3)
        assert (spots > 0).all() and (spots < (size[1], size[0])).all()
        steps = np.hypot(*np.diff(spots, axis=0).transpose(2, 0, 1))
        assert 0.01 * size[0] < steps.max() < 0.08 * size[0]
        for a, b in BONES:  # foreshortened at most, never longer than the body has them
            length = np.hypot(*(joints[:, a, :2] - joints[:, b, :2]).T)
            assert length.max() < 1.03 * max(length[0], 0.2 * canvas_scale(*size))


def test_a_turn_narrows_the_shoulders_and_hides_the_far_ear():
    joints = motion("turn", 4, 25, SIZE, SIZE)
    width = joints[:, 5, 0] - joints[:, 2, 0]
    left, right = joints[:, 0, 0].argmax(), joints[:, 0, 0].argmin()  # where the nose is farthest to each side
    assert width[left] < 0.6 * width[0] and width[right] < 0.6 * width[0]
    assert joints[left, 17, 2] == 0 and joints[left, 16, 2] == 1
    assert joints[right, 16, 2] == 0 and joints[right, 17, 2] == 1
    assert joints[[0, 12, 24], :, 2].min() == 1


def test_the_head_shows_how_far_it_is_turned():
    for seed, yaw in ((1, -1.1), (2, -0.5), (3, 0.0), (4, 0.3), (5, 1.05)):
        pose = turned(seed, yaw, lean=0.1, tilt=-0.2)[0]
        frame = head_frame(body(seed), pose, canvas_scale(SIZE, SIZE), 1.0)
        assert frame.yaw == pytest.approx(yaw, abs=0.01)
        assert frame.angle == pytest.approx(-0.1, abs=0.01)
        pose[14:, 2] = 0
        assert head_frame(body(seed), pose, canvas_scale(SIZE, SIZE), 1.0).yaw == 0


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


@pytest.mark.parametrize("seed", [9, 12, 21])
def test_parts_lie_at_their_joints(seed):
    joints = rest_pose(seed, SIZE, SIZE)
    _, masks, labels, _ = draw_parts(seed, joints, SIZE, SIZE)
    assert labels[0][masks[0] < 0.01].max() == 0
    for label, (a, b) in {1: (1, 8), 2: (0, 0), **ARMS, **LEGS}.items():
        x, y = (0.4 * joints[0, a, :2] + 0.6 * joints[0, b, :2]).astype(int)
        assert labels[0, y, x] == label


@pytest.mark.parametrize("seed", [3, 0])
@pytest.mark.parametrize("yaw, near_arm, far_arm", [(0.9, 2, 5), (-0.9, 5, 2)])
def test_the_depth_order_swaps_with_the_turn(seed, yaw, near_arm, far_arm):
    joints = turned(seed, yaw)
    labels, order = (part[0] for part in draw_parts(seed, joints, SIZE, SIZE)[2:])
    depth = {int(label): place for place, label in enumerate(order)}
    near, far = (3, 5) if near_arm == 2 else (5, 3)
    assert depth[far] < depth[1] < depth[near] and depth[far + 4] < depth[near + 4]
    # Half way down the upper arms, which hang over the torso's sides: one shows, one does not.
    shown = (labels == near).sum(), (labels == far).sum()
    assert shown[0] > 2 * shown[1]
    x, y = joints[0, near_arm : near_arm + 2, :2].mean(axis=0).astype(int)
    assert labels[y, x] == near


@pytest.mark.parametrize("yaw", [0.0, 0.9, -0.6])
@pytest.mark.parametrize("legwear", ["trousers", "skirt"])
def test_a_pixel_belongs_to_the_last_part_in_the_order_that_covers_it(yaw, legwear):
    seed = first_seed(legwear=legwear, hair_style="short", hat="none")
    joints = turned(seed, yaw, upper_arms=(0.2, 1.0), forearms=(-0.5, 2.6))
    _, _, labels, order = draw_parts(seed, joints, SIZE, SIZE)
    alone = {}
    for parts, kept in (((3, 4), (2, 3, 4)), ((5, 6), (5, 6, 7)), ((2,), (0, 14, 15, 16, 17))):
        # The trunk's size is taken from the limbs where it is missing, so a lone limb is almost the same.
        lone = joints * np.isin(np.arange(18), [*kept])[None, :, None]
        alone[parts] = np.isin(draw_parts(seed, _scaled(lone, joints), SIZE, SIZE)[2][0], parts)
    place = {int(label): k for k, label in enumerate(order[0])}
    depth = np.array([-1, *(place[label] for label in range(1, 11))])[labels[0]]  # of each pixel's owner
    for parts, cover in alone.items():
        inside = _eroded(cover)
        assert inside.sum() > 8
        assert (depth[inside] >= min(place[part] for part in parts)).all()


def _scaled(lone, whole):
    """The lone joints with one more limb far off the canvas that has the whole figure's size."""
    trunk = [1, 8, 11]
    lone = lone.copy()
    lone[:, trunk] = whole[:, trunk] + (10 * SIZE, 0, 0)
    return lone


def _eroded(cover):
    """Pixels [H,W] whose four neighbours are covered too: rims are half another part's."""
    inner = cover.copy()
    for axis in (0, 1):
        inner &= np.roll(cover, 1, axis) & np.roll(cover, -1, axis)
    return inner


def test_captions_have_one_form_and_known_words():
    captions = [caption(seed) for seed in range(400)]
    words = [text.replace(",", "").split() for text in captions]
    assert {len(line) for line in words} == {29}
    assert {word for line in words for word in line} == set(VOCABULARY)
    assert len(set(VOCABULARY)) == len(VOCABULARY) and len(set(captions)) > 390


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_captions_are_true_of_the_picture(seed):
    look, (wall, floor), text = looks(seed), ground_tints(seed), caption(seed)
    joints = rest_pose(seed, SIZE, SIZE)
    image = draw_character(seed, joints, SIZE, SIZE)[0][0]
    at = joints[0, :, :2]
    assert f"{look.legs.name} {look.legwear}" in text and f"{wall.name} wall" in text and f"{floor.name} floor" in text
    thigh = 0.5 * at[8] + 0.5 * at[9]
    assert np.abs(colour_at(image, thigh) - look.legs.rgb).max() < 0.25
    shin = colour_at(image, 0.35 * at[9] + 0.65 * at[10])
    worn = look.legs if look.legwear == "trousers" else look.skin
    assert np.abs(shin - worn.rgb).max() < 0.25
    forearm = colour_at(image, 0.5 * at[3] + 0.5 * at[4])
    assert f"{look.sleeve} sleeves" in text
    if look.sleeve == "short" or look.pattern != "stripes":
        worn = look.skin if look.sleeve == "short" else look.shirt
        assert np.abs(forearm - worn.rgb).max() < 0.25
    assert np.abs(np.median(image[: SIZE // 2, :12], axis=(0, 1)) - wall.rgb).max() < 0.35
    assert np.abs(np.median(image[-12:], axis=(0, 1)) - floor.rgb).max() < 0.2


@pytest.mark.parametrize("hat", ["cap", "hat"])
def test_a_hat_is_on_the_head(hat):
    seed = first_seed(hat=hat)
    assert f"{looks(seed).hat_colour.name} {hat}" in caption(seed)
    joints = rest_pose(seed, SIZE, SIZE)
    image, _, labels, _ = draw_parts(seed, joints, SIZE, SIZE)
    crown = 0.5 * (joints[0, 14, :2] + joints[0, 15, :2]) - (0, 0.75 * body(seed).head * canvas_scale(SIZE, SIZE))
    assert np.abs(colour_at(image[0], crown) - looks(seed).hat_colour.rgb).max() < 0.2
    x, y = crown.astype(int)
    assert labels[0, y, x] == 2


def test_varied_poses_are_wide_and_stay_on_the_canvas():
    rng = np.random.default_rng(3)
    poses = np.concatenate([varied_pose(seed, rng, SIZE, SIZE) for seed in range(300)])
    assert poses.shape == (300, 18, 3) and poses.dtype == np.float32
    hand = 0.05 * canvas_scale(SIZE, SIZE)
    assert (poses[..., :2] > -hand).all() and (poses[..., :2] < SIZE + hand).all()
    hidden = (poses[:, 16:, 2] == 0).sum(axis=1)
    assert 0.05 < (hidden == 1).mean() < 0.3 and hidden.max() == 1
    raised = poses[:, [4, 7], 1].min(axis=1) < poses[:, 0, 1]
    knees = (poses[:, 9, 1] - poses[:, 8, 1]) / (poses[:, 8, 1] - poses[:, 1, 1])
    assert raised.mean() > 0.2 and knees.min() < 0.35 < 0.6 < knees.max()
    again = np.random.default_rng(3)
    np.testing.assert_array_equal(varied_pose(0, again, SIZE, SIZE), poses[:1])


def test_bodies_reach_from_child_to_adult_and_bend_at_the_yaw():
    youths = [body(seed).youth for seed in range(50)]
    heads = [body(seed).head for seed in range(50)]
    assert np.corrcoef(youths, heads)[0, 1] > 0.9
    straight, aside = (joints_of(body(1), Posture(yaw=yaw))[:, 0] for yaw in (0.0, math.pi / 3))
    assert aside[5] - aside[2] == pytest.approx(0.5 * (straight[5] - straight[2]))
