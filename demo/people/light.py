"""One light far away: shading and the shadow map."""

from dataclasses import dataclass

import numpy as np

from .geometry import unit
from .raster import rasterise

CELLS = 224  # of the shadow map, per side
BIAS = 0.25  # decimetres


@dataclass(frozen=True)
class Light:
    """``towards`` is the unit vector to the light; ``sun`` and ``sky`` are its RGB strength and the ambient's."""

    towards: np.ndarray
    sun: np.ndarray
    sky: np.ndarray


def light(seed: int) -> Light:
    """The light of room ``seed``: from above, in front and to one side."""
    rng = np.random.default_rng([seed, 5])
    side = rng.choice((-1, 1)) * rng.uniform(0.25, 0.9)
    warm = rng.uniform(-0.05, 0.08)
    strength = rng.uniform(0.42, 0.62)
    sun = strength * np.array([1 + warm, 1.0, 1 - warm])
    return Light(
        unit(np.array([side, rng.uniform(0.8, 1.3), rng.uniform(0.8, 1.3)])), sun, np.full(3, 0.97) - 0.68 * sun
    )


@dataclass(frozen=True)
class Shadow:
    """What the light sees: nearness to it, over a square of its own plane."""

    axes: np.ndarray  # [3,3] rows: across, up, towards the light
    low: np.ndarray  # [2]
    cell: float
    heights: np.ndarray  # [c,c] along the light, -inf where nothing is

    def at(self, points: np.ndarray, bias: float = BIAS) -> np.ndarray:
        """How far each of ``points`` [m,3] is in shadow, 0-1, with a soft edge of about one cell."""
        spots = points @ self.axes.T
        places = (spots[:, :2] - self.low) / self.cell - 0.5
        below = np.floor(places).astype(np.int64)
        share = (places - below).astype(np.float32)
        total = np.zeros(len(points), dtype=np.float32)
        for dx in (0, 1):
            for dy in (0, 1):
                x, y = below[:, 0] + dx, below[:, 1] + dy
                inside = (x >= 0) & (y >= 0) & (x < CELLS) & (y < CELLS)
                top = self.heights[np.where(inside, y, 0), np.where(inside, x, 0)]
                dark = inside & (top > spots[:, 2] + bias)
                total += dark * np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
        return total


def shadow_of(points: np.ndarray, triangles: np.ndarray, towards: np.ndarray) -> Shadow:
    """The shadow that ``triangles`` [t,3] of ``points`` [n,3] cast."""
    across = unit(np.cross((0.0, 1.0, 0.0), towards))
    axes = np.stack([across, np.cross(towards, across), towards])
    spots = points @ axes.T
    low, high = spots.min(axis=0), spots.max(axis=0)
    cell = float((high - low)[:2].max() / (CELLS - 4))
    places = (spots[:, :2] - low[:2]) / cell + 2
    depth = (spots[:, 2] - low[2] + 1).astype(np.float32)
    _, near = rasterise(places, depth, triangles, CELLS, CELLS)
    heights = np.where(near > 0, near + (low[2] - 1), -np.inf).astype(np.float32)
    return Shadow(axes, low[:2] - 2 * cell, cell, heights)


def lit(albedo: np.ndarray, normals: np.ndarray, shadow: np.ndarray, source: Light, wrap: float = 0.0) -> np.ndarray:
    """Colours [m,3] of surfaces with ``albedo`` [m,3] and unit ``normals`` [m,3]; ``wrap`` softens the terminator."""
    facing = np.clip((normals @ source.towards.astype(np.float32) + wrap) / (1 + wrap), 0, 1)
    sky = 0.86 + 0.14 * normals[:, 1]
    sun = (facing * (1 - shadow))[:, None] * source.sun.astype(np.float32)
    return albedo * (sky[:, None] * source.sky.astype(np.float32) + 1.15 * sun)
