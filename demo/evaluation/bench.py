"""One character on the bench: recipes become frames, by the real nodes of the pack and of the host."""

import hashlib
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .cases import Case
from .extras import EXTRAS
from .hosting import Host
from .recipes import Given, Inverting, Recipe

SCHEDULER = "ddim_uniform"
IMG2IMG_DENOISE = 0.5


@dataclass(frozen=True)
class Settings:
    """What all methods of a run have in common; a recipe may ask for other steps or guidance."""

    frames: int
    steps: int
    cfg: float
    noise_seed: int = 0


@dataclass(frozen=True)
class Models:
    """The demo model as the host holds it, and a digest of all its weights."""

    model: object
    clip: object
    vae: object
    control_net: object
    digest: str


def load_models(host: Host) -> Models:
    """The outputs of Load Demo Model."""
    model, clip, vae, control_net = host.demo_model.execute().args
    modules = (model.model.diffusion_model, clip.cond_stage_model, vae.first_stage_model, control_net.control_model)
    digest = hashlib.sha256()
    for module in modules:
        for name, weight in sorted(module.state_dict().items()):
            digest.update(name.encode() + weight.detach().to("cpu", torch.float32).numpy().tobytes())
    return Models(model, clip, vae, control_net, digest.hexdigest())


class Bench:
    """Runs recipes on one case. Conditionings, latents and records are made once and shared."""

    def __init__(self, host: Host, models: Models, case: Case, settings: Settings):
        self.host, self.models, self.case, self.settings = host, models, case, settings
        self._latents: dict[str, dict] = {}
        self._conditionings: dict[tuple[str, bool], tuple[list, list]] = {}
        self._records: dict[tuple[Inverting, int], object] = {}

    def complete(self, how: Recipe | Given) -> Recipe | Given:
        """The same with the run's steps and guidance filled in."""
        if isinstance(how, Given):
            return how
        steps = self.settings.steps if how.steps is None else how.steps
        return replace(how, steps=steps, cfg=self.settings.cfg if how.cfg is None else how.cfg)

    def frames(self, how: Recipe | Given) -> Tensor:
        """Frames [F,H,W,3], float32 0-1 on the CPU."""
        if isinstance(how, Given):
            return self._decoded(self._latent(how.frames)) if how.through_vae else getattr(self.case, how.frames)
        recipe = self.complete(how)
        return self._decoded(self._plain(recipe) if recipe.plain else self._patched(recipe))

    def _decoded(self, latent: dict) -> Tensor:
        return self.host.stock.VAEDecode().decode(self.models.vae, latent)[0].to("cpu", torch.float32).clamp(0, 1)

    def _latent(self, name: str) -> dict:
        """LATENT of a batch of pictures of the case."""
        if name not in self._latents:
            pixels = getattr(self.case, name)
            self._latents[name] = self.host.stock.VAEEncode().encode(self.models.vae, pixels)[0]
        return self._latents[name]

    def _anchor(self, name: str) -> dict:
        """LATENT of one picture: the reference or a frame of the preview."""
        if name == "reference":
            return self._latent("reference")
        frames = self._latent("preview")["samples"]
        index = {"first": 0, "middle": len(frames) // 2}[name]
        return {"samples": frames[index : index + 1]}

    def _conditioning(self, prompt: str, control: bool) -> tuple[list, list]:
        """Positive and negative, with the poses applied to both or to none."""
        if (prompt, control) not in self._conditionings:
            encode = self.host.stock.CLIPTextEncode().encode
            pair = [encode(self.models.clip, text)[0] for text in (self.case.prompts[prompt], "")]
            if control:
                apply = self.host.stock.ControlNetApplyAdvanced().apply_controlnet
                pair = apply(*pair, self.models.control_net, self.case.poses, 1.0, 0.0, 1.0)
            self._conditionings[prompt, control] = tuple(pair)
        return self._conditionings[prompt, control]

    def _plain(self, recipe: Recipe) -> dict:
        """The host's KSampler on the plain model, one noise tensor for all frames."""
        latent = self._latent("preview")["samples"]
        empty = recipe.start == "noise"
        start = {"samples": torch.zeros_like(latent) if empty else latent, "batch_index": [0] * len(latent)}
        positive, negative = self._conditioning(recipe.prompt, True)
        return self.host.stock.KSampler().sample(
            self._with_extras(self.models.model, recipe),
            self.settings.noise_seed,
            recipe.steps,
            recipe.cfg,
            recipe.sampler,
            SCHEDULER,
            positive,
            negative,
            start,
            1.0 if empty else IMG2IMG_DENOISE,
        )[0]

    def _patched(self, recipe: Recipe) -> dict:
        """Patch Model and Animate Sampler; the host's sampler where the passes are meant to differ."""
        record = self._record(recipe.inverting, recipe.steps)
        if recipe.start == "noise":
            record = self._from_noise(record)
        patch = recipe.patch
        model = self.host.patch_model.execute(
            self.models.model, record, patch.reference_weight, patch.self_span, patch.cross_span, patch.halves, 0
        ).args[0]
        model = self._with_extras(model, recipe)
        positive, negative = self._conditioning(recipe.prompt, True)
        if recipe.same_input:
            return self.host.sampler.execute(model, record, positive, negative, recipe.cfg).args[0]
        start = self.host.to_latent(model, record.top)
        return self.host.stock.common_ksampler(
            model,
            0,
            recipe.steps,
            recipe.cfg,
            recipe.sampler,
            SCHEDULER,
            positive,
            negative,
            start,
            disable_noise=True,
        )[0]

    def _with_extras(self, model, recipe: Recipe):
        for name in recipe.extras:
            model = EXTRAS[name](model, self.case)
        return model

    def _record(self, inverting: Inverting, steps: int):
        """The record of DDIM Inversion, once per way of inverting."""
        if (inverting, steps) not in self._records:
            self._records[inverting, steps] = self.host.inversion.execute(
                model=self.models.model,
                positive=self._conditioning(inverting.prompt, inverting.control)[0],
                preview_latent=self._latent("preview"),
                reference_latent=self._anchor(inverting.anchor),
                steps=steps,
                reference_weight=inverting.weight,
                storage="auto",
                frames_per_window=0,
                frames_to_check=0,
            ).args[0]
        return self._records[inverting, steps]

    def _from_noise(self, record):
        """The same record with KSampler's noise at its top level; its reference stays."""
        import comfy.sample

        noise = comfy.sample.prepare_noise(record.top, self.settings.noise_seed, [0] * record.frames)
        top = noise * record.descending[0]
        return self.host.record(
            record.levels,
            torch.cat([record.preview[:-1], top[None]]),
            record.reference,
            descending=record.descending,
            steps=record.steps,
            positive=record.positive,
            reference_positive=record.reference_positive,
            reference_weight=record.reference_weight,
            fingerprint=record.fingerprint,
            options=record.options,
        )
