"""What is in front of what in each frame: read from the pose, or said by the user.

A person who faces the viewer has both arms before the trunk. Of one turned aside, the arm and the leg
on the side that the face looks to are the far ones: facing the picture's left is turning to one's
right, which takes the right shoulder away.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from ..errors import PREVIEW, FreeAnimateError, quoted
from ..pose.keypoints import NECK, NOSE
from .bones import ARM, LEG, SHOULDERS
from .skirt import SKIRT

DEPTH_ORDER = "depth_order"  # the widget's name
TURNED = 0.86  # shoulders narrower than this share (30 degrees) are those of a turned person
ASIDE = 0.2  # of the reference's shoulders: how far the nose of a turned person is from the neck
STEADY = 3  # frames over which the order is filtered, so that one uncertain pose does not flash
LINE = re.compile(r"(all|(\d{1,9})(?:-(\d{1,9}))?)\s*:?\s+(right|left)\s+(arm|leg)\s+(front|behind)", re.IGNORECASE)


@dataclass(frozen=True)
class Depth:
    """The order of the limbs per frame, each [F] bool."""

    right_arm_behind: np.ndarray  # behind the trunk
    left_arm_behind: np.ndarray
    left_arm_over: np.ndarray  # over the right arm, where both are on one side of the trunk
    left_leg_over: np.ndarray

    def layers(self) -> list[tuple[str, np.ndarray]]:
        """Parts back to front, each with the frames [F] bool in which it lies at that place."""
        every = np.ones_like(self.left_leg_over)
        return [
            *self._arms(self.right_arm_behind, self.left_arm_behind),
            *_pair(LEG, every, every, self.left_leg_over),
            ("neck", every),
            (SKIRT, every),
            ("torso", every),
            ("head", every),
            *self._arms(~self.right_arm_behind, ~self.left_arm_behind),
        ]

    def _arms(self, right: np.ndarray, left: np.ndarray) -> list[tuple[str, np.ndarray]]:
        return _pair(ARM, right, left, self.left_arm_over)


@dataclass(frozen=True)
class Override:
    """One line of the user's: a limb in front or behind, in the frames ``first`` to ``last``."""

    first: int
    last: int | None  # None: to the end
    side: str
    limb: str
    front: bool

    @property
    def frames(self) -> slice:
        """The frames that it is about."""
        return slice(self.first, None if self.last is None else self.last + 1)


def parse_overrides(text: str, count: int) -> tuple[Override, ...]:
    """Lines such as "0-15: left arm behind" or "all: right leg front", for a clip of ``count`` frames.

    Frames are counted from 0, both ends included. Raises FreeAnimateError for anything else.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return tuple(_parsed(number, line, count) for number, line in lines if line)


def aside_of(ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray, size: float) -> np.ndarray:
    """Where each frame [F,18,2] of a reference [18,2] turns: -1 to the picture's left, 1 to its right, 0 neither.

    ``size`` is the frames' size against the reference's.
    """
    right, left = SHOULDERS
    width = (ref[left] - ref[right])[0] * size
    if not ref_seen[[right, left]].all() or width < 1:
        return np.zeros(len(joints), dtype=int)
    known = seen[:, [right, left, NECK, NOSE]].all(axis=1)
    # The line of the shoulders also tilts; what a turn takes is its length. Its sign is that of its way across.
    line = joints[:, left] - joints[:, right]
    share = np.copysign(np.hypot(*line.T), line[:, 0]) / width
    looks = joints[:, NOSE, 0] - joints[:, NECK, 0]
    sideways = known & (share < TURNED) & (np.abs(looks) > ASIDE * width / 2)
    return np.where(sideways, np.sign(looks), 0).astype(int)


def depth_of(aside: np.ndarray, overrides: Sequence[Override] = ()) -> Depth:
    """The order by the turns [F] of ``aside_of``; what ``overrides`` say comes last, in their order."""
    aside = median_filter(aside, STEADY, mode="nearest")
    depth = Depth(aside < 0, aside > 0, aside < 0, aside < 0)
    for override in overrides:
        _apply(depth, override)
    return depth


def _apply(depth: Depth, override: Override) -> None:
    """Write one line of the user's into the order."""
    frames, left = override.frames, override.side == "left"
    if override.limb == LEG:
        depth.left_leg_over[frames] = override.front == left
        return
    behind = depth.left_arm_behind if left else depth.right_arm_behind
    behind[frames] = not override.front
    depth.left_arm_over[frames] = override.front == left


def _pair(limb: str, right: np.ndarray, left: np.ndarray, left_over: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Both sides of a limb, the left one before or after the right one."""
    first, then = f"left {limb}", f"right {limb}"
    return [(first, left & ~left_over), (then, right), (first, left & left_over)]


def _parsed(number: int, line: str, count: int) -> Override:
    found = LINE.fullmatch(line)
    if found is None:
        raise FreeAnimateError(
            f"{PREVIEW}: {DEPTH_ORDER} line {number} is {quoted(line)}, which is not understood; write lines like "
            "'0-15: left arm behind' or 'all: right leg front' (frames; right or left; arm or leg; front or behind)."
        )
    frames, first, last, side, limb, where = found.groups()
    start = int(first or 0)
    end = None if frames.lower() == "all" else int(last or start)
    if max(start, end or 0) >= count or (end is not None and end < start):
        raise FreeAnimateError(
            f"{PREVIEW}: {DEPTH_ORDER} line {number} names frames {frames}, but target_pose has the frames "
            f"0 to {count - 1}; change the numbers."
        )
    return Override(start, end, side.lower(), limb.lower(), where.lower() == "front")
