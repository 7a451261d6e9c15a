"""Smooth random textures that are alike at every size."""

from functools import lru_cache

import numpy as np

CELLS = 64


@lru_cache(maxsize=64)
def _table(seed: int) -> np.ndarray:
    return np.random.default_rng([seed, 77]).random((CELLS, CELLS), dtype=np.float32)


def noise(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Smooth noise, 0-1, one bump per unit."""
    table = _table(seed % 997)
    x, y = np.asarray(x, dtype=np.float32), np.asarray(y, dtype=np.float32)
    floor_x, floor_y = np.floor(x), np.floor(y)
    a, b = x - floor_x, y - floor_y
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    left, low = floor_x.astype(np.int32) & (CELLS - 1), floor_y.astype(np.int32) & (CELLS - 1)
    right, high = (left + 1) & (CELLS - 1), ((low + 1) & (CELLS - 1)) * CELLS
    low = low * CELLS
    first = table.take(low + left)
    first += a * (table.take(low + right) - first)
    second = table.take(high + left)
    second += a * (table.take(high + right) - second)
    return first + b * (second - first)


def cells(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """One random number, 0-1, per unit cell."""
    table = _table(seed % 997)
    row, column = (np.floor(values).astype(np.int32) & (CELLS - 1) for values in (y, x))
    return table.take(row * CELLS + column)
