"""Cloth of a drawn character: patterns in a part's own frame, so that they move with it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .shapes import Colour, limited, plane


@dataclass(frozen=True)
class Cloth:
    """A pattern of two colours along a frame: its origin, its downward unit vector [2], one period in pixels.

    ``narrow`` is how much of the cloth's width the viewer sees, and ``slide`` how far (pixels) its middle has
    moved to the left side: both from the wearer's yaw.
    """

    pattern: str
    first: Colour
    second: Colour
    origin: tuple[float, float]
    down: tuple[float, float]
    size: float
    narrow: float = 1.0
    slide: float = 0.0

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Colours [3,h,w] of the pixels ``x`` [1,w], ``y`` [h,1]."""
        px, py = x - self.origin[0], y - self.origin[1]
        dx, dy = self.down
        u = (px * dy - py * dx - self.slide) * (1 / (self.size * self.narrow))
        v = (px * dx + py * dy) * (1 / self.size)
        first, second = plane(self.first), plane(self.second)
        return first + SHARES[self.pattern](u, v, self.size) * (second - first)


def _edge(distance: np.ndarray, size: float) -> np.ndarray:
    """Cover of a pattern: 1 where the distance (in pattern units of ``size`` pixels) is negative."""
    return limited(0.5 - distance * size)


def _wave(t: np.ndarray) -> np.ndarray:
    """Distance from the nearest whole number, 0-0.5."""
    return np.abs(t - np.rint(t))


# How much of the second colour is at (u, v), counted in periods from the cloth's upper middle.
SHARES: dict[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "stripes": lambda u, v, s: _edge(_wave(v - 0.25) - 0.25, s),
    "bars": lambda u, v, s: _edge(_wave(u) - 0.24, s),
    "dots": lambda u, v, s: _edge(np.hypot(_wave(u), _wave(v)) - 0.30, s),
    "checks": lambda u, v, s: 0.5 * (_edge(_wave(u) - 0.25, s) + _edge(_wave(v) - 0.25, s)),
    "band": lambda u, v, s: _edge(np.abs(v - 1.6) - 0.5, s),
    "emblem": lambda u, v, s: _edge(np.hypot(u, v - 1.35) - 0.68, s),
}
