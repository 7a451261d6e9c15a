"""The layouts in which tools write poses, read into one: points as they are written, by the names of ``ARRAYS``.

A clip is a list of frames, alone or wrapped; a frame is a dictionary with a canvas and people; a person's points are
x, y and confidence in one flat or nested list. The number of body points tells their order: see ``BODIES``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeGuard

import numpy as np

from ..errors import LOAD_POSE, FreeAnimateError
from .keypoints import ARRAYS, Person
from .points import BODIES, body_arrays, layout_name, named_points, numbers

LARGEST_CANVAS = 16384  # pixels a side, as the host's widgets
MOST_PEOPLE = 100  # in a frame; as many as the widget person counts
MOST_POSES = 50_000  # people and empty frames of a clip: a written pose takes 16 KB
SIDES = (("canvas_height", "canvas_width"), ("height", "width"), ("image_height", "image_width"))
# Where a file keeps its frames, where a frame keeps its people, where a person keeps the body.
WRAPPERS = ("frames", "poses", "pose_keypoints", "pose_keypoint", "data", "results", "predictions", "instance_info")
PEOPLE = ("people", "persons", "instances")
BODY_KEYS = ("pose_keypoints_2d", "keypoints")
SCORES = ("keypoint_scores", "scores")
IGNORED = {"version", "frame_id", "frame", "index"} | {side for pair in SIDES for side in pair}
OLD_EDITOR = 18  # points of each of the people that it writes one after another
Size = tuple[int, int]  # height, width


@dataclass(frozen=True)
class Written:
    """A frame's people, arrays [points,3] in the units of its tool, and its canvas in pixels."""

    people: list[Person]
    height: int
    width: int


def read_layout(content: object, where: str, size: Size | None = None) -> list[Written | None]:
    """The frames of ``content`` in any of the layouts; None where a frame is null.

    ``size`` is the canvas of frames that carry none. Raises FreeAnimateError, opening with ``where``, that names what
    was found where it is no layout known here.
    """
    frames, own_size = _frames(content, where)
    if not frames or all(frame is None for frame in frames):
        raise FreeAnimateError(f"{where} holds no frames; connect a pose detector's POSE_KEYPOINT output.")
    _check_number(len(frames), where)
    written: list[Written | None] = []
    poses = 0
    for index, frame in enumerate(frames):
        written.append(None if frame is None else _frame(frame, own_size or size, place_of(where, index)))
        poses += max(1, len(written[-1].people) if written[-1] else 0)
        _check_number(poses, where)
    return written


def place_of(where: str, index: int) -> str:
    """How messages name a frame."""
    return f"{where}: frame {index} (counted from 0)"


def found(value: object) -> str:
    """What was found in the place of a known layout, in a few words that can be printed anywhere."""
    if isinstance(value, Mapping):
        keys = ", ".join(ascii(key)[:40] for key in islice(value, 6))
        more = ", ..." if len(value) > 6 else ""
        return f"a dictionary with the keys {keys}{more}" if value else "an empty dictionary"
    if _is_list(value):
        return f"a list of {len(value)} that starts with {_kind(value[0])}" if len(value) else "an empty list"
    return _kind(value)


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return "a dictionary"
    return "null" if value is None else f"a {type(value).__name__}"


def _frames(content: object, where: str) -> tuple[Sequence, Size | None]:
    """The list of frames, taken out of what wraps it, and the canvas that the wrapper gives for all."""
    if isinstance(content, Mapping):
        wrapped = None if _has_people(content) else next((v for v in map(content.get, WRAPPERS) if _is_list(v)), None)
        if wrapped is not None:
            return wrapped, _own_size(content, where)
        if content and all(isinstance(key, str) and key.isdecimal() and len(key) < 10 for key in content):
            return [content[key] for key in sorted(content, key=int)], None
        return [content], None
    if not _is_list(content):
        raise FreeAnimateError(
            f"{where} holds no frames, but {found(content)}; connect a pose detector's POSE_KEYPOINT output."
        )
    if len(content) == 1 and _is_list(content[0]) and any(map(_is_frame, islice(content[0], 2))):
        return content[0], None
    return content, None


def _has_people(value: Mapping) -> bool:
    return any(key in value for key in (*PEOPLE, "animals")) or _is_list(value.get("keypoints"))


def _is_frame(value: object) -> bool:
    """Whether a dictionary is a frame and not a person, which has points too but no canvas."""
    names = {*PEOPLE, "animals", *(side for pair in SIDES for side in pair)}
    return isinstance(value, Mapping) and not names.isdisjoint(value)


def _is_list(value: object) -> TypeGuard[Sequence]:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, (str, bytes))


def _check_number(poses: int, where: str) -> None:
    if poses > MOST_POSES:
        raise FreeAnimateError(
            f"{where} holds more than {MOST_POSES} poses and empty frames, which do not fit into memory; cut the clip "
            "into shorter ones."
        )


def _frame(frame: object, size: Size | None, place: str) -> Written:
    people = _people(frame, place)
    if len(people) > MOST_PEOPLE:
        raise FreeAnimateError(
            f"{place} holds {len(people)} people, but at most {MOST_PEOPLE} are read; detect its pose again with a "
            "higher threshold."
        )
    own = _own_size(frame, place) if isinstance(frame, Mapping) else None
    if own is None and size is None:
        raise FreeAnimateError(
            f"{place}, {_told(frame, people)}, has no canvas_height and canvas_width of 1 to {LARGEST_CANVAS}, so its "
            f"points have no scale; load its JSON file by {LOAD_POSE} and set width and height there."
        )
    height, width = own or size or (1, 1)
    arrays = [_person(person, f"{place}, person {number}") for number, person in enumerate(people)]
    return Written(arrays, height, width)


def _told(frame: object, people: list[Mapping]) -> str:
    """What a frame is, with the layout of its first person where that is known."""
    body = next((people[0][key] for key in BODY_KEYS if people[0].get(key) is not None), None) if people else None
    name = layout_name(body) if _is_list(body) else None
    return found(frame) + (f" and people of {name}" if name else "")


def _own_size(frame: Mapping, place: str) -> Size | None:
    """Height and width of the canvas in pixels, by any of the names in use; None where there are none."""
    for names in SIDES:
        height, width = (frame.get(name) for name in names)
        if height is None and width is None:
            continue
        if not (_is_side(height) and _is_side(width)):
            raise FreeAnimateError(
                f"{place} has no {names[0]} and {names[1]} of 1 to {LARGEST_CANVAS}, so its points have no scale; "
                "detect its pose again."
            )
        return int(height), int(width)
    return None


def _is_side(length: object) -> TypeGuard[float]:
    """Whether a canvas may be that long, in pixels."""
    return isinstance(length, (int, float, np.integer, np.floating)) and bool(1 <= length <= LARGEST_CANVAS)


def _people(frame: object, place: str) -> list[Mapping]:
    """The dictionaries of a frame's people."""
    if _is_list(frame) and len(frame) and all(isinstance(person, Mapping) for person in frame):
        people: object = frame
    elif isinstance(frame, Mapping):
        people = _people_of(frame, place)
    else:
        raise FreeAnimateError(
            f"{place} is {found(frame)}, not a POSE_KEYPOINT dictionary; connect a pose node's output."
        )
    if people is None:
        return []
    if not _is_list(people) or not all(isinstance(person, Mapping) for person in people):
        raise FreeAnimateError(
            f"{place} has no list of dictionaries under people, but {found(people)}; write it as POSE_KEYPOINT does."
        )
    return list(people)


def _people_of(frame: Mapping, place: str) -> object:
    """What a frame's dictionary holds as its people; None for nobody."""
    key = next((key for key in PEOPLE if key in frame), None)
    people = frame[key] if key else None
    # AnimalPose writes "animals" in place of "people", empty when it found none.
    if "animals" in frame and (key is None or frame["animals"] and not people):
        raise FreeAnimateError(
            f"{place} holds an animal's pose and only people (18 body joints) are supported; detect people's poses."
        )
    if key:
        return people
    if _is_list(frame.get("keypoints")):
        return _bare_people(frame, place)
    if any(name in frame for name, _ in ARRAYS.values()):
        return [frame]
    if set(frame) <= IGNORED:
        return None
    raise FreeAnimateError(
        f"{place} is {found(frame)}, in which no people are known; write them under people, as POSE_KEYPOINT does."
    )


def _bare_people(frame: Mapping, place: str) -> list[Mapping]:
    """People of a frame that holds nothing but points: one, [people, points, 2 or 3], or one after another."""
    points = numbers(frame["keypoints"], place)
    scores = next((frame[key] for key in SCORES if frame.get(key) is not None), None)
    given = None if scores is None else numbers(scores, place)
    if points.ndim == 3 or points.ndim == 2 and points.shape[1] > 3:
        each = len(points)
    elif points.ndim == 2 and len(points) not in BODIES and len(points) % OLD_EDITOR == 0:
        each = len(points) // OLD_EDITOR
    else:
        each = 1
    if not points.size:
        return []
    parts = points.reshape(each, -1)
    if given is None:
        return [{"keypoints": part} for part in parts]
    if given.size % each:
        raise FreeAnimateError(
            f"{place} holds points of {each} people, but {given.size} scores; detect that frame's pose again."
        )
    return [{"keypoints": part, "scores": score} for part, score in zip(parts, given.reshape(each, -1))]


def _person(person: Mapping, place: str) -> Person:
    """One person's arrays; what the body's layout holds of face, hands and feet where no array of their own does."""
    key = next((key for key in BODY_KEYS if person.get(key) is not None), BODY_KEYS[0])
    scores = next((person[name] for name in SCORES if person.get(name) is not None), None)
    arrays = body_arrays(person.get(key), scores, f"{place}, {key}")
    for name, (own, count) in ARRAYS.items():
        if name != "joints":
            points = named_points(person.get(own), count, f"{place}, {own}")
            arrays[name] = points if points[:, 2].any() else arrays[name]
    return arrays
