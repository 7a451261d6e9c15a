"""Which cells are free at which step, and what a level evaluates."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.config import PatchConfig
from freeanimate_pack.freeanimate_core.method.release import (
    LONGEST,
    LOST,
    SURE,
    evaluated_share,
    live_weight,
    release_share,
)
from freeanimate_pack.freeanimate_core.method.schedule import in_span, step_of

STEPS = 10
DESCENDING = torch.cat([torch.logspace(1, -1, STEPS), torch.zeros(1)])
LEVELS = DESCENDING[:-1].tolist()


def cells(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 1, 1, -1)


def free_steps(share: float, keep_span: float = 1.0) -> list[int]:
    """The steps in which a cell of ``share`` is free."""
    config = PatchConfig(keep_span=keep_span, release="graded")
    weights = [live_weight(cells(share), sigma, DESCENDING, config) for sigma in LEVELS]
    return [step for step, weight in enumerate(weights) if weight is None or weight.item() == 1]


@pytest.mark.parametrize("span", [0.0, 0.24, 0.5, 0.88, 1.0])
def test_a_step_is_in_a_span_just_where_the_span_covers_it(span):
    between = [(a * b) ** 0.5 for a, b in zip(LEVELS, LEVELS[1:])]
    for sigma in (*LEVELS, *between):
        assert in_span(sigma, DESCENDING, span) == (step_of(sigma, DESCENDING) < int(span * STEPS + 0.5))


def test_calls_between_two_levels_belong_to_the_step_above():
    assert [step_of(sigma * 0.95, DESCENDING) for sigma in LEVELS] == list(range(STEPS))


@pytest.mark.parametrize("share, first", [(0.0, 10), (0.04, 10), (0.3, 7), (0.5, 5), (1.0, 0)])
def test_a_cell_is_free_in_its_share_of_the_last_steps(share, first):
    assert free_steps(share) == list(range(first, STEPS))


@pytest.mark.parametrize("share, keep_span", [(0.0, 0.5), (0.4, 0.5), (1.0, 0.5), (0.7, 0.0)])
def test_a_cell_is_kept_as_long_as_the_span_of_its_trust_says(share, keep_span):
    kept = [in_span(sigma, DESCENDING, keep_span * (1 - share)) for sigma in LEVELS]
    assert free_steps(share, keep_span) == [step for step, held in enumerate(kept) if not held]


def test_what_is_freed_stays_free():
    for share in torch.linspace(0, 1, 21).tolist():
        steps = free_steps(share)
        assert steps == list(range(STEPS - len(steps), STEPS))


def test_a_blend_is_the_masks_own_value():
    config, mask = PatchConfig(keep_span=0.5), cells(0.0, 0.3, 1.0)
    assert live_weight(mask, LEVELS[0], DESCENDING, config) is mask
    assert live_weight(mask, LEVELS[-1], DESCENDING, config) is None


def test_the_less_a_cell_is_trusted_the_longer_it_is_free():
    shares = release_share(torch.linspace(0, 1, 101))
    assert (shares.diff() >= 0).all()
    assert release_share(torch.tensor([0.0, SURE, LOST, 1.0])).tolist() == pytest.approx([0, 0, LONGEST, LONGEST])


def test_windows_without_a_free_cell_are_not_evaluated():
    weight = torch.zeros(6, 1, 2, 2)
    weight[3, 0, 1, 0] = 1
    assert [evaluated_share(weight, 6, size) for size in (1, 2, 4, 6)] == pytest.approx([1 / 6, 1 / 3, 1 / 2, 1])
    assert evaluated_share(weight[:1], 6, 2) == 0
    assert evaluated_share(weight[3:4], 6, 2) == 1
    assert evaluated_share(None, 6, 2) == 1
