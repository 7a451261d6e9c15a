"""Motions: a person's poses as functions of time, from a standing start."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .geometry import smooth
from .person import person
from .pose import Arm, Pose, mixed
from .poses import (
    Measures,
    crossed_arms,
    hands_at_face,
    hands_in_pockets,
    hands_on_hips,
    measures,
    seated,
    squatting,
    standing,
    walking,
)

Motion = Callable[[Measures, Pose, float], Pose]


def motion(name: str, seed: int, frames: int) -> list[Pose]:
    """``frames`` poses of motion ``name`` for identity ``seed``, whatever their number is over the same few seconds.

    Raises KeyError for a name that is not in ``MOTIONS``.
    """
    at, start = measures(person(seed)), standing(np.random.default_rng([seed, 7]), 0.6)
    return [MOTIONS[name](at, start, frame / max(frames - 1, 1)) for frame in range(frames)]


def _turn(degrees: float, back: bool) -> Motion:
    """Turn by ``degrees``, and back if asked; the head leads."""

    def at(_: Measures, start: Pose, t: float) -> Pose:
        def share(time: float) -> float:
            return smooth(2.2 * time) - smooth(2.2 * (time - 0.545)) if back else smooth(time)

        yaw, ahead = share(t), share(min(t + 0.04, 1.0)) if not back or t < 0.5 else share(t + 0.04)
        lead = math.radians(degrees) * (ahead - yaw)
        step = math.sin(2 * math.pi * abs(degrees) / 90 * yaw)
        turned = replace(start, yaw=math.radians(degrees) * yaw, head=_plus(start.head, (0, lead, 0)))
        return _stepping(turned, 0.05 * step * (4 * yaw * (1 - yaw)) ** 0.5)

    return at


def _stepping(pose: Pose, lift: float) -> Pose:
    """One foot lifted: the right where ``lift`` is positive, else the left."""
    right, left = max(lift, 0.0), max(-lift, 0.0)
    return replace(
        pose,
        right_leg=replace(pose.right_leg, ankle=_plus(pose.right_leg.ankle, (0, right, 0))),
        left_leg=replace(pose.left_leg, ankle=_plus(pose.left_leg.ankle, (0, left, 0))),
        sway=(pose.sway[0] + 0.3 * (right - left), pose.sway[1]),
    )


def _wave(at: Measures, start: Pose, t: float) -> Pose:
    """Raise the right arm and wave, the trunk turning along."""
    up = smooth(3 * t) - smooth(4 * (t - 0.75))
    swing = math.sin(2 * math.pi * 3 * t)
    raised = Arm((0.26 + 0.12 * swing, 0.42, 0.24), (0.8, -0.8, -0.3), 0.6, 0.0, 0.12, (0.35 * swing, 1.0, 0.0))
    twist = 0.35 * up * math.sin(2 * math.pi * t)
    pose = replace(
        start, trunk=_plus(start.trunk, (0, twist, -0.08 * up)), head=_plus(start.head, (0, -0.5 * twist, 0))
    )
    return replace(pose, right_arm=mixed(start.right_arm, raised, up))


def _walk(at: Measures, start: Pose, t: float) -> Pose:
    """Walk on the spot towards the viewer, turning a little."""
    pose = replace(walking(0.125 + 2 * t), yaw=0.45 * math.sin(2 * math.pi * t))
    return mixed(start, pose, smooth(8 * t))


def _walk_around(at: Measures, start: Pose, t: float) -> Pose:
    """Walk on the spot once around."""
    pose = replace(walking(0.125 + 2.5 * t), yaw=2 * math.pi * smooth(t))
    return mixed(replace(start, yaw=pose.yaw), pose, smooth(8 * t) * smooth(8 * (1 - t)))


def _squat(at: Measures, start: Pose, t: float) -> Pose:
    down = smooth(2.2 * t) - smooth(2.2 * (t - 0.545))
    return mixed(start, squatting(1.0), down)


def _there_and_back(make: Callable[[Measures, np.random.Generator], Pose], sway: float = 0.15) -> Motion:
    """To a pose, a moment there with a small turn, and back."""

    def at(measured: Measures, start: Pose, t: float) -> Pose:
        there = make(measured, np.random.default_rng(5))
        share = smooth(2.6 * t) - smooth(2.6 * (t - 0.615))
        turned = sway * math.sin(2 * math.pi * t)
        pose = mixed(start, replace(there, head=start.head), share)
        return replace(pose, yaw=turned, trunk=_plus(pose.trunk, (0, 0.5 * turned, 0)))

    return at


def _across(measured: Measures, rng: np.random.Generator) -> Pose:
    pose = standing(rng, 0.3)
    near = Arm(_plus(measured.chest, (-0.08, -0.05, 0.02)), (0.9, -0.5, -0.2), 0.3, 0.0, 0.25, (-1.0, 0.0, -0.1))
    return replace(pose, right_arm=near)


def _raised(measured: Measures, rng: np.random.Generator) -> Pose:
    arm = Arm((0.35, 0.85, 0.05), (1.0, 0.0, -0.2), 0.0, 0.0, 0.15)
    return replace(standing(rng, 0.3), right_arm=arm, left_arm=arm)


def _sit(measured: Measures, start: Pose, t: float) -> Pose:
    """Sit down on a stool and stay."""
    return mixed(start, seated(measured, np.random.default_rng(5)), smooth(1.6 * (t - 0.1)))


def _sway(at: Measures, start: Pose, t: float) -> Pose:
    """Weight from one leg to the other and a breath."""
    side, breath = math.sin(2 * math.pi * t), math.sin(4 * math.pi * t)
    pose = replace(start, sway=(start.sway[0] + 0.045 * side, 0.0), yaw=0.08 * side)
    pose = replace(
        pose, hips=_plus(start.hips, (0, 0, 0.05 * side)), trunk=_plus(start.trunk, (0.015 * breath, 0, -0.07 * side))
    )
    return replace(pose, head=_plus(start.head, (0, 0.12 * side, 0.03 * side)))


def _plus(first: tuple[float, ...], second: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(first, second))


MOTIONS: dict[str, Motion] = {
    "full turn": _turn(360, back=False),
    "turn to 60": _turn(60, back=True),
    "turn to -60": _turn(-60, back=True),
    "wave": _wave,
    "walk": _walk,
    "walk around": _walk_around,
    "squat": _squat,
    "arm across": _there_and_back(_across),
    "raised arms": _there_and_back(_raised),
    "hands on hips": _there_and_back(hands_on_hips),
    "hands in pockets": _there_and_back(hands_in_pockets),
    "crossed arms": _there_and_back(crossed_arms),
    "hands at face": _there_and_back(hands_at_face),
    "sit down": _sit,
    "sway": _sway,
}
