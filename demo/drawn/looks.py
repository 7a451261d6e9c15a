"""What a drawn character wears and looks like, all from one seed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .shapes import Colour

COLOURS = {  # name to hex; far enough apart to be told from one another after the jitter
    "red": "d62a2f",
    "orange": "f08a24",
    "yellow": "f4d838",
    "green": "3f9f3f",
    "teal": "2fb3ac",
    "blue": "4590ec",
    "navy": "263572",
    "purple": "8a40b0",
    "pink": "f49cc4",
    "brown": "83502a",
    "grey": "8c9096",
    "white": "f3f2ee",
}
HAIR_COLOURS = {
    "black": "26211f",
    "brown": "6b4426",
    "blond": "e5c266",
    "red": "bc4a22",
    "grey": "9a9aa0",
    "purple": "6a3c94",
}
SKINS = {"light": "f8d9c2", "tan": "dca277", "brown": "a56c46", "dark": "643c28"}
HAIR_STYLES = ("short", "bob", "long", "bun", "spiky")
HATS = ("none", "cap", "hat")  # a hat has a brim all around
PATTERNS = ("plain", "stripes", "bars", "dots", "checks", "band", "emblem")
SLEEVES = {"short": 0.72, "long": 1.85}  # how far down the arm: 1 is the elbow, 2 the wrist
LEGWEAR = {"trousers": 1.92, "shorts": 0.75, "skirt": 0.0}  # 1 is the knee, 2 the ankle; a skirt is no sleeve
APART = 0.45  # least RGB distance between a shirt and its pattern


@dataclass(frozen=True)
class Tint:
    """A colour with the name that a caption gives it; RGB 0-1."""

    name: str
    rgb: Colour


@dataclass(frozen=True)
class Looks:
    """Colours and choices of one character."""

    skin: Tint
    hair: Tint
    shirt: Tint
    shirt_second: Tint
    legs: Tint
    shoes: Tint
    hat_colour: Tint
    hair_style: str
    hat: str
    pattern: str
    pattern_size: float  # one period, body fractions
    sleeve: str
    legwear: str
    smile: bool  # an open mouth
    fringe: float  # -1 to 1, where the hair is parted


def looks(seed: int) -> Looks:
    """The looks of character ``seed``."""
    rng = np.random.default_rng([seed, 2])
    shirt = tint(rng)
    style = choice(rng, HAIR_STYLES)
    return Looks(
        skin=tint(rng, SKINS, spread=0.02),
        hair=tint(rng, HAIR_COLOURS, spread=0.03),
        shirt=shirt,
        shirt_second=_second(rng, shirt),
        legs=tint(rng, _but(shirt.name)),
        shoes=tint(rng),
        hat_colour=tint(rng),
        hair_style=style,
        hat="none" if style in ("bun", "spiky") else choice(rng, HATS),  # which no hat would leave visible
        pattern=choice(rng, PATTERNS),
        pattern_size=rng.uniform(0.068, 0.1),
        sleeve=choice(rng, SLEEVES),
        legwear=choice(rng, LEGWEAR),
        smile=bool(rng.random() < 0.5),
        fringe=rng.uniform(-1, 1),
    )


def tint(rng: np.random.Generator, names: dict[str, str] = COLOURS, spread: float = 0.035) -> Tint:
    """One of ``names`` (name to hex), each of its RGB channels (0-1) moved by up to ``spread``."""
    name = choice(rng, names)
    moved = (c + d for c, d in zip(_rgb(names[name]), rng.uniform(-spread, spread, 3).tolist()))
    return Tint(name, tuple(min(max(c, 0.0), 1.0) for c in moved))


def choice(rng: np.random.Generator, names: Iterable[str]) -> str:
    """One of ``names``, each as likely; the Generator's own ``choice`` is slow and gives arrays' types."""
    names = list(names)
    return names[rng.integers(len(names))]


def darker(colour: Colour, share: float) -> Colour:
    """The colour times ``share``."""
    return tuple(share * c for c in colour)


def _but(*names: str) -> dict[str, str]:
    """All colours but these."""
    return {name: code for name, code in COLOURS.items() if name not in names}


def _second(rng: np.random.Generator, shirt: Tint) -> Tint:
    """The pattern's colour: half the time white, always far from the shirt's."""
    far = {name: code for name, code in COLOURS.items() if math.dist(_rgb(code), shirt.rgb) > APART}
    return tint(rng, {"white": COLOURS["white"]} if "white" in far and rng.random() < 0.35 else far)


def _rgb(code: str) -> Colour:
    return tuple(int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
