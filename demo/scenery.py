"""The textured ground behind a drawn character: gradient, floor, shapes and cloth-like texture, from a seed."""

import numpy as np

from .looks import vivid
from .shapes import Capsule, Ellipse, Painter, Polygon, Shape


def scenery(seed: int, height: int, width: int) -> np.ndarray:
    """Background of character ``seed``, [H,W,3] float32 0-1; alike at every size."""
    rng = np.random.default_rng([seed, 3])
    hue = rng.random()
    horizon = rng.uniform(0.68, 0.82)
    painter = Painter(_wall(rng, hue, height, width))
    for _ in range(rng.integers(5, 10)):
        shape = _ornament(rng, height, width, horizon)
        painter.paint(
            shape, vivid(hue + rng.normal(0, 0.12), rng.uniform(0.15, 0.45), rng.uniform(0.55, 0.95)), opacity=0.75
        )
    floor = Polygon(
        ((-9.0, horizon * height), (width + 9.0, horizon * height), (width + 9.0, height + 9.0), (-9.0, height + 9.0))
    )
    painter.paint(floor, vivid(hue + rng.uniform(0.05, 0.5), rng.uniform(0.15, 0.4), rng.uniform(0.5, 0.8)))
    texture = _texture(rng, height, width)
    return np.clip(painter.image * (1 + texture[..., None]), 0, 1).astype(np.float32)


def _wall(rng: np.random.Generator, hue: float, height: int, width: int) -> np.ndarray:
    """A two-colour gradient in a random direction, [H,W,3]."""
    first = np.array(vivid(hue, rng.uniform(0.12, 0.4), rng.uniform(0.7, 0.95)))
    second = np.array(vivid(hue + rng.uniform(-0.12, 0.12), rng.uniform(0.15, 0.45), rng.uniform(0.5, 0.85)))
    turn = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width)[None] * np.cos(turn)
    y = np.linspace(-1, 1, height)[:, None] * np.sin(turn)
    share = np.clip(0.5 + 0.5 * (x + y), 0, 1)[..., None]
    return (first + share * (second - first)).astype(np.float32)


def _ornament(rng: np.random.Generator, height: int, width: int, horizon: float) -> Shape:
    """A disc, a rounded box or a slanted bar somewhere on the wall."""
    unit = min(height, width)
    x, y = rng.uniform(0, width), rng.uniform(0, horizon * height)
    size, kind = rng.uniform(0.05, 0.16) * unit, rng.integers(3)
    if kind == 0:
        return Ellipse((x, y), (size, size))
    if kind == 1:
        w, h = size * rng.uniform(0.5, 1.2), size * rng.uniform(0.5, 1.2)
        return Polygon(((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)), 0.15 * size)
    dx, dy = rng.normal(0, size, 2)
    return Capsule((x - dx, y - dy), (x + dx, y + dy), 0.25 * size, 0.25 * size)


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Relative brightness [H,W]: two octaves of smooth noise and a fine weave, a few per cent strong."""
    smooth = sum(
        amount * _stretched(rng.standard_normal((cells, cells)), height, width)
        for cells, amount in ((9, 0.03), (33, 0.025))
    )
    x = np.linspace(0, 2 * np.pi * 42, width)[None]
    y = np.linspace(0, 2 * np.pi * 42, height)[:, None]
    return smooth + 0.012 * (np.sin(x + y) + np.sin(x - y))


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
