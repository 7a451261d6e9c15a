"""Measures of results."""

import math

from torch import Tensor


def psnr(image: Tensor, truth: Tensor, peak: float) -> float:
    """Peak signal-to-noise ratio in dB over all values of two equal shapes; inf when equal."""
    error = (image.double() - truth.double()).square().mean().item()
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def latent_psnr(latents: Tensor, truth: Tensor) -> float:
    """PSNR in latent space, dB; the peak is the range (max - min) of the true latents [F,C,h,w]."""
    return psnr(latents, truth, float(truth.max() - truth.min()))
