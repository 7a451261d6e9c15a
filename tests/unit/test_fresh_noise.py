"""Fresh noise by way of the prediction: what euler makes of it is the ancestral step."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.method.fresh_noise import FreshNoise, ancestral_levels
from freeanimate_pack.freeanimate_core.method.schedule import ddim_step, noise_estimate

DESCENDING = torch.tensor([14.0, 6.0, 2.0, 0.5, 0.0])
STEPS = list(zip(DESCENDING.tolist(), DESCENDING[1:].tolist()))


def latents(seed: int, frames: int = 3) -> torch.Tensor:
    return torch.randn(frames, 4, 5, 6, generator=torch.Generator().manual_seed(seed))


def stepped(fresh: FreshNoise, x: torch.Tensor, denoised: torch.Tensor, sigma: float, to: float) -> torch.Tensor:
    (prediction,) = fresh.stirred([denoised], x, sigma)
    return ddim_step(x, noise_estimate(x, prediction, sigma), sigma, to)


@pytest.mark.parametrize("eta", [0.3, 1.0])
@pytest.mark.parametrize("sigma, to", STEPS[:-1])
def test_a_step_goes_down_further_and_comes_back_by_noise(eta, sigma, to):
    x, denoised = latents(0), latents(1)
    down, up = ancestral_levels(sigma, to, eta)
    plain = ddim_step(x, noise_estimate(x, denoised, sigma), sigma, down)
    noise = (stepped(FreshNoise(eta, 7, DESCENDING), x, denoised, sigma, to) - plain) / up
    assert torch.allclose(noise[0], noise[1], atol=1e-4) and noise[0].std() == pytest.approx(1, abs=0.2)
    assert down**2 + up**2 == pytest.approx(to**2)


def test_without_eta_and_in_the_last_step_nothing_changes():
    x, denoised = latents(0), latents(1)
    for sigma, _ in STEPS:
        (kept,) = FreshNoise(0.0, 7, DESCENDING).stirred([denoised], x, sigma)
        assert kept is denoised
    (last,) = FreshNoise(1.0, 7, DESCENDING).stirred([denoised], x, STEPS[-1][0])
    assert last is denoised
    (between,) = FreshNoise(1.0, 7, DESCENDING).stirred([denoised], x, 3.0)
    assert between is denoised


def test_guidance_commutes_with_it():
    x, positive, negative, fresh = latents(0), latents(1), latents(2), FreshNoise(1.0, 3, DESCENDING)
    (guided,) = fresh.stirred([negative + 4 * (positive - negative)], x, 6.0)
    after, before = fresh.stirred([positive, negative], x, 6.0)
    assert torch.allclose(before + 4 * (after - before), guided, atol=1e-4)


def test_noise_is_of_the_seed_and_the_step_and_not_of_the_window():
    x, denoised = latents(0), latents(1)
    fresh = FreshNoise(1.0, 3, DESCENDING)
    (whole,) = fresh.stirred([denoised], x, 6.0)
    (part,) = fresh.stirred([denoised[1:2]], x[1:2], 6.0)
    assert torch.equal(whole[1:2], part)
    (other,) = FreshNoise(1.0, 4, DESCENDING).stirred([denoised], x, 6.0)
    assert not torch.allclose(whole, other)
    noises = [fresh._noise(step, x) for step in range(3)]
    assert not any(torch.allclose(a, b) for a, b in zip(noises, noises[1:]))
