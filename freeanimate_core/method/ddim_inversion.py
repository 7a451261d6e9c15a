"""DDIM inversion of preview frames and reference, and the way back.

What runs is a function that predicts the denoised latents; the ``pair`` is preview and reference.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from .schedule import ddim_step, noise_estimate, relabelled

Pair = tuple[Tensor, Tensor]  # of the preview [F,C,h,w] and of the reference [1,C,h,w]


class Inverted(NamedTuple):
    """What an inversion went through, on the CPU.

    preview [S+1,F,C,h,w]: where denoising passes. seen [S+1,F,C,h,w] and reference [S+1,1,C,h,w]:
    where the model was asked at these levels, the preview and the reference.
    """

    preview: Tensor
    seen: Tensor
    reference: Tensor


def invert(
    predict: Callable[[int, float, Tensor, Tensor], Pair],
    preview: Tensor,
    reference: Tensor,
    levels: Tensor,
    label: Literal["source", "target"] = "source",
) -> Inverted:
    """DDIM-INV (FreeAnimate, arXiv 2606.06885; DDIM inversion, arXiv 2105.05233): clean latents to noise.

    predict(k, sigma, preview, reference): denoised predictions of both at level k. preview
    [F,C,h,w], reference [1,C,h,w]: clean latents. levels: [S+1] ascending sigmas. label:
    ``source`` asks eps(x_t, t), exact under replay; ``target`` is eps(x_{t-dt}, t) of FateZero (arXiv 2303.09535).
    The last level is reached and not evaluated.
    """
    pair = preview, reference
    trajectories = [_start(x, len(levels)) for x in pair]
    for k, (sigma, following) in enumerate(pairwise(levels.tolist())):
        asked = sigma if label == "source" else following
        seen = relabelled(pair[0], sigma, asked), relabelled(pair[1], sigma, asked)
        noise = _noise(seen, predict(k, asked, *seen), asked)
        pair = _step(pair, noise, sigma, following)
        for trajectory, x in zip(trajectories, pair):
            trajectory[k + 1] = x.to("cpu")
    return Inverted(preview=trajectories[0], seen=trajectories[0], reference=trajectories[1])


def invert_implicitly(
    predict: Callable[[int, float, Tensor, Tensor, bool], Pair],
    preview: Tensor,
    reference: Tensor,
    levels: Tensor,
    corrections: int,
) -> Inverted:
    """DDIM inversion whose steps DDIM undoes: each is taken with the noise of the level that it leads to.

    Solves ``x_{k+1} = x_k + (s_{k+1} - s_k) eps(x_{k+1}, s_{k+1})`` by fixed-point iteration (AIDI,
    arXiv 2309.04907; ReNoise, arXiv 2403.14602), from a guess that carries eps on linearly. One
    correction takes as many evaluations as plain DDIM inversion. The clean latents stand at sigma 0,
    where denoising ends.

    As ``invert``, but predict is also told whether this is its last evaluation at the level; all
    levels are evaluated. corrections: evaluations per level, at least 1.
    """
    sigmas = levels.tolist()
    pair = seen = preview, reference
    previews, seen_previews, references = (_start(x, len(levels)) for x in (preview, preview, reference))
    noise = before = _noise(pair, predict(0, sigmas[0], *pair, True), sigmas[0])
    for k, (sigma, following) in enumerate(pairwise([0.0, *sigmas[1:]]), 1):
        noise, before = (2 * noise[0] - before[0], 2 * noise[1] - before[1]), noise
        for correction in range(1, corrections + 1):
            seen = _step(pair, noise, sigma, following)
            noise = _noise(seen, predict(k, following, *seen, correction == corrections), following)
        pair = _step(pair, noise, sigma, following)
        for trajectory, x in zip((previews, seen_previews, references), (pair[0], *seen)):
            trajectory[k] = x.to("cpu")
    return Inverted(previews, seen_previews, references)


def _noise(pair: Pair, denoised: Pair, sigma: float) -> Pair:
    return noise_estimate(pair[0], denoised[0], sigma), noise_estimate(pair[1], denoised[1], sigma)


def _step(pair: Pair, noise: Pair, sigma: float, following: float) -> Pair:
    return ddim_step(pair[0], noise[0], sigma, following), ddim_step(pair[1], noise[1], sigma, following)


def reconstruct(predict: Callable[[float, Tensor], Tensor], top: Tensor, descending: Tensor) -> Tensor:
    """DDIM from ``top`` [f,C,h,w] down ``descending`` [S+1] sigmas; predict(sigma, x) is the model."""
    x = top
    for sigma, following in pairwise(descending.tolist()):
        x = ddim_step(x, noise_estimate(x, predict(sigma, x), sigma), sigma, following)
    return x


def _start(clean: Tensor, levels: int) -> Tensor:
    trajectory = torch.empty((levels, *clean.shape), dtype=torch.float32)
    trajectory[0] = clean.to("cpu")
    return trajectory
