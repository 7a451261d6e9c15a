"""Motions of a drawn character: pose sequences with known truth, in pixels of a canvas."""

import math
from collections.abc import Callable

import numpy as np

from .body import Body, Posture, body, joints_of

_REST = Posture()
_STANCE = _REST.ankles


def rest_pose(seed: int, height: int, width: int) -> np.ndarray:
    """The reference's pose: standing, arms and legs a little apart. [1,18,3] x, y, confidence in pixels."""
    return _on_canvas(body(seed), [_REST], height, width)


def motion(name: str, seed: int, frames: int, height: int, width: int) -> np.ndarray:
    """Motion ``name`` of character ``seed``: [frames,18,3] x, y, confidence in pixels.

    It starts at the rest pose. Raises KeyError for a name that is not in ``MOTIONS``.
    """
    at = MOTIONS[name]
    shape = body(seed)
    postures = [at(shape, frame / max(frames - 1, 1)) for frame in range(frames)]
    return _on_canvas(shape, postures, height, width)


def _wave(shape: Body, t: float) -> Posture:
    """Raise the right arm and wave, time 0-1."""
    up = _smooth(t / 0.3)
    swing = math.sin(2 * math.pi * 2.5 * max(t - 0.22, 0.0) / 0.78) * _smooth((t - 0.15) / 0.2)
    sway = math.sin(2 * math.pi * t)
    return Posture(
        lean=0.035 * up + 0.015 * sway,
        tilt=-0.10 * up + 0.04 * sway,
        upper_arms=(0.33 + 1.42 * up + 0.06 * swing, 0.33 + 0.05 * sway),
        forearms=(0.24 + 2.54 * up + 0.42 * swing, 0.24 + 0.08 * sway),
        ankles=_STANCE,
    )


def _side_step(shape: Body, t: float) -> Posture:
    """Step to the left, close, step back, close, time 0-1; the arms swing along."""
    left_out, right_out = _step(t, 0.0), _step(t, 0.25)
    left_back, right_back = _step(t, 0.75), _step(t, 0.5)
    stride = 0.38 * (shape.thigh + shape.shin)
    right = (_STANCE[0][0] + stride * (right_out - right_back), 0.045 * (_arc(right_out) + _arc(right_back)))
    left = (_STANCE[1][0] + stride * (left_out - left_back), 0.045 * (_arc(left_out) + _arc(left_back)))
    apart = (left[0] - right[0] - _STANCE[1][0] + _STANCE[0][0]) / stride
    swing = math.sin(2 * math.pi * 2 * t)
    return Posture(
        lean=0.04 * math.sin(2 * math.pi * t),
        tilt=0.06 * math.sin(2 * math.pi * t),
        upper_arms=(0.33 + 0.30 * apart + 0.05 * swing, 0.33 + 0.45 * apart - 0.05 * swing),
        forearms=(0.24 + 0.75 * apart + 0.08 * swing, 0.24 + 0.55 * apart - 0.08 * swing),
        ankles=(right, left),
    )


MOTIONS: dict[str, Callable[[Body, float], Posture]] = {"wave": _wave, "side step": _side_step}


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


def _on_canvas(shape: Body, postures: list[Posture], height: int, width: int) -> np.ndarray:
    """Joints [F,18,3] in pixels: the figure fills the canvas and leaves room for raised arms and a step."""
    scale = min(0.86 * height, 1.05 * width)
    spots = np.stack([joints_of(shape, posture) for posture in postures]) * scale
    spots += (0.5 * width, 0.5 * height + 0.47 * scale)
    seen = np.ones((*spots.shape[:2], 1))
    return np.concatenate([spots, seen], axis=-1).astype(np.float32)
