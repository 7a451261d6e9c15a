"""How one frame's surface lies in another: flow, and what a reference shows."""

from collections.abc import Sequence

import numpy as np

from .render import Frame

DEPTH = 0.6  # decimetres by which a surface may lie behind what is in front and still count as seen
SLANT = 0.10  # least cosine between a surface and the way to the camera


def surface_points(frame: Frame, other: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (flat [m]) where ``frame`` shows the person, and where the same surface is in ``other``'s pose [m,3]."""
    rows = np.flatnonzero(frame.triangle.ravel() >= 0)
    corners = frame.posed.person.triangles[frame.triangle.ravel()[rows]]
    shares = frame.shares.reshape(-1, 3)[rows]
    return rows, sum(other.posed.points[corners[:, k]] * shares[:, k, None] for k in range(3))


def flow(frame: Frame, following: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel goes in the next frame, [H,W,2] in pixels (x, y), and which pixels [H,W] are seen there too.

    The camera must be the same; the room does not move.
    """
    height, width = frame.mask.shape
    rows, points = surface_points(frame, following)
    spots, near = following.camera.project(points, height, width)
    _, before = surface_points(frame, frame)
    moved = np.zeros((height * width, 2), dtype=np.float32)
    moved[rows] = spots - frame.camera.project(before, height, width)[0]
    seen = following.mask.ravel() < 0.5
    seen[rows] = _seen(following, frame, rows, points, spots, near)
    return moved.reshape(height, width, 2), seen.reshape(height, width)


def shown_by(references: Frame | Sequence[Frame], frame: Frame) -> np.ndarray:
    """Which pixels [H,W] of ``frame`` a reference (or any of several) shows too.

    The person counts by its surface; the room where the cameras agree and nobody stands before it.
    """
    if isinstance(references, Frame):
        references = (references,)
    return np.logical_or.reduce([_shown_by_one(reference, frame) for reference in references])


def _shown_by_one(reference: Frame, frame: Frame) -> np.ndarray:
    height, width = frame.mask.shape
    rows, points = surface_points(frame, reference)
    spots, near = reference.camera.project(points, *reference.mask.shape)
    same = reference.camera == frame.camera and reference.mask.shape == frame.mask.shape
    shown = (reference.mask.ravel() < 0.5) if same else np.zeros(height * width, dtype=bool)
    shown[rows] = _seen(reference, frame, rows, points, spots, near)
    return shown.reshape(height, width)


def _seen(
    other: Frame, frame: Frame, rows: np.ndarray, points: np.ndarray, spots: np.ndarray, near: np.ndarray
) -> np.ndarray:
    """Which surface points [m] of ``frame``'s pixels ``rows`` are in front in ``other``, facing its camera."""
    height, width = other.mask.shape
    x, y = np.floor(spots).astype(np.int64).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    farthest = _farthest(np.where(other.triangle >= 0, other.depth, -np.inf))
    front = farthest[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    corners = other.posed.points[other.posed.person.triangles[frame.triangle.ravel()[rows]]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    towards = np.array(other.camera.position) - points
    size = np.linalg.norm(normals, axis=1) * np.linalg.norm(towards, axis=1)
    facing = (normals * towards).sum(axis=1) / np.maximum(size, 1e-9)
    return inside & (1 / near < front + DEPTH) & (facing > SLANT)


def _farthest(depth: np.ndarray) -> np.ndarray:
    """The largest depth of the person within one pixel [H,W]; where it is not there, -inf."""
    padded = np.pad(depth, 1, constant_values=-np.inf)
    height, width = depth.shape
    shifts = [padded[a : a + height, b : b + width] for a in range(3) for b in range(3)]
    return np.maximum.reduce(shifts)
