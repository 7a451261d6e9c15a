"""The Animate Sampler's side of the host: a MODEL whose model calls become FreeAnimate's passes.

Three wrappers under one key. What a run needs lives in a ``Run`` that OUTER_SAMPLE puts into
the guider's own copy of the options, and takes out at the end.
"""

import logging
from dataclasses import dataclass, replace

from torch import Tensor

from ..config import PatchConfig
from ..errors import PATCH_MODEL, PREVIEW, FreeAnimateError
from ..host import clones, cost, memory, models, sampling
from ..host.digests import model_digests
from ..host.patches import options_with, refuse_conflicts, refuse_motion_layers, refuse_other_sizes
from ..host.progress import Bar
from ..host.sampling import PREVIEW_COND, REFERENCE_COND
from ..method.cells import redrawn_cells
from ..method.conditioning import restored, rows, windowed
from ..method.denoiser import Chunks, Denoiser
from ..method.evaluations import Evaluations
from ..method.passes import AttentionPass
from ..method.record import Inversion
from ..method.release import evaluated_share, live_weight, release_share
from ..method.schedule import in_span
from ..method.windows import Windower, one_window
from ..presets import Preset, patch_settings, patch_words, preset_named
from .checks import check_live, check_mask, check_record, check_same_input, check_start, refuse_random, require_euler

log = logging.getLogger("freeanimate")


@dataclass
class Run:
    """One sampling run of a patched model: made by OUTER_SAMPLE, dropped with it."""

    guider: object
    positives: frozenset
    windower: Windower
    bar: Bar | None = None
    denoiser: Denoiser | None = None


class PatchedModel:
    """The wrappers of one patched MODEL: settings and record, no state of a run.

    clip_redraw: how far [1 or F,1,h,w] cells are redrawn, for all frames of the clip; redraw: for the record's.
    preset: the one that the pack's samplers guide by; None leaves it to their widgets.
    """

    def __init__(
        self, record: Inversion, config: PatchConfig, clip_redraw: Tensor | None, preset: Preset | None = None
    ):
        self.record = record
        self.config = config
        self.clip_redraw = clip_redraw
        self.redraw = None if clip_redraw is None else rows(clip_redraw, record.clip_range, record.clip_frames)
        self.preset = preset

    def part(self, frames: range) -> "PatchedModel":
        """The same for consecutive frames of the record, by their numbers in the clip."""
        return PatchedModel(self.record.part(frames), self.config, self.clip_redraw, self.preset)

    def hung_on(self, clone):
        """The clone that it was given, carrying this; with everything off, nothing acts."""
        clone.set_attachments(clones.KEY, self)
        if not self.config.off:
            clones.install(clone, self.outer_sample, self.prepare_sampling, self.calc_cond_batch)
        return clone

    def outer_sample(self, executor, noise, latent_image, sampler, sigmas, mask=None, callback=None, *args, **kwargs):
        """Check the run, lend the guider the recorded conditionings, take them back at the end."""
        guider = executor.class_obj
        model = guider.model_patcher
        self._check(model, guider, noise, latent_image, sampler, sigmas)
        check_mask(mask, noise)
        live = [entry for entries in guider.conds.values() for entry in entries]
        lent = {
            REFERENCE_COND: sampling.entries_of(self.record.reference_positive),
            PREVIEW_COND: sampling.entries_of(self.record.positive),
        }
        positives = frozenset(entry["uuid"] for entry in guider.conds.get("positive", []))
        bar = callback if isinstance(callback, Bar) else None
        windower = memory.make_windower(model, self.config.window, latent_image.shape, self._bytes(model))
        if bar is not None:
            windower.poll = bar.window
        run = guider.model_options["transformer_options"][clones.KEY] = Run(guider, positives, windower, bar)
        guider.conds.update(lent)
        try:
            samples = executor(noise, latent_image, sampler, sigmas, mask, callback, *args, **kwargs)
            if bar is not None:
                bar.settle(self._plan(run))  # a full device may have halved the window
            return samples
        finally:
            guider.model_options["transformer_options"].pop(clones.KEY).denoiser = None
            for name in lent:
                guider.conds.pop(name)
            sampling.release(live + [entry for entries in lent.values() for entry in entries])

    def _check(self, model, guider, noise, latent_image, sampler, sigmas) -> None:
        _refuse_patches(model, guider.model_options, self.record)
        refuse_random(sampler)
        if self.config.eta > 0:
            require_euler(sampler)
        check_record(self.record, model_digests(model), PATCH_MODEL)
        if self.record.bank is not None:
            self.record.bank.require()
        check_live(self.record, self.config, guider.conds, PATCH_MODEL, "the sampler's ")
        sigma, latent = float(sigmas[0]), models.to_model_space(model, latent_image)
        start = latent + noise.to(latent) * sigma  # the host may hold the two on two devices
        check_start(self.record, start, sigma, sampler)

    def prepare_sampling(self, executor, model, noise_shape, conds, *args, **kwargs):
        """The host makes room for one window, not for the clip."""
        run: Run = kwargs["model_options"]["transformer_options"][clones.KEY]
        loaded = one_window(run.windower, memory.free_for)(executor, model, noise_shape, conds, *args, **kwargs)
        plan = self._plan(run)
        if run.bar is None or run.bar.plan != plan:  # once for all parts of a long clip
            log.info("%s: %s", PATCH_MODEL, plan)
        if run.bar is not None:
            run.bar.settle(plan)
        return loaded

    def _plan(self, run: Run) -> str:
        return f"{run.windower}, {self._tier()}, about {self._time(run):.2f} times plain sampling"

    def _tier(self) -> str:
        if not self._replays:
            return "recorded attention unused"
        return f"storage {'recompute' if self.record.bank is None else self.record.bank.storage}"

    @property
    def _replays(self) -> bool:
        return self._replay_span > 0

    @property
    def _replay_span(self) -> float:
        return max(self.config.self_span, self.config.cross_span)

    def _bytes(self, model) -> float:
        shape = cost.shape_of(model, self.record.top.shape)
        recomputes = self._replays and self.record.bank is None
        return shape.frame_bytes(2, self.config.reference_weight, self._replays, recomputes)

    def _time(self, run: Run) -> float:
        """Arithmetic of all steps over plain sampling's; windows without a free cell cost nothing."""
        shape = cost.shape_of(run.guider.model_patcher, self.record.top.shape)
        control = self.record.positive[0][1].get("control") is not None
        banked, descending, done, plain = self.record.bank is not None, self.record.descending, 0.0, 0
        for sigma in descending[:-1].tolist():
            halves = 2 if sampling.guides(run.guider, sigma) else 1
            recomputes = not banked and in_span(sigma, descending, self._replay_span)
            step = shape.time(run.windower.size, halves, self.config.reference_weight, recomputes, banked, control)
            done += halves * step * self._evaluated(sigma, run.windower.size)
            plain += halves
        return done / plain

    def _evaluated(self, sigma: float, size: int) -> float:
        """The share of windows that a step evaluates."""
        if self.redraw is None:
            return 1.0
        return evaluated_share(
            live_weight(self.redraw, sigma, self.record.descending, self.config), self.record.frames, size
        )

    def calc_cond_batch(self, executor, base_model, conds, x, timestep, model_options):
        """One model call of a sampler, as reference, preview and target passes."""
        run: Run = model_options["transformer_options"][clones.KEY]
        if run.denoiser is None:
            run.denoiser = self._denoiser(executor, base_model, model_options, run)
        there = {i for i, entries in enumerate(conds) if entries is not None}
        positive = {i for i in there if any(entry["uuid"] in run.positives for entry in conds[i])}

        def target(attention: AttentionPass, window_x: Tensor, frames: range) -> list[Tensor]:
            cut = windowed(conds, frames, x.shape[0], run.denoiser.evaluations.cuts)
            times = timestep[frames.start : frames.stop]
            return executor(base_model, cut, window_x, times, options_with(model_options, attention))

        sigma = sampling.sigma_of(run.guider, timestep)
        return run.denoiser(target, x, sigma, Chunks(len(conds), frozenset(there), frozenset(positive)))

    def _denoiser(self, executor, base_model, model_options, run: Run) -> Denoiser:
        # The inversion's options, not the call's: what stands on the model since, or for one call
        # as PAG's perturbation does, must not change what was recorded
        options = clones.placed(self.record.options, run.guider.model_patcher)
        options["transformer_options"]["sample_sigmas"] = model_options["transformer_options"].get("sample_sigmas")
        evaluate = sampling.evaluation(base_model, options, executor)
        reference = restored(run.guider.conds[REFERENCE_COND][0], self.record.reference_positive[0][1])
        preview = restored(run.guider.conds[PREVIEW_COND][0], self.record.positive[0][1])
        evaluations = Evaluations(evaluate, reference, preview, self.record.frames)
        text = preview["model_conds"]["c_crossattn"].cond
        return Denoiser(self.record, self.config, evaluations, run.windower, text, self.redraw)


def _refuse_patches(model, options: dict, record: Inversion) -> None:
    refuse_motion_layers(model, PATCH_MODEL)
    refuse_conflicts(options, PATCH_MODEL)
    refuse_other_sizes(options, record.options, PATCH_MODEL)


def patch_by_preset(
    model, record: Inversion, widgets: PatchConfig, redraw_mask: Tensor | None, name: str
) -> tuple[object, str]:
    """As ``patch_model``, with the preset of that name in the place of the widgets that it holds, and in words.

    Raises FreeAnimateError for a preset that needs a mask and has none, and as ``patch_model`` does.
    """
    preset = preset_named(name, PATCH_MODEL)
    if preset is not None and preset.mask and redraw_mask is None:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: preset '{name}' keeps the preview where redraw_mask allows it, and none is connected; "
            f"connect redraw_mask of {PREVIEW} with the same preset, or set preset to paper or custom."
        )
    mask = redraw_mask if preset is None or preset.mask else None
    config = patch_settings(preset, widgets)
    return patch_model(model, record, config, mask, preset), patch_words(name, config)


def patch_model(
    model, record: Inversion, config: PatchConfig, redraw_mask: Tensor | None = None, preset: Preset | None = None
):
    """A clone of MODEL that reads the record; with everything off, the model as it came.

    redraw_mask [1 or F,H,W], for all frames of the clip: 1 where they may leave the inversion within ``keep_span``,
    at any resolution; None: everywhere. preset: what the pack's samplers guide by.

    Raises FreeAnimateError for other model families, conflicting patches and a stale record.
    """
    models.require_unet(model, PATCH_MODEL)
    _refuse_patches(model, model.model_options, record)
    check_record(record, model_digests(model), PATCH_MODEL)
    redraw = None
    if redraw_mask is None:
        config = replace(config, keep_span=0.0)
    else:
        redraw = redrawn_cells(redraw_mask, (record.clip_frames, *record.top.shape[1:]))
        redraw = release_share(redraw) if config.release == "graded" else redraw
    clone = clones.without_wrappers(model) if config.off else clones.with_attention_patches(model)
    return PatchedModel(record, config, redraw, preset).hung_on(clone)


def patch_of(model, record: Inversion, positive: list, node: str) -> PatchedModel:
    """What a MODEL was patched with, once it is sure to belong to the record and the prompt.

    Raises FreeAnimateError, blaming ``node``, for an unpatched model, another record, or another
    prompt than the record's.
    """
    patched: PatchedModel | None = model.get_attachment(clones.KEY)
    if patched is None:
        raise FreeAnimateError(f"{node}: model is not patched; connect the model output of {PATCH_MODEL}.")
    if patched.record is not record:
        raise FreeAnimateError(
            f"{node}: model was patched with another inversion; connect the same {record!r} to inversion here "
            f"and at {PATCH_MODEL}."
        )
    if not patched.config.off:
        check_same_input(record, positive, node)
    return patched
