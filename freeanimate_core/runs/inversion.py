"""The DDIM Inversion node's side of the host: one guided run that records both trajectories."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import InversionConfig, PatchConfig
from ..errors import INVERSION, FreeAnimateError, counted
from ..host import clones, cost, files, memory, models, sampling, screen
from ..host.patches import options_with, refuse_conflicts
from ..host.progress import Bar
from ..measures import latent_psnr
from ..method.bank import AttentionBank, choose_storage
from ..method.conditioning import check_hints, restored, single_entry, windowed, without_control
from ..method.ddim_inversion import Denoised, invert, invert_implicitly, reconstruct
from ..method.denoiser import Chunks, Denoiser
from ..method.evaluations import Capture, Streams, recording_streams
from ..method.fingerprint import Fingerprint
from ..method.passes import AttentionPass
from ..method.record import Inversion
from ..method.schedule import inversion_levels
from ..method.windows import Windower
from .checks import control_digest, prompt_digest

REFERENCE = "freeanimate_reference"
log = logging.getLogger("freeanimate")


@dataclass(frozen=True)
class Outcome:
    """What the node puts out: record, noise LATENT, PSNR of the checked frames in dB (0.0: unchecked)."""

    record: Inversion
    noise: dict
    psnr: float
    summary: str


def check_latents(preview: dict, reference: dict, channels: int) -> tuple[Tensor, Tensor]:
    """Samples [F,C,h,w] and [1,C,h,w] of two LATENTs, or FreeAnimateError."""
    frames, anchor = preview["samples"], reference["samples"]
    for label, samples in (("preview_latent", frames), ("reference_latent", anchor)):
        if samples.ndim != 4 or samples.shape[1] != channels:
            raise FreeAnimateError(
                f"{INVERSION}: {label} has shape {tuple(samples.shape)} and the model works on [frames, {channels}, "
                "height, width]; encode with the VAE of this checkpoint."
            )
        if samples.shape[0] == 0:
            raise FreeAnimateError(f"{INVERSION}: {label} is empty; encode at least one frame with VAE Encode.")
        if not torch.isfinite(samples).all():
            raise FreeAnimateError(
                f"{INVERSION}: {label} holds NaN or infinite values; check the VAE (try --fp32-vae) that encoded it."
            )
        if samples.min() == samples.max():
            raise FreeAnimateError(f"{INVERSION}: {label} is blank; connect VAE-encoded pictures, not an empty latent.")
    if anchor.shape[0] != 1:
        raise FreeAnimateError(
            f"{INVERSION}: reference_latent has {anchor.shape[0]} frames and one is supported; encode one reference "
            "image."
        )
    if anchor.shape[1:] != frames.shape[1:]:
        sizes = [f"{s.shape[-1] * 8}x{s.shape[-2] * 8}" for s in (frames, anchor)]
        raise FreeAnimateError(
            f"{INVERSION}: preview_latent is {sizes[0]} and reference_latent {sizes[1]} pixels; encode both "
            "at one size."
        )
    return frames, anchor


@dataclass(frozen=True)
class Plan:
    """What is settled before the model runs: conditionings, schedule, model-space reference latent."""

    model: object
    positive: list
    anchor_positive: list
    config: InversionConfig
    descending: Tensor
    levels: Tensor
    windower: Windower
    reference: Tensor

    @property
    def first_visited(self) -> int:
        """The lowest level that denoising visits: the one above the model's smallest sigma."""
        return len(self.levels) - (len(self.descending) - 1)

    @property
    def evaluations(self) -> int:
        """Evaluations of a frame on the way up, at most."""
        return 1 + max(1, self.config.correction) * (len(self.levels) - 1)


@dataclass(frozen=True)
class Evaluations:
    """The model while it is loaded: evaluation, processed entry of the preview, recording streams, progress."""

    evaluate: Callable
    entry: dict
    streams: Streams
    bar: Bar


def _plan(
    model, positive: list, anchor_positive: list, config: InversionConfig, preview: Tensor, anchor: Tensor
) -> Plan:
    descending, sigma_min = models.ddim_uniform(model, config.steps)
    shape = cost.shape_of(model, preview.shape)
    windower = memory.make_windower(model, config.window, preview.shape, shape.recording_bytes())
    levels = inversion_levels(descending, sigma_min)
    reference = models.to_model_space(model, anchor)
    return Plan(model, positive, anchor_positive, config, descending, levels, windower, reference)


def _on_host(plan: Plan, preview: Tensor) -> tuple[Inversion, float]:
    """Run the plan inside the host's sampling, which loads and frees the models."""
    clone = clones.with_attention_patches(plan.model)
    clones.limit_estimate(clone, plan.windower)
    guider = sampling.cfg_guider(
        clone, lambda sigma: 1.0, **{"positive": plan.positive, REFERENCE: plan.anchor_positive}
    )
    made: list[tuple[Inversion, float]] = []

    def run(guider, base_model, x: Tensor, options: dict) -> Tensor:
        made.append(_invert_and_check(plan, guider, base_model, x, options))
        return x

    try:
        sampling.sample(guider, preview.float(), sampling.function_sampler(run), plan.levels)
    finally:
        sampling.release([options for _, options in plan.positive + plan.anchor_positive])
    return made[0]


def _invert_and_check(plan: Plan, guider, base_model, x: Tensor, options: dict) -> tuple[Inversion, float]:
    def evaluate(conds, x: Tensor, sigma: float, attention: AttentionPass) -> list[Tensor]:
        times = x.new_full((x.shape[0],), sigma)
        return sampling.evaluate_conds(base_model, conds, x, times, options_with(options, attention))

    entry = guider.conds["positive"][0]
    anchor = restored(guider.conds[REFERENCE][0], plan.anchor_positive[0][1])
    checked = min(plan.config.check, x.shape[0])
    total = x.shape[0] * plan.evaluations + checked * (len(plan.descending) - 1)
    streams = recording_streams(evaluate, anchor, entry, x.shape[0])
    running = Evaluations(evaluate, entry, streams, screen.frames_bar(plan.model, total))
    plan.windower.poll = running.bar.window
    record = _invert(plan, running, x, options)
    return record, _check(plan, running, record, x, checked) if checked else 0.0


def _invert(plan: Plan, running: Evaluations, x: Tensor, options: dict) -> Inversion:
    """Climb the levels; a bank gets every level that denoising visits, the top one included."""
    capture = Capture(running.streams, plan.config.reference_weight, plan.windower)
    reference = plan.reference.to(x)
    bank = _bank(plan, x.shape)
    running.bar.settle(_way(plan.windower, bank))

    def denoise(level: int, sigma: float, preview: Tensor, anchor: Tensor, last: bool = True) -> Denoised:
        kept = bank if last and level >= plan.first_visited else None
        denoised = capture(level, sigma, preview, anchor, kept)
        _require_finite(denoised, sigma)
        running.bar.level(denoised[0])
        return denoised

    if plan.config.correction:
        inverted = invert_implicitly(denoise, x, reference, plan.levels, plan.config.correction)
    else:
        inverted = invert(denoise, x, reference, plan.levels, plan.config.label)
        if bank is None:
            running.bar.skip(x.shape[0])  # the top level is reached and not evaluated
        else:
            top = (part[-1].to(x) for part in (inverted.preview, inverted.reference))
            denoise(len(plan.levels) - 1, float(plan.levels[-1]), *top)
    return Inversion(
        plan.levels,
        inverted.preview,
        inverted.reference,
        descending=plan.descending,
        steps=plan.config.steps,
        positive=plan.positive,
        reference_positive=plan.anchor_positive,
        reference_weight=plan.config.reference_weight,
        fingerprint=_fingerprint(plan),
        options=options,
        bank=bank,
        seen=inverted.seen if plan.config.correction else None,
    )


def _require_finite(denoised: Denoised, sigma: float) -> None:
    if not all(torch.isfinite(part).all() for part in denoised):
        raise FreeAnimateError(
            f"{INVERSION}: the model returned NaN or infinite values at sigma {sigma:.3g}; start ComfyUI with "
            "--force-upcast-attention or --fp32-unet, or use another checkpoint as model."
        )


def _bank(plan: Plan, shape: tuple[int, ...]) -> AttentionBank | None:
    """The bank of the tier that was asked for, or, for ``auto``, that fits."""
    if plan.config.storage == "recompute":
        return None
    needed = cost.shape_of(plan.model, shape).bank_bytes(shape[0]) * (len(plan.descending) - 1)
    folder = files.temp_directory()
    free_disk = shutil.disk_usage(folder).free
    free_memory = memory.free_memory(torch.device("cpu"))
    storage = choose_storage(plan.config.storage, needed, free_memory, free_disk)
    log.info(
        "attention bank: %.2f GB needed, %.1f GB of RAM and %.1f GB of disk free; storage %s",
        *(size / 1e9 for size in (needed, free_memory, free_disk)),
        storage,
    )
    if storage == "recompute":
        return None
    return AttentionBank(folder if storage == "disk" else None)


def _way(windower: Windower, bank: AttentionBank | None) -> str:
    return f"{windower}, storage {'recompute' if bank is None else bank.storage}"


def _fingerprint(plan: Plan) -> Fingerprint:
    prompt, control = prompt_digest(plan.positive[0]), control_digest(plan.positive[0])
    return Fingerprint(**models.model_digests(plan.model), prompt=prompt, control=control)


def _check(plan: Plan, running: Evaluations, record: Inversion, x: Tensor, checked: int) -> float:
    """Re-denoise the first frames at guidance 1 with everything replayed; PSNR in latent space, dB."""
    everything = PatchConfig(plan.config.reference_weight, self_span=1.0, cross_span=1.0)
    text = running.entry["model_conds"]["c_crossattn"].cond
    denoiser = Denoiser(record, everything, running.streams, plan.windower, text)

    def denoise(sigma: float, latents: Tensor) -> Tensor:
        def target(attention: AttentionPass, part: Tensor, frames: range) -> list[Tensor]:
            return running.evaluate(windowed([[running.entry]], frames, record.frames), part, sigma, attention)

        (denoised,) = denoiser(target, latents, sigma, Chunks(frozenset({0}), frozenset({0})))
        running.bar.level(denoised)
        return denoised

    latents = reconstruct(denoise, record.top[:checked].to(x), plan.descending)
    return latent_psnr(latents.cpu(), record.preview[0, :checked])


def run_inversion(
    model,
    positive: list,
    preview: dict,
    reference: dict,
    config: InversionConfig,
    reference_positive: list | None = None,
) -> Outcome:
    """DDIM inversion of the preview's and the reference's LATENT under one conditioning.

    reference_positive: conditioning of the reference pass; None takes the text of ``positive``
    without its ControlNet. Raises FreeAnimateError, before anything long, for input that the
    method cannot serve.
    """
    models.require_unet(model, INVERSION)
    refuse_conflicts(model.model_options, INVERSION)
    frames, anchor = check_latents(preview, reference, models.latent_channels(model))
    options = single_entry(positive, INVERSION, "positive")
    check_hints([options], frames.shape[0], INVERSION, "positive", "preview_latent")
    anchor_positive = without_control(positive) if reference_positive is None else reference_positive
    anchor_options = single_entry(anchor_positive, INVERSION, "reference_positive")
    check_hints([anchor_options], 1, INVERSION, "reference_positive")
    plan = _plan(model, positive, anchor_positive, config, frames, anchor)
    record, psnr = _on_host(plan, frames)
    way = _way(plan.windower, record.bank)
    summary = f"reconstruction {psnr:.1f} dB, " if config.check else ""  # first: a node shows two lines
    summary += f"{counted(len(record.descending) - 1, 'level')} (ddim_uniform, steps {config.steps}), {way}"
    log.info("%r: %s", record, summary)
    return Outcome(record, models.to_latent(model, record.top), psnr, summary)
