"""The person's mask: cut out by the pose, also where the border cuts the body; and nobody else in it."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from freeanimate_pack.demo.drawn.character import draw_character
from freeanimate_pack.demo.drawn.motion import rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.bones import Bone, figure_of
from freeanimate_pack.freeanimate_core.preview.completion import with_cut_joints
from freeanimate_pack.freeanimate_core.preview.cut import cut_out
from freeanimate_pack.freeanimate_core.preview.mask import alone, person_mask

SIZE = 192
SKIN, SHIRT, TROUSERS, WALL = (0.85, 0.65, 0.5), (0.7, 0.2, 0.2), (0.15, 0.2, 0.45), (0.6, 0.62, 0.55)
# A person from the front, hands on the hips, in pixels of the canvas.
JOINTS = {0: (96, 30), 1: (96, 52), 2: (76, 52), 3: (50, 76), 4: (76, 102), 5: (116, 52), 6: (142, 76), 7: (116, 102)}
JOINTS |= {8: (84, 110), 9: (80, 145), 10: (76, 178), 11: (108, 110), 12: (112, 145), 13: (116, 178)}
JOINTS |= {14: (91, 26), 15: (101, 26), 16: (84, 28), 17: (108, 28)}
LEGS = [(8, 9), (9, 10), (11, 12), (12, 13), (8, 11)]
ARMS = [(2, 3), (3, 4), (5, 6), (6, 7)]


def person(zoom=1.0):
    """Picture [S,S,3], mask [S,S] bool and joints [18,3], ``zoom`` times as large, before a wall of uneven light."""
    places = np.array([JOINTS[k] for k in range(18)], dtype=float)
    places = (places - [96, 0]) * zoom + [96, 0]
    seen = ((places >= 0) & (places < SIZE)).all(axis=1, keepdims=True)
    levels = np.linspace(0, 1, 9)[:, None]
    sides = [places[shoulder] * (1 - levels) + places[hip] * levels for shoulder, hip in ((2, 8), (5, 11))]
    pieces = [(places[a], places[b], 9, TROUSERS) for a, b in LEGS]
    pieces += [(a, b, 7, SHIRT) for a, b in zip(*sides)] + [(places[a], places[b], 6, SHIRT) for a, b in ARMS]
    pieces += [(places[0], places[1], 6, SKIN), (places[0], places[0], 17, SKIN)]
    grain = gaussian_filter(np.random.default_rng(0).standard_normal((SIZE, SIZE)), 1)[..., None]
    picture = np.float32(WALL) * (0.85 + 0.2 * np.linspace(0, 1, SIZE)[:, None] + 0.05 * grain)
    figure = np.zeros((SIZE, SIZE), dtype=bool)
    grid = np.arange(SIZE)[None] + 0.5, np.arange(SIZE)[:, None] + 0.5
    for a, b, radius, colour in pieces:
        inside = Bone("", a, b, radius * zoom).depth(*grid) < 0
        picture[inside] = np.float32(colour) * (1 + 0.05 * grain[inside])
        figure |= inside
    return torch.from_numpy(picture.clip(0, 1).astype(np.float32)), figure, np.hstack([places, seen]) * seen


def bones_of(joints):
    return list(figure_of(joints[:, :2], joints[:, 2] > 0).values())


def overlap(mask, figure):
    found = mask.numpy() > 0.5
    return (found & figure).sum() / (found | figure).sum()


@pytest.fixture(scope="module")
def whole():
    return person()


def test_hands_on_hips_leave_the_wall_in_the_crook_of_an_arm(whole):
    picture, figure, joints = whole
    mask = cut_out(picture, bones_of(joints))
    assert overlap(mask, figure) > 0.95
    for x in (63, 129):
        assert not figure[76, x] and mask[76, x] < 0.5
    assert not figure[150, 96] and mask[150, 96] < 0.5  # between the legs


def test_a_half_body_reaches_the_border():
    picture, figure, joints = person(zoom=1.5)
    assert joints[8, 2] and not joints[9, 2]
    body = with_cut_joints(joints[:, :2], joints[:, 2] > 0, SIZE, SIZE)
    mask = cut_out(picture, bones_of(np.column_stack([body.joints, body.seen])))
    assert overlap(mask, figure) > 0.95
    assert (mask.numpy()[-1] > 0.5)[figure[-1]].mean() > 0.9


def test_the_cut_is_the_same_every_time(whole):
    picture, _, joints = whole
    first = cut_out(picture, bones_of(joints))
    person(zoom=1.2)
    assert torch.equal(first, cut_out(picture, bones_of(joints)))
    assert first.dtype == torch.float32 and 0 <= float(first.min()) and float(first.max()) <= 1


def test_a_large_picture_is_cut_as_a_small_one(whole):
    picture, figure, joints = whole
    wide = picture.repeat_interleave(4, 0).repeat_interleave(4, 1)
    mask = cut_out(wide, bones_of(joints * [4, 4, 1]))
    assert overlap(mask, figure.repeat(4, 0).repeat(4, 1)) > 0.95


@pytest.mark.parametrize("colour", [0.0, 0.5, 1.0])
def test_a_picture_of_one_colour_has_the_body_where_the_pose_is(whole, colour):
    _, figure, joints = whole
    mask = cut_out(torch.full((SIZE, SIZE, 3), colour), bones_of(joints))
    assert overlap(mask, figure) > 0.6


def with_bystander(figure, left):
    mask = figure.astype(np.float32)
    mask[60:170, left : left + 20] = 1
    return torch.from_numpy(gaussian_filter(mask, 0.7))


def test_a_bystander_stays_and_is_named(whole):
    _, figure, joints = whole
    for left, side in ((4, "at the left, x 4-23"), (168, "at the right, x 168-187")):
        both = with_bystander(figure, left)
        mask, warnings = alone(both, bones_of(joints), "person_mask")
        assert warnings == (f"person_mask shows somebody else {side} of 192, who stays in the background.",)
        assert not mask[:, max(left - 3, 0) : left + 23].any()
        assert torch.equal(mask[:, 30:160], both[:, 30:160])


def test_a_mask_of_one_person_comes_back_as_it_is(whole):
    picture, figure, joints = whole
    given = torch.from_numpy(figure.astype(np.float32))
    mask, warnings = person_mask(picture, given, bones_of(joints))
    assert mask is given and warnings == ()


def test_a_hand_behind_a_bag_and_legs_below_a_table_stay(whole):
    figure, joints = whole[1].copy(), whole[2]
    figure[122:134] = False
    figure[60:70, 40:80] = False  # parts the right arm
    given = torch.from_numpy(figure.astype(np.float32))
    assert alone(given, bones_of(joints), "person_mask") == (given, ())


def test_specks_go_without_a_word(whole):
    figure, joints = whole[1].copy(), whole[2]
    figure[5:8, 5:8] = True
    mask, warnings = alone(torch.from_numpy(figure.astype(np.float32)), bones_of(joints), "person_mask")
    assert not mask[5:8, 5:8].any() and warnings == ()


def test_a_mask_beside_the_pose_is_left_to_other_words(whole):
    given = torch.zeros(SIZE, SIZE)
    given[:20, :20] = given[-20:, -20:] = 1
    assert alone(given, bones_of(whole[2]), "person_mask") == (given, ())


def test_the_preview_leaves_a_bystander_in_its_plate():
    rest = rest_pose(1, SIZE, SIZE)
    image, mask = draw_character(1, rest, SIZE, SIZE)
    image[0, 40:180, 8:30] = 0.9, 0.1, 0.8
    mask[0, 40:180, 8:30] = 1
    pose = PoseSequence.from_joints(rest, SIZE, SIZE)
    made = generate(torch.from_numpy(image), pose, pose, torch.from_numpy(mask))
    assert len(made.warnings) == 1 and "x 8-29 of 192" in made.warnings[0]
    assert torch.equal(made.background[0, 45:175, 10:28], torch.from_numpy(image[0, 45:175, 10:28]))
    assert not made.person_mask[0, 45:175, 10:28].any()


def test_a_high_hat_is_not_cut_off(whole):
    picture, figure, joints = whole[0].clone(), whole[1].copy(), whole[2]
    picture[2:16, 80:112], figure[2:16, 80:112] = torch.tensor([0.1, 0.5, 0.2]), True
    mask = cut_out(picture, bones_of(joints))
    assert (mask.numpy() > 0.5)[3:16, 81:111].mean() > 0.9


def test_clothes_wider_than_the_limbs_stay_whole(whole):
    picture, figure, joints = whole[0].clone(), whole[1].copy(), whole[2]
    for row in range(108, 150):
        wide = 20 + (row - 108) // 2
        picture[row, 96 - wide : 96 + wide], figure[row, 96 - wide : 96 + wide] = torch.tensor(TROUSERS), True
    assert overlap(cut_out(picture, bones_of(joints)), figure) > 0.95
