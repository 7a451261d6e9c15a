"""Masks in pixels as the latent cells that the host's VAE makes of their pictures."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.cells import redrawn_cells

ROWS, COLUMNS = 9, 11


def marked(height: int, width: int, x: int) -> torch.Tensor:
    """The one cell of row 0 that a pixel in the middle of the picture's height, at ``x``, marks."""
    mask = torch.zeros(1, height, width)
    mask[0, height // 2, x] = 1
    cells = redrawn_cells(mask, (1, 4, ROWS, COLUMNS))
    assert cells.sum() == 1
    return int(cells[0, 0, ROWS // 2].argmax())


def test_a_cell_holds_its_eight_pixels():
    assert [marked(8 * ROWS, 8 * COLUMNS, x) for x in range(8 * COLUMNS)] == [x // 8 for x in range(8 * COLUMNS)]


@pytest.mark.parametrize("spare", [1, 3, 6, 7])
def test_a_picture_that_is_no_multiple_of_a_cell_loses_half_of_it_on_each_side(spare):
    left, width = spare // 2, 8 * COLUMNS + spare
    inside = range(left, left + 8 * COLUMNS)
    assert [marked(8 * ROWS + spare, width, x) for x in inside] == [(x - left) // 8 for x in inside]
    outside = torch.zeros(1, 8 * ROWS + spare, width)
    outside[..., :left] = outside[..., left + 8 * COLUMNS :] = 1
    assert redrawn_cells(outside, (1, 4, ROWS, COLUMNS)).sum() == 0


@pytest.mark.parametrize("scale", [1, 4])
def test_masks_of_other_resolutions_mark_the_same_cells(scale):
    assert [marked(scale * ROWS, scale * COLUMNS, scale * x) for x in range(COLUMNS)] == list(range(COLUMNS))


def test_another_aspect_is_refused():
    with pytest.raises(FreeAnimateError, match="redraw_mask is 1 of 88x40"):
        redrawn_cells(torch.zeros(1, 40, 88), (1, 4, ROWS, COLUMNS))
