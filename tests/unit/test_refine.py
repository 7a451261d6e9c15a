"""Refine Preview's pixels: what is redrawn, what stays bit for bit, and one background for all frames."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.runs.refine_pixels import (
    Regions,
    assembled,
    composited,
    grown,
    one_noise,
    softened,
    still_plate,
)

RNG = torch.Generator().manual_seed(0)


def box(frames: int, rows: slice, cols: slice, size: int = 32) -> torch.Tensor:
    masks = torch.zeros(frames, size, size)
    masks[:, rows, cols] = 1.0
    return masks


def test_growing_is_by_pixels_in_both_axes():
    dot = box(1, slice(10, 11), slice(20, 21))
    assert torch.equal(grown(dot, 3), box(1, slice(7, 14), slice(17, 24)))
    assert torch.equal(grown(dot, 0), dot)
    assert torch.equal(grown(box(1, slice(0, 1), slice(0, 1)), 2), box(1, slice(0, 3), slice(0, 3)))


def test_soft_edges_stay_inside_and_keep_the_middle():
    mask = box(1, slice(8, 24), slice(8, 24))
    soft = softened(mask, 4)
    assert torch.equal(soft > 0, mask > 0) or (soft[mask == 0] == 0).all()
    assert (soft[0, 12:20, 12:20] == 1).all()
    assert ((soft > 0) & (soft < 1)).any()
    assert torch.equal(softened(mask, 0), mask)
    assert torch.equal(softened(torch.ones_like(mask), 4), torch.ones_like(mask))  # the canvas's edge is none


def test_regions_are_the_figure_its_holes_and_the_painted_background():
    person, holes = box(2, slice(4, 8), slice(4, 8)), box(2, slice(20, 22), slice(4, 8))
    reference = torch.rand(1, 32, 32, 3, generator=RNG)
    plate = reference.clone()
    plate[:, 24:28, 24:28] = 1 - plate[:, 24:28, 24:28].round()
    regions = Regions.of(person, holes, reference, plate, 0)
    assert torch.equal(regions.moving, person + holes)
    assert torch.equal(regions.painted, box(1, slice(24, 28), slice(24, 28)))
    assert torch.equal(regions.drawn, person + holes + regions.painted)


def test_the_plate_is_what_the_uncovered_frames_have_in_common():
    frames = torch.full((5, 8, 8, 3), 0.25)
    moving = torch.zeros(5, 8, 8)
    frames[1, :, :4], moving[1, :, :4] = 0.9, 1.0  # a figure passes by
    moving[:, :, 7], frames[:, :, 7] = 1.0, 0.9  # never uncovered
    plate = torch.full((8, 8, 3), 0.5)
    made = still_plate(frames, moving, plate)
    assert (made[:, :7] == 0.25).all()
    assert (made[:, 7] == 0.5).all()


def test_outside_of_the_regions_every_frame_is_the_plate():
    frames = torch.rand(3, 32, 32, 3, generator=RNG)
    plate = torch.rand(32, 32, 3, generator=RNG)
    regions = Regions(box(3, slice(8, 20), slice(8, 20)), box(1, slice(8, 28), slice(8, 20)))
    made, ground = assembled(frames, regions, plate, 2)
    outside = regions.drawn[0] == 0
    assert torch.equal(made[:, outside], plate[outside].expand(3, -1, -1))
    assert torch.equal(made[:, 11:17, 11:17], frames[:, 11:17, 11:17])
    assert torch.equal(ground[24:], made[0, 24:])
    background = made[:, 21:, :]  # painted anew, and alike in all frames
    assert torch.equal(background[0], background[1]) and torch.equal(background[0], background[2])
    assert not torch.equal(background[0], plate[21:])


@pytest.mark.parametrize("share", (0.0, 1.0))
def test_limits_of_the_share(share):
    frames, plate = torch.rand(2, 8, 8, 3, generator=RNG), torch.rand(8, 8, 3, generator=RNG)
    made = composited(frames, torch.full((2, 8, 8), share), plate)
    assert torch.equal(made, frames if share else plate.expand_as(frames))


def test_one_noise_for_all_frames_is_torchs_of_that_seed():
    noise = one_noise(torch.zeros(3, 4, 5, 6), 7)
    assert torch.equal(noise[0], torch.randn(1, 4, 5, 6, generator=torch.Generator().manual_seed(7))[0])
    assert torch.equal(noise[0], noise[2])
