"""The painted background: what of it was painted, what stays, and which shadows go."""

import numpy as np
import pytest
import torch

from freeanimate_pack.freeanimate_core.preview.background import background_plate, paint_out, painted_out
from freeanimate_pack.freeanimate_core.preview.shadow import cast_shadow

SIDE = 96


def striped() -> torch.Tensor:
    """A wall [96,96,3] of upright stripes over a plain floor."""
    wall = 0.5 + 0.3 * torch.sign(torch.sin(torch.arange(SIDE) * 2 * torch.pi / 12 + 0.1))
    scene = wall[None, :, None].repeat(SIDE, 1, 3)
    scene[80:] = 0.4
    return scene


def figure() -> torch.Tensor:
    mask = torch.zeros(SIDE, SIDE)
    mask[20:88, 40:56] = 1
    return mask


def standing(scene: torch.Tensor) -> torch.Tensor:
    return torch.where(figure()[..., None] > 0, torch.tensor([0.9, 0.1, 0.1]), scene)


def test_the_plate_is_the_picture_outside_of_its_mask():
    image = standing(striped())
    plate, painted = painted_out(image, figure())
    assert set(painted.unique().tolist()) == {0.0, 1.0} and bool((painted >= figure()).all())
    assert painted.dtype == torch.float32 and painted.sum() < 2 * figure().sum()
    assert torch.equal(plate[painted == 0], image[painted == 0])
    assert torch.equal(paint_out(image, figure()), plate)


def test_a_given_background_has_nothing_painted():
    given = striped()
    plate, painted = background_plate(standing(given), figure(), given)
    assert plate is given and not painted.any()


def plain(level: float = 0.6) -> torch.Tensor:
    return torch.full((SIDE, SIDE, 3), level)


def marked(scene: torch.Tensor) -> np.ndarray:
    """The shadow found beside the figure, bool [96,96]."""
    return cast_shadow(standing(scene).numpy(), figure().numpy() > 0)


@pytest.mark.parametrize("tint", (1.0, 0.0))
def test_a_shadow_at_the_feet_goes_and_another_hue_stays(tint):
    scene = plain()
    scene[82:90, 56:80] *= torch.tensor([0.55, 0.55, 0.55 + 0.45 * (1 - tint)])
    found = marked(scene)
    assert found[84:88, 60:76].all() if tint else not found.any()
    plate, painted = painted_out(standing(scene), figure())
    assert bool(painted[84:88, 60:76].all()) == bool(tint)
    if tint:
        assert float((plate[84:88, 60:76] - plain()[84:88, 60:76]).abs().max()) < 0.02


def test_what_is_dark_away_from_the_feet_or_on_tiles_is_no_shadow():
    high, tiled = plain(), plain()
    high[30:50, 54:75] *= 0.5
    rows, cols = torch.meshgrid(torch.arange(SIDE) // 8, torch.arange(SIDE) // 8, indexing="ij")
    tiled[((rows + cols) % 2 == 0) & (rows > 8)] *= 0.6
    assert not marked(high).any() and not marked(tiled).any()


def test_a_thing_larger_than_the_figure_is_no_shadow():
    scene = plain()
    scene[50:, 56:] *= 0.5
    assert not marked(scene).any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", ((5, 7), (40, 300), (64, 64), (1, 1)))
def test_any_hole_is_filled(shape):
    picture = torch.rand(*shape, 3, generator=torch.Generator().manual_seed(0))
    half = (torch.arange(shape[1]) > shape[1] // 2).float().expand(shape)
    rows = (torch.arange(shape[0]) > shape[0] // 2).float()[:, None].expand(shape)
    for mask in (torch.ones(shape), torch.zeros(shape), half, rows):
        plate, painted = painted_out(picture, mask)
        assert torch.isfinite(plate).all() and torch.equal(plate[painted == 0], picture[painted == 0])
