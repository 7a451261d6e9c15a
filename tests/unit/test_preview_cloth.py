"""What is not a limb: skirts, collars, what an arm uncovers and what the picture's border cuts."""

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.drawn.body import Posture, body
from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import on_canvas
from freeanimate_pack.freeanimate_core.measures import psnr
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.bones import bones_of
from freeanimate_pack.freeanimate_core.preview.parts import _spread, _usual
from freeanimate_pack.freeanimate_core.preview.skirt import CORNERS, skirt_map, skirt_of
from lab.evaluation.preview import scores, study
from lab.evaluation.preview.pairs import CLASSES, pairs_of

SIZE = 192
SKIRTED, TROUSERED = 3, 2


def drawn(seed, *postures):
    """Joints, images, masks and labels of a character, a frame per posture."""
    joints = on_canvas(body(seed), list(postures), SIZE, SIZE)
    images, masks, labels, _ = draw_parts(seed, joints, SIZE, SIZE)
    return joints, torch.from_numpy(images), torch.from_numpy(masks), labels


def skirt(seed):
    joints, _, masks, _ = drawn(seed, Posture())
    points, seen = joints[0, :, :2], joints[0, :, 2] > 0
    return skirt_of(bones_of(points, seen), masks[0].numpy()), joints[0], masks[0].numpy()


@pytest.mark.parametrize("seed", [3, 5, 6, 7])
def test_a_skirt_is_found_and_ends_at_its_hem(seed):
    found, joints, mask = skirt(seed)
    hips, knees = joints[[8, 11], :2].mean(axis=0), joints[[9, 12], :2].mean(axis=0)
    assert 0.75 < found.hem / np.hypot(*(knees - hips)) < 1.0  # drawn to 0.88 of the thighs
    row = int(hips[1] + 0.7 * (knees[1] - hips[1]))
    cloth = np.flatnonzero(mask[row] > 0.5)
    inside = np.flatnonzero(found.depth(np.arange(SIZE)[None] + 0.5, np.array([[row + 0.5]]))[0] < 0)
    assert abs(inside[0] - cloth[0]) <= 2 and abs(inside[-1] - cloth[-1]) <= 2


def test_legs_in_trousers_are_no_skirt():
    assert skirt(TROUSERED)[0] is None


def test_an_unmoved_skirt_maps_to_itself_and_a_moved_one_follows_its_corners():
    found, joints, _ = skirt(SKIRTED)
    corners = torch.from_numpy(joints[list(CORNERS), :2].astype(np.float32))[None]
    x, y = torch.arange(60.0, 130.0)[None], torch.arange(80.0, 150.0)[:, None]
    for shift in (0.0, 7.0):
        sx, sy = skirt_map(found, corners + shift, x + shift, y + shift, 1.0)
        torch.testing.assert_close(sx[0], x.expand(70, 70), atol=2e-2, rtol=0)
        torch.testing.assert_close(sy[0], y.expand(70, 70), atol=2e-2, rtol=0)
    wide = corners + torch.tensor([[[0.0, 0.0], [-20.0, -8.0], [0.0, 0.0], [20.0, -8.0]]])
    for target, source in zip(wide[0], corners[0]):
        spot = skirt_map(found, wide, target[0].reshape(1, 1), target[1].reshape(1, 1), 1.0)
        np.testing.assert_allclose([float(v) for v in spot], source, atol=0.1)


def test_knees_apart_tear_no_skirt():
    """Between the knees of a squat there is cloth: the two halves do not part."""
    squat = Posture(crouch=0.12, knees=0.8, ankles=((-0.12, 0.0), (0.12, 0.0)))
    joints, images, masks, labels = drawn(SKIRTED, Posture(), squat)
    pose, target = (PoseSequence.from_joints(joints[k : k + 1], SIZE, SIZE) for k in (0, 1))
    made = generate(images[:1], pose, target, masks[:1])
    cloth = np.isin(labels[1], (7, 9)) & (np.abs(np.arange(SIZE)[None] - joints[1, [8, 11], 0].mean()) < 8)
    assert cloth.sum() > 100
    assert float(made.person_mask[0][torch.from_numpy(cloth)].mean()) > 0.97
    either = torch.maximum(masks[1], made.person_mask[0]) > 0.5
    assert psnr(made.frames[0][either], images[1][either], 1.0) > 22  # two halves gave 16


def test_what_an_arm_uncovers_has_the_cloths_usual_colour():
    """A badge that the arm's edge touches keeps its colour to itself; a plain mean would smear it."""
    plain, badge = np.array([0.9, 0.4, 0.1]), np.array([0.2, 0.1, 0.6])
    colours = np.tile(plain, (80, 80, 1)) + np.linspace(-0.05, 0.05, 80)[:, None, None]
    colours[30:50, 10:30] = badge
    hidden = np.zeros((80, 80), dtype=bool)
    hidden[10:70, 30:50] = True
    smeared, filled = (_spread(colours, weight, hidden) for weight in (~hidden, _usual(colours, ~hidden, hidden)))
    off = [np.linalg.norm(item[hidden] - plain, axis=-1) for item in (smeared, filled)]
    assert off[0].max() > 0.5 and off[1].max() < 0.25
    assert np.array_equal(filled[~hidden], colours[~hidden])


def test_a_limb_that_the_border_cuts_goes_on_beyond_it():
    """A figure of which the picture's lower border cuts the feet, lifted: its shins end where the pose says."""
    joints, images, masks, _ = drawn(TROUSERED, Posture())
    cut = int(0.5 * (joints[0, 9, 1] + joints[0, 10, 1]))
    sunk, lifted = joints.copy(), joints.copy()
    shift = SIZE - cut
    sunk[..., 1] += shift
    image, mask = torch.zeros_like(images), torch.zeros_like(masks)
    image[:, shift:], mask[:, shift:] = images[:, :-shift], masks[:, :-shift]
    pose, target = (PoseSequence.from_joints(item, SIZE, SIZE) for item in (sunk, lifted))
    made = generate(image, pose, target, mask)
    for knee, ankle in ((9, 10), (12, 13)):
        x, y = (joints[0, knee, :2] + 0.8 * (joints[0, ankle, :2] - joints[0, knee, :2])).astype(int)
        assert float(made.person_mask[0, y, x]) > 0.95
        assert float(made.hole_mask[0, y, x]) > 0.95


def test_the_studys_part_error_is_nothing_where_nothing_moves():
    """The measure itself adds nothing: no part is missed at soft seams."""
    clip = pairs_of(1, 128)[0]
    still = clip.__class__(**(clip.__dict__ | {"targets": clip.pose}))
    for method in ("ours", "linear_blend_skinning"):
        found = study.moved_labels(still, study.METHODS[method])
        assert found.shape == (1, 128, 128)
        assert scores.part_error(clip.reference_labels, found[0]) < 0.1, method
    assert len(CLASSES) == clip.labels.shape[0]
