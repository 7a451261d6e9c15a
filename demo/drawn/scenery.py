"""The textured ground behind a drawn character: gradient, floor, shapes and cloth-like texture, from a seed."""

import numpy as np
from einops import rearrange

from .looks import COLOURS, Tint, darker, looks, tint
from .shapes import Capsule, Colour, Convex, Ellipse, Painter, Shape, limited, plane


def ground_tints(seed: int) -> tuple[Tint, Tint]:
    """Colours of the wall and the floor behind character ``seed``; neither is its shirt's, nor the wall its legs'."""
    rng, look = np.random.default_rng([seed, 4]), looks(seed)
    wall = tint(rng, {name: code for name, code in COLOURS.items() if name not in (look.shirt.name, look.legs.name)})
    return wall, tint(rng, {name: code for name, code in COLOURS.items() if name not in (look.shirt.name, wall.name)})


def scenery(seed: int, height: int, width: int) -> np.ndarray:
    """Background of character ``seed``, [H,W,3] float32 0-1; alike at every size."""
    rng = np.random.default_rng([seed, 3])
    wall, floor = (place.rgb for place in ground_tints(seed))
    horizon = rng.uniform(0.68, 0.82)
    painter = Painter(_wall(rng, wall, height, width))
    for _ in range(rng.integers(3, 7)):
        painter.paint(_ornament(rng, height, width, horizon), _near(rng, wall), opacity=0.8)
    below = limited(np.arange(1, height + 1) - horizon * height).astype(np.float32)[:, None]
    planes = painter.planes + below * (plane(floor) - painter.planes)
    planes *= 1 + _texture(rng, height, width).astype(np.float32)
    return np.ascontiguousarray(rearrange(limited(planes), "c h w -> h w c"))


def _wall(rng: np.random.Generator, colour: Colour, height: int, width: int) -> np.ndarray:
    """A gradient from the colour to a shade of it in a random direction, [3,H,W]."""
    first, second = plane(colour), plane(darker(colour, rng.uniform(0.78, 0.9)))
    turn = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width)[None] * np.cos(turn)
    y = np.linspace(-1, 1, height)[:, None] * np.sin(turn)
    return first + limited(0.5 + 0.5 * (x + y)).astype(np.float32) * (second - first)


def _near(rng: np.random.Generator, colour: Colour) -> Colour:
    """A colour of the wall's kind, lighter, darker or of a slightly other hue."""
    other = rng.uniform(0.1, 1.0, 3)
    return tuple(float(c) for c in np.asarray(colour) + 0.35 * (other - np.asarray(colour)))


def _ornament(rng: np.random.Generator, height: int, width: int, horizon: float) -> Shape:
    """A disc, a box or a slanted bar somewhere on the wall."""
    unit = min(height, width)
    x, y = rng.uniform(0, width), rng.uniform(0, horizon * height)
    size, kind = rng.uniform(0.07, 0.16) * unit, rng.integers(3)
    if kind == 0:
        return Ellipse((x, y), (size, size))
    if kind == 1:
        w, h = size * rng.uniform(0.5, 1.2), size * rng.uniform(0.5, 1.2)
        return Convex(((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)))
    dx, dy = rng.normal(0, size, 2).tolist()
    return Capsule((x - dx, y - dy), (x + dx, y + dy), 0.3 * size, 0.3 * size)


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Relative brightness [H,W]: two octaves of smooth noise and a weave, a few per cent strong.

    The weave has 16 cycles per picture: no finer than what an autoencoder of 8 x 8 pixels per cell can carry.
    """
    smooth = sum(
        amount * _stretched(rng.standard_normal((cells, cells)), height, width)
        for cells, amount in ((5, 0.03), (13, 0.02))
    )
    x = np.linspace(0, 2 * np.pi * 16, width)
    y = np.linspace(0, 2 * np.pi * 16, height)
    return smooth + 2 * 0.008 * np.outer(np.sin(y), np.cos(x))  # the sum of two crossing waves


def _stretched(grid: np.ndarray, height: int, width: int) -> np.ndarray:
    """A coarse grid of values over the whole canvas, smoothly interpolated, [H,W]."""
    return _blend(grid.shape[0], height).T @ grid @ _blend(grid.shape[1], width)


def _blend(cells: int, size: int) -> np.ndarray:
    """Weights [cells, size] that interpolate ``cells`` values over ``size`` pixels with eased steps."""
    place = (np.arange(size) + 0.5) / size * (cells - 1)
    first = np.minimum(place.astype(int), cells - 2)
    share = place - first
    share = share * share * (3 - 2 * share)
    weights = np.zeros((cells, size))
    weights[first, np.arange(size)] = 1 - share
    weights[first + 1, np.arange(size)] = share
    return weights
