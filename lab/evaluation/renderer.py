"""From recipes to frames of one character, by the real nodes of the pack and of the host. Needs the host."""

import copy
from dataclasses import replace
from functools import cached_property

import nodes as host_nodes
import torch
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.config import RefineConfig
from freeanimate_pack.freeanimate_core.host.models import ddim_uniform, to_latent, to_model_space
from freeanimate_pack.freeanimate_core.method.record import Inversion
from freeanimate_pack.nodes.paste import FreeAnimatePastePreview
from freeanimate_pack.nodes.patch import FreeAnimatePatchModel
from freeanimate_pack.nodes.refine import FreeAnimateRefinePreview
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

from .blur import smoothed
from .case import Previewed
from .extras import EXTRAS, HOLE_SHARE, Scene, guided_within
from .inputs import Inputs
from .measures import CELL
from .models import Models
from .recipes import WHOLE, Given, Recipe, in_words
from .records import Records, changed, noise_of
from .settings import Settings

SCHEDULER = "ddim_uniform"
IMG2IMG_DENOISE = 0.5


class Renderer:
    """Runs recipes on one case. Conditionings, latents and records are made once and shared."""

    def __init__(self, models: Models, case: Previewed, settings: Settings):
        self.models, self.case, self.settings = models, case, settings
        self.inputs = Inputs(models, case)
        self.records = Records(self.inputs)
        self._by_denoise: dict[float, Renderer] = {}

    def at(self, cfg: float) -> "Renderer":
        """The same at another guidance: whatever does not depend on it is shared."""
        other = copy.copy(self)
        other.settings, other._by_denoise = replace(self.settings, cfg=cfg), {}
        return other

    def afresh(self) -> "Renderer":
        """The same with every record still to be made."""
        other = copy.copy(self)
        other.records = Records(self.inputs)
        return other

    def complete(self, how: Recipe | Given) -> Recipe | Given:
        """The same with the run's steps, guidance and words filled in."""
        if isinstance(how, Given):
            return how
        how = in_words(how, self.settings.words)
        steps = self.settings.steps if how.steps is None else how.steps
        return replace(how, steps=steps, cfg=self.settings.cfg if how.cfg is None else how.cfg)

    def frames(self, how: Recipe | Given) -> Tensor:
        """Frames [F,H,W,3], float32 0-1 on the CPU."""
        if how.refine:
            return self._refined(how.refine).frames(replace(how, refine=0.0))
        if isinstance(how, Given):
            return self._given(how)
        how = self.complete(how)
        made = self._decoded(self.latents(how))
        return self._pasted(made, how) if how.paste else made

    def _pasted(self, made: Tensor, recipe: Recipe) -> Tensor:
        model = self._patched_model(self._record(recipe), recipe)
        feather = next(item.default for item in FreeAnimatePastePreview.GET_SCHEMA().inputs if item.id == "feather")
        return FreeAnimatePastePreview.execute(made, self.case.preview, model, feather).args[0]

    @cached_property
    def reconstructed(self) -> Tensor:
        """The preview through the VAE, [F,H,W,3]."""
        return self._given(Given("preview", True))

    def _given(self, how: Given) -> Tensor:
        case = self.case
        if how.blur:
            return smoothed(case.preview, case.preview_masks, case.redraw, how.blur, how.blur_above)
        return self._decoded(self.inputs.latent(how.frames)) if how.through_vae else getattr(case, how.frames)

    def latents(self, recipe: Recipe) -> dict:
        """LATENT of the frames of a complete recipe."""
        return self._plain(recipe) if recipe.plain else self._patched(recipe)

    def _refined(self, denoise: float) -> "Renderer":
        """The same with a preview that Refine Preview has gone over, by the defaults of its widgets."""
        if denoise not in self._by_denoise:
            case, config = self.case, RefineConfig(denoise)
            preview, _ = FreeAnimateRefinePreview.execute(
                self.models.model,
                self.models.vae,
                *self.inputs.conditioning(self.settings.words, True),
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
            self._by_denoise[denoise] = Renderer(self.models, replace(case, preview=preview), self.settings)
        return self._by_denoise[denoise]

    def _decoded(self, latent: dict) -> Tensor:
        return host_nodes.VAEDecode().decode(self.models.vae, latent)[0].to("cpu", torch.float32).clamp(0, 1)

    def _plain(self, recipe: Recipe) -> dict:
        """The host's KSampler on the plain model, one noise tensor for all frames."""
        latent = self.inputs.latent("preview")["samples"]
        empty = recipe.start == "noise"
        start = {"samples": torch.zeros_like(latent) if empty else latent, "batch_index": [0] * len(latent)}
        denoise = 1.0 if empty else IMG2IMG_DENOISE
        return self._by_host(self._with_extras(self.models.model, recipe), recipe, start, denoise=denoise)

    def _by_host(self, model, recipe: Recipe, start: dict, **options) -> dict:
        """The host's sampling, as KSampler and KSampler (Advanced) call it, guided at the levels of the recipe."""
        descending = ddim_uniform(model, recipe.steps)[0]
        return host_nodes.common_ksampler(
            model if recipe.guided == WHOLE else guided_within(model, descending, recipe.guided),
            self.settings.noise_seed,
            recipe.steps,
            recipe.cfg,
            recipe.sampler,
            SCHEDULER,
            *self.inputs.conditioning(recipe.prompt, True),
            start,
            **options,
        )[0]

    def _patched(self, recipe: Recipe) -> dict:
        """Patch Model and Animate Sampler; the host's sampler where the passes are meant to differ."""
        record = self._record(recipe)
        model = self._with_extras(self._patched_model(record, recipe), recipe)
        if recipe.same_input:
            conditionings = self.inputs.conditioning(recipe.prompt, True)
            return FreeAnimateSampler.execute(model, record, *conditionings, recipe.cfg, *recipe.guided).args[0]
        return self._by_host(model, recipe, to_latent(model, record.top), disable_noise=True)

    def _patched_model(self, record: Inversion, recipe: Recipe):
        patch = recipe.patch
        return FreeAnimatePatchModel.execute(
            self.models.model,
            record,
            patch.reference_weight,
            patch.self_span,
            patch.cross_span,
            patch.halves,
            patch.window,
            patch.keep_span,
            self._redraw(recipe.redraw),
            patch.release,
            patch.eta,
            patch.noise_seed,
        ).args[0]

    def _record(self, recipe: Recipe) -> Inversion:
        """The record of a recipe with the start and the reference that it asks for."""
        record = self.records.of(recipe.inverting, recipe.steps)
        if recipe.start == "noise":
            record = changed(record, noise_of(record, self.settings.noise_seed))
        if recipe.start == "holes":
            record = changed(record, self._with_fresh_holes(record))
        if recipe.denoised_along:
            reference = self.records.denoised_reference(record, recipe.prompt, recipe.cfg)
            record = changed(record, reference=reference)
        return record

    def _with_fresh_holes(self, record: Inversion) -> Tensor:
        """The record's top level with noise in the cells that the preview invented."""
        cells = functional.adaptive_avg_pool2d(self.case.holes[:, None], record.top.shape[-2:]) > HOLE_SHARE
        return torch.where(cells, noise_of(record, self.settings.noise_seed), record.top)

    def _redraw(self, kind: str) -> Tensor | None:
        """The redraw_mask [F,H,W] of a kind; None where all is redrawn."""
        holes = self.case.holes
        if kind == "all":
            return None
        if kind == "trust":
            return self.case.redraw
        if kind == "grown":
            return functional.max_pool2d(holes, 2 * CELL + 1, stride=1, padding=CELL)
        if kind == "large":
            cells = holes.shape[1] // CELL, holes.shape[2] // CELL
            share = functional.adaptive_avg_pool2d(holes[:, None], cells)
            return functional.interpolate((share > HOLE_SHARE).float(), scale_factor=CELL)[:, 0]
        return holes

    def _with_extras(self, model, recipe: Recipe):
        for name in recipe.extras:
            model = EXTRAS[name](model, self.scene)
        return model

    @cached_property
    def scene(self) -> Scene:
        """What extras may look at."""
        reference, preview = (
            to_model_space(self.models.model, self.inputs.latent(name)["samples"]) for name in ("reference", "preview")
        )
        return Scene(self.case, reference, preview, lambda: self.records.wordless(self.settings.steps))
