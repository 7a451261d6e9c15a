"""What to know about a preview, in words: which frames are wrong and why, and what reference and driver cannot give.

Positions are (x, y) in pixels. Axes: F frames of the clip.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter
from torch import Tensor

from ..errors import counted
from .bones import HIPS, LEGS, SHOULDERS

# Turns in degrees from which a frame is said to be seen so.
ASIDE, SIDE, BEHIND = 25, 60, 120
HEAD = 50  # degrees that the head turns more than the trunk
WRONG = 0.5  # of redraw_mask: from here on a place is said to be wrong
MUCH = 0.4  # of the figure: with less that is wrong, a frame whose person has not turned is not named
STEADY = 3  # frames over which a cause is filtered, so that one uncertain pose makes no sentence
NAMED = 6  # as many runs of frames are named, those with most that is wrong
# Of the trunk's length: knees no further below the hips are those of somebody who sits; shoulders no wider are
# seen from the side; wrists within these heights below the shoulders are before the chest; a wrist within these
# heights and no further aside from between the shoulders is at the head.
SITTING, NARROW, CHEST = 0.45, 0.4, (0.05, 0.8)
HEAD_HEIGHT, HEAD_ASIDE = (-0.8, 0.0), 0.55
MOSTLY = 0.5  # of the frames: a driver that is like the reference so often can use it
OUTSIDE = 0.35  # of a frame's joints: with more beyond the border the driver has left the canvas
KNEES, ANKLES = ([joints[k].joints[1] for joints in LEGS.values()] for k in (0, 1))
WRISTS = (4, 7)  # right, left

CAUSES = (
    "",
    "much of the pose is far from the reference's",
    "the head is turned away",
    "the person is turned aside",
    "seen from the side",
    "seen from behind",
)
TURNS = range(3, 6)  # of these, which ones are the trunk's

SITS = (
    "The reference sits or squats, but the motion source does not: legs that the picture shows folded cannot be "
    "stretched; use a reference that stands upright."
)
SIDEWAYS = (
    "The reference is seen from the side, but the motion source is not: chest, face and the far arm are not in the "
    "picture; use a reference that faces the viewer."
)
BACKWARDS = (
    "The reference is seen from behind, but the motion source is not: face and chest are not in the picture; use a "
    "reference that faces the viewer."
)
CROSSED = (
    "The reference's arms are crossed before its chest, but the motion source's are not: hands and forearms cannot "
    "be told from the chest; use a reference whose arms hang beside the body."
)
AT_HEAD = (
    "A hand of the reference lies at its head, but the motion source's do not: hair and cheek cannot be told from "
    "the hand and may leave with it; use a reference whose hands hang beside the body."
)
HALF_BODY = (
    "this reference is a half body, and what lies beyond its border is not shown; use a reference that shows the whole "
    "body, or a motion source that shows as much of the body"
)
LEFT = (
    "the motion source leaves the picture; put Align Pose with mode affine before it, or use a reference with more "
    "room around the person"
)


@dataclass(frozen=True)
class Run:
    """Neighbouring frames, first to last, with one cause (of CAUSES)."""

    first: int
    last: int
    cause: int

    @property
    def frames(self) -> slice:
        """The frames that it is about."""
        return slice(self.first, self.last + 1)

    @property
    def named(self) -> str:
        """The frames as text."""
        return f"frame {self.first}" if self.first == self.last else f"frames {self.first}-{self.last}"


def of_frames(trunk: np.ndarray, head: np.ndarray, wrong: np.ndarray) -> tuple[str, ...]:
    """A sentence for each run of frames that cannot be right.

    ``trunk`` and ``head`` [F] are their turns in radians against the reference, ``wrong`` [F] is the share of the
    figure that is to be redrawn.
    """
    yaw, away = (np.abs(np.degrees(turns)) for turns in (trunk, head))
    causes = np.where(wrong >= MUCH, 1, 0)
    causes = np.where(away >= np.maximum(yaw, ASIDE) + HEAD, 2, causes)
    causes = np.where(yaw >= ASIDE, 2 + np.searchsorted((ASIDE, SIDE, BEHIND), yaw, side="right"), causes)
    runs = [run for run in _runs(median_filter(causes, STEADY, mode="nearest")) if run.cause]
    worst = sorted(runs, key=lambda run: -wrong[run.frames].sum())[:NAMED]
    return tuple(_sentence(run, trunk, wrong) for run in runs if run in worst)


def redrawn_share(redraw: Tensor, person: Tensor) -> np.ndarray:
    """Share [F] of the figure (mask [F,H,W]) that is to be redrawn, by redraw_mask [F,H,W]."""
    whole = person.sum(dim=(1, 2)).clamp_min(1e-6)
    return ((redraw > WRONG) * person).sum(dim=(1, 2)).div(whole).cpu().numpy()


def of_inputs(
    reference: tuple[np.ndarray, np.ndarray], driver: tuple[np.ndarray, np.ndarray], size: tuple[int, int]
) -> tuple[str, ...]:
    """Sentences on a reference that cannot give what the driver asks for, and on a driver that leaves the canvas.

    Each is its joints, [18,2] and [F,18,2], and which are seen, [18] and [F,18] bool; ``size`` is the canvas (H, W).
    """
    return (*of_reference(*reference, *driver), *of_driver(*driver, size, is_half_body(*reference, size)))


def of_reference(ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray) -> tuple[str, ...]:
    """Sentences on a reference [18,2] that cannot give the frames [F,18,2]; each with what is seen, [18] and [F,18]."""
    own, driven = _states(ref[None], ref_seen[None]), _states(joints, seen)
    return tuple(words for words in own if own[words][0] and driven[words].mean() <= MOSTLY)


def of_driver(joints: np.ndarray, seen: np.ndarray, size: tuple[int, int], half_body: bool) -> tuple[str, ...]:
    """A sentence for the frames [F,18,2], [F,18] bool, of which many joints lie beyond the canvas of ``size`` (H, W).

    ``half_body``: the reference shows no knees.
    """
    height, width = size
    beyond = seen & ((joints < 0) | (joints >= (width, height))).any(axis=-1)
    share = beyond.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    runs = [run for run in _runs((share > OUTSIDE).astype(int)) if run.cause]
    if not runs:
        return ()
    longest = max(runs, key=lambda run: run.last - run.first)
    others = f" and {counted(len(runs) - 1, 'more run')} of frames" if len(runs) > 1 else ""
    percent = round(100 * float(share[longest.frames].mean()))
    why = HALF_BODY if half_body else LEFT
    return (f"{percent} % of the motion source's joints are outside the canvas in {longest.named}{others}: {why}.",)


def is_half_body(joints: np.ndarray, seen: np.ndarray, size: tuple[int, int]) -> bool:
    """Whether a reference [18,2], [18] bool, shows no knee on its canvas of ``size`` (H, W)."""
    height, width = size
    within = seen & (joints >= 0).all(axis=-1) & (joints < (width, height)).all(axis=-1)
    return not within[KNEES].any()


def _runs(causes: np.ndarray) -> list[Run]:
    """Runs of equal causes [F]."""
    edges = [0, *(np.flatnonzero(np.diff(causes)) + 1), len(causes)]
    return [Run(int(a), int(b) - 1, int(causes[a])) for a, b in zip(edges, edges[1:])]


def _sentence(run: Run, trunk: np.ndarray, wrong: np.ndarray) -> str:
    """Frames, cause and shares."""
    shares = [f"{round(100 * float(wrong[run.frames].mean()))} % to redraw"]
    if run.cause in TURNS:
        # Of what is seen of a body that turned by t, the share (1 - cos t) / 2 was not seen before.
        hidden = float(np.mean(1 - np.cos(trunk[run.frames]))) / 2
        shares.insert(0, f"{round(100 * hidden)} % not in the reference")
    return f"{run.named[0].upper()}{run.named[1:]}: {CAUSES[run.cause]}, {', '.join(shares)}."


def _states(joints: np.ndarray, seen: np.ndarray) -> dict[str, np.ndarray]:
    """What makes a reference unfit, by its sentence: which frames [F,18,2], [F,18] are so, [F] bool each."""
    top, low = (joints[:, list(pair)].mean(axis=1) for pair in (SHOULDERS, HIPS))
    known = seen[:, [*SHOULDERS, *HIPS]].all(axis=1)
    length = np.maximum(np.hypot(*(low - top).T), 1.0)
    down = (low - top) / length[:, None]
    across = np.stack([down[:, 1], -down[:, 0]], axis=-1)

    def along(points: np.ndarray, axis: np.ndarray) -> np.ndarray:
        return np.einsum("fk,fk->f", points, axis) / length

    breadth = along(joints[:, SHOULDERS[1]] - joints[:, SHOULDERS[0]], across)
    drops = [along(joints[:, knee] - joints[:, hip], down) for knee, hip in zip(KNEES, HIPS)]
    (right_x, right_y), (left_x, left_y) = (
        (along(joints[:, wrist] - top, across), along(joints[:, wrist] - top, down)) for wrist in WRISTS
    )
    at_head = np.zeros(len(joints), dtype=bool)
    for wrist, x, y in zip(WRISTS, (right_x, left_x), (right_y, left_y)):
        at_head |= seen[:, wrist] & (y > HEAD_HEIGHT[0]) & (y < HEAD_HEIGHT[1]) & (np.abs(x) < HEAD_ASIDE)
    before = [(way > CHEST[0]) & (way < CHEST[1]) for way in (right_y, left_y)]
    return {
        SITS: known & seen[:, KNEES].all(axis=1) & (np.maximum(*drops) < SITTING),
        SIDEWAYS: known & (np.abs(breadth) < NARROW),
        BACKWARDS: known & (breadth <= -NARROW),
        CROSSED: known & seen[:, WRISTS].all(axis=1) & before[0] & before[1] & (right_x > left_x) & (breadth > NARROW),
        AT_HEAD: known & at_head,
    }
