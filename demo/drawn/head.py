"""The head of a drawn character: where a pose puts it, and hair, face and hat on its round."""

import math
from dataclasses import dataclass

import numpy as np

from .body import FAR_EAR_HIDDEN, Body, face_offsets
from .looks import Looks, darker
from .shapes import Capsule, Colour, Convex, Ellipse, Painter, Rim, Shape

HEAD = 2  # part label
INK = 0.45  # how dark an outline is, as a share of its fill
FACE = [0, 14, 15, 16, 17]
DARK = (0.13, 0.10, 0.11)
OPENING = math.radians(62)  # how far round the head, from its front, the hair leaves the face free
YAWS = np.radians(np.arange(-75, 76, 1.0))  # that a head is tried at


@dataclass(frozen=True)
class HeadFrame:
    """Where the head is: centre and turn on the canvas; lengths in head half widths and half heights."""

    centre: tuple[float, float]
    angle: float
    yaw: float  # radians, positive towards the viewer's right
    wide: float  # pixels
    tall: float  # pixels
    line: float  # outline, pixels

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Pixel of the point ``u`` half widths to its left side, ``v`` half heights down from the centre."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        du, dv = u * self.wide, v * self.tall
        return self.centre[0] + c * du - s * dv, self.centre[1] + s * du + c * dv

    def round(self, u: float) -> float:
        """Where the yaw takes what is ``u`` half widths aside on the front of the round head."""
        return math.sin(math.asin(u) + self.yaw)

    def oval(self, u: float, v: float, ru: float, rv: float, grown: float = 0.0) -> Ellipse:
        """An ellipse about (u, v) with radii in half widths and half heights, larger by ``grown`` half widths."""
        more = grown * self.wide
        return Ellipse(self.at(u, v), (ru * self.wide + more, rv * self.tall + more), self.angle)

    def polygon(self, points: list[tuple[float, float]]) -> Convex:
        """A convex polygon through points (u, v)."""
        return Convex(tuple(self.at(u, v) for u, v in points))

    def band(self, top: float, bottom: float) -> Convex:
        """All that lies between two heights v."""
        return self.polygon([(-2.5, top), (2.5, top), (2.5, bottom), (-2.5, bottom)])

    def stroke(self, a: tuple[float, float], b: tuple[float, float], r: float) -> Capsule:
        """A line between two points (u, v), ``r`` half widths thick to each side."""
        return Capsule(self.at(*a), self.at(*b), r * self.wide, r * self.wide)

    def rim(self, colour: Colour) -> Rim:
        """The outline of something of this colour."""
        return Rim(darker(colour, INK), self.line)


def head_frame(shape: Body, joints: np.ndarray, scale: float, line: float) -> HeadFrame | None:
    """The head's frame from nose, eyes and ears [18,3] at ``scale`` pixels per height; None without a nose.

    Of all yaws the one is taken whose face, turned and moved, lies nearest to the seen joints; a nose alone
    looks straight ahead.
    """
    if joints[0, 2] <= 0:
        return None
    seen = [k for k, joint in enumerate(FACE) if joints[joint, 2] > 0]
    there = _complex(joints[[FACE[k] for k in seen], :2])
    yaws = YAWS if len(seen) > 2 else np.zeros(1)
    best = yaws[np.argmin(_misfits(shape, yaws, seen, there, scale))]
    if len(yaws) > 1:
        fine = best + np.radians(np.arange(-1, 1.01, 0.05))
        best = fine[np.argmin(_misfits(shape, fine, seen, there, scale))]
    own = _complex(scale * face_offsets(shape, best)[seen])
    turn = np.sum(np.conj(own - own.mean()) * (there - there.mean()))
    turn = turn / abs(turn) if abs(turn) > 1e-6 else 1.0
    centre = there.mean() + turn * (-1j * scale * (shape.neck + shape.head) - own.mean())
    angle = float(np.angle(turn))
    return HeadFrame(
        (float(centre.real), float(centre.imag)), angle, float(best), shape.head_wide * scale, shape.head * scale, line
    )


def _misfits(shape: Body, yaws: np.ndarray, seen: list[int], there: np.ndarray, scale: float) -> np.ndarray:
    """Squared distance [yaws] of the seen face joints from a face at each yaw, after the best turn and move."""
    own = _complex(scale * face_offsets(shape, yaws)[:, seen])
    own, there = own - own.mean(axis=1, keepdims=True), there - there.mean()
    return (np.abs(own) ** 2).sum(axis=1) - 2 * np.abs((np.conj(own) * there).sum(axis=1))


def _complex(points: np.ndarray) -> np.ndarray:
    """Points [...,2] as complex numbers [...]."""
    return points[..., 0] + 1j * points[..., 1]


def paint_back_hair(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """Hair that lies behind neck and shoulders, and moves to the side that is turned away from."""
    back = -0.4 * math.sin(frame.yaw)
    low, top, bun = {"bob": (0.72, 0.0, 0.0), "long": (1.45, 0.0, 0.0), "bun": (0.0, -1.2, 0.42)}.get(
        looks.hair_style, (0.0, 0.0, 0.0)
    )
    if bun:
        _hair(painter, frame, frame.oval(1.3 * back, top, bun, 0.34), looks)
    elif low:
        flare = 0.06 * low
        sides = [(0.78, -0.5), (0.95, 0.0), (0.92 + flare, low - 0.12), (0.74 + flare, low + 0.1)]
        mirrored = [(back - u, v) for u, v in sides[::-1]]
        _hair(painter, frame, frame.polygon([(back + u, v) for u, v in sides] + mirrored), looks)


def _hair(painter: Painter, frame: HeadFrame, shape: Shape, looks: Looks) -> None:
    painter.paint(shape, looks.hair.rgb, HEAD, frame.rim(looks.hair.rgb), round_=0.5 * frame.wide)


def paint_head(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """Skull, face, ears, hair in front, hat."""
    skull = frame.oval(0.0, 0.0, 1.0, 1.0)
    painter.paint(skull, looks.skin.rgb, HEAD, frame.rim(looks.skin.rgb), round_=0.7 * frame.wide)
    _paint_face(painter, frame, looks)
    _paint_front_hair(painter, frame, looks)
    if looks.hair_style not in ("bob", "long"):
        _paint_ears(painter, frame, looks)
    if looks.hat == "cap":
        _paint_cap(painter, frame, looks)
    elif looks.hat == "hat":
        _paint_hat(painter, frame, looks)


def _paint_ears(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """The ears that a head at this yaw shows."""
    for side in (-1, 1):
        if side * frame.yaw < FAR_EAR_HIDDEN:
            ear = frame.oval(0.98 * side * math.cos(frame.yaw), 0.12, 0.17, 0.17)
            painter.paint(ear, looks.skin.rgb, HEAD, frame.rim(looks.skin.rgb))


def _paint_face(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """Eyes, brows, nose and mouth; what the yaw takes over the rim of the skull is cut off there."""
    skull = frame.oval(0.0, 0.0, 0.98, 0.98)

    def on_skull(shape: Shape) -> Shape:
        return shape & skull if abs(frame.yaw) > 0.3 else shape

    brow = darker(looks.hair.rgb, 0.7)
    for side in (-1, 1):
        flat = max(math.cos(math.asin(0.40 * side) + frame.yaw), 0.25) / math.cos(math.asin(0.40))
        u, pupil = frame.round(0.40 * side), frame.round(0.38 * side)
        painter.paint(on_skull(frame.oval(u, 0.02, 0.23 * flat, 0.19)), (0.97, 0.97, 0.96), HEAD)
        painter.paint(on_skull(frame.oval(pupil, 0.03, 0.13 * max(flat, 0.6), 0.14)), DARK, HEAD)
        edges = sorted((frame.round(0.20 * side), frame.round(0.58 * side)))
        painter.paint(on_skull(frame.stroke((edges[0], -0.25), (edges[1], -0.25), 0.055)), brow, HEAD)
    painter.paint(on_skull(frame.oval(frame.round(0.0), 0.30, 0.08, 0.07)), darker(looks.skin.rgb, 0.72), HEAD)
    _paint_mouth(painter, frame, looks, skull)


def _paint_mouth(painter: Painter, frame: HeadFrame, looks: Looks, skull: Ellipse) -> None:
    """An open smile, or a closed one."""
    left, right = frame.round(-0.28), frame.round(0.28)
    middle, half = (left + right) / 2, (right - left) / 2
    if looks.smile:
        mouth = frame.oval(middle, 0.50, half, 0.24) & frame.band(0.50, 0.9) & skull
        painter.paint(mouth, (0.72, 0.16, 0.18), HEAD)
        return
    painter.paint(frame.stroke((left, 0.58), (right, 0.58), 0.05) & skull, (0.52, 0.17, 0.17), HEAD)


def _paint_front_hair(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """The hair on the skull, larger by its thickness, open where the face is."""
    left, right = _opening(frame)
    parting = 0.10 * looks.fringe * math.cos(frame.yaw)
    face = Ellipse(
        frame.at((left + right) / 2 + parting, 0.42), ((right - left) / 2 * frame.wide, 0.92 * frame.tall), frame.angle
    )
    low = 0.62 if looks.hair_style in ("bob", "long") else 0.12
    skull = frame.oval(0.0, -0.03, 1.02, 1.02, grown=0.09) & frame.band(-2.5, low)
    if looks.hair_style == "spiky":
        for tuft in _tufts(frame):
            skull = skull | tuft
    _hair(painter, frame, skull - face, looks)


def _opening(frame: HeadFrame) -> tuple[float, float]:
    """Left and right end u of the face that the hair leaves free; beyond the round of the head it runs on."""

    def edge(angle: float) -> float:
        beyond = max(abs(angle) - math.pi / 2, 0.0)
        return math.copysign(math.sin(min(abs(angle), math.pi / 2)) + 0.5 * beyond, angle)

    return edge(frame.yaw - OPENING), edge(frame.yaw + OPENING)


def _tufts(frame: HeadFrame) -> list[Convex]:
    """Points of hair along the top of the skull."""
    tufts = []
    for u in (-0.72, -0.25, 0.25, 0.72):
        v = -math.sqrt(1.0 - 0.8 * u * u)
        tufts.append(frame.polygon([(u - 0.30, v + 0.3), (1.25 * u, v - 0.36), (u + 0.30, v + 0.3)]))
    return tufts


def _paint_cap(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """A cap whose peak points where the face looks."""
    colour, aside = looks.hat_colour.rgb, math.sin(frame.yaw)
    crown = frame.oval(0.0, -0.05, 1.02, 1.05, grown=0.13) & frame.band(-2.5, -0.42)
    painter.paint(crown, colour, HEAD, frame.rim(colour), round_=0.8 * frame.wide)
    left, right = frame.round(-0.75) + 0.35 * aside, frame.round(0.75) + 0.35 * aside
    peak = frame.stroke((left, -0.40), (right, -0.40), 0.15)
    painter.paint(peak, darker(colour, 0.88), HEAD, frame.rim(colour))


def _paint_hat(painter: Painter, frame: HeadFrame, looks: Looks) -> None:
    """A hat with a brim all around."""
    colour = looks.hat_colour.rgb
    crown = frame.polygon([(-0.98, -0.45), (-0.86, -1.12), (-0.6, -1.28), (0.6, -1.28), (0.86, -1.12), (0.98, -0.45)])
    painter.paint(crown, colour, HEAD, frame.rim(colour), round_=0.6 * frame.wide)
    painter.paint(frame.stroke((-1.45, -0.50), (1.45, -0.50), 0.16), darker(colour, 0.88), HEAD, frame.rim(colour))
