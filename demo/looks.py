"""What a drawn character wears and looks like, all from one seed."""

import colorsys
from dataclasses import dataclass

import numpy as np

from .shapes import Colour

_SKIN = ("f6d7c0", "eebf9e", "e0a982", "c98d64", "a8704b", "875437", "653c28", "f2c9b4")
_HAIR = ("2b2523", "4a3226", "6e4529", "96602f", "c9953f", "e8c878", "b3482a", "8d8d93", "5b3b78", "2e5d8c")
HAIR_STYLES = ("short", "bob", "long", "bun", "spiky", "cap")
PATTERNS = ("plain", "stripes", "bars", "dots", "checks", "band", "emblem")
SLEEVES = (0.32, 0.92, 1.85)  # how far down the arm: 1 is the elbow, 2 the wrist
LEGWEAR = (0.72, 1.25, 1.92)  # shorts, below the knee, trousers: 1 is the knee, 2 the ankle


@dataclass(frozen=True)
class Looks:
    """Colours (RGB, 0-1) and choices of one character."""

    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    shirt_second: Colour
    legs: Colour
    shoes: Colour
    soles: Colour
    hair_style: str
    pattern: str
    pattern_size: float  # body fractions
    sleeve: float  # see SLEEVES
    legwear: float  # see LEGWEAR
    smile: bool  # an open mouth
    fringe: float  # -1 to 1, where the parting is


def looks(seed: int) -> Looks:
    """The looks of character ``seed``."""
    rng = np.random.default_rng([seed, 2])
    hue = rng.random()
    shirt = vivid(hue, rng.uniform(0.45, 0.85), rng.uniform(0.55, 0.95))
    legs = vivid(hue + rng.uniform(0.25, 0.75), rng.uniform(0.2, 0.7), rng.uniform(0.25, 0.7))
    return Looks(
        skin=_jitter(rng, str(rng.choice(_SKIN)), 0.025),
        hair=_jitter(rng, str(rng.choice(_HAIR)), 0.04),
        iris=vivid(rng.random(), 0.5, 0.5),
        shirt=shirt,
        shirt_second=_second(rng, hue, shirt),
        legs=legs,
        shoes=vivid(rng.random(), rng.uniform(0.1, 0.85), rng.uniform(0.2, 0.9)),
        soles=(0.93, 0.92, 0.88) if rng.random() < 0.7 else (0.16, 0.15, 0.16),
        hair_style=str(rng.choice(HAIR_STYLES)),
        pattern=str(rng.choice(PATTERNS)),
        pattern_size=rng.uniform(0.035, 0.055),
        sleeve=float(rng.choice(SLEEVES)),
        legwear=float(rng.choice(LEGWEAR)),
        smile=bool(rng.random() < 0.5),
        fringe=rng.uniform(-1, 1),
    )


def vivid(hue: float, saturation: float, value: float) -> Colour:
    """RGB of a hue (any real number, 1 is a full turn), saturation and value 0-1."""
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def darker(colour: Colour, share: float) -> Colour:
    """The colour times ``share``."""
    return tuple(share * c for c in colour)


def _second(rng: np.random.Generator, hue: float, shirt: Colour) -> Colour:
    """The pattern's colour: pale on a strong shirt, or another hue, always far from the shirt."""
    if rng.random() < 0.45:
        return (0.96, 0.95, 0.92)
    other = vivid(hue + rng.choice((0.08, 0.33, 0.5, 0.62)), rng.uniform(0.5, 0.9), 0.35 if sum(shirt) > 1.5 else 0.95)
    return other


def _jitter(rng: np.random.Generator, code: str, spread: float) -> Colour:
    """A hex colour moved a little, RGB 0-1."""
    base = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255
    return tuple(float(c) for c in np.clip(base + rng.uniform(-spread, spread, 3), 0, 1))
