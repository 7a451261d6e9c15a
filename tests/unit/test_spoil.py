"""Spoiled previews: wrong where they are meant to be, right elsewhere, and the same every time."""

import math

import pytest
import torch

from lab.evaluation.spoil import LIGHT, RIMS, SHIFTS, SPOILS, STRETCH, TORSO, spoiled

SIZE = 64
GROUND = 0.9


@pytest.fixture
def figure():
    """Two equal frames: a trunk of 20 x 30 with an arm of 10 x 30 beside it, of noise, over one grey."""
    labels = torch.zeros(2, SIZE, SIZE, dtype=torch.long)
    labels[:, 16:46, 20:40], labels[:, 16:46, 40:50] = TORSO, 3
    masks = (labels > 0).float()
    noise = 0.2 + 0.5 * torch.rand(SIZE, SIZE, 3, generator=torch.Generator().manual_seed(0))
    frames = torch.where(masks[..., None] > 0, noise, torch.full((3,), GROUND))
    return frames, masks, labels, torch.full((1, SIZE, SIZE, 3), GROUND)


@pytest.mark.parametrize("kind", SPOILS)
def test_without_strength_nothing_changes(figure, kind):
    assert torch.equal(spoiled(kind, *figure, 3, 0.0), figure[0])


@pytest.mark.parametrize("kind", SPOILS)
def test_it_follows_from_the_seed_and_is_the_same_in_all_frames(figure, kind):
    before = figure[0].clone()
    found = spoiled(kind, *figure, 3)
    assert torch.equal(figure[0], before)
    assert torch.equal(found, spoiled(kind, *figure, 3)) and torch.equal(found[0], found[1])
    assert (found - before).abs().max() > 0.05
    assert len({float(spoiled(kind, *figure, seed).sum()) for seed in range(8)}) > 1
    assert found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize("kind", [kind for kind in SPOILS if kind != "halo"])
def test_the_ground_is_untouched(figure, kind):
    changed = (spoiled(kind, *figure, 3) != figure[0]).any(-1)
    assert changed.any() and not changed[figure[1] == 0].any()


@pytest.mark.parametrize("kind", SPOILS)
def test_nobody_is_not_spoiled(figure, kind):
    frames, masks, labels, ground = figure
    assert torch.equal(spoiled(kind, frames, 0 * masks, labels, ground, 3), frames)


def test_seams_are_shifted_parts_with_a_gap(figure):
    frames = figure[0]
    found = spoiled("seams", *figure, 3)
    assert (found[0, 16:46, 39] == GROUND).all()  # where trunk and arm meet
    shifts = [
        (down, right)
        for down in range(-SHIFTS[1], SHIFTS[1] + 1)
        for right in range(-SHIFTS[1], SHIFTS[1] + 1)
        if torch.equal(found[0, 24:36, 26:34], frames[0].roll((down, right), (0, 1))[24:36, 26:34])
    ]
    assert len(shifts) == 1
    assert all(SHIFTS[0] <= abs(step) <= SHIFTS[1] for step in shifts[0])


def test_light_is_smooth_within_a_part_and_bounded(figure):
    frames = figure[0]
    factors = (spoiled("light", *figure, 3) / frames)[0, ..., 0]
    for part in (factors[16:46, 20:40], factors[16:46, 40:50]):
        assert 0.1 < (part - 1).abs().max() <= LIGHT + 1e-5
        assert (part[1:] - part[:-1]).abs().max() < LIGHT * math.pi / 10
    assert (factors[16:46, 39] - factors[16:46, 40]).abs().max() > 0.01


def test_the_trunk_is_stretched_and_its_ends_stay(figure):
    frames, masks, labels, ground = figure
    rows = torch.arange(float(SIZE)).view(SIZE, 1, 1).expand_as(frames) / SIZE
    moved = SIZE * (spoiled("stretch", rows, masks, labels, ground, 3) - rows)[0, 16:46, 30, 0]
    assert moved.abs().max() == pytest.approx(STRETCH / math.pi * 30, rel=0.02)
    assert moved[[0, -1]].abs().max() < 0.3
    inner = moved[1:-1]  # the last row may have nothing of the trunk to read
    assert (inner[1:] - inner[:-1]).abs().max() == pytest.approx(STRETCH, rel=0.05)
    assert torch.equal(spoiled("stretch", *figure, 3)[:, :, 40:], frames[:, :, 40:])  # the arm


def test_a_halo_is_a_rim_of_one_colour(figure):
    widths = set()
    for seed in range(8):
        changed = (spoiled("halo", *figure, seed) != figure[0]).any(-1)[0]
        colours = spoiled("halo", *figure, seed)[0][changed]
        assert not changed[16:46, 20:50].any() and (colours == colours[0]).all()
        widths.add(int(changed[30].sum()) // 2)
        assert changed.sum() == (30 + 2 * max(changed[30, :20].sum(), 0)) ** 2 - 900
    assert widths == set(RIMS)


def test_half_the_strength_is_half_the_light(figure):
    frames = figure[0]
    whole, half = (spoiled("light", *figure, 3, strength) - frames for strength in (1.0, 0.5))
    assert torch.allclose(half, whole / 2, atol=1e-6)
