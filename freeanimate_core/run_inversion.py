"""The DDIM Inversion node's side of the host: one guided run that records both trajectories."""

import logging
import shutil
from dataclasses import dataclass

import torch
from torch import Tensor

from . import host
from .bank import AttentionBank, choose_storage
from .checks import prompt_digest
from .conditioning import check_hints, controls, single_entry, windowed, without_control
from .config import InversionConfig, PatchConfig
from .denoise import Chunks, Denoiser
from .errors import INVERSION, FreeAnimateError
from .fingerprint import Fingerprint, values_digest, weights_digest
from .hooks import options_with, refuse_conflicts
from .inversion import Capture, invert, reconstruct
from .measures import latent_psnr
from .passes import AttentionPass
from .record import Inversion
from .schedule import inversion_levels
from .streams import recording_streams

REFERENCE = "freeanimate_reference"
log = logging.getLogger("freeanimate")


@dataclass(frozen=True)
class Outcome:
    """What the node puts out: record, noise LATENT, PSNR of the checked frames in dB (0.0: unchecked)."""

    record: Inversion
    noise: dict
    psnr: float
    summary: str


def check_latents(preview: dict, reference: dict) -> tuple[Tensor, Tensor]:
    """Samples [F,C,h,w] and [1,C,h,w] of two LATENTs, or FreeAnimateError."""
    frames, anchor = preview["samples"], reference["samples"]
    for label, samples in (("preview_latent", frames), ("reference_latent", anchor)):
        if samples.ndim != 4:
            raise FreeAnimateError(
                f"{INVERSION}: {label} has {samples.ndim} axes; supported are image latents [frames, channels, height, "
                "width] of an SD1.5, SD2 or SDXL VAE."
            )
        if samples.shape[0] == 0:
            raise FreeAnimateError(f"{INVERSION}: {label} is empty; encode at least one frame with VAE Encode.")
        if not torch.isfinite(samples).all():
            raise FreeAnimateError(
                f"{INVERSION}: {label} holds NaN or infinite values; check the VAE (try --fp32-vae) that encoded it."
            )
    if anchor.shape[0] != 1:
        raise FreeAnimateError(
            f"{INVERSION}: reference_latent has {anchor.shape[0]} frames and one is supported; encode one reference image."
        )
    if anchor.shape[1:] != frames.shape[1:]:
        sizes = [f"{s.shape[-1] * 8}x{s.shape[-2] * 8}" for s in (frames, anchor)]
        raise FreeAnimateError(
            f"{INVERSION}: preview_latent is {sizes[0]} and reference_latent {sizes[1]} pixels; encode both at one size."
        )
    return frames, anchor


class InversionRun:
    """One run of the node: what its passes share. Dropped when the node returns."""

    def __init__(self, model, positive: list, reference_positive: list, config: InversionConfig):
        self.model = model
        self.positive, self.reference_positive = positive, reference_positive
        self.config = config
        descending, sigma_min = host.ddim_uniform(model, config.steps)
        self.descending = descending
        self.levels = inversion_levels(descending, sigma_min)
        self.storage = config.storage

    def record(self, preview: Tensor, reference: Tensor) -> tuple[Inversion, float]:
        """The record of preview [F,C,h,w] and reference [1,C,h,w] latents, and its PSNR."""
        clone = host.with_attention_patches(self.model)
        self.windower = host.make_windower(clone, self.config.window, preview.shape[0], preview.shape)
        host.limit_estimate(clone, self.windower)
        self.reference = host.to_model_space(clone, reference)
        result: list[tuple[Inversion, float]] = []

        def run(guider, base_model, x, options):
            result.append(self._run(guider, base_model, x, options))
            return x

        guider = host.cfg_guider(clone, 1.0, **{"positive": self.positive, REFERENCE: self.reference_positive})
        try:
            host.sample(guider, preview.float(), host.function_sampler(run), self.levels)
        finally:
            host.release([options for _, options in self.positive + self.reference_positive])
        return result[0]

    def _run(self, guider, base_model, x: Tensor, options: dict) -> tuple[Inversion, float]:
        def evaluate(conds, x, sigma, attention):
            times = x.new_full((x.shape[0],), sigma)
            return host.evaluate_conds(base_model, conds, x, times, options_with(options, attention))

        entry = guider.conds["positive"][0]
        streams = recording_streams(evaluate, guider.conds[REFERENCE][0], entry, x.shape[0])
        capture = Capture(streams, self.config.reference_weight, self.windower)
        checked = min(self.config.check, x.shape[0])
        show = host.latent_progress(self.model, len(self.levels) + (len(self.descending) - 1 if checked else 0))
        record = self._invert(capture, x, show)
        if not checked:
            return record, 0.0
        text = entry["model_conds"]["c_crossattn"].cond
        return record, self._check(record, evaluate, entry, streams, text, checked, show)

    def _invert(self, capture: Capture, x: Tensor, show) -> Inversion:
        """Climb the levels; a bank gets every level that denoising visits, the top one included."""
        reference = self.reference.to(x)
        bank = self._bank(capture, x.shape[0], reference)
        first_visited = len(self.levels) - (len(self.descending) - 1)

        def denoise(level: int, sigma: float, preview: Tensor, anchor: Tensor):
            denoised = capture(level, sigma, preview, anchor, bank if level >= first_visited else None)
            show(level + 1, denoised[0])
            return denoised

        previews, references = invert(denoise, x, reference, self.levels)
        if bank is not None:
            denoise(len(self.levels) - 1, float(self.levels[-1]), previews[-1].to(x), references[-1].to(x))
        return Inversion(
            self.levels,
            previews,
            references,
            descending=self.descending,
            steps=self.config.steps,
            positive=self.positive,
            reference_positive=self.reference_positive,
            reference_weight=self.config.reference_weight,
            fingerprint=self._fingerprint(previews),
            bank=bank,
        )

    def _bank(self, capture: Capture, frames: int, reference: Tensor) -> AttentionBank | None:
        if self.storage == "recompute":
            return None
        per_level = capture.bytes_per_level(float(self.levels[0]), reference, frames)
        needed = per_level * (len(self.descending) - 1)
        folder = host.temp_directory()
        free_disk = shutil.disk_usage(folder).free
        free_memory = host.free_memory(torch.device("cpu"))
        self.storage = choose_storage(self.storage, needed, free_memory, free_disk)
        log.info(
            "attention bank: %.2f GB needed, %.1f GB of RAM and %.1f GB of disk free; storage %s",
            needed / 1e9,
            free_memory / 1e9,
            free_disk / 1e9,
            self.storage,
        )
        if self.storage == "recompute":
            return None
        return AttentionBank(folder if self.storage == "disk" else None)

    def _fingerprint(self, previews: Tensor) -> Fingerprint:
        weights, patches = host.model_digests(self.model)
        chain = controls(self.positive[0][1])
        control = [
            (type(c).__name__, c.strength, c.timestep_percent_range, c.cond_hint_original, weights_of(c)) for c in chain
        ]
        return Fingerprint(
            weights=weights,
            patches=patches,
            prompt=prompt_digest(self.positive[0]),
            control=values_digest(control),
            size=tuple(previews.shape[1:]),
            sigmas=tuple(self.descending.tolist()),
            reference_weight=self.config.reference_weight,
        )

    def _check(self, record: Inversion, evaluate, entry: dict, streams, text: Tensor, checked: int, show) -> float:
        """Re-denoise the first frames at guidance 1 with everything replayed; PSNR in latent space, dB."""
        config = PatchConfig(self.config.reference_weight, self_span=1.0, cross_span=1.0)
        denoiser = Denoiser(record, config, streams, self.windower, text)
        steps = iter(range(len(self.levels) + 1, len(self.levels) + len(self.descending)))

        def denoise(sigma: float, x: Tensor) -> Tensor:
            def target(attention: AttentionPass, part: Tensor, frames: range) -> list[Tensor]:
                return evaluate(windowed([[entry]], frames, record.frames), part, sigma, attention)

            (denoised,) = denoiser(target, x, sigma, Chunks(frozenset({0}), frozenset({0})))
            show(next(steps), denoised)
            return denoised

        top = record.top[:checked].to(self.reference.device)
        latents = reconstruct(denoise, top, self.descending)
        return latent_psnr(latents.cpu(), record.preview[0, :checked])


def weights_of(control: object) -> str | None:
    """Digest of a ControlNet's weights; None for kinds that keep them elsewhere."""
    model = getattr(control, "control_model", None)
    return None if model is None else weights_digest(model.state_dict())


def run_inversion(
    model, positive: list, preview: dict, reference: dict, config: InversionConfig, reference_positive: list | None = None
) -> Outcome:
    """DDIM inversion of the preview's and the reference's LATENT under one conditioning.

    reference_positive: conditioning of the reference pass; None takes the text of ``positive``
    without its ControlNet. Raises FreeAnimateError, before anything long, for input that the
    method cannot serve.
    """
    host.require_unet(model, INVERSION)
    refuse_conflicts(model.model_options, INVERSION)
    frames, anchor = check_latents(preview, reference)
    options = single_entry(positive, INVERSION, "positive")
    check_hints([options], frames.shape[0], INVERSION, "positive")
    anchor_positive = without_control(positive) if reference_positive is None else reference_positive
    anchor_options = single_entry(anchor_positive, INVERSION, "reference_positive")
    check_hints([anchor_options], 1, INVERSION, "reference_positive")
    run = InversionRun(model, positive, anchor_positive, config)
    record, psnr = run.record(frames, anchor)
    summary = f"{len(record.descending) - 1} levels (ddim_uniform, steps {config.steps}), storage {run.storage}"
    summary += f", reconstruction {psnr:.1f} dB" if config.check else ""
    log.info("%r: %s", record, summary)
    return Outcome(record, host.to_latent(model, record.top), psnr, summary)
