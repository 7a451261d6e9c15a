"""Triangles to pixels in plain numpy: which triangle is in front at each sample, and where on it.

Samples lie at the middles of cells, x + 0.5 and y + 0.5. Depth is given as nearness (1 / distance), which is linear
on the screen, so the larger one is in front.
"""

import numpy as np

SIDES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 4096)  # bounding boxes
BATCH = 2_000_000  # cells looked at in one go


def rasterise(
    spots: np.ndarray, nearness: np.ndarray, triangles: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest triangle of each sample [H,W] int32 (-1 none) and its nearness [H,W] float32 (0 none).

    ``spots`` [n,2] x, y in samples, ``nearness`` [n] positive, ``triangles`` [t,3]. Both sides are drawn.
    """
    front = np.full(height * width, -1, dtype=np.int64)
    x, y = (spots[:, k].astype(np.float32)[triangles] for k in range(2))
    left, top = (np.clip(np.ceil(_least(c) - 0.5), -1, 1e6).astype(np.int64).clip(0) for c in (x, y))
    right, bottom = (np.clip(np.floor(-_least(-c) - 0.5), -1, 1e6).astype(np.int64) for c in (x, y))
    right, bottom = np.minimum(right, width - 1), np.minimum(bottom, height - 1)
    wide, high = right - left, bottom - top
    size = np.maximum(wide, high) + 1
    fits = (wide >= 0) & (high >= 0)
    edges = _edges(*(c - (first + 0.5).astype(np.float32)[:, None] for c, first in ((x, left), (y, top))))
    fits &= np.isfinite(edges[0]).all(axis=1)
    depths = nearness.astype(np.float32)[triangles]
    with np.errstate(invalid="ignore"):
        planes = *edges, *((edge * depths).sum(axis=1) for edge in edges)
    for side, smaller in zip(SIDES, (0, *SIDES)):
        rows = np.flatnonzero(fits & (size <= side) & (size > smaller))
        step = max(BATCH // side**2, 1)
        for start in range(0, len(rows), step):
            _draw(front, rows[start : start + step], side, (left, top), planes, (height, width))
    ids = np.where(front >= 0, front & 0xFFFFFFFF, -1).astype(np.int32)
    near = np.where(front >= 0, front >> 32, 0).astype(np.int32).view(np.float32)
    return ids.reshape(height, width), near.reshape(height, width)


def _least(values: np.ndarray) -> np.ndarray:
    """The least of each row [t,3]; quicker than numpy's own over so short an axis."""
    return np.minimum(np.minimum(values[:, 0], values[:, 1]), values[:, 2])


def _edges(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Barycentrics of triangles with corners [t,3]: at the origin, per step in x, per step in y, each [t,3]."""
    ahead_x, ahead_y, behind_x, behind_y = x[:, [1, 2, 0]], y[:, [1, 2, 0]], x[:, [2, 0, 1]], y[:, [2, 0, 1]]
    start = ahead_x * behind_y - ahead_y * behind_x
    total = start.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # a triangle seen from its edge has no area
        return start / total, (ahead_y - behind_y) / total, (behind_x - ahead_x) / total


def _draw(
    front: np.ndarray,
    rows: np.ndarray,
    side: int,
    low: tuple[np.ndarray, np.ndarray],
    planes: tuple[np.ndarray, ...],
    shape: tuple[int, int],
) -> None:
    """Enter the triangles ``rows``, whose boxes are at most ``side`` wide, into ``front``."""
    if not len(rows):
        return
    steps = np.arange(side, dtype=np.float32)
    start, across, down, near, near_across, near_down = (plane[rows] for plane in planes)
    worst = None
    for k in range(3):  # the least of the three barycentrics
        lines = start[:, k, None] + down[:, k, None] * steps
        inside = lines[:, :, None] + across[:, k, None, None] * steps
        worst = inside if worst is None else np.minimum(worst, inside, out=worst)
    flat = np.flatnonzero(worst >= 0)
    hit, cell = np.divmod(flat, side * side)
    y, x = np.divmod(cell, side)
    y_at, x_at = low[1][rows][hit] + y, low[0][rows][hit] + x
    kept = (y_at < shape[0]) & (x_at < shape[1])
    hit, y, x, y_at, x_at = (values[kept] for values in (hit, y, x, y_at, x_at))
    depth = near[hit] + near_across[hit] * x.astype(np.float32) + near_down[hit] * y.astype(np.float32)
    keys = (depth.view(np.int32).astype(np.int64) << 32) | rows[hit]
    np.maximum.at(front, y_at * shape[1] + x_at, keys)


def weights_at(spots: np.ndarray, nearness: np.ndarray, corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where samples lie on their triangles: shares of the three corners [m,3] in space.

    ``corners`` [m,3] vertices of each sample's triangle, ``places`` [m,2] x, y in samples.
    """
    x, y = (spots[:, k][corners] - places[:, k, None] for k in range(2))
    area = [x[:, (k + 1) % 3] * y[:, (k + 2) % 3] - y[:, (k + 1) % 3] * x[:, (k + 2) % 3] for k in range(3)]
    shares = np.stack(area, axis=1) * nearness[corners]
    return shares / (shares[:, 0] + shares[:, 1] + shares[:, 2])[:, None]
