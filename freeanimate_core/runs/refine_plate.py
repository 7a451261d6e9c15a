"""Refine Preview's background: inpainted once by the model, and put under the preview's figure.

Axes: f frames, h, w pixels, c channels of a latent. Masks are float32 0-1, pictures [f,h,w,3] float32 0-1.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..config import RefineConfig
from ..host import models, sampling
from ..host.progress import Bar
from ..method.conditioning import without_control
from .refine_pixels import composited, grown, one_noise, softened


def in_cells(mask: Tensor, cell: int, grow: int) -> Tensor:
    """``mask`` [1,h,w] by ``grow`` pixels larger and then whole latent cells of ``cell`` pixels, 0 or 1."""
    touched = functional.max_pool2d(grown(mask, grow)[:, None], cell)
    return functional.interpolate(touched, scale_factor=cell, mode="nearest")[:, 0]


def redrawn_plate(
    model, vae, conds: tuple[list, list], plate: Tensor, mask: Tensor, config: RefineConfig, sigmas: Tensor, bar: Bar
) -> Tensor:
    """``plate`` [1,h,w,3] with what ``mask`` [1,h,w] marks drawn by the model; elsewhere it is bit for bit the same.

    ``conds``: words of the empty scene, and negative ones. Nobody stands in the plate, so no ControlNet acts, and
    the reference, which shows somebody, is not read.
    """
    positive, negative = (without_control(cond) for cond in conds)
    clean = vae.encode(plate).to("cpu", torch.float32)
    guider = sampling.cfg_guider(model, lambda sigma: config.cfg, positive=positive, negative=negative)
    noise = one_noise(clean, config.seed)
    latent = sampling.sample(guider, clean, sampling.euler(), sigmas.clone(), bar, noise=noise, mask=mask)
    return composited(models.decode(vae, latent), softened(mask, config.grow), plate[0])


def over_new_plate(preview: Tensor, figure: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """``preview`` [f,h,w,3] with the plate ``new`` [1,h,w,3] instead of ``old`` where ``figure`` [f,h,w] is not 1."""
    moved = (preview + (1 - figure[..., None]) * (new - old)).clamp(0, 1)
    return torch.where((new == old).all(dim=-1, keepdim=True), preview, moved)
