"""The autoencoder's stages: what it is asked for, and how well it does it.

Encoder and decoder are trained together; then, once the latents are fixed, the decoder alone against a small
critic, which asks for detail where the truth has some.
Axes: b pictures, h, w pixels.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from .narrow_vae import BOUND, Critic, Decoder, Encoder, colour_start
from .perceptual import Features
from .training_pictures import TrainingPictures

CROP = 96  # pixels; most of a crop is figure, which is the hard part
FIGURE_WEIGHT = 3.0
LATENT_NOISE = 0.05  # in units of the latents' spread, so that a denoiser's small errors stay small pictures
LEVELS = 4  # of the pyramid: whole size to an eighth
EDGES, SQUARES, PYRAMID, DETAIL, SPREAD = 0.5, 5.0, 0.5, 1.0, 0.1  # weights of the loss beside L1
BORDER = 2  # latent cells
PATCH = 8  # pixels of a side, over which detail need not be at its place
PERCEPTUAL, CRITIC = 0.1, 0.03
WATCHED = 0.25  # share of a batch that the foreign network looks at, which costs more than all the rest


class AutoEncoder(nn.Module):
    """Encoder and decoder as one module."""

    def __init__(self, rng: torch.Generator):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        colour_start(self.encoder, self.decoder, rng)


class Sharpener(nn.Module):
    """A decoder that is trained against a critic, beside its encoder, which stays as it is."""

    def __init__(self, pair: AutoEncoder, rng: torch.Generator):
        super().__init__()
        self.encoder, self.decoder, self.critic = pair.encoder.requires_grad_(False), pair.decoder, Critic(rng)


@dataclass(frozen=True)
class Crops:
    """Where the crops of a step come from, how many there are, and who looks at them beside the loss."""

    pictures: TrainingPictures
    batch: int
    device: str
    features: Features | None = None

    def draw(self, rng: torch.Generator, within: int) -> tuple[Tensor, Tensor]:
        """Crops [b,3,96,96] of the first ``within`` pictures, and weights [b,1,96,96] of mean 1: more on figures."""
        images, figures = self.pictures.crops(self.batch, CROP, rng, within)
        weight = 1 + (FIGURE_WEIGHT - 1) * figures
        return to(self.device, images), to(self.device, weight / weight.mean())

    def autocast(self) -> torch.autocast:
        """bf16 for convolutions, which processors and cards of today compute faster."""
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)


def to(device: str, values: Tensor) -> Tensor:
    """``values`` there, without waiting where that can be."""
    return values.pin_memory().to(device, non_blocking=True) if device != "cpu" else values


def loss(pair: AutoEncoder, crops: Crops, rng: torch.Generator, within: int) -> Tensor:
    """The loss of one batch of random crops."""
    images, weight = crops.draw(rng, within)
    with crops.autocast():
        latents = pair.encoder(images)
        shown = pair.decoder(_stirred(latents, rng))
    whole = reconstruction_loss(shown.float(), images, weight) + SPREAD * spread_loss(latents.float())
    return whole + _seen(shown, images, crops)


def sharpening_loss(module: Sharpener, crops: Crops, rng: torch.Generator, within: int) -> Tensor:
    """The decoder's loss and the critic's in one: neither has gradients of the other's."""
    images, weight = crops.draw(rng, within)
    with crops.autocast():
        with torch.no_grad():
            latents = module.encoder(images)
        shown = module.decoder(_stirred(latents, rng))
        still = {name: value.detach() for name, value in module.critic.named_parameters()}
        doubt = -torch.func.functional_call(module.critic, still, (shown,)).float().mean()
        judged = [
            functional.relu(1 + sign * module.critic(x).float()) for sign, x in ((-1, images), (1, shown.detach()))
        ]
    whole = reconstruction_loss(shown.float(), images, weight) + _seen(shown, images, crops)
    return whole + CRITIC * doubt + sum(each.mean() for each in judged)


def _stirred(latents: Tensor, rng: torch.Generator) -> Tensor:
    noise = torch.randn(latents.shape, generator=rng).to(latents)
    return latents + LATENT_NOISE * noise


def _seen(shown: Tensor, images: Tensor, crops: Crops) -> Tensor | float:
    """What the foreign network makes of a share of the batch."""
    if crops.features is None:
        return 0.0
    some = max(round(WATCHED * len(images)), 1)
    with crops.autocast():
        return PERCEPTUAL * crops.features.distance(shown[:some], images[:some])


def reconstruction_loss(shown: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Of [b,3,h,w], weighted by [b,1,h,w] of mean about 1: L1 and squares, L1 of edges at every scale, and detail."""
    difference = shown - truth
    total = (weight * (difference.abs() + SQUARES * difference.square())).mean() + DETAIL * _lost(shown, truth, weight)
    for level in range(LEVELS):
        for axis in (-1, -2):
            inner = weight.narrow(axis, 1, weight.shape[axis] - 1)
            total = total + EDGES * (inner * difference.diff(dim=axis).abs()).mean()
        if level:
            total = total + PYRAMID * (weight * difference.abs()).mean()
        difference, weight = functional.avg_pool2d(difference, 2), functional.avg_pool2d(weight, 2)
    return total


def _lost(shown: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """How much more or less detail patches have than the true ones: without it what is uncertain gets blurred."""
    patches = [functional.avg_pool2d(_laplacian(each).abs(), PATCH, PATCH // 2) for each in (shown, truth)]
    return (functional.avg_pool2d(weight, PATCH, PATCH // 2) * (patches[0] - patches[1]).abs()).mean()


def spread_loss(latents: Tensor) -> Tensor:
    """How far the latents' channels [b,c,h,w] are from mean 0 and standard deviation 1, which a denoiser expects.

    As the decoder bounds them, and away from the border: else one huge value in a corner, where the encoder can tell
    that a crop ends, makes up for a channel that says nothing elsewhere.
    """
    inner = torch.tanh(latents[:, :, BORDER:-BORDER, BORDER:-BORDER] / BOUND) * BOUND
    mean, deviation = inner.mean(dim=(0, 2, 3)), inner.std(dim=(0, 2, 3))
    return mean.square().mean() + (deviation - 1).square().mean()


@dataclass(frozen=True)
class Quality:
    """Means over pictures: PSNR in dB of all and of the figures, and the figures' detail over the truth's.

    Detail is the mean absolute Laplacian; ``sharp`` takes its square instead, in which hard edges count most.
    """

    psnr: float
    person_psnr: float
    detail: float
    sharp: float


@torch.no_grad()
def quality(module: nn.Module, images: Tensor, figures: Tensor) -> Quality:
    """How well pictures [b,3,h,w] come back, of which [b,1,h,w] are figure."""
    shown = torch.cat([module.decoder(module.encoder(some)).clamp(0, 1) for some in images.split(8)])
    return compared(shown, images, figures)


def compared(shown: Tensor, images: Tensor, figures: Tensor) -> Quality:
    """How far [b,3,h,w] are from the true ``images``, of which [b,1,h,w] are figure."""
    error = (shown - images).square()
    inside = _mean_within(error, figures)
    fine, true = _laplacian(shown), _laplacian(images)
    ratios = [
        _mean_within(a, figures) / _mean_within(b, figures) for a, b in ((fine.abs(), true.abs()), (fine**2, true**2))
    ]
    whole, person = (float((-10 * each.log10()).mean()) for each in (error.mean(dim=(1, 2, 3)), inside))
    return Quality(whole, person, *(float(each.mean()) for each in ratios))


def _mean_within(values: Tensor, figures: Tensor) -> Tensor:
    return (values * figures).sum(dim=(1, 2, 3)) / (3 * figures.sum(dim=(1, 2, 3)))


def _laplacian(images: Tensor) -> Tensor:
    """The discrete Laplacian of each channel of [b,3,h,w]: what is finer than two pixels or so."""
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).to(images)[None, None].expand(3, 1, 3, 3)
    return functional.conv2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=3)


@torch.no_grad()
def preview_factors(latents: Tensor, images: Tensor) -> Tensor:
    """The colour of a latent cell, for live previews: [c+1,3], of the c channels and, last, of a constant 1.

    Least squares from latents [b,c,h/8,w/8] to the cells' mean RGB, -1..1, in pictures [b,3,h,w] of 0..1.
    """
    cells = functional.pad(rearrange(latents, "b c y x -> (b y x) c"), (0, 1), value=1.0)
    colours = rearrange(functional.avg_pool2d(images, 8), "b rgb y x -> (b y x) rgb") * 2 - 1
    return torch.linalg.lstsq(cells, colours).solution
