"""Arms and legs of a drawn character with their sleeves, trousers and shoes."""

import math
from collections.abc import Callable

import numpy as np

from .cloth import Cloth
from .figure import LEFT_LIMBS, Figure, across, unit, xy
from .looks import LEGWEAR, SLEEVES
from .shapes import Capsule, Fill, Painter, Shape


def paint_arm(painter: Painter, figure: Figure, label: int) -> None:
    """Upper arm, forearm and hand with their sleeve."""
    spots = figure.limb(label)
    if spots is None:
        return
    shoulder, elbow, wrist = spots
    look, r = figure.looks, figure.shape.arm_thick * figure.scale
    palm = Capsule(xy(wrist), xy(wrist + 1.2 * r * unit(wrist - elbow)), 0.9 * r, 1.15 * r)
    skin = _limb(spots, 2.0, (1.05 * r, 0.95 * r, 0.8 * r)) | palm
    sleeve = _limb(spots, SLEEVES[look.sleeve], (1.25 * r, 1.2 * r, 1.1 * r))
    owner, fade = _halves(spots, label), (shoulder, 1.25 * r)
    painter.paint(skin, look.skin.rgb, owner, figure.rim(look.skin.rgb, fade), round_=r)
    painter.paint(sleeve, _sleeve_fill(figure, spots), owner, figure.rim(look.shirt.rgb, fade), round_=1.2 * r)


def _sleeve_fill(figure: Figure, spots: list[np.ndarray]) -> Fill:
    """The shirt's colour, with stripes across the arm where the shirt has them."""
    look = figure.looks
    if look.pattern != "stripes":
        return look.shirt.rgb
    shoulder, elbow, wrist = spots
    size = look.pattern_size * figure.scale
    # Both halves count from the elbow, so that the stripes meet there.
    upper, lower = (
        Cloth("stripes", look.shirt.rgb, look.shirt_second.rgb, xy(elbow), xy(unit(way)), size)
        for way in (elbow - shoulder, wrist - elbow)
    )
    below = _beyond(spots)
    return lambda x, y: np.where(below(x, y), lower(x, y), upper(x, y))


def paint_leg(painter: Painter, figure: Figure, label: int) -> None:
    """Shoe, thigh and shin with what they wear."""
    spots = figure.limb(label)
    if spots is None:
        return
    look, r = figure.looks, figure.shape.leg_thick * figure.scale
    owner = _halves(spots, label)
    if look.legwear != "trousers":
        skin = _limb(spots, 2.0, (1.1 * r, 0.85 * r, 0.6 * r))
        painter.paint(skin, look.skin.rgb, owner, figure.rim(look.skin.rgb), round_=r)
    _paint_shoe(painter, figure, spots, label + 1, 1.0 if label in LEFT_LIMBS else -1.0)
    if look.legwear != "skirt":
        cloth = _limb(spots, LEGWEAR[look.legwear], (1.22 * r, 1.0 * r, 0.86 * r))
        rim = figure.rim(look.legs.rgb, (spots[0], 1.22 * r))
        painter.paint(cloth, look.legs.rgb, owner, rim, round_=1.1 * r)


def _paint_shoe(painter: Painter, figure: Figure, spots: list[np.ndarray], label: int, side: float) -> None:
    """A shoe that turns with the shin; its toe points outwards and where the person looks."""
    _, knee, ankle = spots
    down = unit(ankle - knee)
    size = figure.shape.sole * figure.scale
    aside = 1.3 * math.sin(side * math.radians(38) + figure.yaw)
    heel = ankle + 0.32 * size * down
    toe = ankle + 0.5 * size * down + aside * size * across(down)
    colour = figure.looks.shoes.rgb
    painter.paint(
        Capsule(xy(heel), xy(toe), 0.66 * size, 0.56 * size), colour, label, figure.rim(colour), round_=0.6 * size
    )


def _limb(spots: list[np.ndarray], reach: float, radii: tuple[float, float, float]) -> Shape:
    """A limb a-b-c down to ``reach`` (1 is b, 2 is c) with its radii there."""
    (a, b, c), (ra, rb, rc) = spots, radii
    upper, lower = min(reach, 1.0), max(reach - 1.0, 0.0)
    whole = Capsule(xy(a), xy(a + upper * (b - a)), ra, ra + upper * (rb - ra))
    return whole | Capsule(xy(b), xy(b + lower * (c - b)), rb, rb + lower * (rc - rb)) if lower else whole


def _beyond(spots: list[np.ndarray]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Which pixels [h,w] of a limb a-b-c are nearer to b-c: those past the line that halves the angle at b."""
    a, b, c = spots
    nx, ny = xy(unit(b - a) + unit(c - b))
    bx, by = xy(b)
    return lambda x, y: (x - bx) * nx + (y - by) * ny > 0


def _halves(spots: list[np.ndarray], label: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Label of each pixel of a limb: ``label`` above its middle joint, one more below."""
    below = _beyond(spots)
    return lambda x, y: label + below(x, y)
