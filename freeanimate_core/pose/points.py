"""One person's points, as tools write them: flat or nested numbers, in the order of one of several bodies.

The 18 joints of POSE_KEYPOINT are OpenPose's COCO model. BODY_25 (OpenPose) has the middle of the hips and the feet
besides; COCO's 17 have no neck; COCO-WholeBody's 133 (RTMPose, DWPose) are those with feet, face and hands, and 134
the same with a neck, in OpenPose's order.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import FreeAnimateError
from .keypoints import FACE_POINTS, NECK, Person, nobody

FARTHEST = 1e6  # pixels
FACE_NAMED = (68, 70, 71)  # producers differ: without the two pupils, with them, with a point for the background too
# OpenPose of comfyui_controlnet_aux leaves out the face points that it did not find: which are left is lost.
FACE_UNNAMED = frozenset(range(1, 72)) - {68, 70, 71}
# For each of the 18 joints its number in the other order; COCO's neck is made of the shoulders.
FROM_BODY_25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
FROM_COCO = (0, 0, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
COCO_SHOULDERS = [5, 6]


def _body_18(points: np.ndarray) -> Person:
    return nobody() | {"joints": points}


def _body_25(points: np.ndarray) -> Person:
    return nobody() | {"joints": points[list(FROM_BODY_25)], "feet": points[19:]}


def _coco(points: np.ndarray) -> Person:
    joints = points[list(FROM_COCO)]
    sides = points[COCO_SHOULDERS]
    joints[NECK] = [*sides[:, :2].mean(axis=0), sides[:, 2].min()] if is_known(sides).all() else 0.0
    return nobody() | {"joints": joints}


def _whole_body(points: np.ndarray) -> Person:
    return _ends(_coco(points[:17]), points[17:])


def _whole_body_neck(points: np.ndarray) -> Person:
    return _ends(_body_18(points[:18]), points[18:])


def _ends(person: Person, points: np.ndarray) -> Person:
    """Feet, face and hands, [116,3], left before right, put to a body."""
    person["face"][:68] = points[6:74]
    return person | {"feet": points[:6], "left_hand": points[74:95], "right_hand": points[95:]}


# Number of points -> what the layout is called, and its reader from [points,3].
BODIES: dict[int, tuple[str, Callable[[np.ndarray], Person]]] = {
    18: ("OpenPose's 18 points", _body_18),
    25: ("OpenPose's 25 points (BODY_25)", _body_25),
    17: ("COCO's 17 points", _coco),
    133: ("COCO-WholeBody's 133 points", _whole_body),
    134: ("COCO-WholeBody's 133 points with a neck", _whole_body_neck),
}


def layout_name(values: Sequence) -> str | None:
    """What the layout of a body's flat or nested ``values`` is called; None for an unknown one."""
    try:
        count, _ = _shape(np.asarray(values, dtype=np.float64).size)
    except (TypeError, ValueError, OverflowError):
        return None
    return BODIES[count][0] if count else None


def body_arrays(values: object, scores: object, place: str) -> Person:
    """A person's arrays from the points of the body; ``scores`` are the confidences of points without one.

    Raises FreeAnimateError for a number of points that no known body has.
    """
    given = numbers([] if values is None else values, place).ravel()
    if not given.size:
        return nobody()
    count, columns = _shape(given.size)
    if not count:
        raise FreeAnimateError(
            f"{place} has {given.size} values, but 54 are expected (x, y, confidence of {BODIES[18][0]}), or those of "
            f"25, 17, 133 or 134 points; detect that frame's pose again."
        )
    points = _columns(given, columns)
    if scores is not None and columns == 2:
        trust = numbers(scores, place).ravel()
        if trust.size != count:
            raise FreeAnimateError(
                f"{place} has {count} points, but {trust.size} scores; detect that frame's pose again."
            )
        points[:, 2] = trust
    return {name: _cleaned(array) for name, array in BODIES[count][1](points).items()}


def named_points(values: object, count: int, place: str) -> np.ndarray:
    """The points of face, hand or feet as [count,3]; absent means all missing."""
    points = np.zeros((count, 3))
    given = numbers([] if values is None else values, place).ravel()
    if not given.size or count == FACE_POINTS and given.size % 3 == 0 and given.size // 3 in FACE_UNNAMED:
        return points
    counts = FACE_NAMED if count == FACE_POINTS else (count,)
    columns = next((columns for columns in (3, 2) if given.size in [columns * n for n in counts]), 0)
    if not columns:
        raise FreeAnimateError(
            f"{place} has {given.size} values, but {3 * count} are expected (x, y, confidence of each point); "
            "detect that frame's pose again."
        )
    read = _cleaned(_columns(given, columns))[:count]
    points[: len(read)] = read
    return points


def numbers(values: object, place: str) -> np.ndarray:
    """``values`` as finite numbers within reason, in the shape that they are nested in."""
    try:
        given = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FreeAnimateError(f"{place} is not a flat list of numbers; detect that frame's pose again.") from error
    if not np.isfinite(given).all():
        raise FreeAnimateError(f"{place} has a value that is not a finite number; detect that frame's pose again.")
    if given.size and np.abs(given).max() > FARTHEST:
        raise FreeAnimateError(
            f"{place} has a point more than {FARTHEST:.0f} pixels from the picture; detect that frame's pose again."
        )
    return given


def is_known(points: np.ndarray) -> np.ndarray:
    """Which points [N,3] were found: missing ones have confidence 0, or are at 0, 0 or at SDPose's -1, -1."""
    return (points[:, 2] > 0) & ~np.isin(points[:, :2], (0, -1)).all(axis=1)


def _shape(size: int) -> tuple[int, int]:
    """Points and values of each, of so many values of a body; 0, 0 when no known body has them. None clash."""
    return next(((count, columns) for columns in (3, 2) for count in BODIES if count * columns == size), (0, 0))


def _columns(given: np.ndarray, columns: int) -> np.ndarray:
    """Flat values as points [N,3], with confidence 1 where they have none."""
    points = np.ones((given.size // columns, 3))
    points[:, :columns] = given.reshape(-1, columns)
    return points


def _cleaned(points: np.ndarray) -> np.ndarray:
    """Points [N,3] with zeros for missing ones and confidence 0-1."""
    clean = np.where(is_known(points)[:, None], points, 0.0)
    clean[:, 2] = np.clip(clean[:, 2], 0.0, 1.0)
    return clean
