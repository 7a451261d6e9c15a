"""Rotations, bone frames and two-bone reach; vectors are [3], matrices [3,3], angles radians."""

import math

import numpy as np

RIGHT, LEFT = -1.0, 1.0  # sides by the sign of x


def turn(axis: str, angle: float) -> np.ndarray:
    """Rotation about "x", "y" or "z"."""
    c, s = math.cos(angle), math.sin(angle)
    if axis == "x":
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation about a unit vector."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1."""
    return vector / max(float(np.sqrt((vector * vector).sum())), 1e-9)


def frame(along: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Columns: the unit bone, the hinge made perpendicular to it, and the third."""
    first = unit(along)
    second = unit(hinge - (hinge @ first) * first)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def reach(
    root: np.ndarray, target: np.ndarray, lengths: tuple[float, float], pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle joint, end and hinge of two bones from ``root`` towards ``target``; the middle bulges towards ``pole``."""
    upper, lower = lengths
    line = target - root
    far = float(np.sqrt(line @ line))
    length = min(max(far, abs(upper - lower) * 1.02 + 0.25 * upper), 0.9985 * (upper + lower))
    ahead = unit(line)
    side = unit(pole - (pole @ ahead) * ahead)
    along = (upper**2 - lower**2 + length**2) / (2 * length)
    bulge = math.sqrt(max(upper**2 - along**2, 0.0))
    return root + along * ahead + bulge * side, root + length * ahead, np.cross(ahead, side)


def smooth(t: float) -> float:
    """Ease from 0 to 1 with no jump in speed."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def step(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """``smooth`` of arrays: 0 below ``low``, 1 above ``high``."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def normals_of(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals [n,3] of the vertices, faces weighted by area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    rows = triangles.ravel()
    sums = [np.bincount(rows, np.repeat(faces[:, k], 3), len(points)) for k in range(3)]
    total = np.stack(sums, axis=1).astype(np.float32)
    return total / np.maximum(np.sqrt((total**2).sum(axis=1, keepdims=True)), 1e-9)
