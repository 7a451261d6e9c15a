"""Which layer a part of the U-Net names, where a point falls, and the pictures of heat."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.config import InspectConfig
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.runs.attention_row import (
    attention_row,
    cell_at,
    chosen_layer,
    grid_of,
    layers_of,
    strongest,
)
from freeanimate_pack.freeanimate_core.runs.heat_map import DIMMED, MARK, heated, marked

SD15 = {f"input.{n}.0": t for n, t in zip((1, 2, 4, 5, 7, 8), (4096, 4096, 1024, 1024, 256, 256))}
SD15 |= {"middle.0.0": 64}
SD15 |= {f"output.{n}.0": t for n, t in zip(range(3, 12), (256,) * 3 + (1024,) * 3 + (4096,) * 3)}
TWO_GRIDS = {"input.4.0": 4096, "input.7.0": 1024, "input.7.1": 1024, "middle.0.0": 1024}


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_parts_are_found_by_side_and_grid():
    assert layers_of("down fine", SD15) == ["input.1.0", "input.2.0"]
    assert layers_of("down medium", SD15) == ["input.4.0", "input.5.0"]
    assert layers_of("up coarse", SD15) == ["output.3.0", "output.4.0", "output.5.0"]
    assert layers_of("up fine", SD15) == ["output.9.0", "output.10.0", "output.11.0"]
    assert layers_of("middle", SD15) == ["middle.0.0"]
    assert layers_of("down medium", TWO_GRIDS) == layers_of("down coarse", TWO_GRIDS) == ["input.7.0", "input.7.1"]


def test_a_layer_that_is_not_there_is_refused():
    assert chosen_layer(InspectConfig(section="up medium", layer=2), SD15) == "output.8.0"
    with pytest.raises(FreeAnimateError, match="layer is 1 and part 'middle' .* at most 0"):
        chosen_layer(InspectConfig(section="middle", layer=1), SD15)
    with pytest.raises(FreeAnimateError, match="choose another part"):
        chosen_layer(InspectConfig(section="up fine"), TWO_GRIDS)


@pytest.mark.parametrize("height, width", ((64, 64), (72, 40), (33, 57)))
def test_the_grid_is_the_latent_halved(height, width):
    for _ in range(4):
        assert grid_of(height * width, 64 * height, 64 * width) == (height, width)
        height, width = -(-height // 2), -(-width // 2)


def test_every_point_has_a_cell():
    assert [cell_at(x, y, (3, 4)) for x, y in ((0, 0), (0.26, 0.7), (1, 1))] == [(0, 0), (2, 1), (2, 3)]


@pytest.mark.parametrize("weight", (0.0, 0.25, 1.0))
def test_a_row_is_the_biased_softmax_of_the_heads(weight):
    q, k, own, reference = noise(8, 8), noise(8, 8, seed=1), noise(1, 6, 8, seed=2), noise(1, 5, 8, seed=3)
    read = reference if weight else None
    row = attention_row(lambda x: x @ q, lambda x: x @ k, 2, own, read, 4, weight)
    keys, wanted = torch.cat([own, reference], 1)[0] @ k, 0
    for head in (slice(0, 4), slice(4, 8)):
        scores = (keys[:, head] @ (own[0, 4] @ q)[head] / 2).exp()
        scores[6:] *= weight
        wanted = wanted + scores / scores.sum() / 2
    assert torch.allclose(row, wanted[: len(row)], atol=1e-6)
    assert row.sum().item() == pytest.approx(1.0, abs=1e-6)


def test_the_strongest_cells_are_named_by_their_centres():
    heat = torch.zeros(2, 4)
    heat[1, 3], heat[0, 0] = 0.6, 0.3
    assert strongest(heat)[:2] == [pytest.approx((0.875, 0.75, 0.6)), pytest.approx((0.125, 0.25, 0.3))]


def test_heat_glows_where_it_is_and_the_rest_stays_grey():
    heat = torch.zeros(2, 2)
    heat[0, 1] = 1.0
    picture = heated(torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0)), heat, 1.0)
    assert picture.shape == (512, 512, 3)
    hot, cold = picture[:256, 256:], picture[256:, :256]
    assert (hot[..., 0] > hot[..., 2]).all() and hot.std() < 0.3
    assert torch.equal(cold[..., 0], cold[..., 2]) and cold.max() <= DIMMED


def test_the_mark_is_around_its_point():
    ringed = marked(torch.zeros(100, 200, 3), 0.25, 0.6)
    rows, columns = torch.nonzero((ringed == torch.tensor(MARK)).all(-1), as_tuple=True)
    assert rows.float().mean() + 0.5 == pytest.approx(60, abs=1)
    assert columns.float().mean() + 0.5 == pytest.approx(50, abs=1)
    assert (ringed[58:62, 48:52] == 0).all()
