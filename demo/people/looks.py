"""What an identity wears and looks like, all from its seed."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .shape import Shape

Colour = tuple[float, float, float]

COLOURS = {  # name to a few hex codes, as clothes are dyed
    "red": ("a8323a", "b5483f", "8f2e3a"),
    "orange": ("c9743c", "d08a55"),
    "yellow": ("d8b656", "e3cd85", "c9a23e"),
    "green": ("5c8259", "3f6a50", "7f9668", "4d5f3d"),
    "teal": ("3f8286", "5f9d9a", "2f6670"),
    "blue": ("5b86b8", "7fa3c7", "466fa6"),
    "navy": ("2b3652", "323c5e"),
    "purple": ("6d5088", "8a6f9f"),
    "pink": ("d9a0a8", "cf8496", "e3bcc0"),
    "brown": ("76563f", "8c6a4c", "5c4434"),
    "grey": ("85888c", "a3a5a6", "66696d"),
    "white": ("e6e3dc", "dcd7cc", "efeeea"),
    "black": ("2c2c30", "35343a"),
    "beige": ("c8b596", "d6c6ab"),
}
TOP_COLOURS = tuple(name for name in COLOURS if name not in ("brown", "beige"))  # which can be taken for skin
LEG_COLOURS = ("navy", "blue", "black", "grey", "brown", "beige", "green", "white", "red", "teal")
SHOE_COLOURS = ("black", "brown", "white", "grey", "red", "navy", "blue")
SKINS = {
    "light": ("ecc6ad", "e3b597"),
    "tan": ("cf9e7a", "c08c66"),
    "brown": ("9d6b49", "85573a"),
    "dark": ("62402e", "4d3226"),
}
HAIR_COLOURS = {
    "black": ("1f1b1b", "2a2422"),
    "brown": ("4a3123", "6a4630", "3a2a20"),
    "blond": ("c9a667", "b08d55", "dcc28a"),
    "red": ("8f4526", "a3582f"),
    "grey": ("9a9896", "b9b7b3", "7c7a79"),
    "purple": ("6a4a80",),
}
HAIR_STYLES = {
    "woman": ("long", "long", "bob", "bun", "ponytail", "short", "curly"),
    "man": ("short", "short", "short", "cropped", "cropped", "curly", "bob"),
}
PATTERNS = ("plain", "plain", "plain", "stripes", "bars", "checks", "dots", "camouflage", "halves", "band")
LEG_PATTERNS = ("plain",) * 10 + ("checks", "camouflage")
PRINTS = ("none", "none", "disc", "block", "star", "letters")
EYES = ("4a3424", "5c4a34", "5f7a86", "6c8256", "3a2a20")


@dataclass(frozen=True)
class Tint:
    """A colour with the name that a caption gives it; RGB 0-1."""

    name: str
    rgb: Colour


@dataclass(frozen=True)
class Garment:
    """Cloth: its colours, its pattern and how wide it falls (decimetres off the body)."""

    tint: Tint
    second: Tint
    pattern: str
    size: float  # one period, decimetres
    loose: float


@dataclass(frozen=True)
class Looks:
    """Colours and choices of one identity."""

    skin: Tint
    hair: Tint
    hair_style: str
    fringe: float  # where the hair is parted, -1 to 1
    beard: bool
    eyes: Colour
    lips: float  # how red
    top: Garment
    sleeve: float  # 0 none, 1 to the elbow, 2 to the wrist
    neckline: str  # round | v
    tucked: bool
    chest_print: str
    back_print: str
    print_tint: Tint
    legs: Garment
    legwear: str  # trousers | shorts | skirt | dress
    hem: float  # of the legwear along the leg: 0 hip, 1 knee, 2 ankle
    shoes: Tint
    boots: bool
    socks: bool


def looks(seed: int, shape: Shape) -> Looks:
    """The looks of identity ``seed`` with the body ``shape``."""
    rng = np.random.default_rng([seed, 2])
    kind = "woman" if shape.woman else "man"
    style = choice(rng, HAIR_STYLES[kind])
    legwear = choice(
        rng, ("trousers", "trousers", "shorts", "skirt", "dress") if shape.woman else ("trousers",) * 2 + ("shorts",)
    )
    skin = tint(rng, SKINS, _origin_skins(shape, rng), spread=0.02)
    top = _garment(rng, _far_from(skin, TOP_COLOURS), PATTERNS, skin)
    others = [name for name in _far_from(skin, LEG_COLOURS) if name != top.tint.name]
    legs = top if legwear == "dress" else _garment(rng, others, LEG_PATTERNS, skin)
    printed = top.pattern in ("plain", "halves")
    return Looks(
        skin=skin,
        hair=tint(rng, HAIR_COLOURS, _hair_names(shape, skin, rng), spread=0.02),
        hair_style=style,
        fringe=float(rng.uniform(-1, 1)),
        beard=not shape.woman and rng.random() < 0.3,
        eyes=_rgb(choice(rng, EYES)),
        lips=float(rng.uniform(0.35, 1.0) if shape.woman else rng.uniform(0.1, 0.35)),
        top=top,
        sleeve=float(rng.choice((0.0, 0.45, 0.62, 1.3, 1.93, 1.93) if shape.woman else (0.5, 0.68, 1.93, 1.93))),
        neckline=choice(rng, ("round", "round", "v")),
        tucked=bool(legwear in ("skirt", "dress") or rng.random() < 0.3),
        chest_print=choice(rng, PRINTS) if printed else "none",
        back_print=choice(rng, PRINTS) if printed else "none",
        print_tint=_second(rng, top.tint, COLOURS),
        legs=legs,
        legwear=legwear,
        hem=_hem(rng, legwear),
        shoes=tint(rng, COLOURS, SHOE_COLOURS),
        boots=bool(rng.random() < 0.25),
        socks=bool(rng.random() < 0.5),
    )


def _hair_names(shape: Shape, skin: Tint, rng: np.random.Generator) -> list[str]:
    """The hair colours that go with an age and a face, most of the time."""
    share = rng.random()
    if share < 0.05:
        return ["purple"]
    if shape.age > 0.45 and share < 0.85:
        return ["grey"]
    dark = (skin.name in ("brown", "dark") or shape.origins[1] > 0.5) and share < 0.88
    return ["black", "black", "brown"] if dark else ["black", "brown", "brown", "blond", "red", "blond"]


def _hem(rng: np.random.Generator, legwear: str) -> float:
    low, high = {"trousers": (1.88, 1.94), "shorts": (0.6, 1.0), "skirt": (0.62, 1.6), "dress": (0.66, 1.7)}[legwear]
    return float(rng.uniform(low, high))


def _origin_skins(shape: Shape, rng: np.random.Generator) -> list[str]:
    """The skins that go with a face, most of the time."""
    if rng.random() < 0.25:
        return list(SKINS)
    return (["brown", "dark"], ["light", "tan"], ["light", "light", "tan"])[int(np.argmax(shape.origins))]


def _far_from(skin: Tint, names: Iterable[str]) -> list[str]:
    """The colours that nobody takes for this skin."""
    return [name for name in names if min(math.dist(_rgb(code), skin.rgb) for code in COLOURS[name]) > 0.22]


def _garment(rng: np.random.Generator, names: Iterable[str], patterns: tuple[str, ...], skin: Tint) -> Garment:
    main = tint(rng, COLOURS, names)
    second = _second(rng, main, _far_from(skin, COLOURS))
    return Garment(main, second, choice(rng, patterns), float(rng.uniform(0.7, 1.5)), float(rng.uniform(0, 1) ** 1.5))


def tint(
    rng: np.random.Generator, table: dict[str, tuple[str, ...]], names: Iterable[str] = (), spread: float = 0.03
) -> Tint:
    """One of ``names`` (all of the table if none), one of its codes, each channel moved by up to ``spread``."""
    name = choice(rng, list(names) or table)
    base = _rgb(choice(rng, table[name]))
    light = rng.uniform(-spread, spread)
    moved = (c + light + d for c, d in zip(base, rng.uniform(-spread / 2, spread / 2, 3).tolist()))
    return Tint(name, tuple(min(max(c, 0.02), 0.97) for c in moved))


def choice(rng: np.random.Generator, names: Iterable[str]) -> str:
    """One of ``names``, each as likely."""
    names = list(names)
    return names[rng.integers(len(names))]


def _second(rng: np.random.Generator, first: Tint, names: Iterable[str]) -> Tint:
    """Another colour of ``names``, far enough from the first to be seen; often white."""
    far = [name for name in names if math.dist(_rgb(COLOURS[name][0]), first.rgb) > 0.3]
    return tint(rng, COLOURS, ("white",) if "white" in far and rng.random() < 0.35 else far)


def _rgb(code: str) -> Colour:
    return tuple(int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
