"""Inversion with corrected steps, on a denoiser whose answers are known."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.config import MAX_CORRECTION, InversionConfig
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.ddim_inversion import invert, invert_implicitly, reconstruct
from freeanimate_pack.freeanimate_core.method.schedule import ddim_step, noise_estimate

LEVELS = torch.logspace(-1.5, 1.15, 16)
DESCENDING = torch.cat([LEVELS[1:].flip(0), torch.zeros(1)])
SHAPE = (3, 4, 5, 6)


def denoised(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """The prediction for pictures of spread 1, bent so that steps have something to get wrong."""
    return x / (1 + sigma**2) + 0.2 * torch.sin(3 * x / (1 + sigma**2) ** 0.5)


@pytest.fixture
def clean() -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(SHAPE, generator=rng), torch.randn((1, *SHAPE[1:]), generator=rng)]


def implicit(clean, corrections: int, calls: list | None = None):
    def denoise(level, sigma, preview, reference, last):
        if calls is not None:
            calls.append((level, last))
        assert sigma == LEVELS[level]
        return denoised(preview, sigma), denoised(reference, sigma)

    return invert_implicitly(denoise, *clean, LEVELS, corrections)


def error(clean, top: torch.Tensor) -> float:
    back = reconstruct(lambda sigma, x: denoised(x, sigma), top, DESCENDING)
    return ((back - clean[0]).norm() / clean[0].norm()).item()


def test_enough_corrections_make_the_inversion_exact(clean):
    assert error(clean, implicit(clean, 50).preview[-1]) < 1e-5


def test_every_correction_brings_the_reconstruction_closer(clean):
    plain = invert(lambda k, s, *x: tuple(denoised(part, s) for part in x), *clean, LEVELS)
    errors = [error(clean, plain.preview[-1])]
    errors += [error(clean, implicit(clean, n).preview[-1]) for n in (1, 2, 4, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("corrections", [1, 3])
def test_levels_are_evaluated_once_per_correction_and_kept_once(clean, corrections):
    calls: list = []
    implicit(clean, corrections, calls)
    above = range(1, len(LEVELS))
    assert calls == [(0, True)] + [(k, n == corrections) for k in above for n in range(1, corrections + 1)]


def test_steps_take_the_noise_of_where_the_model_was_asked(clean):
    inverted = implicit(clean, 1)
    below = [0.0, *LEVELS[1:].tolist()]
    for k, sigma in list(enumerate(LEVELS.tolist()))[1:]:
        eps = noise_estimate(inverted.seen[k], denoised(inverted.seen[k], sigma), sigma)
        assert torch.allclose(inverted.preview[k], ddim_step(inverted.preview[k - 1], eps, below[k - 1], sigma))


def test_plain_inversion_sees_what_it_passes(clean):
    inverted = invert(lambda k, s, *x: tuple(denoised(part, s) for part in x), *clean, LEVELS)
    assert inverted.seen is inverted.preview


def test_correction_is_checked():
    with pytest.raises(FreeAnimateError, match="correction is -1"):
        InversionConfig(correction=-1)
    with pytest.raises(FreeAnimateError, match=f"between 0 and {MAX_CORRECTION}"):
        InversionConfig(correction=MAX_CORRECTION + 1)
    with pytest.raises(FreeAnimateError, match="label is 'target'"):
        InversionConfig(label="target", correction=1)
