"""Neck, shirt, hips and skirt of a drawn character."""

import math
from dataclasses import dataclass

import numpy as np

from .cloth import Cloth
from .figure import LEFT_LEG, RIGHT_LEG, TORSO, Figure, across, unit, xy
from .looks import darker
from .shapes import Capsule, Convex, Ellipse, Fill, Painter

CHEST = 0.085  # half depth of the torso, body fractions: what is seen of it from the side


def paint_torso(painter: Painter, figure: Figure) -> None:
    """Neck, hips, shirt and collar."""
    spots = figure.spots(2, 5, 8, 11)
    if spots is None:
        return
    trunk = _trunk(figure, spots)
    look, size = figure.looks, figure.scale
    crown = trunk.top - (figure.shape.neck + 0.5 * figure.shape.head) * size * trunk.down
    neck = Capsule(xy(trunk.top), xy(crown), 0.036 * size, 0.032 * size)
    painter.paint(neck, darker(look.skin.rgb, 0.9), TORSO, figure.rim(look.skin.rgb))
    thick = figure.shape.leg_thick * size
    if look.legwear != "skirt":
        pelvis = trunk.outline(((trunk.hips + thick, 0.75), (trunk.hips + 1.1 * thick, 1.0), (0.35 * trunk.hips, 1.2)))
        painter.paint(pelvis, look.legs.rgb, TORSO, round_=2.0 * thick)
    shirt = _shirt(trunk, thick)
    painter.paint(shirt, _shirt_fill(figure, trunk), TORSO, figure.rim(look.shirt.rgb), round_=0.8 * trunk.chest)
    aside = 0.03 * size * math.sin(figure.yaw) * across(trunk.down)
    angle = math.atan2(trunk.down[1], trunk.down[0]) - math.pi / 2
    collar = Ellipse(xy(trunk.top - 0.02 * size * trunk.down + aside), (0.042 * size, 0.03 * size), angle) & shirt
    painter.paint(collar, darker(look.skin.rgb, 0.92), TORSO)


@dataclass(frozen=True)
class _Trunk:
    """Middle of the shoulders [2], middle of the hips [2], half widths at chest and hips in pixels.

    ``narrow`` is how much of its width the viewer sees, 1 from the front.
    """

    top: np.ndarray
    bottom: np.ndarray
    chest: float
    hips: float
    narrow: float

    @property
    def down(self) -> np.ndarray:
        """Unit vector [2] from the shoulders to the hips."""
        return unit(self.bottom - self.top)

    def outline(self, points: tuple[tuple[float, float], ...]) -> Convex:
        """A mirrored polygon from points (pixels aside, share of the way down)."""
        sides = [(u, v) for u, v in points] + [(-u, v) for u, v in points[::-1]]
        return Convex(tuple(xy(self.top + v * (self.bottom - self.top) + u * across(self.down)) for u, v in sides))


def _trunk(figure: Figure, spots: list[np.ndarray]) -> _Trunk:
    """The trunk of a figure; one that is seen from the side is as wide as it is deep."""
    right, left, right_hip, left_hip = spots
    half, low = math.dist(left, right) / 2, math.dist(left_hip, right_hip) / 2
    narrow = min(half / (figure.shape.shoulder * figure.scale), 1.0)
    depth = CHEST * figure.scale * math.sqrt(1 - narrow**2)
    chest, hips = math.hypot(half, depth), math.hypot(low, 0.5 * depth)
    return _Trunk((right + left) / 2, (right_hip + left_hip) / 2, chest, hips, max(narrow, 0.45))


def _shirt(trunk: _Trunk, thick: float) -> Convex:
    """The shirt's outline, from the shoulders over the waist to the hips."""
    chest, hips = trunk.chest, trunk.hips
    waist = 0.9 * hips + 0.1 * chest + 0.9 * thick
    return trunk.outline(
        ((0.45 * chest, -0.075), (0.9 * chest, -0.045), (1.05 * chest, 0.04), (waist, 0.62), (hips + 1.2 * thick, 0.97))
    )


def _shirt_fill(figure: Figure, trunk: _Trunk) -> Fill:
    """The shirt's colour or pattern, which the yaw narrows and slides to the side."""
    look, size = figure.looks, figure.scale
    if look.pattern == "plain":
        return look.shirt.rgb
    slide = CHEST * size * math.sin(figure.yaw)
    period, top = look.pattern_size * size, xy(trunk.top)
    return Cloth(look.pattern, look.shirt.rgb, look.shirt_second.rgb, top, xy(trunk.down), period, trunk.narrow, slide)


def paint_skirt(painter: Painter, figure: Figure) -> None:
    """A skirt from the hips to the knees, as wide as both thighs; each half is its thigh's."""
    spots = figure.spots(8, 9, 11, 12)
    if spots is None or figure.looks.legwear != "skirt":
        return
    right_hip, right_knee, left_hip, left_knee = spots
    hips = (right_hip + left_hip) / 2
    down = unit((right_knee + left_knee) / 2 - hips)
    side = across(down)
    labels = (RIGHT_LEG, LEFT_LEG) if side @ (left_hip - right_hip) >= 0 else (LEFT_LEG, RIGHT_LEG)
    (ax, ay), (hx, hy) = xy(side), xy(hips)
    colour = figure.looks.legs.rgb
    painter.paint(
        _skirt(spots, hips, down, figure.shape.leg_thick * figure.scale),
        colour,
        lambda x, y: np.where((x - hx) * ax + (y - hy) * ay > 0, labels[1], labels[0]),
        figure.rim(colour),
        round_=2.0 * figure.shape.leg_thick * figure.scale,
    )


def _skirt(spots: list[np.ndarray], hips: np.ndarray, down: np.ndarray, thick: float) -> Convex:
    """The skirt's outline: its waist, and a hem whose ends follow the thighs (hip, knee, hip, knee)."""
    side = across(down)
    ends = [hip + 0.88 * (knee - hip) - hips for hip, knee in (spots[:2], spots[2:])]
    first, last = sorted((float(side @ end), float(down @ end)) for end in ends)
    waist = max(abs(float(side @ (spots[2] - spots[0]))) / 2 + thick, 1.9 * thick)
    corners = (
        (-waist, -0.3 * thick),
        (waist, -0.3 * thick),
        (max(last[0] + 1.9 * thick, waist), last[1]),
        (min(first[0] - 1.9 * thick, -waist), first[1]),
    )
    return Convex(tuple(xy(hips + u * side + v * down) for u, v in corners))
