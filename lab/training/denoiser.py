"""The denoiser's stage: U-Net, ControlNet and text encoder from scratch, on single pictures only.

Nothing here sees two pictures at once, and no attention layer reads another picture's keys or values: what
the pack does with a reference at run time is new to this model.
Axes: b pictures, c channels, y, x latent cells, l tokens.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import timestep_embedding
from torch import Tensor, nn

from .loop import Schedule, Stage
from .text import TextEncoder
from .training_pictures import corner

HINT_DROP, WORDS_DROP = 0.15, 0.15  # shares of the pictures that are shown without
MIN_SNR = 5.0
STEPS = 1000
WHOLE, CUT = 32, 16  # latent cells on a side, of a picture and of a crop


class Batch(NamedTuple):
    """Latents [b,16,k,k], hint features [b,256,k,k] and caption rows [b,77]."""

    latents: Tensor
    features: Tensor
    rows: Tensor


@dataclass(frozen=True)
class Examples:
    """Cached inputs: latents [n,16,32,32], hint features [n,256,32,32], captions [n,77], the empty caption [77].

    joints: [n,18,3] in latent cells, about which crops are cut; crops: the share of the steps that see crops. Latents
    and features are where the model is; on a processor the features stay on disk, in half precision.
    """

    latents: Tensor
    features: Tensor
    captions: Tensor
    empty: Tensor
    joints: np.ndarray
    crops: float

    def batch(self, size: int, rng: torch.Generator) -> Batch:
        """Random pictures, all whole or all cut to ``CUT`` cells, some of the captions empty."""
        which = torch.randint(len(self.latents), (size,), generator=rng).tolist()
        silent = torch.rand(size, 1, generator=rng) < WORDS_DROP
        rows = torch.where(silent, self.empty, self.captions[which].long())
        cut = CUT if float(torch.rand(1, generator=rng)) < self.crops else WHOLE
        places = [(n, *self._place(n, cut, rng)) for n in which]
        latents = torch.stack([self.latents[n][:, y, x] for n, y, x in places])
        features = torch.stack([self.features[n][:, y, x] for n, y, x in places])
        return Batch(latents, features.float(), rows.to(latents.device))

    def _place(self, n: int, cut: int, rng: torch.Generator) -> tuple[slice, slice]:
        y, x = corner(self.joints[n], cut, WHOLE, rng)
        return slice(y, y + cut), slice(x, x + cut)


class Denoiser(nn.Module):
    """U-Net and ControlNet of the host, with the text encoder, as one module that can be trained.

    The forward pass is written out because the host's adds control in place, which gradients forbid.
    """

    def __init__(self, unet: nn.Module, control: nn.Module, text: TextEncoder, rng: torch.Generator):
        super().__init__()
        self.unet, self.control, self.text = unet, control, text
        self.last_hint = control.input_hint_block[-1]
        draw(unet, rng)
        draw(control, rng)
        for net in (unet, control):
            net.requires_grad_(True)
        self.control.input_hint_block.requires_grad_(False)
        self.last_hint.requires_grad_(True)

    def forward(self, x: Tensor, t: Tensor, rows: Tensor, features: Tensor, shown: Tensor) -> Tensor:
        """Predicted noise [b,16,y,x]; ``shown`` [b,1,1,1] is 0 where the hint is not."""
        context = self.text(rows)
        residuals = self._control(x, t, context, features, shown)
        emb = self.unet.time_embed(timestep_embedding(t, self.unet.model_channels))
        h, skips = x, []
        for block in self.unet.input_blocks:
            h = block(h, emb, context)
            skips.append(h)
        h = self.unet.middle_block(h, emb, context) + residuals.pop()
        for block in self.unet.output_blocks:
            h = block(torch.cat([h, skips.pop() + residuals.pop()], dim=1), emb, context)
        return self.unet.out(h)

    def _control(self, x: Tensor, t: Tensor, context: Tensor, features: Tensor, shown: Tensor) -> list[Tensor]:
        net = self.control
        emb = net.time_embed(timestep_embedding(t, net.model_channels))
        h, residuals = x, []
        for number, (block, zero) in enumerate(zip(net.input_blocks, net.zero_convs)):
            h = block(h, emb, context)
            h = h + self.last_hint(features) if number == 0 else h
            residuals.append(shown * zero(h, emb, context))
        h = net.middle_block(h, emb, context)
        return [*residuals, shown * net.middle_block_out(h, emb, context)]


@torch.no_grad()
def draw(net: nn.Module, rng: torch.Generator) -> None:
    """Draw the weights: uniform by fan in; the last layer of each residual branch starts at 0.

    The ControlNet's zero convolutions start at a tenth rather than at 0: control then learns from the first step.
    """
    for name, value in net.named_parameters():
        if "input_hint_block" in name and "input_hint_block.14" not in name:
            continue
        if value.ndim == 1:
            value.fill_(1.0 if name.endswith("weight") else 0.0)
            continue
        bound = value[0].numel() ** -0.5
        value.uniform_(-bound, bound, generator=rng)
        if any(layer in name for layer in ("out_layers.3", "proj_out")) or name == "out.2.weight":
            value.zero_()
        elif "zero_convs" in name or "middle_block_out" in name:
            value.mul_(0.1)


def stage(schedule: Schedule, module: Denoiser, folder: Path, device: str) -> Stage:
    """The denoiser on its way through ``schedule``."""
    return Stage(schedule, module.to(device), folder)


def noise_levels() -> Tensor:
    """Cumulative signal share of Stable Diffusion's 1000 steps, [1000]."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64).square()
    return (1 - betas).cumprod(0).float()


def loss(module: Denoiser, examples: Examples, alphas: Tensor, batch: int, rng: torch.Generator, device: str) -> Tensor:
    """Squared error of the predicted noise, weighted by min-SNR-5, over stratified steps."""
    latents, features, rows = examples.batch(batch, rng)
    strata = (torch.arange(batch) + torch.rand(batch, generator=rng)) / batch
    t = (strata * STEPS).long().clamp_max(STEPS - 1).to(device)
    noise = torch.randn(latents.shape, generator=rng).to(device)
    shown = (torch.rand(batch, 1, 1, 1, generator=rng) >= HINT_DROP).float().to(device)
    share = alphas[t][:, None, None, None]
    noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
    with torch.autocast("cuda", torch.bfloat16, enabled=device != "cpu"):  # a processor's attention is slower in it
        predicted = module(noisy, t, rows, features, shown)
    error = (predicted.float() - noise).square().mean(dim=(1, 2, 3))
    snr = alphas[t] / (1 - alphas[t])
    return (error * snr.clamp_max(MIN_SNR) / snr).mean()
