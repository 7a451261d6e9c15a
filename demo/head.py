"""The head of a drawn character: hair, face and ears, in the head's own frame."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .body import Body, face_offsets
from .looks import Looks, darker
from .shapes import Capsule, Ellipse, Painter, Polygon

HEAD = 2  # part label
_FACE = [0, 14, 15, 16, 17]
_INK = (0.13, 0.10, 0.11)


@dataclass(frozen=True)
class HeadFrame:
    """Where the head is: centre and turn on the canvas; lengths in head half widths and half heights."""

    centre: tuple[float, float]
    angle: float
    wide: float  # pixels
    tall: float  # pixels
    line: float  # outline, pixels

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Pixel of the point ``u`` half widths to its left side, ``v`` half heights down from the centre."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        du, dv = u * self.wide, v * self.tall
        return self.centre[0] + c * du - s * dv, self.centre[1] + s * du + c * dv

    def oval(self, u: float, v: float, ru: float, rv: float) -> Ellipse:
        """An ellipse about (u, v) with radii in half widths and half heights."""
        return Ellipse(self.at(u, v), (ru * self.wide, rv * self.tall), self.angle)

    def polygon(self, points: list[tuple[float, float]], radius: float = 0.0) -> Polygon:
        """A polygon through points (u, v), rounded by ``radius`` half widths."""
        return Polygon(tuple(self.at(u, v) for u, v in points), radius * self.wide)

    def stroke(self, a: tuple[float, float], b: tuple[float, float], r: float) -> Capsule:
        """A line between two points (u, v), ``r`` half widths thick to each side."""
        return Capsule(self.at(*a), self.at(*b), r * self.wide, r * self.wide)


def head_frame(shape: Body, joints: np.ndarray, scale: float, line: float) -> HeadFrame | None:
    """The head's frame from nose, eyes and ears [18,3], as the best rotation; None without a nose."""
    if joints[0, 2] <= 0:
        return None
    seen = [k for k, joint in enumerate(_FACE) if joints[joint, 2] > 0]
    own = face_offsets(shape)[seen] * scale
    there = joints[[_FACE[k] for k in seen], :2]
    flat, moved = (complex_of(p - p.mean(axis=0)) for p in (own, there))
    angle = float(np.angle(np.sum(np.conj(flat) * moved))) if len(seen) > 1 else 0.0
    lift = 0.30 * shape.head * scale
    centre = (joints[0, 0] + np.sin(angle) * lift, joints[0, 1] - np.cos(angle) * lift)
    return HeadFrame(centre, angle, shape.head_wide * scale, shape.head * scale, line)


def complex_of(points: np.ndarray) -> np.ndarray:
    """Points [n,2] as complex numbers [n]."""
    return points[:, 0] + 1j * points[:, 1]


def paint_back_hair(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """Hair that lies behind neck and shoulders."""
    ink, colour = darker(looks.hair, 0.45), looks.hair
    shapes = {
        "bob": [frame.polygon([(-0.85, -0.2), (0.85, -0.2), (0.88, 0.82), (-0.88, 0.82)], 0.28)],
        "long": [frame.polygon([(-0.82, -0.2), (0.82, -0.2), (0.92, 1.5), (-0.92, 1.5)], 0.3)],
        "bun": [frame.oval(0.0, -1.12, 0.42, 0.36)],
    }.get(looks.hair_style, [])
    for shape in shapes:
        painter.paint(shape.grown(frame.line), ink, HEAD)
        painter.paint(shape, colour, HEAD)


def paint_head(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """Ears, face and the hair in front."""
    ink = darker(looks.skin, 0.42)
    for side in (-1, 1):
        ear = frame.oval(0.98 * side, 0.12, 0.17, 0.17)
        painter.paint(ear.grown(frame.line), ink, HEAD)
        painter.paint(ear, looks.skin, HEAD)
    skull = frame.oval(0.0, 0.0, 1.0, 1.0)
    painter.paint(skull.grown(frame.line), ink, HEAD)
    painter.paint(skull, _cheeks(frame, looks), HEAD)
    _paint_face(painter, frame, looks)
    _paint_front_hair(painter, frame, looks)


def _cheeks(frame: HeadFrame, looks: Looks) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Skin, a little darker towards the rim."""
    skin = np.asarray(looks.skin, dtype=np.float32)

    def fill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rim = np.hypot((x - frame.centre[0]) / frame.wide, (y - frame.centre[1]) / frame.tall)
        return skin * (1 - 0.10 * np.clip(rim, 0, 1.2) ** 3)[..., None]

    return fill


def _paint_face(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """Eyes, brows, nose, mouth and blush."""
    brow = darker(looks.hair, 0.75)
    blush = (min(1.0, looks.skin[0] * 1.08), looks.skin[1] * 0.72, looks.skin[2] * 0.72)
    for side in (-1, 1):
        painter.paint(frame.oval(0.56 * side, 0.38, 0.17, 0.11), blush, opacity=0.55)
        painter.paint(frame.oval(0.40 * side, 0.02, 0.225, 0.20), _INK, HEAD)
        painter.paint(frame.oval(0.40 * side, 0.03, 0.195, 0.165), (0.97, 0.97, 0.96), HEAD)
        painter.paint(frame.oval(0.39 * side, 0.04, 0.125, 0.125), looks.iris, HEAD)
        painter.paint(frame.oval(0.39 * side, 0.04, 0.07, 0.07), _INK, HEAD)
        painter.paint(frame.oval(0.39 * side - 0.05, -0.01, 0.035, 0.03), (1.0, 1.0, 1.0), HEAD)
        painter.paint(frame.stroke((0.22 * side, -0.27), (0.56 * side, -0.24), 0.045), brow, HEAD)
    painter.paint(frame.stroke((0.0, 0.20), (0.03, 0.30), 0.045), darker(looks.skin, 0.78), HEAD)
    _paint_mouth(painter, frame, looks)


def _paint_mouth(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """An open smile, or a curved line."""
    if looks.smile:
        below = frame.polygon([(-0.5, 0.50), (0.5, 0.50), (0.5, 0.9), (-0.5, 0.9)])
        painter.paint(frame.oval(0.0, 0.50, 0.30, 0.22), (0.55, 0.14, 0.16), HEAD, clip=below)
        painter.paint(frame.oval(0.0, 0.50, 0.25, 0.07), (0.98, 0.97, 0.95), HEAD, clip=below)
        return
    curve = [(u, 0.60 - 0.9 * u * u) for u in np.linspace(-0.27, 0.27, 7)]
    for a, b in zip(curve, curve[1:]):
        painter.paint(frame.stroke(a, b, 0.04), (0.48, 0.16, 0.16), HEAD)


def _paint_front_hair(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """The hair over the forehead, as the skull's upper part, larger by the hair's thickness."""
    ink, thick = darker(looks.hair, 0.45), 0.07 * frame.wide
    if looks.hair_style == "cap":
        _paint_cap(painter, frame, looks)
        return
    skull = frame.oval(0.0, -0.03, 1.02, 1.02).grown(thick)
    part = 0.45 * looks.fringe
    region = frame.polygon(
        [
            (-1.5, -1.9),
            (1.5, -1.9),
            (1.5, 0.10),
            (0.88, 0.10),
            (0.80, -0.32),
            (part, -0.60),
            (-0.80, -0.32),
            (-0.88, 0.10),
            (-1.5, 0.10),
        ]
    )
    spikes = _spikes(frame) if looks.hair_style == "spiky" else []
    for shape in spikes:
        painter.paint(shape.grown(frame.line), ink, HEAD)
    painter.paint(skull.grown(frame.line), ink, HEAD, clip=region.grown(frame.line))
    for shape in spikes:
        painter.paint(shape, looks.hair, HEAD)
    painter.paint(skull, looks.hair, HEAD, clip=region)
    gloss = frame.oval(-0.32, -0.78, 0.30, 0.10)
    painter.paint(gloss, tuple(min(1.0, 0.25 + c) for c in looks.hair), opacity=0.35)


def _spikes(frame: HeadFrame) -> list[Polygon]:
    """Tufts along the top of the skull."""
    tufts = []
    for u in (-0.78, -0.4, 0.0, 0.4, 0.78):
        v = -np.sqrt(1.0 - 0.8 * u * u)
        tufts.append(frame.polygon([(u - 0.22, v + 0.25), (1.25 * u, v - 0.30), (u + 0.22, v + 0.25)], 0.04))
    return tufts


def _paint_cap(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """A cap in the shirt's second colour, with hair at the temples."""
    ink, colour = darker(looks.shirt_second, 0.45), looks.shirt_second
    skull = frame.oval(0.0, -0.03, 1.0, 1.0).grown(0.10 * frame.wide)
    temples = frame.polygon(
        [
            (-1.5, -0.6),
            (1.5, -0.6),
            (1.5, 0.15),
            (0.86, 0.15),
            (0.80, -0.35),
            (-0.80, -0.35),
            (-0.86, 0.15),
            (-1.5, 0.15),
        ]
    )
    crown = frame.polygon([(-1.6, -2.0), (1.6, -2.0), (1.6, -0.38), (-1.6, -0.38)])
    painter.paint(skull, looks.hair, HEAD, clip=temples)
    painter.paint(skull.grown(frame.line), ink, HEAD, clip=crown)
    painter.paint(skull, colour, HEAD, clip=crown)
    brim = frame.stroke((-0.95, -0.38), (0.95, -0.38), 0.11)
    painter.paint(brim.grown(frame.line), ink, HEAD)
    painter.paint(brim, darker(colour, 0.85), HEAD)
