"""Who is who over a clip, and who of them is followed.

Tracks that end are joined, all at once, to later ones of the same build: somebody who was lost for long, or who comes
back elsewhere. Lengths are in pixels; distances are in sizes of the body.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..errors import FreeAnimateError, counted
from .keypoints import NECK, Person
from .skeleton import MID_HIP, PARENTS
from .tracks import FARTHER, MEMORY, MOST_REACH, REACH, Body, Track, size_of, tracked

FLEETING, FLEETING_SHARE = 3, 0.25  # a track of fewer frames, in this share of the longest one's: a false detection
SAME_BUILD = 1.5  # factor between the bones of two tracks from which they are two people
TWO_PEOPLE = 1.0  # cost of two tracks being two people; that of their being one is 0 to 1
NEAR = 0.1  # of that cost, what time and way between the two decide
BONE_SHARE = 0.9  # quantile over frames of a bone's length: it never looks longer than it is
MOST_LINKED = 200  # tracks that may be joined, the longest: more are false detections
SAME_SIZE = 2.0  # factor between the sizes in two frames from which a report tells a jump
LEAST_JOINTS = 6  # in common, for their size to say something
NAMED = 8  # frames that a note names
LIMBS = {joint: NECK if parent == MID_HIP else parent for joint, (parent, _) in PARENTS.items() if joint < MID_HIP}


def follow(
    people: Sequence[Sequence[Person]], person: int, where: str, widget: str
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Of each frame that shows the chosen one, the number in its list; and notes on who it is and on jumps.

    ``person`` 0 is the one with the largest box, its side summed over the clip, n the n-th from the left, each where
    they first appear; false detections of a frame or two count last. Raises FreeAnimateError when there are fewer.
    """
    tracks = tracked(people)
    alone = all(len(found) < 2 for found in people)
    tracks = _numbered(_one_alone(tracks) if alone else _linked(tracks))
    if person > len(tracks):
        raise FreeAnimateError(
            f"{where} shows {len(tracks)} with visible joints over the clip, but {widget} is {person} (counted from "
            f"the left, each where they first appear); set {widget} to {len(tracks)} or less, or to 0 for the largest."
        )
    largest = max(range(len(tracks)), key=lambda number: sum(body.side for body in tracks[number].bodies.values()))
    number = person - 1 if person else largest
    chosen = tracks[number].bodies
    notes = [f"followed the {_ordinal(number + 1)} of {len(tracks)} people from the left"] if len(tracks) > 1 else []
    return {frame: body.number for frame, body in chosen.items()}, (*notes, *_jump_notes(chosen))


def _linked(tracks: list[Track]) -> list[Track]:
    """Tracks joined to later ones that are the same person, all at once; those who only flash up stay apart."""
    longest = max(len(track.bodies) for track in tracks)
    steady = [track for track in tracks if not _is_fleeting(track, longest)]
    steady = sorted(steady, key=lambda track: -len(track.bodies))[:MOST_LINKED]
    builds = [_build(track) for track in steady]
    costs = np.full((len(steady), 2 * len(steady)), TWO_PEOPLE)
    for row, before in enumerate(steady):
        for column, after in enumerate(steady):
            if after.first > before.last:
                costs[row, column] = _link_cost(before, after, _unlike(builds[row], builds[column]))
            else:
                costs[row, column] = 2 * TWO_PEOPLE
    following = {int(r): int(c) for r, c in zip(*linear_sum_assignment(costs)) if costs[r, c] < TWO_PEOPLE}
    starts = sorted(set(range(len(steady))) - set(following.values()))
    kept = {id(track) for track in steady}
    joined = [_joined([steady[link] for link in _chain(following, start)]) for start in starts]
    return joined + [track for track in tracks if id(track) not in kept]


def _chain(following: dict[int, int], start: int) -> list[int]:
    """``start`` and all that follow it."""
    chain = [start]
    while chain[-1] in following:
        chain.append(following[chain[-1]])
    return chain


def _joined(tracks: Sequence[Track]) -> Track:
    """Tracks, each later than the one before, as one."""
    return Track({frame: body for track in tracks for frame, body in track.bodies.items()})


def _one_alone(tracks: list[Track]) -> list[Track]:
    """Tracks of a clip of which no frame shows two people: one goes on over cuts, however far they move and scale it.

    What comes between its frames for one or two frames only is somebody else, or a false detection.
    """
    occupied = np.zeros(1 + max(track.last for track in tracks), dtype=bool)
    own: set[int] = set()
    for number in sorted(range(len(tracks)), key=lambda number: -len(tracks[number].bodies)):
        span = slice(tracks[number].first, tracks[number].last + 1)
        if not occupied[span].any():
            own.add(number)
            occupied[span] = True
    owners = sorted((frame, number) for number, track in enumerate(tracks) for frame in track.bodies)
    taken: set[int] = set()
    for number, run in groupby(owners, key=lambda owner: owner[1]):
        frames = {frame for frame, _ in run}
        if number in own or len(frames) >= FLEETING:
            taken |= frames
    whole = Track({frame: tracks[number].bodies[frame] for frame, number in owners if frame in taken})
    rest = [Track({f: body for f, body in track.bodies.items() if f not in taken}) for track in tracks]
    return [whole, *(track for track in rest if track.bodies)]


def _link_cost(before: Track, after: Track, unlike: float) -> float:
    """Of both being one person, 0 to 1; more where their builds are too ``unlike``."""
    if unlike >= 1:
        return 2 * TWO_PEOPLE
    start, end = after.bodies[after.first], before.bodies[before.last]
    way = float(np.hypot(*(start.middle - end.middle))) / end.size
    far = 1 - 1 / ((1 + way) * (after.first - before.last))
    return TWO_PEOPLE * ((1 - NEAR) * unlike + NEAR * far)


def _build(track: Track) -> np.ndarray:
    """Length in pixels of every limb [17], near the longest that the track shows; NaN where it shows none."""
    places, seen = (np.stack(list(values)) for values in zip(*((b.place, b.seen) for b in track.bodies.values())))
    limbs = np.full(len(LIMBS), np.nan)
    for number, (joint, parent) in enumerate(LIMBS.items()):
        shown = seen[:, joint] & seen[:, parent]
        if shown.any():
            lengths = np.hypot(*(places[shown, joint] - places[shown, parent]).T)
            limbs[number] = max(float(np.quantile(lengths, BONE_SHARE)), 1.0)
    return limbs


def _unlike(one: np.ndarray, other: np.ndarray) -> float:
    """How far two builds differ in size and, on average, in proportions: 1 by the factor SAME_BUILD; 0 if unknown."""
    ratios = np.log(other / one)
    ratios = ratios[np.isfinite(ratios)]
    if not ratios.size:
        return 0.0
    scale = np.median(ratios)
    return float((abs(scale) + np.abs(ratios - scale).mean()) / np.log(SAME_BUILD))


def _numbered(tracks: list[Track]) -> list[Track]:
    """Tracks from left to right by the place where each first appears; those who only flash up come last."""
    longest = max(len(track.bodies) for track in tracks)
    return sorted(tracks, key=lambda track: (_is_fleeting(track, longest), track.bodies[track.first].across))


def _is_fleeting(track: Track, longest: int) -> bool:
    return len(track.bodies) < min(FLEETING, FLEETING_SHARE * longest)


def _jump_notes(bodies: dict[int, Body]) -> list[str]:
    """The frames to which a body jumps: from where it was, and from where its motion puts it."""
    frames = list(bodies)
    jumps = [frame for at, frame in enumerate(frames) if at and _is_jump(bodies, frames[:at][-MEMORY - 1 :], frame)]
    if not jumps:
        return []
    named = ", ".join(map(str, jumps[:NAMED])) + (", ..." if len(jumps) > NAMED else "")
    return [f"the body jumps at {counted(len(jumps), 'frame')} (counted from 0: {named})"]


def _is_jump(bodies: dict[int, Body], earlier: list[int], frame: int) -> bool:
    before, now, late = bodies[earlier[-1]], bodies[frame], frame - earlier[-1]
    common = before.seen & now.seen
    if not common.any():
        return False
    start, end = before.place[common], now.place[common]
    moved = (end - start).mean(axis=0)
    off = min(np.hypot(*moved), np.hypot(*(moved - late * _speed(bodies, earlier))))
    reach = min(REACH + FARTHER * (late - 1), MOST_REACH) * max(before.size, now.size)
    grown = size_of(end) / size_of(start) if common.sum() >= LEAST_JOINTS else 1.0
    return bool(off > reach or not 1 / SAME_SIZE <= grown <= SAME_SIZE)


def _speed(bodies: dict[int, Body], frames: list[int]) -> np.ndarray:
    """Pixels per frame [2] from the first to the last of ``frames``."""
    start, end = bodies[frames[0]], bodies[frames[-1]]
    common = start.seen & end.seen
    if len(frames) < 2 or not common.any():
        return np.zeros(2)
    return (end.place - start.place)[common].mean(axis=0) / (frames[-1] - frames[0])


def _ordinal(number: int) -> str:
    """The number as 1st, 2nd, 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
