"""Colours of skin, hair, eyes and cloth at places on the base mesh."""

import numpy as np

from .geometry import step
from .hair import hairline
from .looks import Garment, Looks
from .mesh import EYES, HAIR, LEGS, SHOES, SKIN, TOP
from .noise import noise
from .patterns import cloth_share, print_share

EYE = np.array([0.31, 7.288, 1.245])  # middle of the left eyeball


def albedo(
    looks: Looks, seed: int, material: np.ndarray, rest: np.ndarray, paint: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """RGB [m,3] of surface places, and which of them [m] shine like hair."""
    colour = np.zeros((len(rest), 3), dtype=np.float32)
    shiny = material == HAIR
    for kind, of in PAINTERS.items():
        rows = np.flatnonzero(material == kind)
        if len(rows):
            colour[rows] = of(looks, seed, rest[rows], paint[rows])
    skin = np.flatnonzero((material == SKIN) & (rest[:, 1] > 6.2))
    hair = skin[_has_hair(looks, rest[skin])]
    colour[hair] = _hair(looks, seed, rest[hair], _scalp_strands(rest[hair]))
    shiny[hair] = True
    return colour, shiny


def _has_hair(looks: Looks, rest: np.ndarray) -> np.ndarray:
    """Where the scalp shows hair [m]: above the hairline, whose edge is a little rough."""
    rough = 0.10 * (noise(9 * rest[:, 0], 9 * rest[:, 1] + 7 * rest[:, 2], 31) - 0.5)
    fringe = 0.18 * np.abs(looks.fringe) * step(0.5, 0.0, np.abs(rest[:, 0] - 0.3 * looks.fringe)) * (looks.fringe > 0)
    return hairline(rest) + fringe + rough > 0.04


def _scalp_strands(rest: np.ndarray) -> np.ndarray:
    """Strand coordinates [m,2] on the scalp: strands run from the crown down."""
    return np.stack([np.arctan2(rest[:, 0], 0.45 - rest[:, 2]), rest[:, 1]], axis=1)


def _hair(looks: Looks, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """Strands lighter and darker than the hair's colour."""
    across, down = paint.T
    if looks.hair_style == "curly":
        x, y, z = rest.T
        curls = noise(7 * x + 3 * z, 7 * y + 2 * z, seed + 1) + 0.5 * noise(15 * x - 5 * z, 14 * y + 6 * z, seed + 2)
        return np.array(looks.hair.rgb, dtype=np.float32) * (0.4 + 0.85 * curls[:, None]).astype(np.float32)
    fine = noise(38 * across, 0.9 * down, seed + 1)
    broad = noise(11 * across + 0.5 * np.sin(down), 0.5 * down, seed + 2)
    roots = 0.88 + 0.12 * step(8.4, 7.2, down)
    tone = (0.62 + 0.42 * fine + 0.34 * broad) * roots
    return np.array(looks.hair.rgb, dtype=np.float32) * tone[:, None].astype(np.float32)


def _skin(looks: Looks, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    base = np.array(looks.skin.rgb, dtype=np.float32)
    colour = base * (0.97 + 0.06 * noise(5 * rest[:, 0], 5 * rest[:, 1], seed))[:, None]
    if looks.socks:
        colour[rest[:, 1] < -6.75] = (0.84, 0.83, 0.80)
    face = np.flatnonzero((rest[:, 1] > 6.2) & (rest[:, 2] > 0.5))
    colour[face] = _face(looks, rest[face], paint[face, 0], colour[face])
    return colour


def _face(looks: Looks, rest: np.ndarray, lips: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Cheeks, lips, brows, lashes and beard over the skin."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    cheek = np.exp(-(((x - 0.48) / 0.22) ** 2 + ((y - 6.93) / 0.2) ** 2)) * (z > 0.8)
    colour = _mixed(colour, colour * (1.04, 0.86, 0.85), 0.6 * cheek)
    red = colour * (0.86, 0.55, 0.56) + np.array((0.06, 0.0, 0.01))
    colour = _mixed(colour, red, lips * (0.45 + 0.5 * looks.lips))
    if looks.beard:
        low = step(6.95, 6.75, y) * step(0.85, 0.95, z + 0.35 * x) * (1 - lips) * step(6.18, 6.3, y)
        colour = _mixed(colour, np.array(looks.hair.rgb) * 0.9, 0.75 * low)
    hair = np.array(looks.hair.rgb) * 0.62
    arch = 7.535 + 0.03 * np.sin(np.clip((x - 0.1) / 0.45, 0, 1) * 2.6)
    brow = step(0.055, 0.02, np.abs(y - arch)) * step(0.09, 0.15, x) * step(0.58, 0.46, x) * (z > 0.9)
    colour = _mixed(colour, hair, 0.85 * brow)
    lid = np.hypot((x - 0.31) / 0.19, (y - 7.30) / 0.085)
    lash = step(1.35, 1.0, lid) * (z > 1.0) * (0.35 + 0.4 * (y > 7.31))
    return _mixed(colour, colour * 0.35, lash)


def _mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    return (first + share[:, None] * (second - first)).astype(np.float32)


def _eyes(looks: Looks, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """White, iris and pupil."""
    away = np.hypot(np.abs(rest[:, 0]) - EYE[0], rest[:, 1] - EYE[1])
    colour = np.full((len(rest), 3), 0.86, dtype=np.float32) * (1.0, 0.98, 0.97)
    colour[away < 0.078] = looks.eyes
    colour[away < 0.038] = 0.05
    return colour


def _top(looks: Looks, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    colour = _cloth(looks.top, seed, rest, paint)
    ink = np.array(looks.print_tint.rgb, dtype=np.float32)
    for kind, front in ((looks.chest_print, True), (looks.back_print, False)):
        if kind != "none":
            side = (rest[:, 2] > 0.35) == front
            share = print_share(kind, rest[:, 0] * (1 if front else -1), rest[:, 1] - (3.6 if front else 3.9)) * side
            colour = _mixed(colour, ink, share * (np.abs(rest[:, 0]) < 1.4))
    return colour


def _legs(looks: Looks, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    if looks.legwear == "dress":
        return _cloth(looks.top, seed, rest, paint)
    return _cloth(looks.legs, seed + 3, rest, paint)


def _cloth(garment: Garment, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    first, second = (np.array(tint.rgb, dtype=np.float32) for tint in (garment.tint, garment.second))
    share = cloth_share(garment.pattern, garment.size, seed, rest, paint)
    weave = 0.96 + 0.08 * noise(9 * paint[:, 0], 9 * paint[:, 1], seed)
    return (first + share[:, None] * (second - first)) * weave[:, None]


def _shoes(looks: Looks, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    colour = np.tile(np.array(looks.shoes.rgb, dtype=np.float32), (len(rest), 1))
    pale = looks.shoes.name not in ("white", "brown")
    colour[rest[:, 1] < -8.02] = (0.82, 0.81, 0.79) if pale and not looks.boots else (0.2, 0.17, 0.15)
    lace = (np.abs(np.abs(rest[:, 0]) - 2.2) < 0.22) & (rest[:, 2] > 0.5) & (rest[:, 2] < 1.15) & (rest[:, 1] > -7.95)
    colour[lace & ((rest[:, 2] * 6) % 1 < 0.4)] *= 0.6
    return colour


PAINTERS = {HAIR: _hair, SKIN: _skin, EYES: _eyes, TOP: _top, LEGS: _legs, SHOES: _shoes}
