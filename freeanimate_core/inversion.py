"""DDIM inversion of preview frames and reference, with attention capture."""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from .bank import AttentionBank
from .schedule import ddim_step, noise_estimate, relabelled
from .streams import LevelPasses, Streams
from .windows import Windower

Denoised = tuple[Tensor, Tensor]


def invert(
    denoise: Callable[[int, float, Tensor, Tensor], Denoised],
    preview: Tensor,
    reference: Tensor,
    levels: Tensor,
    label: Literal["source", "target"] = "source",
) -> tuple[Tensor, Tensor]:
    """DDIM-INV (FreeAnimate; Dhariwal and Nichol 2021): clean latents to noise over ``levels``.

    denoise(k, sigma, preview, reference): denoised predictions of both at level k. preview
    [F,C,h,w], reference [1,C,h,w]: clean latents. levels: [S+1] ascending sigmas. label:
    ``source`` asks eps(x_t, t), exact under replay; ``target`` is FateZero's eps(x_{t-dt}, t).
    Returns both trajectories [S+1,F,C,h,w] and [S+1,1,C,h,w] on the CPU; the last level is
    reached and not evaluated.
    """
    streams = [preview, reference]
    trajectories = [_start(x, len(levels)) for x in streams]
    for k, (sigma, following) in enumerate(pairwise(levels.tolist())):
        asked = sigma if label == "source" else following
        seen = [relabelled(x, sigma, asked) for x in streams]
        predictions = denoise(k, asked, *seen)
        noise = [noise_estimate(x, d, asked) for x, d in zip(seen, predictions)]
        streams = [ddim_step(x, eps, sigma, following) for x, eps in zip(streams, noise)]
        for trajectory, x in zip(trajectories, streams):
            trajectory[k + 1] = x.to("cpu")
    return trajectories[0], trajectories[1]


def reconstruct(denoise: Callable[[float, Tensor], Tensor], top: Tensor, descending: Tensor) -> Tensor:
    """DDIM from ``top`` [f,C,h,w] down ``descending`` [S+1] sigmas; denoise(sigma, x) is the model."""
    x = top
    for sigma, following in pairwise(descending.tolist()):
        x = ddim_step(x, noise_estimate(x, denoise(sigma, x), sigma), sigma, following)
    return x


def _start(clean: Tensor, levels: int) -> Tensor:
    trajectory = torch.empty((levels, *clean.shape), dtype=torch.float32)
    trajectory[0] = clean.to("cpu")
    return trajectory


class Capture:
    """Evaluates reference and preview at a level, window by window, and fills a bank.

    streams: the evaluations. weight: w of the reference's keys in the preview passes.
    """

    def __init__(self, streams: Streams, weight: float, windower: Windower):
        self.streams = streams
        self.weight = weight
        self.windower = windower

    def __call__(
        self, level: int, sigma: float, preview: Tensor, reference: Tensor, bank: AttentionBank | None
    ) -> Denoised:
        """Denoised preview [F,C,h,w] and reference [1,C,h,w]; layer inputs go to ``bank`` if given."""
        passes = LevelPasses(self.streams, sigma, reference, self.weight)

        def window(frames: range) -> list[Tensor]:
            denoised, features = passes.preview(preview[frames.start : frames.stop], frames)
            if bank is not None:
                bank.put(level, frames, features)
            return [denoised]

        (denoised,) = self.windower.map(preview.shape[0], window)
        features = passes.reference()
        if bank is not None:
            bank.put_reference(level, features)
        return denoised, passes.denoised_reference
