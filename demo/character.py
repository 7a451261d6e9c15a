"""Drawn characters with known truth: one seed is one character, in any pose of 18 joints.

The same character can be drawn in a reference's pose and in every pose of a motion, so the true
frames of an animation exist.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .body import Body, body
from .head import HEAD, head_frame, paint_back_hair, paint_head
from .looks import Looks, darker, looks
from .scenery import scenery
from .shapes import Capsule, Colour, Ellipse, Fill, Painter, Polygon, Shape

TORSO, RIGHT_ARM, LEFT_ARM, RIGHT_LEG, LEFT_LEG = 1, 3, 5, 7, 9  # labels; the lower half of a limb is one more
_LIMBS = (
    (2, RIGHT_ARM, -1.0),
    (5, LEFT_ARM, 1.0),
    (8, RIGHT_LEG, -1.0),
    (11, LEFT_LEG, 1.0),
)  # first joint, label, side
_BONES = (  # joints and the body's length between them, for the size on the canvas
    (1, 0, None),
    (2, 3, "upper_arm"),
    (3, 4, "forearm"),
    (5, 6, "upper_arm"),
    (6, 7, "forearm"),
    (8, 9, "thigh"),
    (9, 10, "shin"),
    (11, 12, "thigh"),
    (12, 13, "shin"),
)


@dataclass(frozen=True)
class Figure:
    """One character on one canvas: its body, its looks, pixels per standing height, outline width."""

    shape: Body
    looks: Looks
    scale: float
    line: float


def draw_character(seed: int, joints: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Images [F,H,W,3] and person masks [F,H,W], float32 0-1, of character ``seed`` in poses [F,18,3].

    Joints are x, y, confidence in pixels; a part whose joints have confidence 0 is left out.
    """
    images, masks, _ = draw_parts(seed, joints, height, width)
    return images, masks


def draw_parts(seed: int, joints: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As ``draw_character``, and the part labels [F,H,W] uint8: 0 ground, 1 torso, 2 head, 3-10 limbs."""
    ground = scenery(seed, height, width)
    shape = body(seed)
    scale = _scale(shape, joints)
    figure = Figure(shape, looks(seed), scale, 0.0055 * scale)
    painters = [_painted(figure, pose, ground) for pose in joints]
    images = np.stack([painter.image for painter in painters]).astype(np.float32)
    masks = np.stack([painter.cover for painter in painters])
    return np.clip(images, 0, 1), masks, np.stack([painter.labels for painter in painters])


def _scale(shape: Body, joints: np.ndarray) -> float:
    """Pixels per standing height: the median over frames of the least foreshortened bone."""
    lengths = {None: shape.neck + 0.7 * shape.head}
    sizes = []
    for a, b, name in _BONES:
        seen = (joints[:, a, 2] > 0) & (joints[:, b, 2] > 0)
        nominal = lengths.get(name) or getattr(shape, name)
        sizes.append(np.where(seen, np.hypot(*(joints[:, a, :2] - joints[:, b, :2]).T) / nominal, 0))
    return float(max(np.median(np.max(sizes, axis=0)), 1.0))


def _painted(figure: Figure, pose: np.ndarray, ground: np.ndarray) -> Painter:
    """The whole figure over the ground, back to front: hair behind, legs, torso, head, arms."""
    painter = Painter(ground.copy())
    frame = head_frame(figure.shape, pose, figure.scale, figure.line)
    if frame is not None:
        paint_back_hair(painter, frame, figure.looks)
    for first, label, side in _LIMBS[2:]:
        _paint_leg(painter, figure, pose, first, label, side)
    _paint_torso(painter, figure, pose)
    if frame is not None:
        paint_head(painter, frame, figure.looks)
    for first, label, side in _LIMBS[:2]:
        _paint_arm(painter, figure, pose, first, label, side)
    return painter


def _paint_arm(painter: Painter, figure: Figure, pose: np.ndarray, first: int, label: int, side: float) -> None:
    """Upper arm, forearm and hand with their sleeve."""
    if (pose[first : first + 3, 2] <= 0).any():
        return
    shoulder, elbow, wrist = pose[first : first + 3, :2]
    r = figure.shape.arm_thick * figure.scale
    along = _unit(wrist - elbow)
    palm = Capsule(_xy(wrist), _xy(wrist + 1.35 * r * along), 0.80 * r, 1.05 * r)
    thumb_way = _unit(along - 0.9 * side * _across(along))
    thumb = Capsule(
        _xy(wrist + 0.5 * r * along), _xy(wrist + 0.5 * r * along + 1.45 * r * thumb_way), 0.42 * r, 0.38 * r
    )
    skin = [
        (Capsule(_xy(shoulder), _xy(elbow), 1.05 * r, 0.92 * r), label),
        (Capsule(_xy(elbow), _xy(wrist), 0.92 * r, 0.72 * r), label + 1),
        (thumb, label + 1),
        (palm, label + 1),
    ]
    sleeve = _sleeve(shoulder, elbow, wrist, figure.looks.sleeve, (1.22 * r, 1.12 * r, 1.0 * r), label)
    _paint_limb(painter, figure, skin, sleeve, (figure.looks.shirt, figure.looks.shirt_second))


def _paint_leg(painter: Painter, figure: Figure, pose: np.ndarray, first: int, label: int, side: float) -> None:
    """Shoe, thigh and shin with what they wear."""
    if (pose[first : first + 3, 2] <= 0).any():
        return
    hip, knee, ankle = pose[first : first + 3, :2]
    r = figure.shape.leg_thick * figure.scale
    skin = [
        (Capsule(_xy(hip), _xy(knee), 1.1 * r, 0.82 * r), label),
        (Capsule(_xy(knee), _xy(ankle), 0.82 * r, 0.58 * r), label + 1),
    ]
    cloth = _sleeve(hip, knee, ankle, figure.looks.legwear, (1.22 * r, 0.98 * r, 0.84 * r), label)
    _paint_limb(painter, figure, skin, cloth, (figure.looks.legs, figure.looks.legs))
    _paint_shoe(painter, figure, knee, ankle, label + 1, side)


def _paint_shoe(painter: Painter, figure: Figure, knee: np.ndarray, ankle: np.ndarray, label: int, side: float) -> None:
    """A shoe that turns with the shin, its toe outwards."""
    down = _unit(ankle - knee)
    out = -side * _across(down)
    unit = figure.shape.sole * figure.scale
    heel, toe = ankle + 0.38 * unit * down, ankle + 0.48 * unit * down + 0.95 * unit * out
    upper = Capsule(_xy(heel), _xy(toe), 0.62 * unit, 0.50 * unit)
    sole = Capsule(_xy(heel + 0.50 * unit * down), _xy(toe + 0.40 * unit * down), 0.16 * unit, 0.16 * unit)
    painter.paint(upper.grown(figure.line), darker(figure.looks.shoes, 0.4), label)
    painter.paint(sole.grown(figure.line), darker(figure.looks.soles, 0.4), label)
    painter.paint(upper, figure.looks.shoes, label)
    painter.paint(sole, figure.looks.soles, label)


def _sleeve(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, reach: float, radii: tuple[float, float, float], label: int
) -> list[tuple[Capsule, int]]:
    """Cloth over a limb a-b-c down to ``reach`` (1 is b, 2 is c), as labelled capsules."""
    ra, rb, rc = radii
    upper, lower = min(reach, 1.0), max(reach - 1.0, 0.0)
    cloth = [(Capsule(_xy(a), _xy(a + upper * (b - a)), ra, ra + upper * (rb - ra)), label)]
    if lower > 0:
        cloth.append((Capsule(_xy(b), _xy(b + lower * (c - b)), rb, rb + lower * (rc - rb)), label + 1))
    return cloth


def _paint_limb(painter: Painter, figure: Figure, skin: list, cloth: list, colours: tuple[Colour, Colour]) -> None:
    """A limb over what lies behind it: skin, then cloth; outlines first, so that none crosses a joint."""
    bare = figure.looks.skin
    striped = figure.looks.pattern == "stripes" and colours[0] != colours[1]
    for shapes, pair, pattern in ((skin, (bare, bare), "plain"), (cloth, colours, "stripes" if striped else "plain")):
        for k, (shape, label) in enumerate(shapes):
            rim = shape.grown(figure.line)
            # The outline fades out at the root, where the limb grows out of the torso.
            rim = Capsule(rim.a, rim.b, shape.ra, rim.rb) if k == 0 else rim
            painter.paint(rim, darker(pair[0], 0.42), label)
        for shape, label in shapes:
            along = _unit(np.subtract(shape.b, shape.a))
            painter.paint(shape, _cloth(figure, np.array(shape.a), along, shape.ra, pair, pattern), label)


def _paint_torso(painter: Painter, figure: Figure, pose: np.ndarray) -> None:
    """Neck, hips and shirt."""
    if (pose[[1, 2, 5, 8, 11], 2] <= 0).any():
        return
    look, unit, line = figure.looks, figure.scale, figure.line
    top, half, bottom, low_half = _torso_frame(pose)
    along = _unit(bottom - top)
    thick = figure.shape.leg_thick * unit

    def outline(half_points: tuple[tuple[float, float, float], ...], radius: float) -> Polygon:
        """A mirrored polygon from (half widths aside, way down, pixels further out)."""
        return Polygon(
            tuple(
                _xy(top + v * (bottom - top) + sign * (u * side + out * _unit(side)))
                for sign, points in ((1, half_points), (-1, half_points[::-1]))
                for u, v, out in points
                for side in [(1 - v) * half + v * low_half]
            ),
            radius,
        )

    neck = Capsule(
        _xy(top), _xy(top - (figure.shape.neck + 0.5 * figure.shape.head) * unit * along), 0.036 * unit, 0.032 * unit
    )
    hips = outline(((1, 0.72, thick), (1, 1.03, 0.9 * thick), (0.01, 1.16, 0)), 0.006 * unit)
    shirt = outline(
        ((0.3, -0.05, 0), (0.93, 0, 0.004 * unit), (0.97, 0.14, 0), (1, 0.62, 0.7 * thick), (1, 0.93, thick)),
        0.014 * unit,
    )
    _outlined(painter, neck, darker(look.skin, 0.88), darker(look.skin, 0.42), line, HEAD)
    _outlined(painter, hips, look.legs, darker(look.legs, 0.42), line * 0.6, TORSO)
    fill = _cloth(figure, top, along, 0.14 * unit, (look.shirt, look.shirt_second), look.pattern)
    _outlined(painter, shirt, fill, darker(look.shirt, 0.42), line, TORSO)
    collar = Ellipse(
        _xy(top - 0.016 * unit * along), (0.044 * unit, 0.026 * unit), float(np.arctan2(along[1], along[0]) - np.pi / 2)
    )
    painter.paint(collar.grown(0.010 * unit), darker(look.shirt, 0.72), TORSO, clip=shirt)
    painter.paint(collar, darker(look.skin, 0.92), TORSO, clip=shirt)


def _outlined(painter: Painter, shape: Shape, fill: Fill, ink: Colour, line: float, label: int) -> None:
    painter.paint(shape.grown(line), ink, label)
    painter.paint(shape, fill, label)


def _torso_frame(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Middle of the shoulders, half their line, middle of the hips, half their line: four [2] in pixels."""
    right, left, right_hip, left_hip = (pose[k, :2].astype(np.float64) for k in (2, 5, 8, 11))
    return (right + left) / 2, (left - right) / 2, (right_hip + left_hip) / 2, (left_hip - right_hip) / 2


def _cloth(
    figure: Figure, start: np.ndarray, along: np.ndarray, radius: float, colours: tuple[Colour, Colour], pattern: str
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Colours [h,w,3] in the part's own frame, so that pattern and shading move with it."""
    base, second = (np.asarray(colour, dtype=np.float32) for colour in colours)
    across, size = _across(along), figure.looks.pattern_size * figure.scale

    def fill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u = (x - start[0]) * across[0] + (y - start[1]) * across[1]
        v = (x - start[0]) * along[0] + (y - start[1]) * along[1]
        share = _PATTERNS[pattern](u / size, v / size, size)[..., None]
        side = np.clip(u / radius, -1.3, 1.3)
        return (base + share * (second - base)) * (1.02 - 0.05 * side - 0.10 * side**2)[..., None]

    return fill


def _edge(distance: np.ndarray, size: float) -> np.ndarray:
    """Cover of a pattern: 1 where the distance (in pattern units of ``size`` pixels) is negative."""
    return np.clip(0.5 - distance * size, 0, 1)


def _wave(t: np.ndarray) -> np.ndarray:
    """Distance from the nearest whole number, 0-0.5."""
    return np.abs(t - np.round(t))


_PATTERNS: dict[str, Callable[[np.ndarray, np.ndarray, float], np.ndarray]] = {
    "plain": lambda u, v, s: np.zeros(np.broadcast_shapes(u.shape, v.shape)),
    "stripes": lambda u, v, s: _edge(_wave(v) - 0.25, s) + 0 * u,
    "bars": lambda u, v, s: _edge(_wave(u) - 0.18, s) + 0 * v,
    "dots": lambda u, v, s: _edge(np.hypot(_wave(u), _wave(v)) - 0.27, s),
    "checks": lambda u, v, s: 0.5 * (_edge(_wave(u) - 0.25, s) + _edge(_wave(v) - 0.25, s)),
    "band": lambda u, v, s: _edge(np.abs(v - 2.6) - 0.75, s) + 0 * u,
    "emblem": lambda u, v, s: _edge(np.hypot(u, v - 2.3) - 1.1, s),
}


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.hypot(*vector)), 1e-6)


def _across(along: np.ndarray) -> np.ndarray:
    """The direction a quarter turn from ``along``: to the left side for one that points down."""
    return np.array([along[1], -along[0]])


def _xy(point: np.ndarray) -> tuple[float, float]:
    return float(point[0]), float(point[1])
