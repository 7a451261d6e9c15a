"""POSE_KEYPOINT read strictly: everybody in every frame, in pixels of one canvas, and one person of them followed.

Points come in pixels or in fractions of the canvas. Which, is decided for a clip as a whole: a close-up may lie beyond
its canvas by more than its size.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import ALIGN_POSE, FreeAnimateError
from .following import follow
from .keypoints import ARRAYS, SAME_ASPECT, VISIBLE, Person, PoseSequence, nobody
from .layouts import Size, Written, place_of, read_layout

LARGEST_FRACTION = 2.0  # half of a clip's coordinates are below; no clip of people fits into this many pixels
# What is against the clip's unit is in the other one: so many points all within LARGEST_FRACTION pixels, or half of
# them further than so many canvases away. It happens where clips of two tools were joined.
FEWEST, FARTHEST_FRACTION = 3, 10.0


@dataclass(frozen=True)
class Followed:
    """One person over a clip's frames, and what following met, in a few words each."""

    poses: PoseSequence
    notes: tuple[str, ...] = ()


def parse_poses(
    frames: object, where: str, person: int = 0, gaps: bool = False, widget: str = "person"
) -> PoseSequence:
    """One person of POSE_KEYPOINT, seen in every frame unless there may be ``gaps``; see ``follow_person``."""
    return follow_person(frames, where, person, gaps, widget).poses


def follow_person(frames: object, where: str, person: int = 0, gaps: bool = True, widget: str = "person") -> Followed:
    """One person of POSE_KEYPOINT, chosen once; ``where`` ("Align Pose: driving_pose") opens every message.

    ``person`` 0 is the largest over the clip, n the n-th from the left, each where they first appear; they are
    followed by place, size and joints. With ``gaps`` a frame that does not show them has confidence 0 in every
    point. ``widget`` is the label of ``person`` in messages. Raises FreeAnimateError for anything else: no frames,
    nobody in a frame, unknown layouts, values that are no numbers, canvases of different aspects.
    """
    people, height, width = read_people(frames, where)
    refuse_nobody(people, where, gaps)
    # A clip that shows one person in every frame, such as Align Pose's, leaves nothing to follow.
    single = not gaps and person < 2 and all(len(found) == 1 for found in people)
    track, notes = (dict.fromkeys(range(len(people)), 0), ()) if single else follow(people, person, where, widget)
    lost = [frame for frame in range(len(people)) if frame not in track]
    if lost and not gaps:
        place = place_of(where, lost[0])
        raise FreeAnimateError(
            f"{place} shows people, but not the one who is followed from the frames before and "
            f"after; put {ALIGN_POSE} before it, which fills gaps, and choose the person there."
        )
    chosen = [people[frame][track[frame]] if frame in track else nobody() for frame in range(len(people))]
    arrays = {name: np.stack([one[name] for one in chosen]) for name in ARRAYS}
    return Followed(PoseSequence(**arrays, height=height, width=width), notes)


def read_people(frames: object, where: str, size: Size | None = None) -> tuple[list[list[Person]], int, int]:
    """Everybody seen in each frame, arrays [points,3] in pixels by name, and the canvas's height and width.

    Canvases of other sizes are scaled to the first; ``size`` is that of frames which carry none. Frames without
    anybody, None among them, are empty lists. Raises FreeAnimateError as ``follow_person``.
    """
    written = read_layout(frames, where, size)
    first = next(frame for frame in written if frame)
    fractions = _in_fractions(written)
    people: list[list[Person]] = []
    for index, frame in enumerate(written):
        if frame is None:
            people.append([])
            continue
        _check_aspect(frame, first, place_of(where, index))
        inside = [_in_pixels(person, frame, first, fractions) for person in frame.people]
        people.append([person for person in inside if (person["joints"][:, 2] >= VISIBLE).any()])
    return people, first.height, first.width


def refuse_nobody(people: list[list[Person]], where: str, gaps: bool = True) -> None:
    """Raise FreeAnimateError for the first frame without anybody; with ``gaps`` only where no frame shows anybody."""
    empty = [index for index, found in enumerate(people) if not found]
    if empty and not (gaps and any(people)):
        place = place_of(where, empty[0])
        raise FreeAnimateError(
            f"{place} holds no person; drop that frame, or detect its pose again with a lower threshold."
        )


def _in_fractions(written: list[Written | None]) -> bool:
    """Whether the clip's body joints are fractions of the canvas."""
    joints = [person["joints"] for frame in written if frame for person in frame.people]
    known = [_known(points) for points in joints]
    return bool(known) and _half(np.concatenate(known)) <= LARGEST_FRACTION


def _known(points: np.ndarray) -> np.ndarray:
    """Distances [n,2] of the found points from the canvas's corner, each way."""
    return np.abs(points[points[:, 2] > 0, :2])


def _half(distances: np.ndarray) -> float:
    """Below which half of ``distances`` [n,2] are; 0 of none."""
    return float(np.median(distances)) if distances.size else 0.0


def _in_pixels(person: Person, frame: Written, first: Written, fractions: bool) -> Person:
    """A person's arrays in pixels of the first frame's canvas."""
    return {name: _scaled(points, frame, first, fractions) for name, points in person.items()}


def _scaled(points: np.ndarray, frame: Written, first: Written, fractions: bool) -> np.ndarray:
    known = _known(points)
    if fractions and _half(known) > FARTHEST_FRACTION:
        fractions = False
    elif not fractions and len(known) >= FEWEST and known.max() <= LARGEST_FRACTION:
        fractions = True
    pixels = points * (frame.width, frame.height, 1.0) if fractions else points.copy()
    if fractions:
        # OpenPose of comfyui_controlnet_aux writes a missing pixel, -1, as a fraction of a larger picture.
        pixels[((pixels[:, :2] <= 0) & (pixels[:, :2] >= -1.01)).all(axis=1)] = 0.0
    return pixels * (first.width / frame.width, first.height / frame.height, 1.0)


def _check_aspect(frame: Written, first: Written, place: str) -> None:
    """Refuse a canvas that is no scaled picture of the first one, but for rounding to pixels."""
    stretch = frame.width * first.height / (frame.height * first.width)
    rounding = 1 / min(frame.height, frame.width, first.height, first.width)
    if abs(stretch - 1) > SAME_ASPECT + rounding:
        raise FreeAnimateError(
            f"{place} has a canvas of {frame.width} x {frame.height}, but the first has one of {first.width} x "
            f"{first.height}, of another aspect; detect all poses on pictures of one shape."
        )
