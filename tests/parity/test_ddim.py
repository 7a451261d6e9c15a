"""Our DDIM steps against diffusers' schedulers on one and the same U-Net."""

from itertools import pairwise

import hostside
import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler

from freeanimate_pack.freeanimate_core.host import models
from freeanimate_pack.freeanimate_core.method.ddim_inversion import invert, reconstruct
from freeanimate_pack.freeanimate_core.method.schedule import inversion_levels, noise_estimate

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
OPTIONS = {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1, "timestep_spacing": "leading"}
TOLERANCE = 1e-4


class Case:
    """A model as denoised(sigma, x), with its levels and a clean clip."""

    def __init__(self, tiny: hostside.Tiny, steps: int):
        self.prediction = "v_prediction" if tiny.layout.v_prediction else "epsilon"
        self.base = tiny.model.model
        self.text = tiny.positive()[0][0]
        self.descending, sigma_min = models.ddim_uniform(tiny.model, steps)
        self.levels = inversion_levels(self.descending, sigma_min)
        self.steps = steps
        self.clean = hostside.latent(2, 6, 8, seed=3)["samples"] * 0.18215

    def denoised(self, sigma: float, x: torch.Tensor) -> torch.Tensor:
        times = x.new_full((x.shape[0],), sigma)
        return self.base.apply_model(x, times, c_crossattn=self.text.expand(x.shape[0], -1, -1))

    def output(self, z: torch.Tensor, sigma: float) -> torch.Tensor:
        """What diffusers calls the model's output, for a VP latent z at sigma."""
        scale = (1 + sigma**2) ** 0.5
        x = z * scale
        eps = noise_estimate(x, self.denoised(sigma, x), sigma)
        if self.prediction == "epsilon":
            return eps
        clean = x - sigma * eps
        return (eps - sigma * clean) / scale

    def scheduler(self, kind: type):
        scheduler = kind(**BETAS, **OPTIONS, prediction_type=self.prediction)
        scheduler.set_timesteps(self.steps)
        return scheduler


def vp(x: torch.Tensor, sigma: float) -> torch.Tensor:
    return x / (1 + sigma**2) ** 0.5


@pytest.fixture(params=[("sd15", 20), ("sd2", 10)], ids=["eps-20", "v-10"])
def case(request) -> Case:
    name, steps = request.param
    return Case(request.getfixturevalue(name), steps)


def test_denoising_is_ddim_to_its_last_level(case):
    top = float(case.descending[0])
    start = case.clean + top * torch.randn(case.clean.shape, generator=torch.Generator().manual_seed(5))
    sigma_min = case.levels[:1]
    ours = reconstruct(case.denoised, start, torch.cat([case.descending[:-1], sigma_min]))
    scheduler, z = case.scheduler(DDIMScheduler), vp(start, top)
    for t, sigma in zip(scheduler.timesteps, case.descending.tolist()):
        z = scheduler.step(case.output(z, sigma), t, z).prev_sample
    assert hostside.relative(vp(ours, float(sigma_min)), z) <= TOLERANCE


@pytest.mark.parametrize("label", ["target", "source"])
def test_inversion_is_the_inverse_scheduler(case, label):
    def denoise(level, sigma, preview, reference):
        return case.denoised(sigma, preview), case.denoised(sigma, reference)

    trajectory = invert(denoise, case.clean, case.clean[:1], case.levels, label).preview
    scheduler, z = case.scheduler(DDIMInverseScheduler), vp(case.clean, float(case.levels[0]))
    for t, (sigma, following) in zip(scheduler.timesteps, pairwise(case.levels.tolist())):
        asked = following if label == "target" else sigma
        z = scheduler.step(oracle_output(case, z, sigma, asked), t, z).prev_sample
    assert hostside.relative(vp(trajectory[-1], float(case.levels[-1])), z) <= TOLERANCE


def oracle_output(case: Case, z: torch.Tensor, sigma: float, asked: float) -> torch.Tensor:
    """The output for latent z under the label ``asked``, in the terms of the source level.

    The scheduler reads a v-output at the source level, so an eps found at another label is
    turned into that level's v.
    """
    if case.prediction == "epsilon" or asked == sigma:
        return case.output(z, asked)
    scale = (1 + asked**2) ** 0.5
    eps = noise_estimate(z * scale, case.denoised(asked, z * scale), asked)
    here = (1 + sigma**2) ** 0.5
    return (eps - sigma * (z * here - sigma * eps)) / here


def test_labels_differ(case):
    """The two labels are different methods, so that the parity above could fail."""

    def denoise(level, sigma, preview, reference):
        return case.denoised(sigma, preview), case.denoised(sigma, reference)

    ends = [
        invert(denoise, case.clean, case.clean[:1], case.levels, label).preview[-1] for label in ("source", "target")
    ]
    assert hostside.relative(ends[0], ends[1]) > 10 * TOLERANCE
