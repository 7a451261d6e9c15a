"""The denoising side: every model call of a sampler becomes reference, preview and target passes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import PatchConfig
from .conditioning import rows
from .evaluations import Evaluations, LevelPasses, Target
from .fresh_noise import FreshNoise
from .passes import Features, TargetPass
from .record import Inversion, Level
from .release import live_weight
from .schedule import in_span
from .windows import Windower

ALL_FRAMES = slice(None)
Window = Callable[[range], list[Tensor]]  # predictions of a window's frames, one per conditioning


@dataclass(frozen=True)
class Chunks:
    """How many conditionings a model call has, and by index which are there and which of these are positive."""

    count: int
    all: frozenset[int]
    positive: frozenset[int]


class Denoiser:
    """Answers a sampler's model calls for all frames; lives as long as one sampling run.

    text: recorded text [1 or F,L,c] as the U-Net reads it. redraw: [1 or F,1,h,w] 0-1, how far each
    latent cell may leave the inversion within ``keep_span``: the live prediction's weight, or the share of the
    steps in which it is free, by ``release``; None: everywhere.
    """

    def __init__(
        self,
        record: Inversion,
        config: PatchConfig,
        evaluations: Evaluations,
        windower: Windower,
        text: Tensor,
        redraw: Tensor | None = None,
    ):
        self.record = record
        self.config = config
        self.evaluations = evaluations
        self.windower = windower
        self.text = text
        self.redraw = redraw
        self._placed: Tensor | None = None  # the same, where the frames are
        self.fresh = FreshNoise(config.eta, config.noise_seed, record.descending)
        self._passes: LevelPasses | None = None

    def __call__(self, target: Target, x: Tensor, sigma: float, chunks: Chunks) -> list[Tensor]:
        """Denoised predictions [F,C,h,w], one per conditioning of the call.

        target(attention, x, frames) evaluates the live conditionings for one window.
        """
        self.text = self.text.to(x.device)  # once: each layer of each window reads it
        level = self.record.at(sigma)
        self_chunks, cross_chunks = self._replayed(sigma, chunks)
        replays = bool(self_chunks or cross_chunks)
        passes = self._passes_at(level, sigma, x)

        def evaluated(frames: range) -> list[Tensor]:
            preview = self._preview_features(passes, level, frames, x) if replays else {}
            reference = passes.reference() if self.config.reference_weight > 0 else {}
            text = rows(self.text, frames, self.record.frames)
            attention = TargetPass(reference, self.config.reference_weight, preview, text, self_chunks, cross_chunks)
            live = x[frames.start : frames.stop]
            return self.fresh.stirred(target(attention, live, frames), live, sigma)

        return self.windower.map(x.shape[0], self._held(evaluated, level, sigma, x, chunks.count))

    def _held(self, evaluated: Window, level: Level, sigma: float, x: Tensor, count: int) -> Window:
        """``evaluated`` where cells are free, the inversion's own prediction elsewhere, for ``count`` conditionings.

        All conditionings get the same where nothing is free, so guidance has nothing to add to it; a window without
        a free cell is not evaluated.
        """
        if self.redraw is None:
            return evaluated
        self._placed = self.redraw.to(x) if self._placed is None else self._placed  # once: each level reads it
        descending, total = self.record.descending, self.record.frames
        free = live_weight(self.redraw, sigma, descending, self.config)
        weight = live_weight(self._placed, sigma, descending, self.config)
        if free is None or weight is None:
            return evaluated
        recorded = self.record.prediction(level).to(x)

        def held(frames: range) -> list[Tensor]:
            own = recorded[frames.start : frames.stop]
            if not rows(free, frames, total).any():  # asked where the mask was given: a device would be waited for
                return [own] * count
            return [torch.lerp(own, prediction, rows(weight, frames, total)) for prediction in evaluated(frames)]

        return held

    def _replayed(self, sigma: float, chunks: Chunks) -> tuple[frozenset[int], frozenset[int]]:
        """Conditionings that replay self and cross maps at this level."""
        descending, none = self.record.descending, frozenset[int]()
        halves = chunks.all if self.config.halves == "both" else chunks.positive
        self_chunks = halves if in_span(sigma, descending, self.config.self_span) else none
        cross_chunks = chunks.positive if in_span(sigma, descending, self.config.cross_span) else none
        return self_chunks, cross_chunks

    def _passes_at(self, level: Level, sigma: float, x: Tensor) -> LevelPasses:
        """The recording passes of a level; a sampler may ask for the level again, and the reference is then there."""
        if self._passes is None or self._passes.sigma != sigma:
            bank, weight = self.record.bank, self.record.reference_weight
            read = self.config.reference_weight > 0 or weight > 0
            known = bank.reference(level.lower) if bank is not None and read else None
            anchor = level.of(self.record.reference, ALL_FRAMES).to(x)
            # In a clip of several windows all have batches alike, so that it can be rendered in parts, bit for bit
            one_window = self.windower.size >= self.record.clip_frames
            self._passes = LevelPasses(self.evaluations, sigma, anchor, weight, known, joins=read and one_window)
        return self._passes

    def _preview_features(self, passes: LevelPasses, level: Level, frames: range, x: Tensor) -> Features:
        """Layer inputs of the preview pass: out of the bank, or by running it again."""
        if self.record.bank is not None:
            return self.record.bank.get(level.lower, frames)
        latents = level.of(self.record.seen, slice(frames.start, frames.stop)).to(x)
        return passes.preview(latents, frames)[1]
