"""POSE_KEYPOINT, the ecosystem's pose type, parsed once into arrays and written back.

Axes: F frames; joints are (x, y, confidence) in pixels of the canvas, x to the right, y down.
Body joints are OpenPose-18: 0 nose, 1 neck, 2-4 right shoulder, elbow, wrist, 5-7 left, 8-10 right
hip, knee, ankle, 11-13 left, 14/15 right/left eye, 16/17 right/left ear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import FreeAnimateError

VISIBLE = 0.3  # confidence from which a joint counts as seen, as in the host's own drawing node
# Array -> its key in the host's form and its number of points there.
_ARRAYS = {
    "joints": ("pose_keypoints_2d", 18),
    "face": ("face_keypoints_2d", 70),
    "right_hand": ("hand_right_keypoints_2d", 21),
    "left_hand": ("hand_left_keypoints_2d", 21),
    "feet": ("foot_keypoints_2d", 6),
}
_SAME_ASPECT = 0.01
_FACE_WITHOUT_EYES = 68  # producers differ: the two pupils may be left out
# Fractions of the canvas may overshoot it a little; no whole person fits into this many pixels.
_LARGEST_FRACTION = 2.0


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
        empty = {name: np.zeros((len(joints), count, 3)) for name, (_, count) in _ARRAYS.items()}
        return cls(**{**empty, "joints": np.asarray(joints, dtype=np.float64)}, height=height, width=width)

    @property
    def seen(self) -> np.ndarray:
        """Which body joints are visible, [F,18] bool."""
        return self.joints[..., 2] >= VISIBLE

    def moved(self, scale: Sequence[float], offset: Sequence[float], height: int, width: int) -> "PoseSequence":
        """Every point p at ``scale`` * p + ``offset`` (x, y) on another canvas; missing points stay missing."""
        arrays = {name: _moved(getattr(self, name), np.asarray(scale), np.asarray(offset)) for name in _ARRAYS}
        return replace(self, **arrays, height=height, width=width)

    def resized(self, height: int, width: int) -> "PoseSequence":
        """The same poses on a canvas of another size."""
        return self.moved((width / self.width, height / self.height), (0.0, 0.0), height, width)


def parse_poses(frames: object, where: str) -> PoseSequence:
    """Read POSE_KEYPOINT strictly; ``where`` ("Align Pose: driving_pose") opens every message.

    Accepts pixels, fractions of the canvas, and both mixed between arrays. The largest person of each
    frame is taken. Raises FreeAnimateError for anything else: no frames, no person in a frame, wrong
    array lengths, values that are no numbers, frames of different canvases.
    """
    if isinstance(frames, Mapping):
        frames = [frames]
    if not isinstance(frames, Sequence) or isinstance(frames, str) or not frames:
        raise FreeAnimateError(f"{where} holds no frames; connect a pose detector's POSE_KEYPOINT output.")
    height, width = _canvas(frames[0], f"{where}: frame 0")
    people = []
    for index, frame in enumerate(frames):
        place = f"{where}: frame {index} (counted from 0)"
        if _canvas(frame, place) != (height, width):
            raise FreeAnimateError(
                f"{place} has another canvas size than frame 0 ({width} x {height}); detect all poses at one size."
            )
        people.append(_person(frame, height, width, place))
    arrays = {name: np.stack([person[name] for person in people]) for name in _ARRAYS}
    return PoseSequence(**arrays, height=height, width=width)


def write_poses(poses: PoseSequence) -> list[dict]:
    """POSE_KEYPOINT in the host's form: pixels, arrays of exactly the lengths that its drawing node reads.

    Face and hands are always there (zeros when unknown); feet only when some frame has them.
    """
    names = [name for name in _ARRAYS if name != "feet" or (poses.feet[..., 2] > 0).any()]
    return [
        {
            "people": [{_ARRAYS[name][0]: getattr(poses, name)[frame].ravel().tolist() for name in names}],
            "canvas_height": poses.height,
            "canvas_width": poses.width,
        }
        for frame in range(len(poses))
    ]


def same_aspect(poses: PoseSequence, height: int, width: int) -> bool:
    """Whether the poses' canvas has the shape of a ``height`` x ``width`` picture, to a per cent."""
    return abs(poses.width * height / (poses.height * width) - 1) <= _SAME_ASPECT


def _moved(points: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    moved = points.copy()
    moved[..., :2] = np.where(points[..., 2:] > 0, points[..., :2] * scale + offset, 0.0)
    return moved


def _canvas(frame: object, place: str) -> tuple[int, int]:
    """Height and width of a frame's canvas in pixels."""
    if not isinstance(frame, Mapping):
        raise FreeAnimateError(f"{place} is a {type(frame).__name__}, not a POSE_KEYPOINT dictionary.")
    size = frame.get("canvas_height"), frame.get("canvas_width")
    if not all(isinstance(side, (int, float)) and side >= 1 for side in size):
        raise FreeAnimateError(f"{place} has no canvas_height and canvas_width, so its pixels have no scale.")
    return int(size[0]), int(size[1])


def _person(frame: Mapping, height: int, width: int, place: str) -> dict[str, np.ndarray]:
    """The largest person of a frame, as arrays by name."""
    people = frame.get("people") or []
    if not people and frame.get("animals"):
        raise FreeAnimateError(f"{place} holds an animal's pose; only people (18 body joints) are supported.")
    parsed = [_arrays(person, height, width, place) for person in people]
    sizes = [_extent(person["joints"]) for person in parsed]
    if not parsed or max(sizes) < 0:
        raise FreeAnimateError(
            f"{place} holds no person; drop that frame, or detect its pose again with a lower threshold."
        )
    return parsed[int(np.argmax(sizes))]


def _arrays(person: Mapping, height: int, width: int, place: str) -> dict[str, np.ndarray]:
    return {
        name: _points(person.get(key), count, height, width, f"{place}, {key}")
        for name, (key, count) in _ARRAYS.items()
    }


def _points(values: Sequence[float] | None, count: int, height: int, width: int, place: str) -> np.ndarray:
    """One flat array of x, y, confidence as [count,3] in pixels; absent means all missing."""
    points = np.zeros((count, 3))
    if values is None or len(values) == 0:
        return points
    given = _numbers(values, place)
    allowed = (count, _FACE_WITHOUT_EYES) if count == 70 else (count,)
    if given.size not in [3 * n for n in allowed]:
        expected = " or ".join(str(3 * n) for n in allowed)
        raise FreeAnimateError(
            f"{place} has {given.size} values, but {expected} are expected (x, y, confidence of each point)."
        )
    given = given.reshape(-1, 3)
    # Missing points come as 0, 0 and, from the host's SDPose, as -1, -1 with any confidence.
    missing = (given[:, 2] <= 0) | (given[:, :2] == 0).all(axis=1) | (given[:, :2] == -1).all(axis=1)
    known = given[~missing]
    if len(known) and np.abs(known[:, :2]).max() <= _LARGEST_FRACTION:
        given = given * (width, height, 1.0)
    points[: len(given)] = np.where(missing[:, None], 0.0, given)
    points[:, 2] = np.clip(points[:, 2], 0.0, 1.0)
    return points


def _numbers(values: Sequence[float], place: str) -> np.ndarray:
    try:
        given = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise FreeAnimateError(f"{place} is not a flat list of numbers.") from error
    if not np.isfinite(given).all():
        raise FreeAnimateError(f"{place} has a value that is not a finite number; detect that frame's pose again.")
    return given


def _extent(joints: np.ndarray) -> float:
    """Area of the box about the visible joints, in pixels squared; -1 when none is visible."""
    seen = joints[joints[:, 2] >= VISIBLE, :2]
    return float(np.prod(np.ptp(seen, axis=0) + 1)) if len(seen) else -1.0
