"""The measures: known answers, and what must not change them."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import motion
from freeanimate_pack.freeanimate_core import measures
from lab.evaluation.blur import PASSES, smoothed
from lab.evaluation.flow import true_flow
from lab.evaluation.measures import CELL, detail, face, joint_error, released

FRAMES, SIZE = 4, 48


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def clip() -> torch.Tensor:
    return noise(FRAMES, SIZE, SIZE, 3)


@pytest.fixture(scope="module")
def drawn():
    """A character that steps to the side: joints, frames, masks, labels."""
    joints = motion("side step", 0, FRAMES, 128, 128)
    return joints, *(torch.from_numpy(part) for part in draw_parts(0, joints, 128, 128)[:3])


def shifted(images: torch.Tensor, right: int, down: int) -> torch.Tensor:
    return images.roll((down, right), (1, 2))


def test_equal_pictures_have_no_error(clip):
    assert math.isinf(measures.psnr(clip, clip, 1.0))
    assert measures.ssim(clip, clip) == pytest.approx(1.0, abs=1e-12)
    assert measures.l1(clip, clip) == 0


def test_an_offset_of_one_tenth(clip):
    darker, half = 0.8 * clip, noise(FRAMES, SIZE, SIZE).round()
    assert measures.l1(darker + 0.1, darker) == pytest.approx(25.5, rel=1e-5)
    assert measures.psnr(darker + 0.1, darker, 1.0) == pytest.approx(20.0, abs=1e-4)
    inside_only = darker + 0.1 * half[..., None]
    assert measures.masked_psnr(inside_only, darker, half) == pytest.approx(20.0, abs=1e-4)
    assert math.isinf(measures.masked_psnr(inside_only, darker, 1 - half))


def test_nothing_to_measure_is_none(clip):
    empty = torch.zeros(FRAMES, SIZE, SIZE)
    assert measures.masked_psnr(clip, clip, empty) is None
    assert measures.background_drift(clip, empty + 1) is None
    assert measures.flicker(clip[:2], clip[:2]) is None
    assert measures.flicker(clip, clip) is None  # no pixel of noise stands still
    assert measures.part_colour_error(clip, empty, {1: torch.zeros(3)}) is None
    assert measures.warping_error(clip, torch.zeros(FRAMES - 1, SIZE, SIZE, 2), empty[1:] > 0) is None


@pytest.mark.parametrize("spread", (0.2, 1.0))
def test_ssim_is_skimages(clip, spread):
    other = (clip + spread * noise(*clip.shape, seed=1)).clamp(0, 1)
    grey = [(images.double() @ torch.tensor(measures.GREY, dtype=torch.float64)).numpy() for images in (clip, other)]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    wanted = np.mean([structural_similarity(a, b, **options) for a, b in zip(*grey)])
    assert measures.ssim(other, clip) == pytest.approx(wanted, abs=1e-6)
    assert wanted < 0.995


def test_background_drift_is_the_worst_frame_outside_both_masks():
    clip = torch.zeros(3, 8, 8, 3)
    clip[1] += 2 / 255
    clip[2, :, :4] += 6 / 255  # half of the picture
    masks = torch.zeros(3, 8, 8)
    assert measures.background_drift(clip, masks) == pytest.approx(3.0, rel=1e-5)
    masks[2, :, :4] = 0.01  # a trace of the person hides it
    assert measures.background_drift(clip, masks) == pytest.approx(2.0, rel=1e-5)
    masks[2], masks[0, :, :4] = 0, 1  # the first frame's person counts as well
    assert measures.background_drift(clip, masks) == pytest.approx(2.0, rel=1e-5)


def test_flicker_is_the_second_difference_where_the_truth_stands_still():
    truth = torch.zeros(5, 8, 8, 3)
    ramp = torch.arange(5.0).view(-1, 1, 1, 1).expand_as(truth) / 100
    assert measures.flicker(ramp, truth) == pytest.approx(0.0, abs=1e-4)
    blink = torch.tensor([0, 1, 0, 1, 0.0]).view(-1, 1, 1, 1).expand_as(truth) / 255
    assert measures.flicker(blink, truth) == pytest.approx(2.0, rel=1e-5)
    moving = truth.clone()
    moving[:, :4] = ramp[:, :4]
    half = blink.clone()
    half[:, :4] *= 50
    assert measures.flicker(half, moving) == pytest.approx(2.0, rel=1e-5)


def test_a_known_flow_undoes_a_shift(clip):
    moved = torch.stack([shifted(clip[:1], 2 * t, t)[0] for t in range(FRAMES)])
    y, x = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    places = torch.stack([x - 2, y - 1], dim=-1).expand(FRAMES - 1, -1, -1, -1)
    seen = ((places[..., 0] > 0) & (places[..., 1] > 0)).clone()
    assert measures.warping_error(moved, places, seen) == pytest.approx(0.0, abs=1e-3)
    still = torch.stack([x, y], dim=-1).expand_as(places)
    assert measures.warping_error(moved, still, seen) > 50


def test_the_true_flow_explains_a_drawn_motion(drawn):
    joints, frames, _, labels = drawn
    places, seen = true_flow(joints, labels)
    person = seen & (labels[1:] > 0)
    y, x = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    still = torch.stack([x, y], dim=-1).expand_as(places)
    assert person.sum() > 0.7 * (labels[1:] > 0).sum()
    assert measures.warping_error(frames, places, person) < 0.25 * measures.warping_error(frames, still, person)


def test_the_true_flow_leaves_out_what_was_hidden():
    joints = motion("side step", 0, 2, 128, 128)
    joints[1, :, 0] += 30 - (joints[1, 1, 0] - joints[0, 1, 0])  # a jump to the right
    labels = torch.from_numpy(draw_parts(0, joints, 128, 128)[2])
    _, seen = true_flow(joints, labels)
    uncovered = (labels[0] > 0) & (labels[1] == 0)
    assert uncovered.sum() > 100
    assert not seen[0][uncovered].any()


def test_part_colours_are_compared_part_by_part():
    labels = torch.zeros(1, 8, 8, dtype=torch.uint8)
    labels[0, :4], labels[0, 7, :3] = 1, 2  # part 2 is too small to count
    image = noise(1, 8, 8, 3)
    wanted = measures.part_colours(image[0], labels[0], range(1, 3))
    assert set(wanted) == {1}
    assert torch.allclose(wanted[1], image[0, :4].flatten(0, 1).mean(0))
    assert measures.part_colour_error(image, labels, wanted) == pytest.approx(0.0, abs=1e-4)
    changed = image.clone()
    changed[0, :4] += torch.tensor([3.0, 0.0, -6.0]) / 255
    changed[0, 4:] = 0
    assert measures.part_colour_error(changed, labels, wanted) == pytest.approx(3.0, rel=1e-3)
    shuffled = image.clone()
    shuffled[0, :4] = shuffled[0, :4].flip(0, 1)
    assert measures.part_colour_error(shuffled, labels, wanted) == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("right, down", ((0, 0), (3, 0), (-2, 4)))
def test_joint_error_is_the_shift(drawn, right, down):
    joints, frames, _, _ = drawn
    inner = joints.copy()
    inner[..., 2] *= (np.abs(inner[..., :2] - 64) < 45).all(-1)  # a shifted border is no shift
    found = joint_error(shifted(frames, right, down), frames, inner)
    assert found == pytest.approx(math.hypot(right, down), abs=0.25)


def test_joint_error_ignores_colour_and_sees_a_missing_figure(drawn):
    joints, frames, _, _ = drawn
    assert joint_error(0.5 * frames + 0.2, frames, joints) == pytest.approx(0.0, abs=1e-6)
    grey = torch.full_like(frames, 0.5)
    assert joint_error(grey, frames, joints) == pytest.approx(6 * math.sqrt(2))
    assert joint_error(noise(*frames.shape), frames, joints) > 3
    assert joint_error(frames, grey, joints) is None


def test_detail_is_the_share_of_the_true_persons(clip):
    person = torch.zeros(FRAMES, SIZE, SIZE)
    person[:, 8:40, 8:40] = 1
    assert detail(clip, clip, person) == pytest.approx(1.0)
    assert detail(0.25 * clip + 0.5, clip, person) == pytest.approx(0.25, rel=1e-4)
    assert detail(torch.full_like(clip, 0.3), clip, person) == pytest.approx(0.0, abs=1e-5)
    beside = clip.clone()
    beside[:, :7] = 0  # rows that no Laplacian of the person reads
    assert detail(beside, clip, person) == pytest.approx(1.0)
    assert detail(clip, clip, 0 * person) is None
    assert detail(clip, torch.zeros_like(clip), person) is None


def test_detail_of_one_bright_pixel():
    dot, ramp = torch.zeros(1, 9, 9, 3), torch.arange(9.0).view(1, 1, 9, 1).expand(1, 9, 9, 3) / 8
    dot[0, 4, 4] = 0.5
    whole = torch.ones(1, 9, 9)
    assert detail(dot, 0.5 * dot, whole) == pytest.approx(2.0)
    inner = torch.zeros(1, 9, 9)
    inner[:, 2:7, 2:7] = 1
    assert detail(dot + ramp, dot, inner) == pytest.approx(1.0, rel=1e-5)  # a ramp has no Laplacian


@pytest.fixture
def portrait():
    """A head of 20 x 20 pixels, size 20, with nose and both eyes around its middle at 24, 24."""
    labels, joints = torch.zeros(1, SIZE, SIZE, dtype=torch.long), np.zeros((1, 18, 3))
    labels[:, 14:34, 14:34] = 2
    joints[0, 0], joints[0, 14], joints[0, 15] = (24, 26, 1), (22, 23, 1), (26, 23, 1)
    visible = np.zeros((1, 18), dtype=bool)
    visible[0, [0, 14, 15]] = True
    return labels, joints, visible


def test_the_face_is_the_head_near_nose_and_eyes(portrait):
    labels, joints, visible = portrait
    found = face(labels, joints, visible)[0]
    assert int(found.sum()) == pytest.approx(math.pi * 10**2, rel=0.03)
    assert found[24, 24] and not found[14, 14] and not found[33, 33]
    labels[:, 24:] = 1  # a chin behind a shoulder
    assert not face(labels, joints, visible)[0, 24:].any()


def test_a_face_needs_its_nose_and_an_eye(portrait):
    labels, joints, visible = portrait
    whole = face(labels, joints, visible)
    visible[0, 15] = False
    half = face(labels, joints, visible)
    assert half.any() and not torch.equal(half, whole)
    for hidden in ([14, 15], [0]):
        visible[0, [0, 14, 15]] = True
        visible[0, hidden] = False
        assert not face(labels, joints, visible).any()


def test_a_cell_around_what_is_released_may_change_too():
    redraw = torch.zeros(2, SIZE, SIZE)
    redraw[1, 16:24, 16:24] = 0.01
    found = released(redraw)
    assert not found[0].any()
    assert int(found[1].sum()) == (3 * CELL) ** 2 and found[1, 8:32, 8:32].all()


def test_what_is_likely_right_stays_sharp(clip):
    person = torch.zeros(FRAMES, SIZE, SIZE)
    person[:, 8:40, 8:40] = 1
    redraw = torch.zeros_like(person)
    redraw[:, 16:24] = 0.6
    assert torch.equal(smoothed(clip, person, redraw, 2, 0.7), clip)
    found = smoothed(clip, person, redraw, 2, 0.5)
    changed = (found != clip).any(-1)
    assert changed[:, 16:24, 8:40].all() and int(changed.sum()) == FRAMES * 8 * 32
    assert found[:, 16:24, 8:40].var() < 0.1 * clip.var()


def test_no_ground_is_smoothed_into_the_person():
    person = torch.zeros(1, SIZE, SIZE)
    person[:, 8:40, 8:40] = 1
    frame = torch.where(person[..., None] > 0, 0.25, torch.ones(3))
    assert torch.allclose(smoothed(frame, person, torch.ones_like(person), 3, 0.5), frame, atol=1e-6)
    point, middle = torch.zeros(1, SIZE, SIZE, 3), SIZE // 2
    point[0, middle, middle] = 1.0
    soft = smoothed(point, torch.ones_like(person), torch.ones_like(person), 1, 0.5)[0, ..., 0]
    assert soft[middle, middle] == pytest.approx((7 / 3**PASSES) ** 2, rel=1e-4)  # 1 3 6 7 6 3 1, each way
    assert soft.sum() == pytest.approx(1.0, rel=1e-4)
