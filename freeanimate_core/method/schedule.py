"""Noise levels, spans of steps, and DDIM steps in sigma space.

The latent is the host's variance-exploding variable ``x = z * sqrt(1 + sigma^2)`` of the
variance-preserving ``z``; there a deterministic DDIM step (arXiv 2010.02502, eq. 12 with
eta = 0) is an Euler step over sigma, for eps- and v-prediction alike.
"""

import torch
from torch import Tensor

SAME_LEVEL = 1e-3  # relative distance below which two sigmas are the same noise level


def inversion_levels(descending: Tensor, sigma_min: float) -> Tensor:
    """The noise levels of an inversion, in ascending order.

    descending: [S+1] sigmas of the sampler, ending in 0. sigma_min: the model's smallest
    sigma, where the clean latent stands because the model knows no noise level below it.
    Returns [S+1] fp32 sigmas without 0 and without duplicates.
    """
    levels = [sigma_min]
    for sigma in descending.flip(0).tolist():
        if sigma > levels[-1] * (1 + SAME_LEVEL):
            levels.append(sigma)
    return torch.tensor(levels, dtype=torch.float32)


def noise_estimate(x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
    """eps of the model at (x, sigma), from its denoised prediction; all [F,C,h,w]."""
    return (x - denoised) / sigma


def ddim_step(x: Tensor, eps: Tensor, sigma: float, next_sigma: float) -> Tensor:
    """One deterministic DDIM step from sigma to next_sigma, up or down; x, eps [F,C,h,w]."""
    return x + (next_sigma - sigma) * eps


def relabelled(x: Tensor, sigma: float, label: float) -> Tensor:
    """x at sigma, rescaled so that a model asked at ``label`` sees the same VP latent.

    FateZero (arXiv 2303.09535) and the DDIM inversions of its family evaluate eps(x_{t-dt}, t):
    the label of the next level on the latent of this one.
    """
    return x * ((label**2 + 1) / (sigma**2 + 1)) ** 0.5


def active_steps(span: float, steps: int) -> int:
    """How many of the first ``steps`` a span (a fraction, 0 = none, 1 = all) covers."""
    return int(span * steps + 0.5)


def in_span(sigma: float, descending: Tensor, span: float) -> bool:
    """Whether a model call at sigma falls into the first ``span`` of the schedule's steps.

    descending: [S+1] sigmas that end in 0. Calls between two levels, as samplers of higher
    order make them, belong to the step that they refine.
    """
    first_outside = float(descending[active_steps(span, len(descending) - 1)])
    return sigma > first_outside * (1 + SAME_LEVEL)


def step_of(sigma: float, descending: Tensor) -> int:
    """The step, from 0, that a model call at sigma belongs to; it is in a span just where that covers the step."""
    return int((descending * (1 + SAME_LEVEL) >= sigma).sum()) - 1


def guidance(sigma: float, descending: Tensor, cfg: float, start: float, end: float) -> float:
    """The guidance scale of a model call: ``cfg`` in the steps from ``start`` to ``end`` (fractions), else 1.

    Limited to the middle levels, guidance costs less colour and less time (arXiv 2404.07724).
    """
    guided = in_span(sigma, descending, end) and not in_span(sigma, descending, start)
    return cfg if guided else 1.0
