"""The background plate: given, or the reference with person and cast shadow painted out. Uses OpenCV."""

import cv2
import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from .shadow import cast_shadow

MARGIN = 0.012  # how far the hole reaches beyond the mask, of the shorter side: soft edges and outlines
LARGEST = 512  # longest side on which the hole is filled; what is filled is smooth, so more shows nothing
# A stiff sheet, stretched over the hole: scenes run level (floors, horizons, walls), so what is left and right of
# the person says more than what is above and below. Drawn scenes: 31.6 dB; 4: 30.5, 1: 28.8, Telea 30.3, NS 29.9.
LEVEL = 16.0
PULL = 1e-6  # towards the mean colour: decides where nothing else does


def background_plate(image: Tensor, mask: Tensor, given: Tensor | None) -> tuple[Tensor, Tensor]:
    """One plate [H,W,3] float32 for all frames, and where it was painted [H,W], 0 or 1.

    Outside of what was painted it is ``image`` [H,W,3] bit for bit; ``given`` is taken as it is, nothing painted.
    """
    return painted_out(image, mask) if given is None else (given, torch.zeros_like(mask))


def paint_out(image: Tensor, mask: Tensor) -> Tensor:
    """The plate [H,W,3] alone of ``painted_out``."""
    return painted_out(image, mask)[0]


def painted_out(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """``image`` [H,W,3] with the figure of ``mask`` [H,W] and its cast shadow filled in smoothly, and where [H,W]."""
    pixels = image.numpy()
    hole = _hole_of(mask.numpy())
    small, gone = _shrunk(pixels, hole)
    shadow = cast_shadow(small, gone)
    if shadow.any():
        hole |= _enlarged(shadow.astype(np.float32), hole.shape) > 0.5
        small, gone = _shrunk(pixels, hole)
    filled = torch.from_numpy(_enlarged(_stretched(small, gone), hole.shape))
    painted = torch.from_numpy(hole)
    return torch.where(painted[..., None], filled, image), painted.to(torch.float32)


def _hole_of(mask: np.ndarray) -> np.ndarray:
    """Bool [H,W]: the figure of ``mask`` [H,W] with its soft edges and outlines."""
    reach = max(round(MARGIN * min(mask.shape)), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate((mask > 0.02).astype(np.uint8), kernel) > 0


def _shrunk(picture: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Picture and hole with a longest side of ``LARGEST`` at most; no colour of the hole gets out of it."""
    height, width = hole.shape
    shrink = min(1.0, LARGEST / max(height, width))
    size = max(round(width * shrink), 1), max(round(height * shrink), 1)
    known = (~hole).astype(np.float32)
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    return small / np.maximum(weight, 1e-3)[..., None], weight < 0.5


def _enlarged(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(picture, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _stretched(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """``picture`` [h,w,3] with ``hole`` [h,w] solving ``LEVEL`` u_xx + u_yy = 0 between its surroundings."""
    if not hole.any():
        return picture
    rows, cols = np.nonzero(hole)
    count = len(rows)
    index = np.full(hole.shape, -1)
    index[rows, cols] = np.arange(count)
    around = picture[~hole].mean(axis=0) if (~hole).any() else np.zeros(3)
    diagonal, right = np.full(count, PULL), np.tile(PULL * around, (count, 1))
    entries = []
    for down, across, weight in ((0, 1, LEVEL), (0, -1, LEVEL), (1, 0, 1.0), (-1, 0, 1.0)):
        r, c = rows + down, cols + across
        here = np.flatnonzero((r >= 0) & (c >= 0) & (r < hole.shape[0]) & (c < hole.shape[1]))
        diagonal[here] += weight
        there = index[r[here], c[here]]
        inner, rim = here[there >= 0], here[there < 0]
        entries.append((inner, there[there >= 0], np.full(len(inner), -weight)))
        right[rim] += weight * picture[r[rim], c[rim]]
    entries.append((np.arange(count), np.arange(count), diagonal))
    i, j, values = (np.concatenate(column) for column in zip(*entries))
    filled = picture.copy()
    filled[rows, cols] = splu(coo_matrix((values, (i, j)), shape=(count, count)).tocsc()).solve(right)
    return filled.clip(0, 1)
