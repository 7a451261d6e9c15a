"""Refine Preview's pixels: where it may draw, and how its frames meet the one background again.

Axes: f frames, h, w pixels. Masks are float32, 0-1; pictures [f,h,w,3] float32 0-1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

PAINTED = 8 / 255  # the plate differs from the reference by more than this where it was painted
ROWS = 64  # of the picture at once, where all frames are looked at together


@dataclass(frozen=True)
class Regions:
    """What may be drawn anew: ``moving`` [f,h,w], the figure and its holes; ``painted`` [1,h,w] of the plate."""

    moving: Tensor
    painted: Tensor

    @classmethod
    def of(cls, person: Tensor, holes: Tensor, reference: Tensor, plate: Tensor, grow: int) -> "Regions":
        """From masks [f,h,w] and the pictures [1,h,w,3] of reference and plate, all ``grow`` pixels larger."""
        differs = ((reference - plate).abs().amax(dim=-1) > PAINTED).to(torch.float32)
        return cls(grown(torch.maximum(person, holes), grow), grown(differs, grow))

    @property
    def drawn(self) -> Tensor:
        """All of it, [f,h,w]."""
        return torch.maximum(self.moving, self.painted)


def one_noise(like: Tensor, seed: int) -> Tensor:
    """KSampler's noise of ``seed`` for one frame, given to all frames of a latent [f,c,h,w]."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn((1, *like.shape[1:]), generator=rng).expand(like.shape)


def grown(masks: Tensor, pixels: int) -> Tensor:
    """Masks [f,h,w], 1 where any value above one half lies within ``pixels`` in x and y."""
    hard = (masks > 0.5).to(torch.float32)[:, None]
    return functional.max_pool2d(hard, 2 * pixels + 1, stride=1, padding=pixels)[:, 0]


def softened(masks: Tensor, pixels: int) -> Tensor:
    """Masks [f,h,w] whose edge falls to 0 over ``pixels`` on the inside."""
    if pixels == 0:
        return masks
    inside = 1 - grown(1 - masks, pixels // 2)
    padded = functional.pad(inside[:, None], [pixels // 2] * 4, mode="replicate")
    return functional.avg_pool2d(padded, 2 * (pixels // 2) + 1, stride=1)[:, 0]


def still_plate(frames: Tensor, moving: Tensor, plate: Tensor) -> Tensor:
    """One background [h,w,3]: per pixel the median of the frames in which nothing moves there, else ``plate``.

    frames [f,h,w,3], moving [f,h,w] (0 = still), plate [h,w,3].
    """
    made = plate.clone()
    for top in range(0, len(plate), ROWS):
        rows = slice(top, top + ROWS)
        seen = torch.where(moving[:, rows, :, None] > 0, torch.nan, frames[:, rows])
        middle = seen.nanmedian(dim=0).values
        made[rows] = torch.where(middle.isnan(), plate[rows], middle)
    return made


def composited(frames: Tensor, share: Tensor, plate: Tensor) -> Tensor:
    """``frames`` [f,h,w,3] where ``share`` [f,h,w] is 1, the one ``plate`` [h,w,3] bit for bit where it is 0."""
    mixed = torch.lerp(plate.expand_as(frames), frames, share[..., None])
    return torch.where(share[..., None] > 0, mixed, plate)


def assembled(frames: Tensor, regions: Regions, plate: Tensor, soft: int) -> tuple[Tensor, Tensor]:
    """Refined ``frames`` [f,h,w,3] over one background, and that [h,w,3], with edges of ``soft`` pixels.

    Where ``plate`` [h,w,3] was painted it takes what the frames have in common; elsewhere it stays.
    """
    common = still_plate(frames, regions.moving, plate)
    ground = composited(common[None], softened(regions.painted, soft), plate)[0]
    return composited(frames, softened(regions.moving, soft), ground), ground
