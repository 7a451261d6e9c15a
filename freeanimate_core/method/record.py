"""The Inversion record: what one DDIM inversion saw, as a value that travels between nodes."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import INVERSION, PATCH_MODEL, FreeAnimateError, counted
from .bank import AttentionBank, BankPart
from .conditioning import parts_of
from .fingerprint import Fingerprint
from .schedule import SAME_LEVEL


@dataclass(frozen=True)
class Level:
    """Where a noise level lies among the recorded ones: at ``lower``, or between it and the next.

    blend: 0 at ``lower``, towards 1 at the next level, linear in log sigma.
    """

    lower: int
    blend: float

    @property
    def recorded(self) -> bool:
        """Whether the record holds this very level."""
        return self.blend == 0.0

    def of(self, trajectory: Tensor, frames: slice) -> Tensor:
        """Latents [f,C,h,w] of ``frames`` at this level of a trajectory [S+1,F,C,h,w]."""
        here = trajectory[self.lower, frames]
        if self.recorded:
            return here
        return torch.lerp(here, trajectory[self.lower + 1, frames], self.blend)


def find_level(levels: Tensor, sigma: float) -> Level:
    """The place of ``sigma`` among ascending ``levels`` [S+1], found by value, never by count.

    Raises FreeAnimateError outside the recorded range.
    """
    logs = levels.log().tolist()
    wanted = math.log(sigma)
    nearest = min(range(len(logs)), key=lambda i: abs(logs[i] - wanted))
    if abs(logs[nearest] - wanted) <= SAME_LEVEL:
        return Level(nearest, 0.0)
    lower = max((i for i, value in enumerate(logs) if value < wanted), default=-1)
    if lower < 0 or lower == len(logs) - 1:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: the sampler asks for noise level {sigma:.4g} and {INVERSION} recorded "
            f"{float(levels[0]):.4g} to {float(levels[-1]):.4g}; use its sigmas output, or the scheduler ddim_uniform."
        )
    return Level(lower, (wanted - logs[lower]) / (logs[lower + 1] - logs[lower]))


class Inversion(list):
    """One DDIM inversion of preview frames and their reference.

    A list of its CPU tensors, because the host's cache counts tensors in lists; two records are
    equal when they are the same object.

    levels: [S+1] ascending sigmas. preview: [S+1,F,C,h,w] and reference: [S+1,1,C,h,w] latents
    at these levels, model space, variance exploding, fp32. seen: [S+1,F,C,h,w], where the model was
    asked for the preview's attention, if not at ``preview`` itself. descending: [S'+1] sigmas for the
    sampler. steps: the steps asked of ``ddim_uniform`` for them. positive, reference_positive: the
    conditionings used (one entry each). reference_weight: w of RA-SA in the preview passes.
    options: the host's model options of the evaluations, for passes that are run again.
    clip_frames: frames of the clip that these are a part of; None: these are all. first: which of the
    clip's frames, counted from 0, is the first of these. clip_preview: [F',C,h,w] the clean latents of all
    frames of the clip, in model space; None: ``preview``'s.
    """

    def __init__(
        self,
        levels: Tensor,
        preview: Tensor,
        reference: Tensor,
        *,
        descending: Tensor,
        steps: int,
        positive: list,
        reference_positive: list,
        reference_weight: float,
        fingerprint: Fingerprint,
        options: dict,
        bank: AttentionBank | BankPart | None = None,
        clip_frames: int | None = None,
        first: int = 0,
        clip_preview: Tensor | None = None,
        seen: Tensor | None = None,
    ):
        own = [latents for latents in (seen, clip_preview) if latents is not None]
        super().__init__([levels, preview, reference, *own, *(bank.tensors() if bank else [])])
        self.levels, self.preview, self.reference = levels, preview, reference
        self.seen = preview if seen is None else seen
        self.descending, self.steps = descending, steps
        self.positive, self.reference_positive = positive, reference_positive
        self.reference_weight = reference_weight
        self.fingerprint = fingerprint
        self.options = options
        self.bank = bank
        self.clip_frames = self.frames if clip_frames is None else clip_frames
        self.first = first
        self.clip_preview = preview[0] if clip_preview is None else clip_preview

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]  # a list has none

    def __repr__(self) -> str:
        h, w = self.preview.shape[-2:]
        return (
            f"Inversion({counted(self.frames, 'frame')}, latent {w}x{h}, {counted(len(self.descending) - 1, 'level')})"
        )

    @property
    def frames(self) -> int:
        """Number of preview frames F."""
        return self.preview.shape[1]

    @property
    def clip_range(self) -> range:
        """Which of the clip's frames these are."""
        return range(self.first, self.first + self.frames)

    @property
    def whole(self) -> bool:
        """Whether these are all frames of the clip."""
        return self.frames == self.clip_frames

    @property
    def top(self) -> Tensor:
        """Latents [F,C,h,w] of the noisiest level, where denoising starts."""
        return self.preview[-1]

    @property
    def text(self) -> Tensor:
        """Recorded text embedding [1,L,c]."""
        return self.positive[0][0]

    def changed(self, **fields) -> "Inversion":
        """The same record but for some arguments of the constructor."""
        return Inversion(**(vars(self) | fields))

    def part(self, frames: range) -> "Inversion":
        """The record of consecutive frames, by their numbers in the clip: views of their latents, their hints, the
        same reference and levels.

        Its fingerprint stays that of the whole, whose hints it was taken of.
        """
        own = range(frames.start - self.first, frames.stop - self.first)
        rows = slice(own.start, own.stop)
        return self.changed(
            preview=self.preview[:, rows],
            seen=self.seen[:, rows],
            positive=parts_of([self.positive], own, self.frames)[0],
            bank=None if self.bank is None else self.bank.part(own),
            first=frames.start,
        )

    def prediction(self, level: Level) -> Tensor:
        """Denoised latents [F,C,h,w] at a level, whose DDIM steps lead down the recorded trajectory.

        Their noise is what the inversion's step up to this level, or past it, put in; the last step
        of denoising, to sigma 0, leads to the clean latents.
        """
        lowest = len(self.levels) - (len(self.descending) - 1)  # the last level that denoising visits
        if level.recorded and level.lower <= lowest:
            return self.preview[0]
        upper = level.lower if level.recorded else level.lower + 1
        sigmas, latents = (part[upper - 1 : upper + 1] for part in (self.levels, self.preview))
        eps = (latents[1] - latents[0]) / (sigmas[1] - sigmas[0])
        return latents[1] - sigmas[1] * eps

    def at(self, sigma: float) -> Level:
        """The level of a model call; a bank cannot answer between levels (FreeAnimateError)."""
        level = find_level(self.levels, sigma)
        if not level.recorded and self.bank is not None:
            raise FreeAnimateError(
                f"{PATCH_MODEL}: the sampler asks for noise level {sigma:.4g}, between two recorded ones; "
                f"set storage of {INVERSION} to 'recompute', or sample with euler over its sigmas output."
            )
        return level
