"""Drawn inputs of the benchmark and the tests: latents, pose hints, conditionings; all seeded, fp32, CPU."""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional


def generator(seed: int) -> torch.Generator:
    """A CPU generator with this seed."""
    return torch.Generator("cpu").manual_seed(seed)


def latent(frames: int, h: int, w: int, seed: int = 0) -> dict[str, Tensor]:
    """LATENT [F,4,h,w] of a smooth picture that drifts from frame to frame, in the VAE's units (spread near 3)."""
    rng = generator(seed)
    coarse = torch.randn(1, 4, 3, 3, generator=rng) + 0.3 * torch.randn(frames, 4, 3, 3, generator=rng)
    smooth = functional.interpolate(coarse, (h, w), mode="bicubic", align_corners=False)
    return {"samples": 3.0 * smooth + 0.3 * torch.randn(frames, 4, h, w, generator=rng)}


def hint(frames: int, h: int, w: int, seed: int = 0) -> Tensor:
    """IMAGE [F,8h,8w,3]: a coloured stick on black that turns by 0.2 rad per frame."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 8 * h), torch.linspace(-1, 1, 8 * w), indexing="ij")
    angles = 0.2 * torch.arange(frames) + torch.rand(1, generator=generator(seed))
    sine, cosine = (rearrange(values, "f -> f 1 1") for values in (angles.sin(), angles.cos()))
    stick = ((x * sine - y * cosine).abs() < 0.15).float() * ((x * cosine + y * sine).abs() < 0.8)
    return torch.stack((stick, 0.5 * stick, stick * (x * 0.5 + 0.5)), dim=-1)


def conditioning(width: int, tokens: int = 77, pooled: int = 0, seed: int = 0) -> list:
    """CONDITIONING of drawn unit normals [1,tokens,width]; `pooled` is the width of pooled_output, 0 for none."""
    rng = generator(seed)
    extra = {"pooled_output": torch.randn(1, pooled, generator=rng)} if pooled else {}
    return [[torch.randn(1, tokens, width, generator=rng), extra]]


def relative(a: Tensor, b: Tensor) -> float:
    """Relative L2 distance |a - b| / |b| over all elements."""
    return ((a.double() - b.double()).norm() / b.double().norm()).item()
