"""Where the head is put: a similarity about the head's centre, and how far the face slides on it.

A head that turns aside stays where it is while eyes and nose move across it. So the turn is found from
the face's joints, which lie on a ball between the ears, and only what is left of their motion moves the
head. Complex numbers are points x + iy in pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..pose.keypoints import NECK
from .bones import FACE
from .warp import as_complex, as_matrix
from .yaw import smoothed, wrapped

YAWS = np.radians(np.arange(-180.0, 180.0, 1.0))  # turns that are tried
YAW_COST = 0.004  # per radian squared: no turn is believed without need
PULL = 0.1  # per radian squared, from the turn of a trunk that is turned
DEEP = np.array([1.2, 1.03, 1.03, 1.0, 1.0])  # how far nose, eyes and ears are before the ears' line, on a ball of 1
HIDDEN = 0.05  # per cosine squared: an ear that is not seen does not face the viewer
TILT_COST = 0.01  # per radian squared, against the trunk: ears in reverse order are a back, not a head on its crown
SIZE_COST = 0.3  # per squared logarithm: a narrow face is a turned one rather than a small one
SWING = 0.08  # a head keeps its size in a clip, give or take
LARGEST_SLIDE = 0.42  # of the head's half width; a face turned further is not in the reference
# The piece of the face that moves as a whole: half its width, in half widths of the head; the height from which it
# stands still and the one from which it moves, in half widths about the ears; the same as shares of the way down to
# the chin.
CORE, TOP, BROW, MOUTH, CHIN = 0.3, -0.9, -0.35, 0.7, 1.0
LONGEST = 1.7  # a chin below the ears, in half widths
THINNEST = 0.05  # room that the cheek keeps, in half widths


@dataclass(frozen=True)
class Ball:
    """The reference's head: its centre, and half its width as a vector towards the person's left ear."""

    centre: complex
    half: complex
    points: np.ndarray  # [5] complex, the joints of FACE in units of ``half`` about ``centre``
    chin: float = 1.2  # from the centre down, in half widths

    def turned(self, yaw: np.ndarray, deep: np.ndarray | float = 1.0) -> np.ndarray:
        """The joints [n,5] as they are seen after a turn by ``yaw`` [n] radians, positive to the person's left.

        The face is as ``deep`` as half its breadth, or as many times that, for all joints or each [5].
        """
        across = self.points.real
        front = np.sqrt(np.clip(1 - across**2, 0, None)) * deep
        moved = across * np.cos(yaw)[:, None] + front * np.sin(yaw)[:, None]
        return self.centre + self.half * (moved + 1j * self.points.imag)


@dataclass(frozen=True)
class Heads:
    """Maps [F,2,3] from the reference to the frames, NaN without a head, and the head's own turns."""

    maps: np.ndarray
    yaw: np.ndarray  # [F] radians, positive to the person's left
    ball: Ball | None  # None where the reference does not show both ears: then nothing slides

    @property
    def slide(self) -> np.ndarray:
        """How far the face moves on the head [F], in half widths of the head towards the person's left ear."""
        return np.clip(np.sin(self.yaw), -LARGEST_SLIDE, LARGEST_SLIDE)


def ball_of(ref: np.ndarray, seen: np.ndarray) -> Ball | None:
    """The head of a reference posed as [18,2]; None unless it shows both ears, apart from one another."""
    right, left = (complex(*ref[k]) for k in (16, 17))
    if not seen[[16, 17]].all() or abs(left - right) < 2:
        return None
    centre, half = (left + right) / 2, (left - right) / 2
    return Ball(centre, half, (as_complex(ref[list(FACE)]) - centre) / half)


def slid(ball: Ball, slide: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Reference positions x, y [f,h,w] within the head, drawn back by the face's ``slide`` [f].

    Eyes, nose and mouth move as one piece; cheeks and temples make room, the head's outline stays. The share
    rises and falls along the head's width so that the map is single-valued for every slide.
    """
    span = abs(ball.half) ** 2
    dx, dy = x - ball.centre.real, y - ball.centre.imag
    across = (dx * ball.half.real + dy * ball.half.imag) / span
    down = (dy * ball.half.real - dx * ball.half.imag) / span
    low = down / ball.chin
    wide = (1 - low.clamp(0, 1).square()).sqrt()  # of the jaw at this height
    way = slide[:, None, None]
    rise = (wide + across) / (wide * (1 - CORE) + way).clamp_min(THINNEST)
    fall = (wide - across) / (wide * (1 - CORE) - way).clamp_min(THINNEST)
    upright = torch.minimum((down - TOP) / (BROW - TOP), (CHIN - low) / (CHIN - MOUTH))
    share = torch.minimum(rise, fall).clamp(0, 1) * upright.clamp(0, 1) * way
    return x - share * ball.half.real, y - share * ball.half.imag


def with_chin(ball: Ball | None, alpha: np.ndarray) -> Ball | None:
    """The ball with its chin where the head's own alpha [h,w] ends below the ears' middle."""
    if ball is None:
        return None
    down = np.arange(0.3, LONGEST, 0.02)
    spots = ball.centre + 1j * ball.half * down
    cols, rows = (spots.real.astype(int), spots.imag.astype(int))
    inside = (cols >= 0) & (rows >= 0) & (cols < alpha.shape[1]) & (rows < alpha.shape[0])
    shown = np.zeros(len(down), dtype=bool)
    shown[inside] = alpha[rows[inside], cols[inside]] > 0.5
    return replace(ball, chin=float(down[shown].max(initial=0.6)))


def place_heads(
    ref: np.ndarray,
    ref_seen: np.ndarray,
    joints: np.ndarray,
    both: np.ndarray,
    size: float,
    slopes: np.ndarray,
    yaw: np.ndarray | None = None,
) -> Heads:
    """Heads of the frames [F,18,2]; ``both`` [F,18] says which joints frame and reference show.

    ``size`` is the target's size against the reference's, ``slopes`` [F] complex the direction into which the
    trunk's own tilt takes the x axis: that of a head with less than two joints, which hangs on the joint that is
    left, or on the neck. With the trunk's ``yaw`` [F] heads follow trunks that are turned, and are steady in time.
    """
    ball = ball_of(ref, ref_seen)
    faces = both[:, list(FACE)]
    trunk = np.zeros(len(joints)) if yaw is None else yaw
    models, aside = (
        (as_complex(ref[list(FACE)])[None],) * 2 if ball is None else (ball.turned(YAWS), ball.turned(YAWS, DEEP))
    )
    shapes = [aside if turn else models for turn in trunk]
    yaws = np.zeros(1) if ball is None else YAWS

    def fit(k: int, rows: slice) -> "_Fit | None":
        likely = _likely(yaws, faces[k], trunk[k])[rows]
        return _fit(shapes[k][rows][:, faces[k]], as_complex(joints[k, list(FACE)][faces[k]]), size, slopes[k], likely)

    fits = [fit(k, slice(None)) for k in range(len(joints))]
    rows = np.array([_upright(yaws) if found is None else found.row for found in fits])
    if yaw is not None and ball is not None:
        steady = _steady_rows(rows, fits, trunk)
        fits = [
            found if row == now else fit(k, slice(row, row + 1))
            for k, (found, now, row) in enumerate(zip(fits, rows, steady))
        ]
        rows = steady
    straight = [found for found, turn in zip(fits, trunk) if found is not None and not turn]
    scales = [abs(found.factor) for found in straight or fits if found is not None]
    usual = float(np.median(scales)) if scales else size
    maps = _maps(ref, joints, both, slopes, usual, [shape[row] for shape, row in zip(shapes, rows)], fits)
    return Heads(maps, yaws[rows], ball)


def _maps(
    ref: np.ndarray,
    joints: np.ndarray,
    both: np.ndarray,
    slopes: np.ndarray,
    usual: float,
    faces: Sequence[np.ndarray],
    fits: Sequence["_Fit | None"],
) -> np.ndarray:
    """Maps [F,2,3] of heads whose joints of FACE are, as they turned, at ``faces`` [5] complex in the reference.

    ``usual`` is the heads' size in the clip against the reference's.
    """
    maps = np.full((len(joints), 2, 3), np.nan)
    for k, (fit, slope) in enumerate(zip(fits, slopes)):
        shown = both[k, list(FACE)]
        if shown.any():
            source, target = faces[k][shown], joints[k, list(FACE)][shown]
        elif both[k, NECK]:
            source, target = as_complex(ref[[NECK]]), joints[k, [NECK]]
        else:
            continue
        maps[k] = _map(slope * usual if fit is None else fit.factor, usual, source, as_complex(target))
    return maps


def _likely(yaws: np.ndarray, shown: np.ndarray, trunk: float) -> np.ndarray:
    """What each of ``yaws`` [n] costs for a head that shows the face's joints ``shown`` [5], on a turned ``trunk``."""
    if trunk == 0 or len(yaws) == 1:
        return YAW_COST * yaws**2
    right, left = shown[3:]
    gone = np.clip(np.sin(yaws), 0, None) * (not right) + np.clip(-np.sin(yaws), 0, None) * (not left)
    return PULL * wrapped(yaws - trunk) ** 2 + HIDDEN * gone**2


def _steady_rows(rows: np.ndarray, fits: Sequence["_Fit | None"], trunk: np.ndarray) -> np.ndarray:
    """Rows [F] of YAWS, steady in time; a head that shows no turn of its own has that of its ``trunk`` [F]."""
    turns = np.where([fit is None for fit in fits], trunk, YAWS[rows])
    return (np.round(np.degrees(smoothed(turns) - YAWS[0])).astype(int)) % len(YAWS)


@dataclass(frozen=True)
class _Fit:
    """Factor of a similarity, and the row of the model, hence the yaw, that it belongs to."""

    factor: complex
    row: int


def _fit(models: np.ndarray, target: np.ndarray, size: float, slope: complex, likely: np.ndarray) -> _Fit | None:
    """The best similarity from one of ``models`` [n,k], each with a cost [n], to ``target`` [k].

    None where points give no direction.
    """
    if len(target) < 2:
        return None
    flat, goal = models - models.mean(axis=1, keepdims=True), target - target.mean()
    spread = (np.abs(flat) ** 2).mean(axis=1)
    factor = (np.conj(flat) * goal).mean(axis=1) / np.maximum(spread, 1e-12)
    usable = (spread > 1.0) & (np.abs(factor) > 1e-3)
    if not usable.any():
        return None
    reach = size**2 * spread.max()
    misfit = (np.abs(factor[:, None] * flat - goal) ** 2).mean(axis=1) / reach
    bigger = np.log(np.maximum(np.abs(factor), 1e-3) / size)
    tilt = np.angle(factor * np.conj(slope))
    cost = misfit + SIZE_COST * bigger**2 + likely + TILT_COST * tilt**2
    best = int(np.where(usable, cost, np.inf).argmin())
    return _Fit(complex(factor[best]), best)


def _upright(yaws: np.ndarray) -> int:
    """The row of no turn."""
    return int(np.abs(yaws).argmin())


def _map(factor: complex, usual: float, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """One head's similarity [2,3], of nearly the clip's size, held by the mean of its points [k]."""
    m = factor / abs(factor) * float(np.clip(abs(factor), usual * (1 - SWING), usual * (1 + SWING)))
    return as_matrix(m, complex(target.mean() - m * source.mean()))
