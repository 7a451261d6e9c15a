"""The host's sampling: guiders, samplers, conditionings as a guider holds them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import comfy.sampler_helpers
import comfy.samplers
import comfy.utils
import torch
from torch import Tensor

from ..method.conditioning import restored
from ..method.evaluations import Evaluate
from ..method.passes import AttentionPass
from .patches import options_with

entries_of = comfy.sampler_helpers.convert_cond  # a conditioning as the guider holds it: dicts with a uuid
REFERENCE_COND, PREVIEW_COND = "freeanimate_reference", "freeanimate_preview"  # names of what is lent to a guider
Result = TypeVar("Result")


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
    asked: tuple[Tensor | None, float] = (None, 0.0)  # the timesteps of the current call, and their sigma

    def outer_predict_noise(self, x, timestep, *args, **kwargs):
        self.asked = timestep, float(timestep[0])
        self.set_cfg(self.scale(self.asked[1]))  # before the host's wrappers: CFG Override has the last word
        return super().outer_predict_noise(x, timestep, *args, **kwargs)


def sigma_of(guider, timestep: Tensor) -> float:
    """The noise level of a model call [F]; one that the guider has read already is not waited for again."""
    known, sigma = getattr(guider, "asked", (None, 0.0))
    return sigma if known is timestep else float(timestep[0])


def guides(guider, sigma: float) -> bool:
    """Whether a guider evaluates a negative half at a noise level; one of an unknown kind is taken to."""
    scale = guider.scale(sigma) if isinstance(guider, _Guider) else getattr(guider, "cfg", None)
    return scale != 1


def cfg_guider(model, scale: Callable[[float], float], **conds: list):
    """The host's guider over named conditionings, with a scale for every sigma; at 1 no negative is evaluated."""
    guider = _Guider(model)
    guider.scale = scale
    guider.inner_set_conds(conds)
    return guider


def evaluation(base_model, options: dict, calc_cond_batch: Callable = comfy.samplers.calc_cond_batch) -> Evaluate:
    """The host's evaluation of conditionings of a loaded model, as the recording passes ask for it."""

    def evaluate(conds: list, x: Tensor, sigma: float, attention: AttentionPass) -> list[Tensor]:
        times = x.new_full((x.shape[0],), sigma)
        return calc_cond_batch(base_model, conds, x, times, options_with(options, attention))

    return evaluate


@dataclass(frozen=True)
class Loaded:
    """The host in the middle of a sampling: the model and its options on the device, and both recorded entries.

    x [F,C,h,w]: the latents that were given, in model space. positive, reference: processed entries.
    """

    base_model: object
    patcher: object
    options: dict
    x: Tensor
    positive: dict
    reference: dict


def inside_sampling(
    model, latent: Tensor, sigmas: Tensor, positive: list, reference_positive: list, run: Callable[[Loaded], Result]
) -> Result:
    """What ``run`` returns, called once inside the host's sampling, which loads and frees model and ControlNets.

    latent: LATENT samples [F,C,h,w]. positive, reference_positive: conditionings of one entry.
    """
    conds = {"positive": positive, REFERENCE_COND: reference_positive}
    guider = cfg_guider(model, lambda sigma: 1.0, **conds)
    results: list[Result] = []

    def once(guider, base_model, x: Tensor, options: dict) -> Tensor:
        entry, anchor = guider.conds["positive"][0], guider.conds[REFERENCE_COND][0]
        anchor = restored(anchor, reference_positive[0][1])
        results.append(run(Loaded(base_model, guider.model_patcher, options, x, entry, anchor)))
        return x

    try:
        sample(guider, latent, function_sampler(once), sigmas)
    finally:
        release([options for _, options in positive + reference_positive])
    return results[0]


def release(conditionings) -> None:
    """Drop what the host cached on the ControlNets of entries; one that never ran has nothing."""
    for entry in conditionings:
        control = entry.get("control")
        if control is not None and control.timestep_range is not None:
            control.cleanup()
