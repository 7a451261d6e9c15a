"""Flat shapes with signed distances, and a painter that lays them over one another, anti-aliased.

Axes: h, w are image rows and columns; points are (x, y) in pixels, x to the right, y down.
A pixel's cover is ``clip(0.5 - distance, 0, 1)``: its distance to the edge, one pixel wide, which
gives the edge that fine supersampling would give at the cost of a single evaluation.
Shapes combine: ``a | b`` is both, ``a & b`` what they share, ``a - b`` the first without the second.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from einops import rearrange

Box = tuple[float, float, float, float]
Colour = tuple[float, float, float]
Point = tuple[float, float]


class Shape:
    """Something with a bounding box and a signed distance."""

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        raise NotImplementedError

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w] of the pixels ``x`` [1,w], ``y`` [h,1], negative inside."""
        raise NotImplementedError

    def __or__(self, other: "Shape") -> "Shape":
        return Union(self, other)

    def __and__(self, other: "Shape") -> "Shape":
        return Common(self, other)

    def __sub__(self, other: "Shape") -> "Shape":
        return Without(self, other)


@dataclass(frozen=True)
class Capsule(Shape):
    """A thick line from ``a`` to ``b`` whose radius goes from ``ra`` to ``rb`` (pixels)."""

    a: Point
    b: Point
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
        square = max(dx * dx + dy * dy, 1e-6)
        t = limited(px * (dx / square) + py * (dy / square))
        return _length(px - t * dx, py - t * dy) - (self.ra + t * (self.rb - self.ra))


@dataclass(frozen=True)
class Ellipse(Shape):
    """An ellipse: centre, radii (along its own x and y) and turn in radians."""

    centre: Point
    radii: tuple[float, float]
    angle: float = 0.0

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        r = max(self.radii)
        cx, cy = self.centre
        return cx - r, cy - r, cx + r, cy + r

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w] to first order (Taubin, ACM TOG 1994; exact for circles), negative inside."""
        c, s = float(np.cos(self.angle)), float(np.sin(self.angle))
        px, py = x - self.centre[0], y - self.centre[1]
        rx, ry = self.radii
        u, v = px * (c / rx) + py * (s / rx), py * (c / ry) - px * (s / ry)
        near = _length(u, v)
        slope = _length(u * (1 / rx), v * (1 / ry))
        return np.where(near < 1e-4, -min(rx, ry), near * (near - 1) / np.maximum(slope, 1e-6))  # 0 / 0 inside


@dataclass(frozen=True)
class Convex(Shape):
    """A convex polygon, larger by ``radius`` pixels; corners stay sharp, so give a round one several points."""

    points: tuple[Point, ...]
    radius: float = 0.0

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        xs, ys = zip(*self.points)
        r = 1.5 * self.radius
        return min(xs) - r, min(ys) - r, max(xs) + r, max(ys) + r

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w] to the nearest side's line, negative inside."""
        sides = list(zip(self.points, self.points[1:] + self.points[:1]))
        turn = 1.0 if sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides) > 0 else -1.0
        farthest = None
        for (ax, ay), (bx, by) in sides:
            length = turn * float(np.hypot(bx - ax, by - ay))
            if abs(length) < 1e-6:
                continue
            nx, ny = (by - ay) / length, (ax - bx) / length
            side = (nx * x) + (ny * y - (nx * ax + ny * ay + self.radius))
            farthest = side if farthest is None else np.maximum(farthest, side, out=side)
        return farthest


@dataclass(frozen=True)
class Union(Shape):
    """What is in either of two shapes."""

    first: Shape
    second: Shape

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        a, b = self.first.box(), self.second.box()
        return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w], negative inside."""
        return np.minimum(self.first.distance(x, y), self.second.distance(x, y))


@dataclass(frozen=True)
class Common(Shape):
    """What is in both of two shapes."""

    first: Shape
    second: Shape

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        a, b = self.first.box(), self.second.box()
        return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w], negative inside."""
        return np.maximum(self.first.distance(x, y), self.second.distance(x, y))


@dataclass(frozen=True)
class Without(Shape):
    """The first shape where the second is not."""

    first: Shape
    second: Shape

    def box(self) -> Box:
        """Bounding box x0, y0, x1, y1."""
        return self.first.box()

    def distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance [h,w], negative inside."""
        return np.maximum(self.first.distance(x, y), -self.second.distance(x, y))


# A fill is one colour, or a function from pixel coordinates to colours [3,h,w]; a label [h,w] likewise.
Fill = Colour | Callable[[np.ndarray, np.ndarray], np.ndarray]
Label = int | Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Rim:
    """The outline of a shape: colour, width in pixels, and where it fades out (centre and radius) if anywhere."""

    colour: Colour
    width: float
    fade: tuple[Point, float] | None = None

    def widths(self, x: np.ndarray, y: np.ndarray) -> np.ndarray | float:
        """Width of the outline at each pixel, [h,w] or one number."""
        if self.fade is None:
            return self.width
        (cx, cy), r = self.fade
        return self.width * limited(_length(x - cx, y - cy) / r - 1)


@dataclass
class Painter:
    """A canvas with the cover [h,w] and the part number [h,w] of what was painted on it.

    ``planes`` is the picture [3,h,w]: with the colours first, numpy runs along whole rows.
    """

    planes: np.ndarray
    cover: np.ndarray = field(init=False)
    labels: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        height, width = self.planes.shape[1:]
        self.cover = np.zeros((height, width), dtype=np.float32)
        self.labels = np.zeros((height, width), dtype=np.uint8)
        self._x = np.arange(width, dtype=np.float32)[None] + np.float32(0.5)
        self._y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)

    @property
    def image(self) -> np.ndarray:
        """The picture [h,w,3]."""
        return np.ascontiguousarray(rearrange(self.planes, "c h w -> h w c"))

    def paint(
        self, shape: Shape, fill: Fill, label: Label = 0, rim: Rim | None = None, round_: float = 0, opacity: float = 1
    ) -> None:
        """Lay ``shape`` with its outline over the canvas; label 0 leaves cover and labels alone.

        ``round_`` is how far from the edge (pixels) a rounded body begins to darken, 0 for a flat one.
        """
        window = self._window(shape, 0.0 if rim is None else rim.width)
        if window is None:
            return
        x, y = self._x[:, window[1]], self._y[window[0]]
        distance = shape.distance(x, y)
        colour = fill(x, y) if callable(fill) else plane(fill)
        if round_:
            colour = colour * (1.03 - 0.17 * limited(1 + distance / round_) ** 2)
        alpha = _cover(distance)
        if rim is not None:
            ink = plane(rim.colour)
            colour = ink + alpha * (colour - ink)
            alpha = _cover(distance - rim.widths(x, y))
        below = self.planes[:, window[0], window[1]]
        below += (opacity * alpha) * (colour - below)
        if label:
            self._mark(window, alpha, label(x, y) if callable(label) else label)

    def _mark(self, window: tuple[slice, slice], alpha: np.ndarray, label: np.ndarray | int) -> None:
        """Note whose pixels these are now."""
        cover = self.cover[window]
        cover += alpha * (1 - cover)
        labels = self.labels[window]
        labels[...] = np.where(alpha > 0.5, label, labels)

    def _window(self, shape: Shape, margin: float) -> tuple[slice, slice] | None:
        """Rows and columns that the shape can touch, or None when it is off the canvas."""
        height, width = self.cover.shape
        x0, y0, x1, y1 = shape.box()
        left, top = max(int(x0 - margin) - 1, 0), max(int(y0 - margin) - 1, 0)
        right, bottom = min(int(x1 + margin) + 2, width), min(int(y1 + margin) + 2, height)
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def plane(colour: Colour) -> np.ndarray:
    """A colour as [3,1,1] float32."""
    return np.array(colour, dtype=np.float32)[:, None, None]


def limited(values: np.ndarray) -> np.ndarray:
    """Values held within 0-1; on small arrays much faster than numpy's ``clip``."""
    return np.minimum(np.maximum(values, 0), 1)


def _length(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    # np.hypot guards against overflow, which pixels do not need, at five times the cost.
    return np.sqrt(u * u + v * v)


def _cover(distance: np.ndarray) -> np.ndarray:
    """Share of each pixel inside the edge at distance 0, [h,w] in 0-1."""
    return limited(0.5 - distance)
