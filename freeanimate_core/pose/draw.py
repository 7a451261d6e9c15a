"""Poses drawn as the openpose ControlNets (arXiv 2302.05543) were trained on them: ellipses and discs on black.

Joints, limbs and their colours are those of OpenPose (arXiv 1812.08008).

Body limbs are filled ellipses at 0.6 of their colour, joints discs at full colour; hands are hue
wheels of lines with blue discs, faces white discs. Sizes are those of a canvas of 512 and grow with it.
Axes: f frames, k points of a stamp, h, w canvas.
"""

import colorsys
import math
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .keypoints import VISIBLE, PoseSequence

LIMBS = (  # joints counted from 0, in the published order, which is the order of the colours
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)
COLOURS = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
LIMB_DIM = 0.6
FINGERS = tuple((0 if k % 4 == 0 else 4 * (k // 4) + k % 4, 4 * (k // 4) + k % 4 + 1) for k in range(20))
# Canvas, and radii in pixels on it. Published limbs (half-axis 4) and hand lines (thickness 2) fill the pixels
# under their edge too: 9 and 3 across.
BASE, LIMB, DISC, HAND_LINE, FACE = 512.0, 4.5, 4.0, 1.5, 3.0


def draw_poses(poses: PoseSequence, ground: Tensor | None = None, device: torch.device | str = "cpu") -> Tensor:
    """Pose pictures [F,H,W,3] float32 0-1 on ``device``, on black or over ``ground`` [H,W,3] or [F,H,W,3]."""
    canvas = _Canvas(len(poses), poses.height, poses.width, ground, device)
    unit = min(poses.height, poses.width) / BASE
    for (a, b), colour in zip(LIMBS, COLOURS):
        canvas.ellipse(poses.joints[:, a], poses.joints[:, b], max(LIMB * unit, 1.0), _rgb(colour, LIMB_DIM))
    for joint, colour in enumerate(COLOURS):
        canvas.disc(poses.joints[:, joint], max(DISC * unit, 1.0), _rgb(colour))
    for hand in (poses.right_hand, poses.left_hand):
        _draw_hand(canvas, hand, unit)
    for point in range(68):  # the last two of 70 are the pupils, which the body already has
        canvas.disc(poses.face[:, point], max(FACE * unit, 1.0), (1.0, 1.0, 1.0))
    return canvas.picture()


def _draw_hand(canvas: "_Canvas", hand: np.ndarray, unit: float) -> None:
    """Finger lines, then joints, of one hand [F,21,3]."""
    if not (hand[..., 2] >= VISIBLE).any():
        return
    for k, (a, b) in enumerate(FINGERS):
        canvas.line(hand[:, a], hand[:, b], max(HAND_LINE * unit, 0.75), colorsys.hsv_to_rgb(k / 20, 1.0, 1.0))
    for point in range(21):
        canvas.disc(hand[:, point], max(DISC * unit, 1.0), (0.0, 0.0, 1.0))


def _rgb(colour: tuple[int, int, int], share: float = 1.0) -> tuple[float, ...]:
    return tuple(share * c / 255 for c in colour)


class _Line(NamedTuple):
    """Lines in the frames that show both of their ends, from their middles, in pixels."""

    frames: np.ndarray  # [f] numbers of those frames
    along: Tensor  # [f,k,k] offsets of the pixels about each line
    across: Tensor  # [f,k,k]
    half_length: Tensor  # [f,1,1]
    place: Tensor  # [f,k,k] numbers of those pixels on the canvas


class _Canvas:
    """F pictures that small stamps are laid on, one stamp in all frames at once."""

    def __init__(self, frames: int, height: int, width: int, ground: Tensor | None, device: torch.device | str) -> None:
        self.height, self.width = height, width
        # One pixel more than the picture: whatever a stamp has outside the canvas goes there.
        self.pixels = torch.zeros(frames, height * width + 1, 3, device=device)
        if ground is not None:
            self.pixels[:, :-1] = rearrange(ground.to(self.pixels), "... h w c -> ... (h w) c")

    def picture(self) -> Tensor:
        """The pictures [f,h,w,3]."""
        return rearrange(self.pixels[:, :-1], "f (h w) c -> f h w c", h=self.height)

    def disc(self, centre: np.ndarray, radius: float, colour: tuple[float, ...]) -> None:
        """A disc about ``centre`` [f,3] in the frames that show it."""
        frames = np.flatnonzero(centre[:, 2] >= VISIBLE)
        if len(frames):
            middle = self._tensor(centre[frames, :2])
            x, y, place = self._window(middle, (radius, radius))
            self._lay(frames, place, radius - torch.hypot(x, y), colour)

    def ellipse(self, a: np.ndarray, b: np.ndarray, half_width: float, colour: tuple[float, ...]) -> None:
        """A filled ellipse with the ends ``a`` and ``b`` [f,3], in the frames that show both."""
        line = self._between(a, b, half_width)
        if line is None:
            return
        along, across = line.along / line.half_length, line.across / half_width
        rim = torch.hypot(along, across)
        slope = torch.hypot(along / line.half_length, across / half_width)
        # The distance to first order (Taubin, ACM TOG 1994); 0 / 0 at the middle
        depth = torch.where(rim < 1e-4, half_width, rim * (1 - rim) / slope.clamp_min(1e-6))
        self._lay(line.frames, line.place, depth, colour)

    def line(self, a: np.ndarray, b: np.ndarray, half_width: float, colour: tuple[float, ...]) -> None:
        """A line of one width with round ends at ``a`` and ``b`` [f,3], in the frames that show both."""
        line = self._between(a, b, half_width)
        if line is not None:
            distance = torch.hypot((line.along.abs() - line.half_length).clamp_min(0), line.across)
            self._lay(line.frames, line.place, half_width - distance, colour)

    def _between(self, a: np.ndarray, b: np.ndarray, half_width: float) -> _Line | None:
        """The lines from ``a`` to ``b`` [f,3] in the frames that show them apart; None without such a frame."""
        frames = np.flatnonzero((a[:, 2] >= VISIBLE) & (b[:, 2] >= VISIBLE) & (np.hypot(*(b - a)[:, :2].T) >= 1))
        if not len(frames):
            return None
        start, end = self._tensor(a[frames, :2]), self._tensor(b[frames, :2])
        line = end - start
        half_length = torch.linalg.vector_norm(line, dim=1)[:, None, None] / 2
        reach = (line.abs().amax(dim=0) / 2 + half_width + 1).tolist()
        x, y, place = self._window((start + end) / 2, (reach[0], reach[1]))
        cos, sin = (line[:, :, None, None] / (2 * half_length[:, None])).unbind(1)
        return _Line(frames, cos * x + sin * y, cos * y - sin * x, half_length, place)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.pixels.device)

    def _window(self, centre: Tensor, reach: tuple[float, float]) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels within ``reach`` of ``centre`` [f,2]: offsets x [f,1,k], y [f,k,1] and places [f,k,k]."""
        across, down = (torch.arange(-math.ceil(r) - 1, math.ceil(r) + 2, device=self.pixels.device) for r in reach)
        corner = centre.floor().long()
        cols, rows = corner[:, 0, None] + across, corner[:, 1, None] + down
        x, y = cols + 0.5 - centre[:, :1], rows + 0.5 - centre[:, 1:]
        inside = ((cols >= 0) & (cols < self.width))[:, None, :] & ((rows >= 0) & (rows < self.height))[:, :, None]
        place = torch.where(inside, rows[:, :, None] * self.width + cols[:, None, :], self.height * self.width)
        return x[:, None, :], y[:, :, None], place

    def _lay(self, frames: np.ndarray, place: Tensor, depth: Tensor, colour: tuple[float, ...]) -> None:
        """Blend ``colour`` in; ``depth`` [f,k,k] is the distance inside the edge in pixels."""
        rows = torch.as_tensor(frames, device=self.pixels.device)[:, None]
        place = place.flatten(1)
        below = self.pixels[rows, place]
        cover = (depth + 0.5).clamp(0, 1).flatten(1)[..., None]
        self.pixels[rows, place] = below + cover * (torch.tensor(colour, device=below.device) - below)
