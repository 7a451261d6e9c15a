"""Levels, spans and steps."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.method.schedule import (
    active_steps,
    ddim_step,
    guidance,
    in_span,
    inversion_levels,
    noise_estimate,
    relabelled,
)

DESCENDING = torch.tensor([14.0, 6.0, 2.0, 0.5, 0.0])


def test_levels_ascend_from_the_smallest_sigma():
    assert inversion_levels(DESCENDING, 0.03).tolist() == pytest.approx([0.03, 0.5, 2.0, 6.0, 14.0])


def test_duplicate_levels_are_dropped():
    assert inversion_levels(DESCENDING, 0.5).tolist() == [0.5, 2.0, 6.0, 14.0]
    doubled = torch.tensor([6.0, 6.0, 2.0, 0.0])
    assert inversion_levels(doubled, 0.03).tolist() == pytest.approx([0.03, 2.0, 6.0])


def test_a_step_back_undoes_a_step():
    rng = torch.Generator().manual_seed(0)
    x, eps = torch.randn(2, 2, 4, 3, 3, generator=rng).double()
    assert torch.allclose(ddim_step(ddim_step(x, eps, 0.5, 2.0), eps, 2.0, 0.5), x)


def test_a_step_to_zero_is_the_denoised_prediction():
    rng = torch.Generator().manual_seed(1)
    x, denoised = torch.randn(2, 2, 4, 3, 3, generator=rng).double()
    assert torch.allclose(ddim_step(x, noise_estimate(x, denoised, 3.0), 3.0, 0.0), denoised)


def test_relabelling_keeps_the_vp_latent():
    x = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    moved = relabelled(x, 2.0, 5.0)
    assert (moved / 26**0.5).item() == pytest.approx((x / 5**0.5).item())
    assert torch.equal(relabelled(x, 2.0, 2.0), x)


@pytest.mark.parametrize("span, steps", [(0.0, 0), (1.0, 4), (0.5, 2), (0.8, 3), (0.1, 0), (0.13, 1)])
def test_spans_cover_the_first_steps(span, steps):
    assert active_steps(span, 4) == steps
    covered = [in_span(sigma, DESCENDING, span) for sigma in DESCENDING[:-1].tolist()]
    assert covered == [i < steps for i in range(4)]


def test_calls_between_levels_belong_to_the_step_they_refine():
    assert in_span(3.0, DESCENDING, 0.5)
    assert not in_span(1.0, DESCENDING, 0.5)


@pytest.mark.parametrize("start, end, guided", [(0.0, 1.0, 4), (0.25, 0.75, 2), (0.5, 0.5, 0), (0.0, 0.0, 0)])
def test_guidance_acts_between_its_ends(start, end, guided):
    scales = [guidance(sigma, DESCENDING, 7.0, start, end) for sigma in DESCENDING[:-1].tolist()]
    first = active_steps(start, 4)
    assert scales == [7.0 if first <= i < first + guided else 1.0 for i in range(4)]
