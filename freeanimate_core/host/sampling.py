"""The host's sampling: guiders, samplers, conditionings as a guider holds them."""

from collections.abc import Callable

import comfy.sampler_helpers
import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

entries_of = comfy.sampler_helpers.convert_cond  # a conditioning as the guider holds it: dicts with a uuid
evaluate_conds = comfy.samplers.calc_cond_batch  # (model, conds, x, timestep, options), through the options' wrappers


def sample(
    guider,
    latent: Tensor,
    sampler,
    sigmas: Tensor,
    callback: Callable | None = None,
    noise: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Run a guider over ``sigmas`` from a latent [F,C,h,w].

    noise [F,C,h,w]: None when the latent carries its own. mask [F,H,W]: 0 where the latent stays.
    """
    noise = torch.zeros_like(latent) if noise is None else noise
    show = comfy.utils.PROGRESS_BAR_ENABLED
    return guider.sample(noise, latent, sampler, sigmas, mask, callback, disable_pbar=not show, seed=0)


def euler():
    """The host's euler, which is DDIM (eta = 0) in the host's variable."""
    return comfy.samplers.sampler_object("euler")


def function_sampler(function: Callable):
    """A SAMPLER of the host that calls ``function(guider, base_model, x, options)`` and returns its latents."""

    def run(model, x, sigmas, extra_args=None, callback=None, disable=None):
        guider = model.inner_model
        return function(guider, guider.inner_model, x, extra_args["model_options"])

    return comfy.samplers.KSAMPLER(run)


class _Guider(comfy.samplers.CFGGuider):
    scale: Callable[[float], float]

    def predict_noise(self, x, timestep, *args, **kwargs):
        self.set_cfg(self.scale(float(timestep.max())))
        return super().predict_noise(x, timestep, *args, **kwargs)


def cfg_guider(model, scale: Callable[[float], float], **conds: list):
    """The host's guider over named conditionings, with a scale for every sigma; at 1 no negative is evaluated."""
    guider = _Guider(model)
    guider.scale = scale
    guider.inner_set_conds(conds)
    return guider


def release(conditionings) -> None:
    """Drop what the host cached on the ControlNets of entries; one that never ran has nothing."""
    for entry in conditionings:
        control = entry.get("control")
        if control is not None and control.timestep_range is not None:
            control.cleanup()
