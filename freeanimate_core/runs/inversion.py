"""DDIM Inversion (Attention Capture): one guided run of the host's sampling that records both trajectories."""

import logging
import shutil
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import InversionConfig, PatchConfig
from ..errors import INVERSION, FreeAnimateError, counted
from ..host import clones, cost, files, memory, models, screen
from ..host.patches import refuse_conflicts
from ..host.progress import Bar
from ..host.sampling import Loaded, evaluation, inside_sampling
from ..measures import latent_psnr
from ..method.bank import AttentionBank, choose_storage
from ..method.conditioning import check_hints, parts_of, single_entry, without_control
from ..method.ddim_inversion import Pair, invert, invert_implicitly, reconstruct
from ..method.denoiser import Chunks, Denoiser
from ..method.evaluations import Evaluations, LevelPasses
from ..method.passes import AttentionPass
from ..method.record import Inversion
from ..method.schedule import inversion_levels
from ..method.windows import Windower
from ..pictures import read_latents
from .checks import fingerprint_of, refuse_noise_mask
from .ranges import chosen_frames, in_words

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
    frames = read_latents(preview, f"{INVERSION}: preview_latent", channels)
    anchor = read_latents(reference, f"{INVERSION}: reference_latent", channels)
    refuse_noise_mask(preview, INVERSION, "preview_latent")
    refuse_noise_mask(reference, INVERSION, "reference_latent")
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
class Prepared:
    """What is settled before the model runs: conditionings, schedule, model-space reference latent.

    positive: of the frames that are inverted; clip_positive: of all ``clip_frames``, as the sampler will get it.
    frames: their numbers in the clip. clip_preview: [F,C,h,w] of all of its frames, in model space.
    """

    model: object
    positive: list
    clip_positive: list
    frames: range
    clip_preview: Tensor
    reference_positive: list
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
class Running:
    """The model while it is loaded: the recording evaluations, the model options they run under, progress."""

    evaluations: Evaluations
    options: dict
    bar: Bar


def _prepared(
    model, positive: list, reference_positive: list, config: InversionConfig, preview: Tensor, reference: Tensor
) -> Prepared:
    total = preview.shape[0]
    frames = chosen_frames(total, config.first_frame, config.frames, INVERSION, "preview_latent")
    own = positive if len(frames) == total else parts_of([positive], frames, total)[0]
    descending, sigma_min = models.ddim_uniform(model, config.steps)
    size = (len(frames), *preview.shape[1:])
    windower = memory.make_windower(model, config.window, size, cost.shape_of(model, size).recording_bytes())
    levels = inversion_levels(descending, sigma_min)
    reference, clip = (models.to_model_space(model, latents) for latents in (reference, preview))
    return Prepared(
        model, own, positive, frames, clip, reference_positive, config, descending, levels, windower, reference
    )


def _on_host(prepared: Prepared, preview: Tensor) -> tuple[Inversion, float]:
    """The record and its PSNR, made inside the host's sampling, which loads and frees the models."""

    def run(loaded: Loaded) -> tuple[Inversion, float]:
        return _invert_and_check(prepared, loaded)

    clone = clones.with_attention_patches(prepared.model)
    clones.limit_estimate(clone, prepared.windower)
    levels, positive, reference_positive = prepared.levels, prepared.positive, prepared.reference_positive
    return inside_sampling(clone, preview.float(), levels, positive, reference_positive, run)


def _invert_and_check(prepared: Prepared, loaded: Loaded) -> tuple[Inversion, float]:
    x = loaded.x
    checked = min(prepared.config.check, x.shape[0])
    total = x.shape[0] * prepared.evaluations + checked * (len(prepared.descending) - 1)
    evaluate = evaluation(loaded.base_model, loaded.options)
    evaluations = Evaluations(evaluate, loaded.reference, loaded.positive, x.shape[0])
    running = Running(evaluations, loaded.options, screen.frames_bar(prepared.model, total))
    prepared.windower.poll = running.bar.window
    record = _invert(prepared, running, x)
    return record, _check(prepared, running, record, x, checked) if checked else 0.0


def _invert(prepared: Prepared, running: Running, x: Tensor) -> Inversion:
    """Climb the levels; a bank gets every level that denoising visits, the top one included."""
    config = prepared.config
    reference = prepared.reference.to(x)
    bank = _bank(prepared, x.shape)
    running.bar.settle(_way(prepared.windower, bank))

    def predict(level: int, sigma: float, preview: Tensor, anchor: Tensor, last: bool = True) -> Pair:
        kept = bank if last and level >= prepared.first_visited else None
        # In a clip of several windows all have batches alike, so that ranges of it give the same, bit for bit
        joins = prepared.windower.size >= len(prepared.clip_preview)
        passes = LevelPasses(running.evaluations, sigma, anchor, config.reference_weight, joins=joins)
        denoised = passes.capture(preview, prepared.windower, level, kept)
        _require_finite(denoised, sigma)
        running.bar.level(denoised[0])
        return denoised

    if config.correction:
        inverted = invert_implicitly(predict, x, reference, prepared.levels, config.correction)
    else:
        inverted = invert(predict, x, reference, prepared.levels, config.label)
        if bank is None:
            running.bar.skip(x.shape[0])  # the top level is reached and not evaluated
        else:
            top = (latents[-1].to(x) for latents in (inverted.preview, inverted.reference))
            predict(len(prepared.levels) - 1, float(prepared.levels[-1]), *top)
    return Inversion(
        prepared.levels,
        inverted.preview,
        inverted.reference,
        descending=prepared.descending,
        steps=config.steps,
        positive=prepared.positive,
        reference_positive=prepared.reference_positive,
        reference_weight=config.reference_weight,
        fingerprint=fingerprint_of(prepared.model, prepared.clip_positive),
        options=clones.kept(running.options),
        bank=bank,
        clip_frames=len(prepared.clip_preview),
        first=prepared.frames.start,
        clip_preview=prepared.clip_preview if len(prepared.frames) < len(prepared.clip_preview) else None,
        seen=inverted.seen if config.correction else None,
    )


def _require_finite(denoised: Pair, sigma: float) -> None:
    if not torch.stack([torch.isfinite(part).all() for part in denoised]).all():  # asked of the device once
        raise FreeAnimateError(
            f"{INVERSION}: the model returned NaN or infinite values at sigma {sigma:.3g}; start ComfyUI with "
            "--force-upcast-attention or --fp32-unet, or use another checkpoint as model."
        )


def _bank(prepared: Prepared, shape: tuple[int, ...]) -> AttentionBank | None:
    """The bank of the tier that was asked for, or, for ``auto``, that fits."""
    wanted = prepared.config.storage
    if wanted == "recompute":
        return None
    needed = cost.shape_of(prepared.model, shape).bank_bytes(shape[0]) * (len(prepared.descending) - 1)
    folder = files.temp_directory(f"{INVERSION}: storage 'disk'") if wanted == "disk" else None
    free_disk = 0 if folder is None else shutil.disk_usage(folder).free
    free_memory = memory.free_memory(torch.device("cpu"))
    storage = choose_storage(wanted, needed, free_memory, free_disk, memory.computes_in_ram(prepared.model))
    free = free_memory if folder is None else free_disk
    where = "RAM" if folder is None else "disk"
    log.info(
        "stored attention: %.2f GB needed, %.1f GB of %s free; storage %s", needed / 1e9, free / 1e9, where, storage
    )
    return None if storage == "recompute" else AttentionBank(folder)


def _way(windower: Windower, bank: AttentionBank | None) -> str:
    return f"{windower}, storage {'recompute' if bank is None else bank.storage}"


def _check(prepared: Prepared, running: Running, record: Inversion, x: Tensor, checked: int) -> float:
    """Re-denoise the first frames at guidance 1 with everything replayed; PSNR in latent space, dB."""
    everything = PatchConfig(prepared.config.reference_weight, self_span=1.0, cross_span=1.0)
    evaluations = running.evaluations
    text = evaluations.preview_entry["model_conds"]["c_crossattn"].cond
    denoiser = Denoiser(record, everything, evaluations, prepared.windower, text)

    def predict(sigma: float, latents: Tensor) -> Tensor:
        def target(attention: AttentionPass, x: Tensor, window: range) -> list[Tensor]:
            return [evaluations.preview(attention, x, window, sigma)]

        (denoised,) = denoiser(target, latents, sigma, Chunks(1, frozenset({0}), frozenset({0})))
        running.bar.level(denoised)
        return denoised

    latents = reconstruct(predict, record.top[:checked].to(x), prepared.descending)
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
    frames, reference_latent = check_latents(preview, reference, models.latent_channels(model))
    options = single_entry(positive, INVERSION, "positive")
    check_hints([options], frames.shape[0], INVERSION, "positive", "preview_latent")
    if reference_positive is None:
        reference_positive = without_control(positive)
    check_hints([single_entry(reference_positive, INVERSION, "reference_positive")], 1, INVERSION, "reference_positive")
    prepared = _prepared(model, positive, reference_positive, config, frames, reference_latent)
    record, psnr = _on_host(prepared, frames[prepared.frames.start : prepared.frames.stop])
    way = _way(prepared.windower, record.bank)
    summary = f"reconstruction {psnr:.1f} dB, " if config.check else ""  # first: a node shows two lines
    summary += "" if record.whole else f"{in_words(record.clip_range, record.clip_frames)}, "
    summary += f"{counted(len(record.descending) - 1, 'level')} (ddim_uniform, steps {config.steps}), {way}"
    log.info("%r: %s", record, summary)
    return Outcome(record, models.to_latent(model, record.top), psnr, summary)
