"""Smoothing of jittering joints: the One-Euro filter (Casiez, Roussel, Vogel, "1 Euro Filter", CHI 2012), both ways.

A joint at rest is smoothed most and a fast one hardly. The mean of a run forwards and a run backwards has no lag.
"""

import math

import numpy as np

from .keypoints import VISIBLE, PoseSequence
from .skeleton import map_points

SPEED_SHARE = 0.3  # of the old speed in the filtered speed
# How fast the cutoff grows with speed, in cycles per frame for one body spread per frame.
BETA = 6.0


def smooth(poses: PoseSequence, strength: float) -> PoseSequence:
    """``poses`` smoothed over frames by ``strength`` 0-1: 0 changes nothing, 1 holds still what hardly moves.

    At rest each frame takes over ``1 - strength`` of the new position. Runs between missing points are
    filtered each on its own.
    """
    if strength == 0 or len(poses) < 2:
        return poses
    size = _spread(poses.joints)
    return map_points(poses, lambda points: _both_ways(points, min(strength, 0.98), size))


def _both_ways(points: np.ndarray, strength: float, size: float) -> np.ndarray:
    """Points [F,N,3], ``size`` the body's in pixels."""
    smoothed = points.copy()
    forwards, backwards = _one_euro(points, strength, size), _one_euro(points[::-1], strength, size)[::-1]
    smoothed[..., :2] = (forwards + backwards) / 2
    return smoothed


def _one_euro(points: np.ndarray, strength: float, size: float) -> np.ndarray:
    """Positions [F,N,2] filtered in the order of the frames: the paper's exponential smoothing, adaptive cutoff."""
    least = (1 - strength) / (2 * math.pi * strength)  # cutoff in cycles per frame
    positions, seen = points[..., :2], points[..., 2:] >= VISIBLE
    out, speed = positions.copy(), np.zeros_like(positions[0])
    for frame in range(1, len(points)):
        going = seen[frame] & seen[frame - 1]
        step = np.where(going, positions[frame] - positions[frame - 1], 0.0)
        speed = np.where(going, SPEED_SHARE * speed + (1 - SPEED_SHARE) * step, 0.0)
        cutoff = least + BETA * np.hypot(*speed.T)[:, None] / size
        share = 1 / (1 + 1 / (2 * math.pi * cutoff))
        out[frame] = np.where(going, out[frame - 1] + share * (positions[frame] - out[frame - 1]), positions[frame])
    return out


def _spread(joints: np.ndarray) -> float:
    """Size of a body in pixels: median over frames of the diagonal of the box about its visible joints [F,18,3]."""
    seen = joints[..., 2:] >= VISIBLE
    low = np.where(seen, joints[..., :2], np.inf).min(axis=1)
    high = np.where(seen, joints[..., :2], -np.inf).max(axis=1)
    shown = seen.any(axis=(1, 2))
    return max(float(np.median(np.hypot(*(high - low)[shown].T))), 1e-6) if shown.any() else 1.0
