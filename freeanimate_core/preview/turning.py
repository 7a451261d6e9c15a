"""How the picture of a part slides on it when a person turns: a body with a breadth and a depth at every height.

At each height trunk, head or limb is four quarters of ellipses: as far to the left and to the right as the reference
shows it, and as deep to the front and to the back as people are of such a breadth. Seen after a turn by an angle t its
outline lies where the support of that shape is, sqrt((a cos t)^2 + (b sin t)^2) with a the breadth and b the depth of
the quarter that stands out there; what the reference shows slides towards one side, and what it cannot show comes into
view at the other. Axes: f frames, h, w pixels, n heights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from scipy.ndimage import median_filter, uniform_filter1d
from torch import Tensor

from .bones import Trunk
from .parts import pulled

# Depth of chest and back as shares of half the breadth, at shares of the way from the shoulders to the hips.
DOWN = (-0.1, 0.1, 0.3, 0.6, 1.0)
FRONT, BACK = (0.45, 0.65, 0.92, 0.92, 0.8), (0.4, 0.6, 0.6, 0.6, 0.8)
STEPS, FEWEST = 48, 4  # heights at which the outline is measured, at most and at least
EVEN = 5  # heights over which it is a median: stray pixels are no edge
SOLID = 0.5  # of alpha: where the outline is
# Of the breadth, of trunk and head, and of a limb: colours nearer to the outline are its soft edge, its shade or a
# drawn line. A turned part does not show them inside, but at the outline that it has then, from RIM of its breadth on.
EDGE, LIMB_EDGE, RIM = 0.92, 0.7, (0.7, 0.85)
EDGE_FROM = 0.3  # sine of the turn from which that, and what is unseen, holds wholly
USUAL = 25  # heights over which the plain colour is a median: no print and no belt is on it
SMOOTH = 5  # heights over which the depth is steadied
SIDE = 0.999  # of the outline's reach: farther out, rounding would decide what is seen
UNSEEN = (math.radians(54), math.radians(86))  # from the one nothing is believed seen, to the other: all is


@dataclass(frozen=True)
class Solid:
    """A part of the reference in its own axes: ``origin`` [2], unit vectors ``across`` and ``down`` [2].

    ``right`` and ``left``, as the picture of an upright part has them, ``front`` and ``back`` are pixels [n] at even
    heights from ``top`` to ``bottom``, in pixels down from the origin.
    """

    origin: np.ndarray
    across: np.ndarray
    down: np.ndarray
    top: float
    bottom: float
    right: np.ndarray
    left: np.ndarray
    front: np.ndarray
    back: np.ndarray
    middle: np.ndarray  # [n] where the middle of each height is, across, from which right and left count
    texture: Tensor  # [3,H,W] the part's colours, drawn out beyond its outline
    plain: Tensor  # [n,3] the usual colour of each height: what stands for a back that nobody has seen
    edge: float = EDGE
    rimmed: bool = False  # whether its outline looks the same from every side

    @property
    def corners(self) -> np.ndarray:
        """A rectangle [4,2] about it that holds it however it is turned, in pixels of the reference."""
        places = [(side * self.reach, way) for way in (self.top, self.bottom) for side in (-1, 1)]
        return np.array([self.origin + aside * self.across + way * self.down for aside, way in places])

    @property
    def reach(self) -> float:
        """How far it stands out to any side at most, in pixels."""
        return float(max((np.abs(self.middle) + edge).max() for edge in (self.right, self.left, self.front, self.back)))

    @property
    def heights(self) -> np.ndarray:
        """Where its values are measured [n], in pixels down from the origin."""
        return np.linspace(self.top, self.bottom, len(self.right))


@dataclass(frozen=True)
class Depths:
    """Depths to the front and to the back, as shares of half the breadth, at places ``down`` the axis in pixels."""

    down: np.ndarray
    front: Sequence[float]
    back: Sequence[float]

    @classmethod
    def of(cls, length: float, down: Sequence[float], front: Sequence[float], back: Sequence[float]) -> "Depths":
        """At shares ``down`` of a ``length`` in pixels."""
        return cls(length * np.asarray(down), front, back)

    def at(self, heights: np.ndarray, breadth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """To the front and to the back, in pixels [n], at ``heights`` [n] where half the ``breadth`` is known [n]."""
        even = uniform_filter1d(breadth, SMOOTH, mode="nearest")
        return np.interp(heights, self.down, self.front) * even, np.interp(heights, self.down, self.back) * even


def turned_points(trunk: Trunk, points: np.ndarray, yaw: float) -> np.ndarray:
    """Places [k,2] in the middle of the trunk's depth, as they are seen after a turn by ``yaw`` radians."""
    top, _, across = _axes(trunk)
    return points + np.outer((points - top) @ across * (math.cos(yaw) - 1), across)


def _axes(trunk: Trunk) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle of the shoulders, and unit vectors down and across, [2] each."""
    top, low = trunk.corners[:2].mean(axis=0), trunk.corners[2:].mean(axis=0)
    down = (low - top) / trunk.length
    return top, down, np.array([down[1], -down[0]])


def solid_of(trunk: Trunk, layer: Tensor) -> Solid | None:
    """The solid of a trunk whose own part is ``layer`` [5,H,W], on its device; None where that shows nothing."""
    top, down, _ = _axes(trunk)
    return measured(top, down, layer, Depths.of(trunk.length, DOWN, FRONT, BACK), straight=True)


def measured(
    origin: np.ndarray,
    down: np.ndarray,
    layer: Tensor,
    depths: Depths,
    usual: int = USUAL,
    straight: bool = False,
    edge: float = 1.0,
) -> Solid | None:
    """The solid of what ``layer`` [5,H,W] shows about an axis from ``origin`` [2] in the direction ``down`` [2].

    ``usual`` are the heights over which its plain colour is a median. It turns about the axis where ``straight``,
    else each height about its own middle. Colours are taken from within ``edge`` of its breadth. None where the
    layer shows nothing.
    """
    across = np.array([down[1], -down[0]])
    rows, cols = np.nonzero(layer[3].cpu().numpy() > SOLID)
    if not len(rows):
        return None
    spots = np.stack([cols + 0.5, rows + 0.5], axis=-1) - origin
    aside, way = spots @ across, spots @ down
    first, last = float(way.min()), float(way.max())
    count = int(np.clip(round(last - first), FEWEST, STEPS))  # a step holds a row of pixels at least
    step = np.clip(((way - first) / max(last - first, 1.0) * (count - 1)).round().astype(int), 0, count - 1)
    right, left = _edge(step, aside + 0.5, count), _edge(step, 0.5 - aside, count)
    middle = np.zeros(count) if straight else 0.5 * (right - left)
    right, left = (np.maximum(edge, 1.0) for edge in (right - middle, left + middle))
    wide = np.where(aside > middle[step], right[step], left[step])
    texture = _texture(layer, np.abs(aside - middle[step]) < edge * wide, rows, cols)
    plain = layer.new_tensor(_plain(step, texture.cpu().numpy()[:, rows, cols].T, count, usual))
    front, back = depths.at(np.linspace(first, last, count), 0.5 * (right + left))
    return Solid(origin, across, down, first, last, right, left, front, back, middle, texture, plain)


def _texture(layer: Tensor, inner: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> Tensor:
    """Colours [3,H,W] of the pixels of a layer [5,H,W] that are ``inner`` [k] of those at ``rows``, ``cols`` [k]."""
    weight = torch.zeros_like(layer[3:4])
    weight[0, rows[inner], cols[inner]] = layer[3, rows[inner], cols[inner]]
    return pulled(layer[None, :3] * (weight > 0), weight[None])[0]


def _edge(step: np.ndarray, aside: np.ndarray, count: int) -> np.ndarray:
    """The farthest of pixels ``aside`` [k] in each of ``count`` heights, without what single heights show."""
    edge = np.full(count, -np.inf)
    np.maximum.at(edge, step, aside)
    known = np.flatnonzero(np.isfinite(edge))
    return median_filter(np.interp(np.arange(count), known, edge[known]), EVEN, mode="nearest")


def _plain(step: np.ndarray, colours: np.ndarray, count: int, usual: int) -> np.ndarray:
    """The usual colour [count,3] of each height, from the ``colours`` [k,3] of its pixels."""
    known = np.unique(step)
    medians = np.array([np.median(colours[step == k], axis=0) for k in known])
    plain = np.stack([np.interp(np.arange(count), known, channel) for channel in medians.T], axis=-1)
    return median_filter(plain, (usual, 1), mode="nearest")


@dataclass(frozen=True)
class Seen:
    """Where a turned part's outline and its colours are in the reference, and how much it does not show: [f,h,w]."""

    outline: tuple[Tensor, Tensor]
    colours: tuple[Tensor, Tensor]
    rim: Tensor  # how much of the colour is the outline's own
    unseen: Tensor
    plain: Tensor  # [f,3,h,w] what is drawn of that


def turned(solid: Solid, yaw: Tensor, x: Tensor, y: Tensor) -> Seen:
    """For places x, y [f,h,w] of a part turned by ``yaw`` [f] radians, positive towards the side of ``across``.

    The places are in pixels of the reference, about the part as it stands there.
    """
    to = x.new_tensor
    origin, across, down = (to(values) for values in (solid.origin, solid.across, solid.down))
    px, py = x - origin[0], y - origin[1]
    aside, way = px * across[0] + py * across[1], px * down[0] + py * down[1]
    edges = (solid.right, solid.left, solid.front, solid.back, solid.middle)
    right, left, front, back, middle = (_at(to(edge), solid, way) for edge in edges)
    cos, sin = torch.cos(yaw)[:, None, None], torch.sin(yaw)[:, None, None]
    aside, shift = aside - middle * cos, middle * (1 - cos)
    reaches = [
        _reach(torch.where(side * cos > 0, right, left), torch.where(side * sin > 0, front, back), cos, sin)
        for side in (1, -1)
    ]
    straight = torch.where(aside > 0, aside * right / reaches[0], aside * left / reaches[1])
    angle = _surface(aside, (right, left), (front, back), cos, sin)
    breadth = torch.where(torch.sin(angle) > 0, right, left)
    edge = 1 - (1 - solid.edge) * (sin.abs() / EDGE_FROM).clamp(max=1)
    slid = breadth * torch.maximum(torch.minimum(torch.sin(angle), edge), -edge)
    whole = torch.where(cos > 0, (sin.abs() / EDGE_FROM).clamp(max=1), 1.0)
    unseen = whole * ((angle.abs() - UNSEEN[0]) / (UNSEEN[1] - UNSEEN[0])).clamp(0, 1)
    outline, colours = (
        (x + (moved + shift - aside) * across[0], y + (moved + shift - aside) * across[1]) for moved in (straight, slid)
    )
    rim = (torch.where(aside > 0, aside / reaches[0], -aside / reaches[1]) - RIM[0]) / (RIM[1] - RIM[0])
    rim = rim.clamp(0, 1) if solid.rimmed else torch.zeros_like(rim)
    return Seen(outline, colours, rim, unseen, rearrange(_at(solid.plain, solid, way), "f h w rgb -> f rgb h w"))


def _at(edge: Tensor, solid: Solid, way: Tensor) -> Tensor:
    """Values [n] or [n,k] of the heights at ``way`` [f,h,w], linear between them."""
    place = ((way - solid.top) / max(solid.bottom - solid.top, 1.0) * (len(edge) - 1)).clamp(0, len(edge) - 1)
    below = place.floor().long().clamp(max=len(edge) - 2)
    share = (place - below).reshape(*place.shape, *[1] * (edge.dim() - 1))
    return edge[below] * (1 - share) + edge[below + 1] * share


def _reach(breadth: Tensor, depth: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """How far an ellipse's quarter stands out: its support in the direction across the view."""
    return torch.sqrt((breadth * cos) ** 2 + (depth * sin) ** 2).clamp_min(1.0)


def _surface(
    aside: Tensor, sides: tuple[Tensor, Tensor], depths: tuple[Tensor, Tensor], cos: Tensor, sin: Tensor
) -> Tensor:
    """The angle [f,h,w] on the solid of what is seen ``aside`` of the axis: 0 the front, positive to the right."""
    found = torch.zeros_like(aside)
    misfit = torch.full_like(aside, math.inf)
    for right in (True, False):
        for ahead in (True, False):
            a, b = sides[0 if right else 1], depths[0 if ahead else 1]
            lag = torch.atan2(b * sin, a * cos)
            angle = torch.asin((aside / _reach(a, b, cos, sin)).clamp(-SIDE, SIDE)) - lag
            angle = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
            middle = (1 if right else -1) * math.pi * (0.25 if ahead else 0.75)
            off = (angle - middle).abs() - math.pi / 4
            better = off < misfit
            found, misfit = torch.where(better, angle, found), torch.minimum(off, misfit)
    return found
