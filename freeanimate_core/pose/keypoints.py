"""POSE_KEYPOINT, the ecosystem's pose type, parsed once into arrays and written back.

Axes: F frames; joints are (x, y, confidence) in pixels of the canvas, x to the right, y down.
Body joints are OpenPose-18: 0 nose, 1 neck, 2-4 right shoulder, elbow, wrist, 5-7 left, 8-10 right
hip, knee, ankle, 11-13 left, 14/15 right/left eye, 16/17 right/left ear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from ..errors import FreeAnimateError

NOSE, NECK = 0, 1
Person = dict[str, np.ndarray]  # one person's arrays [points,3] by name
VISIBLE = 0.3  # confidence from which a joint counts as seen, as in the host's own drawing node
FACE_POINTS = 70
# Array -> its key in the host's form and its number of points there.
ARRAYS = {
    "joints": ("pose_keypoints_2d", 18),
    "face": ("face_keypoints_2d", FACE_POINTS),
    "right_hand": ("hand_right_keypoints_2d", 21),
    "left_hand": ("hand_left_keypoints_2d", 21),
    "feet": ("foot_keypoints_2d", 6),
}
FACE_NAMED = (68, 70, 71)  # producers differ: without the two pupils, with them, with a point for the background too
# OpenPose of comfyui_controlnet_aux leaves out the face points that it did not find: which are left is lost.
FACE_UNNAMED = frozenset(range(1, 72)) - {68, 70, 71}
SAME_ASPECT = 0.01
LARGEST_CANVAS = 16384  # pixels a side, as the host's widgets
FARTHEST = 1e6  # pixels
# Fractions of the canvas may overshoot it a little; no whole person fits into this many pixels.
LARGEST_FRACTION = 2.0


@dataclass(frozen=True)
class PoseSequence:
    """One person over F frames. All arrays float64, [F,points,3]; confidence 0 marks a missing point."""

    joints: np.ndarray  # [F,18,3]
    face: np.ndarray  # [F,70,3]
    right_hand: np.ndarray  # [F,21,3]
    left_hand: np.ndarray  # [F,21,3]
    feet: np.ndarray  # [F,6,3]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.joints)

    @classmethod
    def from_joints(cls, joints: np.ndarray, height: int, width: int) -> "PoseSequence":
        """A body alone: joints [F,18,3] in pixels of a ``height`` x ``width`` canvas."""
        empty = {name: np.zeros((len(joints), count, 3)) for name, (_, count) in ARRAYS.items()}
        return cls(**{**empty, "joints": np.asarray(joints, dtype=np.float64)}, height=height, width=width)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All points [F,points,3] by name: body, face, hands and feet."""
        return {name: getattr(self, name) for name in ARRAYS}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> "PoseSequence":
        """The same canvas with other points for the arrays named."""
        return PoseSequence(**{**self.arrays, **arrays}, height=self.height, width=self.width)

    @property
    def seen(self) -> np.ndarray:
        """Which body joints are visible, [F,18] bool."""
        return self.joints[..., 2] >= VISIBLE

    def moved(self, scale: Sequence[float], offset: Sequence[float], height: int, width: int) -> "PoseSequence":
        """Every point p at ``scale`` * p + ``offset`` (x, y) on another canvas; missing points stay missing."""
        arrays = {name: _moved(points, np.asarray(scale), np.asarray(offset)) for name, points in self.arrays.items()}
        return PoseSequence(**arrays, height=height, width=width)

    def resized(self, height: int, width: int) -> "PoseSequence":
        """The same poses on a canvas of another size."""
        return self.moved((width / self.width, height / self.height), (0.0, 0.0), height, width)


def parse_poses(frames: object, where: str, person: int = 0, gaps: bool = False) -> PoseSequence:
    """Read POSE_KEYPOINT strictly; ``where`` ("Align Pose: driving_pose") opens every message.

    Accepts pixels, fractions of the canvas, and both mixed between arrays. ``person`` 0 takes the largest
    person of each frame, n the n-th from the left. With ``gaps`` a frame without anybody (or None) has
    confidence 0 in every point. Raises FreeAnimateError for anything else: no frames, nobody in a frame,
    wrong array lengths, values that are no numbers, frames of different canvases.
    """
    people, height, width = read_people(frames, where)
    refuse_nobody(people, where, gaps)
    chosen = [_chosen(found, person, _place(where, index)) for index, found in enumerate(people)]
    arrays = {name: np.stack([one[name] for one in chosen]) for name in ARRAYS}
    return PoseSequence(**arrays, height=height, width=width)


def read_people(frames: object, where: str) -> tuple[list[list[Person]], int, int]:
    """Everybody seen in each frame, arrays [points,3] in pixels by name, and the canvas's height and width.

    Frames without anybody, None among them, are empty lists. Raises FreeAnimateError as ``parse_poses``.
    """
    if isinstance(frames, Mapping):
        frames = [frames]
    if not isinstance(frames, Sequence) or isinstance(frames, str) or all(frame is None for frame in frames):
        raise FreeAnimateError(f"{where} holds no frames; connect a pose detector's POSE_KEYPOINT output.")
    first = next(index for index, frame in enumerate(frames) if frame is not None)
    height, width = _canvas(frames[first], _place(where, first))
    people = []
    for index, frame in enumerate(frames):
        if frame is not None and _canvas(frame, _place(where, index)) != (height, width):
            raise FreeAnimateError(
                f"{_place(where, index)} has another canvas size than frame {first} ({width} x {height}); "
                "detect all poses at one size."
            )
        people.append([] if frame is None else _seen_people(frame, height, width, _place(where, index)))
    return people, height, width


def refuse_nobody(people: list[list[Person]], where: str, gaps: bool = True) -> None:
    """Raise FreeAnimateError for the first frame without anybody; with ``gaps`` only where no frame shows anybody."""
    empty = [index for index, found in enumerate(people) if not found]
    if empty and not (gaps and any(people)):
        place = _place(where, empty[0])
        raise FreeAnimateError(
            f"{place} holds no person; drop that frame, or detect its pose again with a lower threshold."
        )


def write_poses(poses: PoseSequence) -> list[dict]:
    """POSE_KEYPOINT in the host's form, one person per frame: see ``write_people``."""
    people = [[{name: points[frame] for name, points in poses.arrays.items()}] for frame in range(len(poses))]
    return write_people(people, poses.height, poses.width)


def write_people(people: list[list[Person]], height: int, width: int) -> list[dict]:
    """POSE_KEYPOINT in the host's form: pixels, arrays of exactly the lengths that its drawing node reads.

    Face and hands are always there (zeros when unknown); feet only when somebody's are known.
    """
    known_feet = any((person["feet"][:, 2] > 0).any() for frame in people for person in frame)
    names = [name for name in ARRAYS if name != "feet" or known_feet]
    return [
        {
            "people": [{ARRAYS[name][0]: person[name].ravel().tolist() for name in names} for person in frame],
            "canvas_height": height,
            "canvas_width": width,
        }
        for frame in people
    ]


def same_aspect(poses: PoseSequence, height: int, width: int) -> bool:
    """Whether the poses' canvas has the shape of a ``height`` x ``width`` picture, to a per cent."""
    return abs(poses.width * height / (poses.height * width) - 1) <= SAME_ASPECT


def _moved(points: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    moved = points.copy()
    moved[..., :2] = np.where(points[..., 2:] > 0, points[..., :2] * scale + offset, 0.0)
    return moved


def _place(where: str, index: int) -> str:
    return f"{where}: frame {index} (counted from 0)"


def _canvas(frame: object, place: str) -> tuple[int, int]:
    """Height and width of a frame's canvas in pixels."""
    if not isinstance(frame, Mapping):
        raise FreeAnimateError(
            f"{place} is a {type(frame).__name__}, not a POSE_KEYPOINT dictionary; connect a pose node's output."
        )
    height, width = frame.get("canvas_height"), frame.get("canvas_width")
    if not (_is_side(height) and _is_side(width)):
        raise FreeAnimateError(
            f"{place} has no canvas_height and canvas_width of 1 to {LARGEST_CANVAS}, so its pixels have no scale; "
            "detect its pose again."
        )
    return int(height), int(width)


def _is_side(length: object) -> TypeGuard[float]:
    """Whether a canvas may be that long, in pixels."""
    return isinstance(length, (int, float, np.integer, np.floating)) and bool(1 <= length <= LARGEST_CANVAS)


def _seen_people(frame: Mapping, height: int, width: int, place: str) -> list[Person]:
    """Everybody in a frame of whom at least one body joint is visible."""
    people = frame.get("people")
    # AnimalPose writes "animals" in place of "people", empty when it found none.
    if not people and (frame.get("animals") or people is None and "animals" in frame):
        raise FreeAnimateError(
            f"{place} holds an animal's pose and only people (18 body joints) are supported; detect people's poses."
        )
    if not isinstance(people or [], Sequence) or not all(isinstance(person, Mapping) for person in people or []):
        raise FreeAnimateError(f"{place} has no list of dictionaries under people; write it as POSE_KEYPOINT does.")
    parsed = [_arrays(person, height, width, place) for person in people or []]
    return [person for person in parsed if _seen_joints(person).size]


def _chosen(people: list[Person], person: int, place: str) -> Person:
    """The largest of a frame's people, or the ``person``-th from the left; of none, points that are all missing."""
    if not people:
        return {name: np.zeros((count, 3)) for name, (_, count) in ARRAYS.items()}
    if person > len(people):
        raise FreeAnimateError(
            f"{place} shows {len(people)} with visible joints, but person is {person} (counted from the left); "
            f"set person to {len(people)} or less, or to 0 for the largest."
        )
    return sorted(people, key=_across)[person - 1] if person else max(people, key=_area)


def _arrays(person: Mapping, height: int, width: int, place: str) -> Person:
    return {
        name: _points(person.get(key), count, height, width, f"{place}, {key}") for name, (key, count) in ARRAYS.items()
    }


def _points(values: Sequence[float] | None, count: int, height: int, width: int, place: str) -> np.ndarray:
    """One flat array of x, y, confidence as [count,3] in pixels; absent means all missing."""
    points = np.zeros((count, 3))
    given = _numbers([] if values is None else values, place)
    if not given.size or count == FACE_POINTS and given.size % 3 == 0 and given.size // 3 in FACE_UNNAMED:
        return points
    if given.size not in [3 * n for n in (FACE_NAMED if count == FACE_POINTS else (count,))]:
        raise FreeAnimateError(
            f"{place} has {given.size} values, but {3 * count} are expected (x, y, confidence of each point); "
            "detect that frame's pose again."
        )
    given = given.reshape(-1, 3)[:count]
    # Missing points come with confidence 0, as 0, 0 and, from the host's SDPose, as -1, -1 with any confidence.
    known = (given[:, 2] > 0) & ~np.isin(given[:, :2], (0, -1)).all(axis=1)
    if known.any() and np.abs(given[known, :2]).max() <= LARGEST_FRACTION:
        given = given * (width, height, 1.0)
        # OpenPose of comfyui_controlnet_aux writes a missing pixel, -1, as a fraction too.
        known &= (given[:, :2] > 0).any(axis=1) | (given[:, :2] < -1.01).any(axis=1)
    points[: len(given)] = np.where(known[:, None], given, 0.0)
    points[:, 2] = np.clip(points[:, 2], 0.0, 1.0)
    return points


def _numbers(values: Sequence[float], place: str) -> np.ndarray:
    try:
        given = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise FreeAnimateError(f"{place} is not a flat list of numbers; detect that frame's pose again.") from error
    if not np.isfinite(given).all():
        raise FreeAnimateError(f"{place} has a value that is not a finite number; detect that frame's pose again.")
    if given.size and np.abs(given).max() > FARTHEST:
        raise FreeAnimateError(
            f"{place} has a point more than {FARTHEST:.0f} pixels from the picture; detect that frame's pose again."
        )
    return given


def _seen_joints(person: Person) -> np.ndarray:
    """Places of the visible body joints [n,2]."""
    return person["joints"][person["joints"][:, 2] >= VISIBLE, :2]


def _area(person: Person) -> float:
    """Area of the box about the visible joints, in pixels squared."""
    return float(np.prod(np.ptp(_seen_joints(person), axis=0) + 1))


def _across(person: Person) -> float:
    """Where a person stands from left to right: the neck, or the middle of the box, in pixels."""
    x, _, confidence = person["joints"][NECK]
    seen = _seen_joints(person)[:, 0]
    return float(x if confidence >= VISIBLE else (seen.min() + seen.max()) / 2)
