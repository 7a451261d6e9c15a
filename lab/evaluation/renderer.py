"""One character on the bench: recipes become frames, by the real nodes of the pack and of the host."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, max_pool2d

from freeanimate_pack.freeanimate_core.config import InversionConfig, RefineConfig

from ..hosting import Host
from .cases import Case
from .extras import EXTRAS, HOLE_SHARE, Scene, guided_within
from .recipes import WHOLE, Given, Inverting, Recipe

SCHEDULER = "ddim_uniform"
IMG2IMG_DENOISE = 0.5
CELL = 8  # pixels of a latent cell, each way


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
        self._benches: dict[float, Bench] = {}

    def at(self, cfg: float) -> "Bench":
        """The same at another guidance: whatever does not depend on it is shared."""
        other = copy.copy(self)
        other.settings, other._benches = replace(self.settings, cfg=cfg), {}
        return other

    def complete(self, how: Recipe | Given) -> Recipe | Given:
        """The same with the run's steps and guidance filled in."""
        if isinstance(how, Given):
            return how
        steps = self.settings.steps if how.steps is None else how.steps
        return replace(how, steps=steps, cfg=self.settings.cfg if how.cfg is None else how.cfg)

    def frames(self, how: Recipe | Given) -> Tensor:
        """Frames [F,H,W,3], float32 0-1 on the CPU."""
        if how.refine:
            return self._refined(how.refine).frames(replace(how, refine=0.0))
        if isinstance(how, Given):
            return self._decoded(self._latent(how.frames)) if how.through_vae else getattr(self.case, how.frames)
        return self._decoded(self.latents(self.complete(how)))

    def latents(self, recipe: Recipe) -> dict:
        """LATENT of the frames of a complete recipe."""
        return self._plain(recipe) if recipe.plain else self._patched(recipe)

    def afresh(self) -> "Bench":
        """The same with every record still to be made."""
        other = copy.copy(self)
        other._records = {}
        return other

    def _refined(self, denoise: float) -> "Bench":
        """The same bench with a preview that Refine Preview has gone over, by the defaults of its widgets."""
        if denoise not in self._benches:
            case, config = self.case, RefineConfig(denoise)
            positive, negative = self._conditioning("true", True)
            (preview,) = self.host.refine.execute(
                self.models.model,
                self.models.vae,
                positive,
                negative,
                case.preview,
                case.preview_masks,
                case.holes,
                case.background,
                case.reference,
                config.denoise,
                config.steps,
                config.cfg,
                config.seed,
                config.reference_weight,
                config.grow,
                config.window,
            ).args
            self._benches[denoise] = Bench(self.host, self.models, replace(case, preview=preview), self.settings)
        return self._benches[denoise]

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
        denoise = 1.0 if empty else IMG2IMG_DENOISE
        return self._by_host(self._with_extras(self.models.model, recipe), recipe, start, denoise=denoise)

    def _by_host(self, model, recipe: Recipe, start: dict, **options) -> dict:
        """The host's sampling, as KSampler and KSampler (Advanced) call it, guided at the levels of the recipe."""
        descending = self.host.ddim_uniform(model, recipe.steps)[0]
        return self.host.stock.common_ksampler(
            model if recipe.guided == WHOLE else guided_within(model, descending, recipe.guided),
            self.settings.noise_seed,
            recipe.steps,
            recipe.cfg,
            recipe.sampler,
            SCHEDULER,
            *self._conditioning(recipe.prompt, True),
            start,
            **options,
        )[0]

    def _patched(self, recipe: Recipe) -> dict:
        """Patch Model and Animate Sampler; the host's sampler where the passes are meant to differ."""
        record = self._record(recipe.inverting, recipe.steps)
        if recipe.start == "noise":
            record = self._changed(record, self._noise(record))
        if recipe.start == "holes":
            record = self._changed(record, self._with_fresh_holes(record))
        if recipe.denoised_along:
            record = self._changed(record, reference=self._denoised_reference(record, recipe))
        patch = recipe.patch
        model = self.host.patch_model.execute(
            self.models.model,
            record,
            patch.reference_weight,
            patch.self_span,
            patch.cross_span,
            patch.halves,
            patch.window,
            patch.keep_span,
            self._redraw(recipe.redraw),
        ).args[0]
        model = self._with_extras(model, recipe)
        if recipe.same_input:
            conditionings = self._conditioning(recipe.prompt, True)
            return self.host.sampler.execute(model, record, *conditionings, recipe.cfg, *recipe.guided).args[0]
        return self._by_host(model, recipe, self.host.to_latent(model, record.top), disable_noise=True)

    def _redraw(self, kind: str) -> Tensor | None:
        """The redraw_mask [F,H,W] of a kind; None where all is redrawn."""
        holes = self.case.holes
        if kind == "all":
            return None
        if kind == "grown":
            return max_pool2d(holes, 2 * CELL + 1, stride=1, padding=CELL)
        if kind == "large":
            share = adaptive_avg_pool2d(holes[:, None], (holes.shape[1] // CELL, holes.shape[2] // CELL))
            return interpolate((share > HOLE_SHARE).float(), scale_factor=CELL)[:, 0]
        return holes

    def _with_extras(self, model, recipe: Recipe):
        for name in recipe.extras:
            model = EXTRAS[name](model, self.scene)
        return model

    @cached_property
    def scene(self) -> Scene:
        """What extras may look at."""
        latents = [
            self.host.to_model_space(self.models.model, self._latent(n)["samples"]) for n in ("reference", "preview")
        ]
        return Scene(self.case, *latents, self._wordless)

    def _wordless(self) -> Callable[[float], dict[str, Tensor]]:
        """By layer, the attention inputs [1,n,c] of the reference's own inversion without words, as recorded."""
        record = self._by_node(
            InversionConfig(self.settings.steps, 0.0, "memory", check=0),
            self._latent("reference"),
            self._latent("reference"),
            model=self.models.model,
            positive=self._conditioning("empty", False)[0],
        )
        return lambda sigma: record.bank.get(record.at(sigma).lower, range(1))

    def _record(self, inverting: Inverting, steps: int):
        """The record of DDIM Inversion, once per way of inverting."""
        if (inverting, steps) not in self._records:
            config = InversionConfig(
                steps, inverting.weight, check=0, label=inverting.label, correction=inverting.correction
            )
            run = self._by_node if inverting.label == InversionConfig().label else self._by_core
            reference_words = self._conditioning(inverting.reference_prompt, False)[0]
            same = inverting.reference_prompt == inverting.prompt
            self._records[inverting, steps] = run(
                config,
                model=self.models.model,
                positive=self._conditioning(inverting.prompt, inverting.control)[0],
                preview=self._latent("preview"),
                reference=self._anchor(inverting.anchor),
                reference_positive=None if same else reference_words,
            )
        return self._records[inverting, steps]

    def _by_node(self, config: InversionConfig, preview: dict, reference: dict, **inputs):
        return self.host.inversion.execute(
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

    def _by_core(self, config: InversionConfig, **inputs):
        """For what the node does not offer."""
        return self.host.run_inversion(config=config, **inputs).record

    def _noise(self, record) -> Tensor:
        """KSampler's noise at the record's top level, one tensor for all frames [F,C,h,w]."""
        import comfy.sample

        noise = comfy.sample.prepare_noise(record.top, self.settings.noise_seed, [0] * record.frames)
        return noise * record.descending[0]

    def _with_fresh_holes(self, record) -> Tensor:
        """The record's top level with noise in the cells that the preview invented."""
        cells = adaptive_avg_pool2d(self.case.holes[:, None], record.top.shape[-2:]) > HOLE_SHARE
        return torch.where(cells, self._noise(record), record.top)

    def _denoised_reference(self, record, recipe: Recipe) -> Tensor:
        """The reference's latents [S+1,1,C,h,w] as the host denoises it under guidance from its inversion's end."""
        import comfy.sample
        import comfy.samplers

        latents = record.reference.clone()
        start = self.host.to_latent(self.models.model, record.reference[-1])["samples"]

        def keep(step: int, denoised: Tensor, x: Tensor, total: int) -> None:
            latents[-1 - step] = x.to(latents)

        comfy.sample.sample_custom(
            self.models.model,
            torch.zeros_like(start),
            recipe.cfg,
            comfy.samplers.sampler_object("euler"),
            record.descending.clone(),
            *self._conditioning(recipe.prompt, False),
            start,
            callback=keep,
            disable_pbar=True,
        )
        return latents

    def _changed(self, record, top: Tensor | None = None, reference: Tensor | None = None):
        """The same record with another start of denoising, or other latents of the reference."""
        return self.host.record(
            record.levels,
            record.preview if top is None else torch.cat([record.preview[:-1], top[None]]),
            record.reference if reference is None else reference,
            descending=record.descending,
            steps=record.steps,
            positive=record.positive,
            reference_positive=record.reference_positive,
            reference_weight=record.reference_weight,
            fingerprint=record.fingerprint,
            options=record.options,
            bank=record.bank if reference is None else None,  # a bank answers for the reference that it recorded
            seen=record.seen,
        )
