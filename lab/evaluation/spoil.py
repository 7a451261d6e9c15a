"""Previews that are wrong in the ways of real ones: a right one spoiled, the same way every time.

Parts are the true labels, as far as the preview shows a person there. What is drawn by chance follows from the
seed and is the same in all frames, as a warp's errors are.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

TORSO, PARTS = 1, range(1, 11)
SHIFTS = (1, 3)  # pixels that a part is off, least and most
LIGHT = 0.35  # share of its light by which a part is too bright or too dark at the most
STRETCH = 0.15  # by which the trunk's texture is stretched or squeezed where that is strongest
RIMS = (1, 2)  # pixels that a halo is wide


@dataclass(frozen=True)
class Scene:
    """A preview [F,H,W,3], its masks [F,H,W], the parts in them [F,H,W] (0 off the person), the ground [1,H,W,3]."""

    frames: Tensor
    masks: Tensor
    parts: Tensor
    ground: Tensor


def spoiled(
    kind: str, frames: Tensor, masks: Tensor, labels: Tensor, ground: Tensor, seed: int, strength: float = 1.0
) -> Tensor:
    """Frames [F,H,W,3] spoiled by ``kind``, one of SPOILS; labels [F,H,W], ground [1,H,W,3], strength 0 = not at all.

    The pixels off the person are as they were, but for a halo's rim.
    """
    parts = torch.where(masks > 0.5, labels, torch.zeros_like(labels))
    rng = np.random.default_rng([seed, 53])
    return SPOILS[kind](Scene(frames, masks, parts, ground), rng, strength)


def _seams(scene: Scene, rng: np.random.Generator, strength: float) -> Tensor:
    """Every part's picture shifted within the part, and a gap of one pixel where two parts meet."""
    found = scene.frames.clone()
    for part in PARTS:
        lengths, signs = rng.integers(SHIFTS[0], SHIFTS[1] + 1, 2), rng.choice((-1, 1), 2)
        way = tuple(int(step) for step in np.rint(strength * lengths * signs))
        inside = scene.parts == part
        there = inside & inside.roll(way, (1, 2))
        found[there] = scene.frames.roll(way, (1, 2))[there]
    gaps = _joints(scene.parts).to(found)[..., None]
    return torch.lerp(found, scene.ground.expand_as(found), min(strength, 1.0) * gaps)


def _joints(parts: Tensor) -> Tensor:
    """Which pixels [F,H,W] meet another part to their right or below."""
    padded = functional.pad(parts, (0, 1, 0, 1))
    others = padded[:, :-1, 1:], padded[:, 1:, :-1]
    met = [(parts > 0) & (other > 0) & (parts != other) for other in others]
    return met[0] | met[1]


def _light(scene: Scene, rng: np.random.Generator, strength: float) -> Tensor:
    """Each part has a light of its own: half a wave over its length, in a direction and from a phase by chance."""
    found = scene.frames.clone()
    y, x = _places(scene.parts)
    for part in PARTS:
        turn, phase = rng.uniform(0, 2 * math.pi, 2)
        along = x * math.cos(turn) + y * math.sin(turn)
        for frame, inside in zip(found, scene.parts == part):
            if inside.any():
                spots = along[inside]
                place = (spots - spots.min()) / (spots.max() - spots.min()).clamp_min(1)
                frame[inside] *= 1 + strength * LIGHT * torch.sin(phase + math.pi * place)[:, None]
    return found.clamp(0, 1)


def _stretch(scene: Scene, rng: np.random.Generator, strength: float) -> Tensor:
    """The trunk's texture read from above or below: its ends stay, its middle moves, and between it is stretched."""
    found = scene.frames.clone()
    sign = rng.choice((-1, 1))
    rows, _ = _places(scene.parts)
    for frame, picture, inside in zip(found, scene.frames, scene.parts == TORSO):
        if inside.any():
            top, bottom = rows[inside].min(), rows[inside].max() + 1
            wave = torch.sin(math.pi * (rows + 0.5 - top) / (bottom - top))
            source = rows + sign * strength * STRETCH / math.pi * (bottom - top) * wave
            frame[:] = _from_rows(picture, source, inside)
    return found


def _from_rows(picture: Tensor, source: Tensor, inside: Tensor) -> Tensor:
    """A picture [H,W,3] read at rows ``source`` [H,W] where it and they are ``inside`` [H,W]."""
    upper = source.floor().long().clamp(0, len(picture) - 2)
    columns = torch.arange(picture.shape[1]).expand_as(upper)
    share = (source - upper).clamp(0, 1)[..., None]
    read = torch.lerp(picture[upper, columns], picture[upper + 1, columns], share.to(picture))
    whole = inside & inside[upper, columns] & inside[upper + 1, columns]
    return torch.where(whole[..., None], read, picture)


def _halo(scene: Scene, rng: np.random.Generator, strength: float) -> Tensor:
    """A rim of one colour around the figure, as a mask that is too wide brings it along."""
    width = int(rng.integers(RIMS[0], RIMS[1] + 1))
    colour = torch.from_numpy(rng.uniform(0, 1, 3)).to(scene.frames)
    person = scene.masks > 0.5
    grown = functional.max_pool2d(person.float(), 2 * width + 1, stride=1, padding=width) > 0.5
    rim = (grown & ~person).to(scene.frames)[..., None]
    return torch.lerp(scene.frames, colour.expand_as(scene.frames), min(strength, 1.0) * rim)


def _places(parts: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column [H,W] of every pixel."""
    rows, columns = (torch.arange(side, dtype=torch.float32) for side in parts.shape[1:])
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return y, x


SPOILS: dict[str, Callable[[Scene, np.random.Generator, float], Tensor]] = {
    "seams": _seams,
    "light": _light,
    "stretch": _stretch,
    "halo": _halo,
}
