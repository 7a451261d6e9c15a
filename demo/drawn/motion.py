"""Motions of a drawn character: pose sequences with known truth, in pixels of a canvas."""

import math
from collections.abc import Callable

import numpy as np

from .body import Body, Posture, body, joints_of

REST = Posture()
STANCE = REST.ankles
ARM, FOREARM = REST.upper_arms[0], REST.forearms[0]
LIFT = 0.045  # of a foot in a step, body fractions


def rest_pose(seed: int, height: int, width: int) -> np.ndarray:
    """The reference's pose: standing, arms and legs a little apart. [1,18,3] x, y, confidence in pixels."""
    return on_canvas(body(seed), [REST], height, width)


def motion(name: str, seed: int, frames: int, height: int, width: int) -> np.ndarray:
    """Motion ``name`` of character ``seed``: [frames,18,3] x, y, confidence in pixels.

    It starts at the rest pose. Raises KeyError for a name that is not in ``MOTIONS``.
    """
    at = MOTIONS[name]
    shape = body(seed)
    postures = [at(shape, frame / max(frames - 1, 1)) for frame in range(frames)]
    return on_canvas(shape, postures, height, width)


def canvas_scale(height: int, width: int) -> float:
    """Pixels per standing height: the figure fills the canvas and leaves room for raised arms and a step."""
    return min(0.86 * height, 1.05 * width)


def on_canvas(shape: Body, postures: list[Posture], height: int, width: int) -> np.ndarray:
    """Joints [F,18,3] in pixels of postures in the middle of a canvas; a joint out of sight has confidence 0."""
    scale = canvas_scale(height, width)
    joints = np.stack([joints_of(shape, posture) for posture in postures])
    joints[..., :2] = joints[..., :2] * scale + (0.5 * width, 0.5 * height + 0.47 * scale)
    return joints.astype(np.float32)


def _wave(shape: Body, t: float) -> Posture:
    """Raise the right arm and wave, time 0-1."""
    up = _smooth(t / 0.46)
    swing = math.sin(2 * math.pi * 2 * max(t - 0.36, 0.0) / 0.64) * _smooth((t - 0.36) / 0.25)
    sway = math.sin(2 * math.pi * t)
    return Posture(
        lean=0.035 * up + 0.015 * sway,
        tilt=-0.10 * up + 0.04 * sway,
        upper_arms=(ARM + 1.42 * up + 0.06 * swing, ARM + 0.05 * sway),
        forearms=(FOREARM + 2.54 * up + 0.42 * swing, FOREARM + 0.08 * sway),
    )


def _side_step(shape: Body, t: float) -> Posture:
    """Step to the left, close, step back, close, time 0-1; the arms swing along."""
    left_out, right_out = _step(t, 0.0), _step(t, 0.25)
    left_back, right_back = _step(t, 0.75), _step(t, 0.5)
    stride = 0.38 * (shape.thigh + shape.shin)
    right = (STANCE[0][0] + stride * (right_out - right_back), LIFT * (_arc(right_out) + _arc(right_back)))
    left = (STANCE[1][0] + stride * (left_out - left_back), LIFT * (_arc(left_out) + _arc(left_back)))
    apart = (left[0] - right[0] - STANCE[1][0] + STANCE[0][0]) / stride
    swing = math.sin(2 * math.pi * 2 * t)
    return Posture(
        lean=0.04 * math.sin(2 * math.pi * t),
        tilt=0.06 * math.sin(2 * math.pi * t),
        upper_arms=(ARM + 0.30 * apart + 0.05 * swing, ARM + 0.45 * apart - 0.05 * swing),
        forearms=(FOREARM + 0.75 * apart + 0.08 * swing, FOREARM + 0.55 * apart - 0.08 * swing),
        ankles=(right, left),
    )


def _walk(shape: Body, t: float) -> Posture:
    """Walk towards the viewer in place, two paces to each side; the arm opposite the lifted foot swings forwards."""
    on = _smooth(t / 0.15)
    beat = math.sin(2 * math.pi * 2 * t)  # positive: the right foot is up
    lifts = tuple(0.085 * on * max(side * beat, 0.0) ** 1.5 for side in (1, -1))
    return Posture(
        lean=-0.02 * on * beat,
        tilt=0.04 * on * beat,
        sway=0.018 * on * beat,
        crouch=0.012 * on,
        upper_arms=(ARM - 0.14 * on * beat, ARM + 0.14 * on * beat),
        forearms=(FOREARM - 0.50 * on * max(-beat, 0), FOREARM - 0.50 * on * max(beat, 0)),
        forwards=(0.45 * on * max(-beat, 0), 0.45 * on * max(beat, 0)),
        ankles=tuple((x * (1 - 0.2 * on), lift) for (x, _), lift in zip(STANCE, lifts)),
    )


def _dance(shape: Body, t: float) -> Posture:
    """Swing arms, hips and trunk from side to side, the arms up in turn."""
    on = _smooth(t / 0.45)
    beat, half = math.sin(2 * math.pi * 2 * t), math.sin(2 * math.pi * t)
    right, left = (0.5 + 0.5 * side * half for side in (1, -1))  # how far up each arm is
    return Posture(
        lean=0.07 * on * beat,
        tilt=-0.10 * on * beat,
        yaw=0.25 * on * half,
        sway=-0.035 * on * beat,
        crouch=0.03 * on * (1 - math.cos(2 * math.pi * 4 * t)) / 2,
        knees=0.35 + 0.15 * on,
        upper_arms=(ARM + on * (0.35 + 0.75 * right), ARM + on * (0.35 + 0.75 * left)),
        forearms=(FOREARM + on * (0.45 + 1.65 * right), FOREARM + on * (0.45 + 1.65 * left)),
        ankles=tuple((x * (1 + 0.15 * on), 0.0) for x, _ in STANCE),
    )


def _squat(shape: Body, t: float) -> Posture:
    """Down with knees and arms out, a moment there, and up again."""
    down = _smooth(t / 0.45) - _smooth((t - 0.55) / 0.45)
    return Posture(
        tilt=0.03 * math.sin(2 * math.pi * t),
        crouch=0.40 * down * (shape.thigh + shape.shin),
        knees=0.35 + 0.6 * down,
        upper_arms=(ARM + 0.95 * down, ARM + 0.95 * down),
        forearms=(FOREARM + 0.75 * down, FOREARM + 0.75 * down),
        forwards=(0.35 * down, 0.35 * down),
        ankles=tuple((x * (1 + 0.35 * down), 0.0) for x, _ in STANCE),
    )


def _turn(shape: Body, t: float) -> Posture:
    """Turn to the left side, through the front to the right one, and back."""
    side = math.sin(2 * math.pi * t) * _smooth(t / 0.15) * _smooth((1 - t) / 0.15)
    return Posture(
        yaw=1.05 * side,
        tilt=0.03 * side,
        upper_arms=(ARM - 0.15 * abs(side), ARM - 0.15 * abs(side)),
        forwards=(0.12 * side * side, 0.12 * side * side),
    )


MOTIONS: dict[str, Callable[[Body, float], Posture]] = {
    "wave": _wave,
    "side step": _side_step,
    "walk": _walk,
    "dance": _dance,
    "squat": _squat,
    "turn": _turn,
}


def _step(t: float, start: float) -> float:
    """How far one of four equal steps has come, 0-1."""
    return _smooth((t - start) / 0.25)


def _arc(share: float) -> float:
    """Height of a foot along its step, 0 on the ground, 1 in the middle."""
    return 4 * share * (1 - share)


def _smooth(t: float) -> float:
    """Ease from 0 to 1 with no jump in speed."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
