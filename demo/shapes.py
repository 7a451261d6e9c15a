"""Flat shapes with signed distances, and a painter that lays them over one another, anti-aliased.

Axes: h, w are image rows and columns; points are (x, y) in pixels, x to the right, y down.
A pixel's cover is ``clip(0.5 - distance, 0, 1)``: its distance to the edge, one pixel wide, which
gives the edge that fine supersampling would give at the cost of a single evaluation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

Box = tuple[float, float, float, float]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Capsule:
    """A thick line from ``a`` to ``b`` whose radius goes from ``ra`` to ``rb`` (pixels)."""

    a: tuple[float, float]
    b: tuple[float, float]
    ra: float
    rb: float

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        r = max(self.ra, self.rb)
        (ax, ay), (bx, by) = self.a, self.b
        return min(ax, bx) - r, min(ay, by) - r, max(ax, bx) + r, max(ay, by) + r

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w], negative inside."""
        dx, dy = self.b[0] - self.a[0], self.b[1] - self.a[1]
        px, py = x - self.a[0], y - self.a[1]
        t = np.clip((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
        return np.hypot(px - t * dx, py - t * dy) - (self.ra + t * (self.rb - self.ra))

    def grown(self, r: float) -> "Capsule":
        """The same line, thicker by ``r`` on every side."""
        return replace(self, ra=self.ra + r, rb=self.rb + r)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse: centre, radii (along its own x and y) and turn in radians."""

    centre: tuple[float, float]
    radii: tuple[float, float]
    angle: float = 0.0

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        r = max(self.radii)
        cx, cy = self.centre
        return cx - r, cy - r, cx + r, cy + r

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w] to first order (exact for circles), negative inside."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        px, py = x - self.centre[0], y - self.centre[1]
        u, v = c * px + s * py, c * py - s * px
        rx, ry = self.radii
        k0 = np.hypot(u / rx, v / ry)
        k1 = np.hypot(u / rx**2, v / ry**2)
        return np.where(k0 < 1e-4, -min(rx, ry), k0 * (k0 - 1) / np.maximum(k1, 1e-6))  # 0 / 0 at the centre

    def grown(self, r: float) -> "Ellipse":
        """The same ellipse with both radii larger by ``r``."""
        return replace(self, radii=(self.radii[0] + r, self.radii[1] + r))


@dataclass(frozen=True)
class Polygon:
    """A polygon with corners rounded by ``radius`` (it grows outwards by as much)."""

    points: tuple[tuple[float, float], ...]
    radius: float = 0.0

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        xs, ys = zip(*self.points)
        r = self.radius
        return min(xs) - r, min(ys) - r, max(xs) + r, max(ys) + r

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w], negative inside (even-odd rule)."""
        nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, dtype=np.float32)
        inside = np.zeros(nearest.shape, dtype=bool)
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:] + self.points[:1]):
            ex, ey, px, py = bx - ax, by - ay, x - ax, y - ay
            t = np.clip((px * ex + py * ey) / max(ex * ex + ey * ey, 1e-6), 0, 1)
            nearest = np.minimum(nearest, (px - t * ex) ** 2 + (py - t * ey) ** 2)
            if ay != by:
                inside ^= ((ay <= y) != (by <= y)) & (px < py * ex / ey)
        return np.where(inside, -1.0, 1.0) * np.sqrt(nearest) - self.radius

    def grown(self, r: float) -> "Polygon":
        """The same polygon, rounded and larger by ``r``."""
        return replace(self, radius=self.radius + r)


Shape = Capsule | Ellipse | Polygon
# A fill is one colour, or a function from pixel coordinates to colours [h,w,3].
Fill = Colour | Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass
class Painter:
    """A canvas [h,w,3] with the cover [h,w] and the part number [h,w] of what was painted on it."""

    image: np.ndarray
    cover: np.ndarray = field(init=False)
    labels: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.cover = np.zeros(self.image.shape[:2], dtype=np.float32)
        self.labels = np.zeros(self.image.shape[:2], dtype=np.uint8)

    def paint(self, shape: Shape, fill: Fill, label: int = 0, opacity: float = 1.0, clip: Shape | None = None) -> None:
        """Lay ``shape`` over the canvas, where ``clip`` allows; label 0 leaves cover and labels alone."""
        window = self._window(shape)
        if window is None:
            return
        rows, cols = window
        x = np.arange(cols.start, cols.stop, dtype=np.float32)[None] + 0.5
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5
        alpha = _cover(shape, x, y) * opacity
        if clip is not None:
            alpha = alpha * _cover(clip, x, y)
        colour = fill(x, y) if callable(fill) else np.asarray(fill, dtype=np.float32)
        self.image[rows, cols] += alpha[..., None] * (colour - self.image[rows, cols])
        if label:
            self.cover[rows, cols] += alpha * (1 - self.cover[rows, cols])
            self.labels[rows, cols][alpha > 0.5] = label

    def _window(self, shape: Shape) -> tuple[slice, slice] | None:
        """Rows and columns that the shape can touch, or None when it is off the canvas."""
        height, width = self.cover.shape
        x0, y0, x1, y1 = shape.box()
        left, top = max(int(x0) - 1, 0), max(int(y0) - 1, 0)
        right, bottom = min(int(x1) + 2, width), min(int(y1) + 2, height)
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _cover(shape: Shape, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of each pixel inside the shape, [h,w] in 0-1."""
    return np.clip(0.5 - shape.distance(x, y), 0, 1).astype(np.float32)
