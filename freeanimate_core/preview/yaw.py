"""How far a person is turned in each frame, from the joints of the whole clip: signed, and steady in time.

Angles are radians against the reference, positive towards the picture's right. Axes: F frames.
"""

import math

import numpy as np
from scipy.ndimage import median_filter

from ..pose.keypoints import NOSE
from ..pose.skeleton import trunk_length
from .bones import HIPS, SHOULDERS

# Joints a little off their places pretend small turns: below the one a turn is none, from the other it is whole.
BELIEVED = (math.radians(14), math.radians(20))
SIDEWAYS = math.radians(3)  # turn of a head that says to which side
WEIGHTS = (0.65, 0.35)  # of shoulders and hips in the share of the breadth that is seen
NARROWEST = 0.2  # of the trunk's length: a reference that shows no more of a breadth is in profile, and tells no turn
UNSURE, FOLLOWS = 0.03, 0.7  # of that share; of the head's turn, as much as the trunk follows it
STEADY = 3  # frames of a median: a single odd pose turns nobody
SPAN, REACH = 1.5, 4  # frames: standard deviation of the mean over time, and how far it goes
ALIKE = math.radians(5)  # standard deviation of what one frame's noise adds: larger differences are motion
FARTHEST = 3.0  # of them; what differs more has no part in the mean
EARS = (16, 17)  # right, left


def trunk_yaw(
    ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray, size: float, head: np.ndarray
) -> np.ndarray:
    """Turn of the trunk [F] against the reference [18,2] in frames ``joints`` [F,18,2].

    The share of their breadth that shoulders and hips show says how far: as their joints are never exact and the
    cosine is flat at 0, ``head`` [F], the head's turn, chooses within what the shares allow. It says the side too.
    Small turns are exactly 0.
    """
    shares, weights = [], []
    for (right, left), weight in zip((SHOULDERS, HIPS), WEIGHTS):
        line, there = joints[:, left] - joints[:, right], seen[:, [right, left]].all(axis=1)
        own = ref[left] - ref[right]
        breadth = float(np.hypot(*own)) * size
        known = there & ref_seen[[right, left]].all() & (breadth > NARROWEST * trunk_length(ref, ref_seen) * size)
        swapped = np.sign(line[:, 0] * own[0])  # against the reference, which may itself be seen from behind
        shares.append(np.where(known, np.copysign(np.hypot(*line.T), swapped) / max(breadth, 1.0), 0.0))
        weights.append(weight * known)
    total = np.sum(weights, axis=0)
    share = np.where(total > 0, np.sum(np.multiply(shares, weights), axis=0) / np.maximum(total, 1e-6), 1.0)
    least, most = (np.arccos(np.clip(share + way, -1, 1)) for way in (UNSURE, -UNSURE))
    turn = np.where(total > 0, np.clip(FOLLOWS * np.abs(head), least, most), 0.0)
    turn = smoothed(turn * _sides(head + _by_ear(ref_seen, seen)))
    return turn * np.interp(np.abs(turn), BELIEVED, (0, 1))


def smoothed(yaw: np.ndarray) -> np.ndarray:
    """Turns [F] without the noise of single frames; a turn that changes fast changes as fast as before.

    After a median, a mean over frames that differ no more than noise does. A clip of one frame is as it was.
    """
    turn = median_filter(np.unwrap(yaw), STEADY, mode="nearest")
    off, total = np.zeros(len(turn)), np.ones(len(turn))
    for step in range(1, REACH + 1):
        for way in (-step, step):
            at = np.arange(len(turn)) + way
            other = turn[np.clip(at, 0, len(turn) - 1)]
            apart = (other - turn) / ALIKE
            weight = np.exp(-0.5 * ((step / SPAN) ** 2 + apart**2))
            weight = weight * (np.abs(apart) < FARTHEST) * (at >= 0) * (at < len(turn))
            off, total = off + weight * (other - turn), total + weight
    return wrapped(turn + off / total)


def wrapped(angle: np.ndarray) -> np.ndarray:
    """Angles brought to -pi..pi; those that are there already stay as they are, bit for bit."""
    return np.where(np.abs(angle) > math.pi, np.remainder(angle + math.pi, 2 * math.pi) - math.pi, angle)


def _by_ear(ref_seen: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The side [F] that the one ear says which is seen of a head from behind: 1, -1, or 0 where none says it."""
    if not ref_seen[[NOSE, *EARS]].all():
        return np.zeros(len(seen))
    right, left = (seen[:, ear].astype(float) for ear in EARS)
    return np.where(seen[:, NOSE], 0.0, right - left)


def _sides(head: np.ndarray) -> np.ndarray:
    """To which side each frame is turned, 1 or -1: that of the head, or of the frame before where it says nothing."""
    known = np.flatnonzero(np.abs(head) > SIDEWAYS)
    if not len(known):
        return np.ones(len(head))
    before = np.searchsorted(known, np.arange(len(head)), side="right") - 1
    return np.sign(head[known[np.maximum(before, 0)]])
