"""A skirt or coat about both thighs: one piece of cloth that the hips and the knees carry.

It is measured in its own axes: the way down from the middle of the hips to the middle of the knees, and
across, towards the viewer's right. Positions are (x, y) in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .bones import LEGS, Bone, thighs_of
from .widths import interpolated

SKIRT = "skirt"
# Hips and knees in the order right hip, right knee, left hip, left knee.
CORNERS = tuple(joint for thigh, _ in LEGS.values() for joint in thigh.joints)
GAP = 2.2  # thighs' radii between the thighs from which a mask without a gap is cloth
AT = 0.55  # of the thigh: where that is looked at
LONGEST = 2.0  # thighs' lengths: how far down a hem is looked for
WIDEST = 3.0  # thighs' radii: how far the cloth may stand out beyond a thigh's line
STEPS = 9  # at which that is measured
EDGE = 1.0  # pixels that the cloth gets beyond its measured width: its soft edge
FLATTEST, THINNEST = 0.3, 0.35  # of the skirt in the reference: how short and how narrow it may get
LEAST = 1e-3  # pixels: thighs behind one another have a distance
ROUNDS = 4  # of the search for how far across a pixel is


@dataclass(frozen=True)
class Axes:
    """Hips and knees in the cloth's own axes, batched: all [f,1,1]."""

    origin: tuple[Tensor, Tensor]
    down: tuple[Tensor, Tensor]
    hips: Tensor  # [2,2,f,1,1]: right and left, across and down
    knees: Tensor

    @classmethod
    def of(cls, corners: Tensor) -> "Axes":
        """From ``corners`` [f,4,2] in the order of CORNERS."""
        hips, knees = rearrange(corners, "f (leg joint) xy -> joint f leg xy", joint=2)
        origin = hips.mean(dim=1)
        axis = knees.mean(dim=1) - origin
        length = torch.linalg.vector_norm(axis, dim=-1, keepdim=True)
        down = torch.where(length > 1, axis / length.clamp_min(1), axis.new_tensor([0.0, 1.0]))
        across = torch.stack([down[:, 1], -down[:, 0]], dim=-1)
        axes = torch.stack([across, down], dim=1)
        placed = [
            torch.einsum("fak,fjk->jaf", axes, spots - origin[:, None])[..., None, None] for spots in (hips, knees)
        ]
        return cls(_coordinates(origin), _coordinates(down), *placed)

    def turned(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels across and down [f,h,w] of places x [w], y [h,1]."""
        px, py = x - self.origin[0], y - self.origin[1]
        return px * self.down[1] - py * self.down[0], px * self.down[0] + py * self.down[1]

    def places(self, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
        """The reverse of ``turned``."""
        (ox, oy), (dx, dy) = self.origin, self.down
        return ox + across * dy + down * dx, oy - across * dx + down * dy

    def seen_after(self, yaw: Tensor) -> "Axes":
        """As hips and knees are seen after a turn by ``yaw`` [f] radians about the way down, right before left."""
        share = torch.stack([torch.cos(yaw).abs(), torch.ones_like(yaw)])[:, :, None, None]
        return replace(self, hips=self.hips * share, knees=self.knees * share)

    def ordered(self, yaw: Tensor) -> "Axes":
        """With the sides changed in frames ``yaw`` [f] that are seen from behind."""
        behind = (torch.cos(yaw) < 0)[:, None, None]
        hips, knees = (torch.where(behind, spots.flip(0), spots) for spots in (self.hips, self.knees))
        return replace(self, hips=hips, knees=knees)

    def line(self, share: Tensor) -> tuple[Tensor, Tensor]:
        """Where a thread from hips to knees begins and how long it is, down, at ``share`` 0-1 from right to left."""
        hip, knee = (spots[0, 1] + share * (spots[1, 1] - spots[0, 1]) for spots in (self.hips, self.knees))
        return hip, knee - hip

    def width(self, way: Tensor) -> tuple[Tensor, Tensor]:
        """Middle between the thighs' lines and their distance, across, at ``way`` 0-1 from hips to knees."""
        right, left = (self.hips[k, 0] + way * (self.knees[k, 0] - self.hips[k, 0]) for k in (0, 1))
        return 0.5 * (right + left), left - right


def _coordinates(points: Tensor) -> tuple[Tensor, Tensor]:
    return points[:, 0, None, None], points[:, 1, None, None]


@dataclass(frozen=True)
class Skirt:
    """The cloth in the reference: hips and knees ``corners`` [4,2], the hem's place down, what stands out aside.

    ``margins`` are pixels beyond the thighs' lines at even steps from the hips to the hem. ``joints`` are those of
    the corners: the leg at the viewer's left first, which is the left one of somebody seen from behind.
    """

    corners: np.ndarray
    hem: float
    margins: np.ndarray
    joints: tuple[int, ...] = CORNERS
    half: ClassVar[None] = None

    @property
    def length(self) -> float:
        """From the hips to the hem in pixels."""
        return self.hem

    @property
    def radius(self) -> float:
        """How far the cloth stands out at most, in pixels."""
        return float(self.margins.max())

    @property
    def overhang(self) -> float:
        """How far the hem is below the knees, in pixels; 0 above them."""
        return max(self.hem - float(self.axes.knees[:, 1].mean()), 0.0)

    @property
    def axes(self) -> Axes:
        """The axes on the CPU, a batch of one."""
        return self.axes_on("cpu")

    def axes_on(self, device: torch.device | str) -> Axes:
        """The axes where they are needed, a batch of one."""
        return Axes.of(torch.as_tensor(self.corners, dtype=torch.float32, device=device)[None])

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Distance to the cloth's nearest edge [h,w], negative inside."""
        axes = self.axes
        across, down = axes.turned(torch.as_tensor(x), torch.as_tensor(y))
        hip, length = axes.line(torch.tensor(0.5))
        middle, width = axes.width(((down - hip) / length).clamp(0, 1))
        way = down[0].numpy()
        margin = np.interp(way, np.linspace(0, self.hem, len(self.margins)), self.margins)
        aside = np.abs((across - middle)[0].numpy()) - 0.5 * np.abs(width[0].numpy()) - margin
        return np.maximum.reduce([aside, way - self.hem, -way]).astype(np.float32)

    def level(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Pixels [h,w] bool that are between hips and hem, however far aside."""
        _, down = self.axes.turned(torch.as_tensor(x), torch.as_tensor(y))
        return ((down > 0) & (down < self.hem))[0].numpy()


def skirt_of(bones: dict[str, Bone], alpha: np.ndarray, hidden: np.ndarray | None = None) -> Skirt | None:
    """The skirt that the mask [h,w] shows: it closes the gap between two thighs that stand apart; else None.

    ``hidden`` [h,w] bool is what arms hide: no edge of the cloth is looked for there.
    """
    thighs = thighs_of(bones)
    if len(thighs) < 2:
        return None
    spots = [thigh.a + AT * (thigh.b - thigh.a) for thigh in thighs]
    radius = max(thigh.radius for thigh in thighs)
    if np.hypot(*(spots[0] - spots[1])) <= GAP * radius or not _inside(np.mean(spots, axis=0), alpha):
        return None
    thighs = _from_the_left(thighs)
    corners = np.array([point for thigh in thighs for point in (thigh.a, thigh.b)])
    joints = tuple(joint for thigh in thighs if thigh.half for joint in thigh.half.joints)
    bare = Skirt(corners, _hem(corners, alpha), np.zeros(2), joints)
    margins = _margins(bare, alpha, np.zeros(alpha.shape, dtype=bool) if hidden is None else hidden, WIDEST * radius)
    return replace(bare, hem=bare.hem + EDGE, margins=margins + EDGE)


def _from_the_left(thighs: Sequence[Bone]) -> list[Bone]:
    """The thighs as they stand side by side, seen along the way down."""
    down = np.sum([thigh.b - thigh.a for thigh in thighs], axis=0)
    return sorted(thighs, key=lambda thigh: float((thigh.a + thigh.b) @ (down[1], -down[0])))


def skirt_map(
    skirt: Skirt, corners: Tensor, x: Tensor, y: Tensor, size: float, yaw: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Reference positions (x, y) [f,h,w] for target pixels x [w], y [h,1] with hips and knees ``corners`` [f,4,2].

    Between the thighs' lines the cloth is stretched across and down; what stands out beyond them, above the
    hips and below the knees keeps its size. With ``yaw`` [f] radians the thighs' lines come together as far as those
    of a body that is turned so, and the places are about the cloth as it stands in the reference.
    """
    there, here = skirt.axes_on(x.device), Axes.of(corners)
    if yaw is not None and yaw.any():
        there, here = there.seen_after(yaw), here.ordered(yaw)
    across, down = here.turned(x, y)
    ref_length = float(skirt.axes.line(torch.tensor(0.5))[1].mean())
    share = torch.full_like(across, 0.5)
    for _ in range(ROUNDS):
        hip, length = here.line(share)
        length = length.clamp_min(FLATTEST * ref_length * size)
        way = ((down - hip) / length).clamp(0, 1)
        middle, width = here.width(way)
        ref_middle, ref_width = there.width(way)
        width = torch.maximum(width, THINNEST * size * ref_width).clamp_min(LEAST)
        aside = (across - middle) / width
        share = (aside + 0.5).clamp(0, 1)
    ref_hip, ref_long = there.line(share)
    ref_across = ref_middle + (share - 0.5) * ref_width + (aside + 0.5 - share) * width / size
    ref_down = ref_hip + way * ref_long + (down - hip - way * length) / size
    return there.places(ref_across, ref_down)


def _inside(spot: np.ndarray, alpha: np.ndarray) -> bool:
    x, y = spot.astype(int)
    return 0 <= x < alpha.shape[1] and 0 <= y < alpha.shape[0] and bool(alpha[y, x] > 0.5)


def _hem(corners: np.ndarray, alpha: np.ndarray) -> float:
    """How far down from the hips' middle the mask goes on between the legs, in pixels."""
    hips, knees = corners[0::2].mean(axis=0), corners[1::2].mean(axis=0)
    length = max(float(np.hypot(*(knees - hips))), 1.0)
    ways = np.arange(0.0, LONGEST * length, 0.25)
    open_ = [not _inside(hips + way / length * (knees - hips), alpha) for way in ways]
    # The gap between the legs is looked for below the place that said there is cloth.
    below = np.flatnonzero(np.array(open_) & (ways > AT * length))
    return float(ways[below[0]]) if len(below) else float(ways[-1])


def _margins(bare: Skirt, alpha: np.ndarray, hidden: np.ndarray, widest: float) -> np.ndarray:
    """Pixels [n] from the thighs' lines outwards until the mask ends, of the side where it ends first."""
    axes = bare.axes
    downs = torch.linspace(0, bare.hem - 1, STEPS)
    hip, length = axes.line(torch.tensor(0.5))
    middle, width = (item.flatten() for item in axes.width(((downs - hip) / length).clamp(0, 1)))
    steps = torch.arange(0.0, widest, 0.25)
    ends = []
    for side in (-1, 1):
        across = (middle + 0.5 * side * width)[:, None] + side * steps
        spots = torch.stack(axes.places(across[None], downs[:, None]), dim=-1)[0].numpy()
        outside = np.array([[not _inside(spot, alpha) for spot in row] for row in spots])
        covered = np.array([[_inside(spot, hidden) for spot in row] for row in spots])
        ways = np.where(outside.any(axis=1), steps.numpy()[outside.argmax(axis=1)], widest)
        before = (covered & (steps.numpy()[None] <= ways[:, None])).any(axis=1)
        ends.append(np.where(before, np.nan, ways))
    margins = np.fmin(*ends)
    return interpolated(margins, 0.0)
