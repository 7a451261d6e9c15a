"""Tracks of bodies over a clip, made frame by frame.

The people found in a frame are assigned all at once (H. W. Kuhn, "The Hungarian method", 1955) to the tracks, by the
distance of their joints from where each track's motion puts them. Lengths are in pixels; distances are in sizes of
the body, the diagonal of the box about its visible joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from .keypoints import NECK, VISIBLE, Person

REACH, FARTHER = 0.5, 0.05  # how far a body may be from where it is expected, and how much farther each lost frame
MOST_REACH = 1.0
PATIENCE = 12  # frames for which a lost body is expected on its way
MEMORY = 4  # steps over which its speed is the mean


@dataclass(frozen=True)
class Body:
    """One of a frame's people: the number in its list, places [18,2] and which joints are visible [18]."""

    number: int
    place: np.ndarray
    seen: np.ndarray

    @property
    def size(self) -> float:
        """Diagonal of the box about the visible joints; at least 1."""
        return size_of(self.place[self.seen])

    @property
    def side(self) -> float:
        """Side of the square as large as that box, in pixels."""
        return float(np.sqrt(np.prod(np.ptp(self.place[self.seen], axis=0) + 1)))

    @property
    def middle(self) -> np.ndarray:
        """Middle [2] of that box."""
        return middle_of(self.place[self.seen])

    @property
    def across(self) -> float:
        """Where it stands from left to right: the neck, or the middle of the box."""
        return float(self.place[NECK, 0] if self.seen[NECK] else self.middle[0])


@dataclass
class Track:
    """One body over the frames that show it, and how it looks and moves at the one put last."""

    bodies: dict[int, Body] = field(default_factory=dict)
    shape: np.ndarray = field(default_factory=lambda: np.zeros((18, 2)))  # joints not visible now are carried along
    known: np.ndarray = field(default_factory=lambda: np.zeros(18, dtype=bool))
    steps: list[np.ndarray] = field(default_factory=list)

    @property
    def first(self) -> int:
        """The first frame put to it."""
        return next(iter(self.bodies))

    @property
    def last(self) -> int:
        """The last frame put to it."""
        return next(reversed(self.bodies))

    @property
    def speed(self) -> np.ndarray:
        """Pixels [2] to the next frame, over the last steps."""
        return np.mean(self.steps[-MEMORY:], axis=0) if self.steps else np.zeros(2)

    def add(self, frame: int, body: Body) -> None:
        """Put what ``frame`` shows to the track."""
        common = self.known & body.seen
        step = (body.place - self.shape)[common].mean(axis=0) if common.any() else np.zeros(2)
        if common.any():
            self.steps.append(step / abs(frame - self.last))
        self.shape = np.where(body.seen[:, None], body.place, self.shape + step)
        self.known = self.known | body.seen
        self.bodies[frame] = body


def tracked(people: Sequence[Sequence[Person]]) -> list[Track]:
    """Everybody's tracks; one ends when more than PATIENCE frames leave its body out.

    They are made forwards to learn how everybody moves, and then backwards with that knowledge: where two who start
    side by side go, their first frame alone does not tell.
    """
    frames = [[_body(number, person) for number, person in enumerate(found)] for found in people]
    forwards = _run(frames, range(len(frames)), {})
    speeds = {(track.last, track.bodies[track.last].number): -track.speed for track in forwards}
    backwards = _run(frames, range(len(frames) - 1, -1, -1), speeds)
    return [Track(dict(reversed(track.bodies.items()))) for track in backwards]


def _run(frames: list[list[Body]], order: range, speeds: dict[tuple[int, int], np.ndarray]) -> list[Track]:
    """Tracks through ``frames`` in ``order``; a new one moves as ``speeds`` say for its frame and number."""
    done: list[Track] = []
    live: list[Track] = []
    for frame in order:
        done += [track for track in live if abs(frame - track.last) > PATIENCE]
        live = [track for track in live if abs(frame - track.last) <= PATIENCE]
        taken = _assigned(live, frame, frames[frame])
        for body in frames[frame]:
            track = taken.get(body.number)
            if track is None:
                known = speeds.get((frame, body.number))
                track = Track(steps=[] if known is None else [known])
                live.append(track)
            track.add(frame, body)
    return done + live


def size_of(places: np.ndarray) -> float:
    """Diagonal of the box about ``places`` [n,2] in pixels; at least 1."""
    return max(float(np.hypot(*np.ptp(places, axis=0))), 1.0)


def middle_of(places: np.ndarray) -> np.ndarray:
    """Middle [2] of the box about ``places`` [n,2]."""
    return (places.min(axis=0) + places.max(axis=0)) / 2


def _body(number: int, person: Person) -> Body:
    return Body(number, person["joints"][:, :2], person["joints"][:, 2] >= VISIBLE)


def _assigned(tracks: list[Track], frame: int, bodies: list[Body]) -> dict[int, Track]:
    """The track of each of the frame's people, by their number; without those who belong to none."""
    if not tracks or not bodies:
        return {}
    places, seen = np.stack([body.place for body in bodies]), np.stack([body.seen for body in bodies])
    sizes, middles = np.array([body.size for body in bodies]), np.stack([body.middle for body in bodies])
    costs = np.stack([_distances(track, abs(frame - track.last), places, seen, sizes, middles) for track in tracks])
    late = np.array([abs(frame - track.last) - 1 for track in tracks])
    within = costs <= np.minimum(REACH + FARTHER * late, MOST_REACH)[:, None]
    rows, columns = linear_sum_assignment(np.where(within, costs - MOST_REACH, 0.0))
    return {int(column): tracks[row] for row, column in zip(rows, columns) if within[row, column]}


def _distances(
    track: Track, late: int, places: np.ndarray, seen: np.ndarray, sizes: np.ndarray, middles: np.ndarray
) -> np.ndarray:
    """Mean distance [n], in sizes, of the joints in common of n bodies from where the track is after ``late`` frames.

    Of bodies without a joint in common it is that of the middles.
    """
    common = track.known & seen
    shape = track.shape + track.speed * late
    size = np.maximum(size_of(track.shape[track.known]), sizes)
    off = np.where(common, np.hypot(*np.moveaxis(places - shape, -1, 0)), 0.0).sum(axis=1)
    apart = np.hypot(*(middles - middle_of(shape[track.known])).T)
    count = common.sum(axis=1)
    return np.where(count > 0, off / np.maximum(count, 1), apart) / size
