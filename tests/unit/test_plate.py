"""The painted background: what of it was painted, and what stays."""

import torch

from freeanimate_pack.freeanimate_core.preview.background import background_plate, paint_out, painted_out

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
