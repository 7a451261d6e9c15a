"""Random poses of a drawn character for training on single pictures: wider than any motion of demo/drawn."""

import math

import numpy as np

from freeanimate_pack.demo.drawn.body import LEFT, RIGHT, Body, Posture, body, joints_of
from freeanimate_pack.demo.drawn.motion import canvas_scale

MAX_YAW = math.radians(65)
HAND = 0.045  # a hand beyond its wrist, body fractions


def varied_pose(seed: int, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """One random pose of character ``seed``: [1,18,3] x, y, confidence in pixels of the canvas.

    All chance is ``rng``'s; the far ear of a turned head has confidence 0. The whole figure stays on the canvas but
    for hands and feet, of which no more than a hand's length may leave it.
    """
    joints = joints_of(body(seed), _posture(body(seed), rng))
    return _placed(joints, rng, height, width)[None].astype(np.float32)


def _posture(shape: Body, rng: np.random.Generator) -> Posture:
    """A third of the people are turned, arms are anywhere, legs stand, step or squat."""
    arms = [_arm(rng) for _ in range(2)]
    crouch, knees, ankles = _legs(shape, rng)
    return Posture(
        lean=float(np.clip(rng.normal(0, 0.07), -0.16, 0.16)),
        tilt=float(np.clip(rng.normal(0, 0.09), -0.2, 0.2)),
        yaw=rng.uniform(-MAX_YAW, MAX_YAW) if rng.random() < 0.35 else 0.0,
        sway=rng.uniform(-0.05, 0.05),
        crouch=crouch,
        knees=knees,
        upper_arms=tuple(arm[0] for arm in arms),
        forearms=tuple(arm[1] for arm in arms),
        forwards=tuple(arm[2] for arm in arms),
        ankles=ankles,
    )


def _arm(rng: np.random.Generator) -> tuple[float, float, float]:
    """Angles of one upper arm and forearm, and how far they point to the front: hanging, out, up or across."""
    low, high, bend_in, bend_out = (
        (0.1, 0.7, -0.7, 0.8),
        (0.6, 1.6, -0.9, 1.7),
        (1.4, 2.9, -0.2, 1.5),
        (-0.3, 0.2, -1.1, 0.2),
    )[rng.choice(4, p=(0.36, 0.28, 0.26, 0.10))]
    upper = rng.uniform(low, high)
    front = rng.uniform(0, 0.7) if rng.random() < 0.4 else 0.0
    return upper, upper + rng.uniform(bend_in, bend_out), front


def _legs(shape: Body, rng: np.random.Generator) -> tuple[float, float, tuple]:
    """Crouch, knees and ankles: standing, a foot up, a wide step, or a squat."""
    kind = rng.choice(4, p=(0.35, 0.25, 0.2, 0.2))
    feet = [sign * rng.uniform(0.06, 0.11) for sign in (RIGHT, LEFT)]
    lifts, crouch, knees = [0.0, 0.0], rng.uniform(0, 0.03), rng.uniform(0.3, 0.6)
    if kind == 1:
        lifts[rng.integers(2)] = rng.uniform(0.02, 0.13)
    elif kind == 2:
        feet = [foot * rng.uniform(1.2, 2.6) for foot in feet]
        lifts[rng.integers(2)] = rng.uniform(0, 0.05)
    elif kind == 3:
        feet = [foot * rng.uniform(1.0, 1.5) for foot in feet]
        depth = rng.uniform(0.1, 0.42)
        crouch, knees = depth * (shape.thigh + shape.shin), min(0.35 + 1.5 * depth, 0.95)
    return crouch, knees, tuple(zip(feet, lifts))


def _placed(joints: np.ndarray, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Joints [18,3] in pixels, 0.8-1.05 of the usual size, moved by a few per cent, pushed back onto the canvas."""
    scale = canvas_scale(height, width) * rng.uniform(0.8, 1.05)
    shift = rng.normal(0, 0.03, 2) * (width, height)
    spots = joints[:, :2] * scale + (0.5 * width, 0.5 * height + 0.47 * scale) + shift
    # The crown of the head and the soles are beyond the joints; only hands may stick out.
    top = np.minimum(spots[:, 1].min() + 0.5 * HAND * scale, spots[0, 1] - 0.20 * scale)
    low, high = np.array([spots[:, 0].min(), top]), spots.max(axis=0) + (0, HAND * scale)
    spots += np.maximum(-low, 0)
    spots -= np.maximum(high + np.maximum(-low, 0) - (width, height), 0)
    return np.concatenate([spots, joints[:, 2:]], axis=1)
