"""Records of DDIM Inversion on one case, and what recipes change in them. Needs the host."""

from collections.abc import Callable

import comfy.sample
import comfy.samplers
import torch
from torch import Tensor

from freeanimate_pack.freeanimate_core.config import InversionConfig
from freeanimate_pack.freeanimate_core.host.models import to_latent
from freeanimate_pack.freeanimate_core.method.record import Inversion
from freeanimate_pack.freeanimate_core.runs.inversion import run_inversion
from freeanimate_pack.nodes.inversion import FreeAnimateInversion

from .inputs import Inputs
from .recipes import Inverting


class Records:
    """The records of one case, made once per way of inverting and number of steps."""

    def __init__(self, inputs: Inputs):
        self.inputs = inputs
        self._made: dict[tuple[Inverting, int], Inversion] = {}

    def of(self, inverting: Inverting, steps: int) -> Inversion:
        """The record of DDIM Inversion."""
        if (inverting, steps) not in self._made:
            config = InversionConfig(
                steps, inverting.weight, check=0, label=inverting.label, correction=inverting.correction
            )
            run = _by_node if inverting.label == InversionConfig().label else _by_core
            reference_words = self.inputs.conditioning(inverting.reference_prompt, False)[0]
            same = inverting.reference_prompt == inverting.prompt
            self._made[inverting, steps] = run(
                config,
                model=self.inputs.models.model,
                positive=self.inputs.conditioning(inverting.prompt, inverting.control)[0],
                preview=self.inputs.latent("preview"),
                reference=self.inputs.anchor(inverting.anchor),
                reference_positive=None if same else reference_words,
            )
        return self._made[inverting, steps]

    def wordless(self, steps: int) -> Callable[[float], dict[str, Tensor]]:
        """By layer, the attention inputs [1,n,c] of the reference's own inversion without words, as recorded."""
        record = _by_node(
            InversionConfig(steps, 0.0, "memory", check=0),
            self.inputs.latent("reference"),
            self.inputs.latent("reference"),
            model=self.inputs.models.model,
            positive=self.inputs.conditioning("empty", False)[0],
        )
        return lambda sigma: record.bank.get(record.at(sigma).lower, range(1))

    def denoised_reference(self, record: Inversion, prompt: str, cfg: float) -> Tensor:
        """The reference's latents [S+1,1,C,h,w] as the host denoises it under guidance from its inversion's end."""
        latents = record.reference.clone()
        start = to_latent(self.inputs.models.model, record.reference[-1])["samples"]

        def keep(step: int, denoised: Tensor, x: Tensor, total: int) -> None:
            latents[-1 - step] = x.to(latents)

        comfy.sample.sample_custom(
            self.inputs.models.model,
            torch.zeros_like(start),
            cfg,
            comfy.samplers.sampler_object("euler"),
            record.descending.clone(),
            *self.inputs.conditioning(prompt, False),
            start,
            callback=keep,
            disable_pbar=True,
        )
        return latents


def _by_node(config: InversionConfig, preview: dict, reference: dict, **inputs) -> Inversion:
    return FreeAnimateInversion.execute(
        preview_latent=preview,
        reference_latent=reference,
        steps=config.steps,
        reference_weight=config.reference_weight,
        storage=config.storage,
        frames_per_window=config.window,
        frames_to_check=config.check,
        correction=config.correction,
        **inputs,
    ).args[0]


def _by_core(config: InversionConfig, **inputs) -> Inversion:
    """For what the node does not offer."""
    return run_inversion(config=config, **inputs).record


def noise_of(record: Inversion, seed: int) -> Tensor:
    """KSampler's noise at the record's top level, one tensor for all frames [F,C,h,w]."""
    return comfy.sample.prepare_noise(record.top, seed, [0] * record.frames) * record.descending[0]


def changed(record: Inversion, top: Tensor | None = None, reference: Tensor | None = None) -> Inversion:
    """The same record with another start of denoising, or other latents of the reference."""
    return record.changed(
        preview=record.preview if top is None else torch.cat([record.preview[:-1], top[None]]),
        seen=record.seen,
        reference=record.reference if reference is None else reference,
        bank=record.bank if reference is None else None,  # a bank answers for the reference that it recorded
    )
