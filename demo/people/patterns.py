"""Patterns of cloth and prints, as the share of a second colour."""

import numpy as np

from .geometry import step
from .noise import noise

SOFT = 0.06  # of a period: how soft edges are


def cloth_share(pattern: str, size: float, seed: int, rest: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """Share of the second colour [m], 0-1, with a period of ``size`` decimetres, around and along the cloth."""
    a, b = paint[:, 0] / size, paint[:, 1] / size
    if pattern == "stripes":
        return _bars(a)
    if pattern == "bars":
        return _bars(b)
    if pattern == "checks":
        return 0.5 * _bars(a) + 0.5 * _bars(b)
    if pattern == "dots":
        odd = np.floor(b) % 2
        away = np.hypot((a + 0.5 * odd) % 1 - 0.5, b % 1 - 0.5)
        return step(0.32, 0.24, away)
    if pattern == "camouflage":
        spots = noise(1.1 * a, 1.1 * b, seed + 5) + 0.5 * noise(2.3 * a, 2.3 * b, seed + 6)
        return step(0.72, 0.76, spots) + 0.45 * step(0.60, 0.56, spots)
    if pattern == "halves":
        return step(-0.02, 0.02, rest[:, 0])
    if pattern == "band":
        return step(0.62, 0.58, np.abs(rest[:, 1] - 3.9))
    return np.zeros(len(rest), dtype=np.float32)


def _bars(at: np.ndarray) -> np.ndarray:
    """Half of each period."""
    return step(0.25 - SOFT, 0.25 + SOFT, np.abs(at % 1 - 0.5))


def print_share(kind: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of a print's colour there is at ``x``, ``y`` decimetres from its middle."""
    if kind == "disc":
        return step(0.72, 0.66, np.hypot(x, y))
    if kind == "block":
        return step(0.85, 0.8, np.abs(x)) * step(0.5, 0.45, np.abs(y))
    if kind == "star":
        point = np.abs((np.arctan2(x, y) / (2 * np.pi / 5)) % 1 - 0.5) * 2  # 1 in the middle of a ray
        return step(0.03, -0.03, np.hypot(x, y) - 0.34 - 0.5 * point**1.6)
    rows = np.floor((y + 0.6) / 0.4)
    inside = (np.abs(x) < 0.85) & (rows >= 0) & (rows < 3) & (((y + 0.6) / 0.4) % 1 < 0.68)
    letters = noise(5.5 * x, 3 * rows, 41) + 0.3 * noise(11 * x, 9 * y, 42) > 0.56
    return (inside & letters).astype(np.float32)
