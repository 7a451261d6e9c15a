"""The one bar of a node, and the strip of frames that its previews show."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.host.progress import MOST_SHOWN, WIDEST, Bar, strip
from freeanimate_pack.freeanimate_core.method.windows import Windower


def numbered(frames: int, width: int = 4) -> torch.Tensor:
    """Latents [F,2,3,w] that hold their frame's number."""
    return torch.arange(float(frames)).view(-1, 1, 1, 1).expand(-1, 2, 3, width).clone()


@pytest.mark.parametrize(
    "frames, width, shown",
    (
        (1, 4, [0]),
        (3, 4, [0, 1, 2]),
        (MOST_SHOWN, 4, [0, 1, 2, 3, 4]),
        (24, 4, [0, 6, 12, 17, 23]),
        (24, WIDEST // 2, [0, 23]),
        (24, WIDEST + 1, [0]),
    ),
)
def test_a_strip_is_of_whole_frames_in_their_order(frames, width, shown):
    found = strip(numbered(frames, width))
    assert found.shape == (1, 2, 3, width * len(shown))
    assert found[0, 0, 0, ::width].tolist() == shown


def test_the_bar_counts_frames_times_levels():
    seen = []
    bar = Bar(seen.append, lambda done, strip: seen.append((done, strip.shape[-1])), seen.append)
    windower = Windower(2, poll=bar.window)
    for _ in range(2):
        (denoised,) = windower.map(5, lambda frames: [numbered(5)[frames.start : frames.stop]])
        bar.level(denoised)
    bar.skip(5)
    assert seen == [0, 2, 4, (5, 20), 5, 7, 9, (10, 20), 15]


def test_a_smaller_window_is_shown_from_where_it_was():
    seen = []

    def evaluate(frames: range) -> list[torch.Tensor]:
        if len(frames) > 2:
            raise RuntimeError("full")
        return [numbered(6)[frames.start : frames.stop]]

    bar = Bar(seen.append, lambda done, strip: None, seen.append)
    Windower(4, out_of_memory=lambda error: True, poll=bar.window).map(6, evaluate)
    assert seen == [0, 0, 2, 4]


def test_the_plan_is_shown_at_once_and_kept():
    seen = []
    bar = Bar(seen.append, lambda done, strip: None, seen.append)
    bar.settle("2 frames at a time")
    assert seen == [bar.plan] == ["2 frames at a time"]
