"""How the picture of the trunk slides on it when a person turns: a body with a breadth and a depth at every height.

At each height the trunk is four quarters of ellipses: as far to the left and to the right as the reference shows it,
and as deep to the front and to the back as people are of such a breadth. Seen after a turn by an angle t its outline
lies where the support of that shape is, sqrt((a cos t)^2 + (b sin t)^2) with a the breadth and b the depth of the
quarter that stands out there; what the reference shows slides towards one side, and what it cannot show comes into
view at the other. Axes: f frames, h, w pixels, n heights.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from scipy.ndimage import median_filter, uniform_filter1d
from torch import Tensor

from .bones import HIPS, SHOULDERS, Trunk
from .parts import pulled

FRONT, BACK = 0.6, 0.66  # depth of chest and back, of half the breadth; about .62 in measured people
# Joints a little off their places pretend small turns: below the one a turn is none, from the other it is whole.
BELIEVED = (math.radians(14), math.radians(20))
SIDEWAYS = math.radians(3)  # turn of a head that says to which side
WEIGHTS = (0.65, 0.35)  # of shoulders and hips in the share of the breadth that is seen
UNSURE, FOLLOWS = 0.03, 0.7  # of that share; of the head's turn, as much as the trunk follows it
STEADY = 3  # frames over which a turn is filtered
STEPS = 48  # heights at which the outline is measured
SOLID = 0.5  # of alpha: where the outline is
EDGE = 0.92  # of the breadth: colours nearer to the outline are its soft edge, and a turned trunk does not show them
EDGE_FROM = 0.3  # sine of the turn from which that holds wholly
USUAL = 25  # heights over which the plain colour is a median: no print and no belt is on it
SMOOTH = 5  # heights over which the depth is steadied
UNSEEN = (math.radians(84), math.radians(96))  # from the one nothing is believed seen, to the other: all is


@dataclass(frozen=True)
class Solid:
    """The trunk of the reference in its own axes: ``origin`` [2], unit vectors ``across`` and ``down`` [2].

    ``right`` and ``left``, as the picture has them, and ``depth`` are pixels [n] at even heights from ``top`` to
    ``bottom``, in pixels down from the origin.
    """

    origin: np.ndarray
    across: np.ndarray
    down: np.ndarray
    top: float
    bottom: float
    right: np.ndarray
    left: np.ndarray
    depth: np.ndarray
    texture: Tensor  # [3,H,W] the trunk's colours, drawn out beyond its outline
    plain: Tensor  # [n,3] the usual colour of each height: what stands for a back that nobody has seen

    @property
    def corners(self) -> np.ndarray:
        """A rectangle [4,2] about it that holds it however it is turned, in pixels of the reference."""
        reach = max(float(self.right.max()), float(self.left.max()), max(FRONT, BACK) * float(self.depth.max()))
        places = [(side * reach, way) for way in (self.top, self.bottom) for side in (-1, 1)]
        return np.array([self.origin + aside * self.across + way * self.down for aside, way in places])


def trunk_yaw(
    ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray, size: float, head: np.ndarray
) -> np.ndarray:
    """Turn of the trunk [F] in radians against the reference [18,2], positive towards the picture's right.

    The share of their breadth that shoulders and hips show says how far: as their joints are never exact and the
    cosine is flat at 0, ``head`` [F], the head's turn, chooses within what the shares allow. It says the side too.
    Small turns are exactly 0.
    """
    shares, weights = [], []
    for (right, left), weight in zip((SHOULDERS, HIPS), WEIGHTS):
        line, there = joints[:, left] - joints[:, right], seen[:, [right, left]].all(axis=1)
        breadth = float(np.hypot(*(ref[left] - ref[right]))) * size
        known = there & ref_seen[[right, left]].all() & (breadth > 1)
        shares.append(np.where(known, np.copysign(np.hypot(*line.T), line[:, 0]) / max(breadth, 1.0), 0.0))
        weights.append(weight * known)
    total = np.sum(weights, axis=0)
    share = np.where(total > 0, np.sum(np.multiply(shares, weights), axis=0) / np.maximum(total, 1e-6), 1.0)
    least, most = (np.arccos(np.clip(share + way, -1, 1)) for way in (UNSURE, -UNSURE))
    turn = np.where(total > 0, np.clip(FOLLOWS * np.abs(head), least, most), 0.0)
    turn = turn * np.interp(turn, BELIEVED, (0, 1))
    return median_filter(turn * _sides(head), STEADY, mode="nearest")


def _sides(head: np.ndarray) -> np.ndarray:
    """To which side each frame is turned, 1 or -1: that of the head, or of the frame before where it says nothing."""
    known = np.flatnonzero(np.abs(head) > SIDEWAYS)
    if not len(known):
        return np.ones(len(head))
    before = np.searchsorted(known, np.arange(len(head)), side="right") - 1
    return np.sign(head[known[np.maximum(before, 0)]])


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
    alpha = layer[3].cpu().numpy()
    top, down, across = _axes(trunk)
    rows, cols = np.nonzero(alpha > SOLID)
    if not len(rows):
        return None
    spots = np.stack([cols + 0.5, rows + 0.5], axis=-1) - top
    aside, way = spots @ across, spots @ down
    first, last = float(way.min()), float(way.max())
    step = np.clip(((way - first) / max(last - first, 1.0) * (STEPS - 1)).round().astype(int), 0, STEPS - 1)
    right, left = np.zeros(STEPS), np.zeros(STEPS)
    np.maximum.at(right, step, aside + 0.5)
    np.maximum.at(left, step, 0.5 - aside)
    right, left = (_filled(edge) for edge in (right, left))
    depth = uniform_filter1d(0.5 * (right + left), SMOOTH, mode="nearest")
    texture = pulled(layer[None, :3], layer[None, 3:4])[0]
    seen = texture.cpu().numpy()[:, rows, cols].T
    known = np.array([np.median(seen[step == k], axis=0) for k in np.unique(step)])
    plain = np.stack([np.interp(np.arange(STEPS), np.unique(step), known[:, c]) for c in range(3)], axis=-1)
    plain = median_filter(plain, (USUAL, 1), mode="nearest")
    return Solid(top, across, down, first, last, right, left, depth, texture, layer.new_tensor(plain))


def _filled(edge: np.ndarray) -> np.ndarray:
    """Distances [n] with those at heights without a pixel taken from their neighbours."""
    known = np.flatnonzero(edge > 0)
    return np.interp(np.arange(len(edge)), known, edge[known]) if len(known) else np.ones_like(edge)


@dataclass(frozen=True)
class Seen:
    """Where a turned trunk's outline and its colours are in the reference, and how much it does not show: [f,h,w]."""

    outline: tuple[Tensor, Tensor]
    colours: tuple[Tensor, Tensor]
    unseen: Tensor
    plain: Tensor  # [f,3,h,w] what is drawn of that


def turned(solid: Solid, yaw: Tensor, x: Tensor, y: Tensor) -> Seen:
    """For places x, y [f,h,w] of a trunk turned by ``yaw`` [f] radians, positive towards the picture's right.

    The places are in pixels of the reference, about the trunk as it stands there.
    """
    to = x.new_tensor
    origin, across, down = (to(values) for values in (solid.origin, solid.across, solid.down))
    px, py = x - origin[0], y - origin[1]
    aside, way = px * across[0] + py * across[1], px * down[0] + py * down[1]
    right, left, depth = (_at(to(edge), solid, way) for edge in (solid.right, solid.left, solid.depth))
    cos, sin = torch.cos(yaw)[:, None, None], torch.sin(yaw)[:, None, None]
    front, back = FRONT * depth, BACK * depth
    edges = [
        _reach(torch.where(side * cos > 0, right, left), torch.where(side * sin > 0, front, back), cos, sin)
        for side in (1, -1)
    ]
    straight = torch.where(aside > 0, aside * right / edges[0], aside * left / edges[1])
    angle = _surface(aside, (right, left), (front, back), cos, sin)
    breadth = torch.where(torch.sin(angle) > 0, right, left)
    edge = 1 - (1 - EDGE) * (sin.abs() / EDGE_FROM).clamp(max=1)
    slid = breadth * torch.maximum(torch.minimum(torch.sin(angle), edge), -edge)
    unseen = ((angle.abs() - UNSEEN[0]) / (UNSEEN[1] - UNSEEN[0])).clamp(0, 1)
    outline, colours = (
        (x + (moved - aside) * across[0], y + (moved - aside) * across[1]) for moved in (straight, slid)
    )
    return Seen(outline, colours, unseen, rearrange(_at(solid.plain, solid, way), "f h w rgb -> f rgb h w"))


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
            angle = torch.asin((aside / _reach(a, b, cos, sin)).clamp(-1, 1)) - lag
            angle = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
            middle = (1 if right else -1) * math.pi * (0.25 if ahead else 0.75)
            off = (angle - middle).abs() - math.pi / 4
            better = off < misfit
            found, misfit = torch.where(better, angle, found), torch.minimum(off, misfit)
    return found
