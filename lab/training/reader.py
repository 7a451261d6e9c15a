"""A reader of part maps from latents: tells whether a sample follows its skeleton.

It learns from latents of true pictures only, and then reads the truth's own latents and the samples' alike.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from .hint import PARTS, part_map
from .loop import Schedule, Stage
from .narrow_vae import LATENT_CHANNELS
from .training_pictures import TrainingPictures

WIDTH = 64


class PartReader(nn.Module):
    """Part scores [b,11,64,64] of latents [b,16,32,32]."""

    def __init__(self, rng: torch.Generator):
        super().__init__()
        widths = (LATENT_CHANNELS, WIDTH, WIDTH, WIDTH, WIDTH)
        layers = [layer for pair in zip(widths, widths[1:]) for layer in (nn.Conv2d(*pair, 3, padding=1), nn.SiLU())]
        self.net = nn.Sequential(*layers, nn.Conv2d(WIDTH, 4 * PARTS, 1), nn.PixelShuffle(2))
        for conv in (m for m in self.modules() if isinstance(m, nn.Conv2d)):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=rng)
            nn.init.zeros_(conv.bias)

    def forward(self, latents: Tensor) -> Tensor:
        return self.net(latents)


def stage(schedule: Schedule, folder: Path, device: str) -> Stage:
    """The reader on its way through ``schedule``."""
    return Stage(schedule, PartReader(torch.Generator().manual_seed(schedule.seed)).to(device), folder)


def loss(module: PartReader, latents: Tensor, pictures: TrainingPictures, batch: int, rng: torch.Generator) -> Tensor:
    """Cross entropy of the part map of random pictures."""
    which = torch.randint(len(latents), (batch,), generator=rng)
    device = next(module.parameters()).device
    truth = part_map(pictures.labels(which.tolist()))
    return functional.cross_entropy(module(latents[which].to(device)), truth.to(device))


@torch.no_grad()
def agreement(module: PartReader, latents: Tensor, truth: Tensor) -> float:
    """Share of the figure cells in the true part map [b,64,64] whose part is read from latents [b,16,32,32]."""
    found = module(latents.to(next(module.parameters()).device)).argmax(dim=1).cpu()
    return float((found == truth)[truth > 0].float().mean())
