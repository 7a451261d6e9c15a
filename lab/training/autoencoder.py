"""The autoencoder's stage: what it is asked for, and how well it does it.

Axes: b pictures, h, w pixels.
"""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from .loop import Schedule, Stage
from .narrow_vae import Decoder, Encoder, colour_start
from .training_pictures import TrainingPictures

CROP = 64  # pixels; most of a crop is figure, which is the hard part
FIGURE_WEIGHT = 3.0
LATENT_NOISE = 0.05  # in units of the latents' spread, so that a denoiser's small errors stay small pictures
EDGES, SQUARES, SPREAD = 0.5, 10.0, 0.02  # weights of the loss beside L1


class AutoEncoder(nn.Module):
    """Encoder and decoder as one module."""

    def __init__(self, rng: torch.Generator):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        colour_start(self.encoder, self.decoder, rng)


def reconstruction_loss(shown: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """L1 + squares + L1 of the gradients of [b,3,h,w], each weighted by [b,1,h,w] of mean about 1."""
    difference = shown - truth
    loss = (weight * (difference.abs() + SQUARES * difference.square())).mean()
    for axis in (-1, -2):
        loss = loss + EDGES * (weight.narrow(axis, 1, weight.shape[axis] - 1) * difference.diff(dim=axis).abs()).mean()
    return loss


def spread_loss(latents: Tensor) -> Tensor:
    """How far the latents' channels [b,c,h,w] are from mean 0 and standard deviation 1, which a denoiser expects."""
    mean, deviation = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    return mean.square().mean() + (deviation - 1).square().mean()


def stage(schedule: Schedule, folder, device: str) -> Stage:
    """The autoencoder on its way through ``schedule``."""
    module = AutoEncoder(torch.Generator().manual_seed(schedule.seed)).to(device, memory_format=torch.channels_last)
    return Stage(schedule, module, folder)


def loss(
    module: AutoEncoder, pictures: TrainingPictures, batch: int, rng: torch.Generator, frozen: bool = False
) -> Tensor:
    """The loss of one batch of random crops; ``frozen`` trains the decoder alone."""
    images, figures = pictures.crops(batch, CROP, rng)
    device = next(module.parameters()).device
    images, figures = images.to(device), figures.to(device)
    with torch.set_grad_enabled(not frozen):
        latents = module.encoder(images)
    noise = torch.randn(latents.shape, generator=rng).to(latents)
    shown = module.decoder(latents + LATENT_NOISE * noise)
    weight = 1 + (FIGURE_WEIGHT - 1) * figures
    whole = reconstruction_loss(shown, images, weight / weight.mean())
    return whole if frozen else whole + SPREAD * spread_loss(latents)


@torch.no_grad()
def quality(module: AutoEncoder, images: Tensor, figures: Tensor) -> tuple[float, float]:
    """PSNR in dB of pictures [b,3,h,w], overall and inside the figures [b,1,h,w]: means over the pictures."""
    error = (module.decoder(module.encoder(images)).clamp(0, 1) - images).square()
    inside = (error * figures).sum(dim=(1, 2, 3)) / (3 * figures.sum(dim=(1, 2, 3)))
    return tuple(float((-10 * each.log10()).mean()) for each in (error.mean(dim=(1, 2, 3)), inside))


@torch.no_grad()
def preview_factors(latents: Tensor, images: Tensor) -> Tensor:
    """The colour of a latent cell, for live previews: [c+1,3], of the c channels and, last, of a constant 1.

    Least squares from latents [b,c,h/8,w/8] to the cells' mean RGB, -1..1, in pictures [b,3,h,w] of 0..1.
    """
    cells = functional.pad(rearrange(latents, "b c y x -> (b y x) c"), (0, 1), value=1.0)
    colours = rearrange(functional.avg_pool2d(images, 8), "b rgb y x -> (b y x) rgb") * 2 - 1
    return torch.linalg.lstsq(cells, colours).solution
