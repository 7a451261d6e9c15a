"""The Compare Videos node in the host."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.nodes.compare import FreeAnimateCompare
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter


@pytest.fixture(scope="module")
def character():
    """True frames and masks of a drawn character."""
    with torch.inference_mode():
        return FreeAnimateDemoCharacter.execute(0, "dance", 4, 64, 64).args[4:7:2]


def test_it_shows_and_measures(character):
    truth, masks = character
    done = FreeAnimateCompare.execute(
        truth, truth.flip(0), truth=truth, person_mask=masks, label_a="same", label_b="back"
    )
    row, table, plot = done.args
    assert row.shape[0] == 4 and row.shape[2] >= 3 * 64 and plot.shape == (1, 720, 1280, 3)
    same, back = (
        next(line for line in table.splitlines() if line.startswith(f"| {name}")) for name in ("same", "back")
    )
    assert "equal" in same and " 1 " in same and "equal" not in back
    assert done.ui.as_dict() == {"text": (table,)}


def test_the_truth_stands_where_it_is_wanted(character):
    truth, _ = character
    dark = 0.5 * truth
    first = FreeAnimateCompare.execute(dark, dark, truth=truth, truth_place="first").args[0]
    last = FreeAnimateCompare.execute(dark, dark, truth=truth).args[0]
    assert torch.equal(first[:, -64:, :64], truth) and torch.equal(last[:, -64:, :64], dark)


def test_a_short_video_is_refused_by_name(character):
    truth, _ = character
    with pytest.raises(FreeAnimateError, match="video_d is 3 frames"):
        FreeAnimateCompare.execute(truth, truth, video_d=truth[:3])
