"""POSE_KEYPOINT, the ecosystem's pose type, as arrays, and written back in the host's form.

Axes: F frames; joints are (x, y, confidence) in pixels of the canvas, x to the right, y down.
Body joints are OpenPose-18: 0 nose, 1 neck, 2-4 right shoulder, elbow, wrist, 5-7 left, 8-10 right
hip, knee, ankle, 11-13 left, 14/15 right/left eye, 16/17 right/left ear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NOSE, NECK = 0, 1
EYES = [14, 15]
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
SAME_ASPECT = 0.01


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


def nobody() -> Person:
    """Arrays of which every point is missing."""
    return {name: np.zeros((count, 3)) for name, (_, count) in ARRAYS.items()}


def same_aspect(poses: PoseSequence, height: int, width: int) -> bool:
    """Whether the poses' canvas has the shape of a ``height`` x ``width`` picture, to a per cent."""
    return abs(poses.width * height / (poses.height * width) - 1) <= SAME_ASPECT


def _moved(points: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    moved = points.copy()
    moved[..., :2] = np.where(points[..., 2:] > 0, points[..., :2] * scale + offset, 0.0)
    return moved
