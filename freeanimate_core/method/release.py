"""How far latent cells may leave the inverted preview: by blending, or the earlier the less it is trusted.

Axes: f frames, h, w latent cells.
"""

import torch
from torch import Tensor

from ..config import PatchConfig
from .schedule import in_span, step_of

SURE, LOST = 0.35, 0.9  # probabilities of being wrong, up to which a cell is never freed and from which it is longest
LONGEST = 0.5  # share of the steps for which the least trusted cells are free


def release_share(probability: Tensor) -> Tensor:
    """The share of the steps, from the last, in which cells are free, by the probability 0-1 that they are wrong."""
    return LONGEST * ((probability - SURE) / (LOST - SURE)).clamp(0, 1)


def live_weight(redraw: Tensor, sigma: float, descending: Tensor, config: PatchConfig) -> Tensor | None:
    """How far [1 or f,1,h,w] cells follow the live prediction at a level, 0-1; None: everywhere.

    redraw [1 or f,1,h,w]: with ``blend`` that weight itself within the first ``keep_span`` of the steps; with
    ``graded`` the share of these steps, from their last, in which a cell is free, so that it is kept while
    ``in_span(sigma, descending, keep_span * (1 - redraw))``.
    """
    if not in_span(sigma, descending, config.keep_span):
        return None
    if config.release == "blend":
        return redraw
    kept = _kept_steps(redraw, len(descending) - 1, config.keep_span)
    return (kept <= step_of(sigma, descending)).to(redraw)


def freed(redraw: Tensor, steps: int, config: PatchConfig) -> Tensor:
    """Which cells [1 or f,1,h,w] follow the live prediction in any of ``steps``, 1 or 0."""
    if config.keep_span < 1:
        return torch.ones_like(redraw)
    if config.release == "blend":
        return (redraw > 0).to(redraw)
    return (_kept_steps(redraw, steps, config.keep_span) < steps).to(redraw)


def _kept_steps(share: Tensor, steps: int, keep_span: float) -> Tensor:
    """How many of the first steps keep cells, counted as ``active_steps`` does."""
    return (keep_span * (1 - share) * steps + 0.5).floor()


def evaluated_share(weight: Tensor | None, frames: int, size: int) -> float:
    """The share of windows of ``size`` frames that a level evaluates: those with a cell of ``weight`` above 0."""
    if weight is None:
        return 1.0
    free = weight.amax(dim=(1, 2, 3)).expand(frames) > 0
    windows = free.split(size)
    return sum(bool(window.any()) for window in windows) / len(windows)
