"""The shadow that a figure casts from its feet: darker than plain ground around it, of the same hue. Uses OpenCV.

Axes: h, w pixels. Pictures [h,w,3] float32 0-1, masks bool [h,w].
"""

import cv2
import numpy as np

FEET = 0.12  # of the hole's height, from below: where a shadow must begin
DARKER, DARKEST = 0.22, 1.3  # log of the ground's brightness over the shadow's
TINT = 0.12, 0.3  # largest difference between channels of that log: fixed, and per unit of darkness
SOFT = 0.008  # of the shorter side: blur that takes grain and joints off the ground
GAP = 0.008  # of the shorter side: how far from the figure a shadow may begin, and how soft its edge is
THICK = 0.008  # of the shorter side: half of what is too thin for a shadow, such as joints and skirting boards
LARGEST = 0.8  # of the hole's area: more is no shadow but a dark thing
SURE = 0.4  # least share of a row that must be known ground
# The log's middle and spread in a ring around a shadow, at most: on tiles and rubble nobody knows what is shadow.
# Rendered rooms: no mark on 40 holes without a shadow; without this rule 5.
PLAIN = 0.1
RING = 20  # pixels: a smaller ring tells nothing


def cast_shadow(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Bool map [h,w] of the shadow beside the figure's ``hole`` [h,w]; all False where none is sure."""
    none = np.zeros_like(hole)
    if not hole.any() or hole.all():
        return none
    darkness = _darkness(picture, hole)
    like = _like_shadow(darkness, hole)
    gap = max(round(GAP * min(hole.shape)), 1)
    feet = _feet(hole)
    _, labels = cv2.connectedComponents((like | feet).astype(np.uint8))
    begun = np.unique(labels[_grown(feet, gap) & ~hole & like])
    found = np.isin(labels, begun[begun > 0]) & like
    if found.sum() > LARGEST * hole.sum():
        return none
    return _on_plain_ground(_grown(found, gap) & ~hole, darkness.mean(axis=2), hole, gap)


def _feet(hole: np.ndarray) -> np.ndarray:
    """The lowest part of the hole."""
    rows = np.flatnonzero(hole.any(axis=1))
    feet = hole.copy()
    feet[: int(rows[-1] - FEET * (rows[-1] - rows[0]))] = False
    return feet


def _darkness(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Log [h,w,3] of the middle of each pixel's row over the blurred picture; of no meaning in the hole."""
    known = (~hole).astype(np.float32)
    sigma = max(SOFT * min(hole.shape), 0.8)
    share = cv2.GaussianBlur(known, (0, 0), sigma)
    soft = cv2.GaussianBlur(picture * known[..., None], (0, 0), sigma) / np.maximum(share, 1e-3)[..., None]
    logs = np.log(soft + 0.02)
    middle, seen = np.zeros((len(hole), 1, 3), np.float32), (~hole).any(axis=1)
    middle[seen] = np.nanmedian(np.where(hole[..., None], np.nan, logs)[seen], axis=1, keepdims=True)
    return middle - logs


def _like_shadow(darkness: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Where all channels are darker than the middle of their row by about one factor, and not in a thin line."""
    dark, tint = darkness.mean(axis=2), np.ptp(darkness, axis=2)
    sure = (~hole).mean(axis=1, keepdims=True) > SURE
    like = ~hole & sure & (dark > DARKER) & (dark < DARKEST) & (tint < TINT[0] + TINT[1] * dark)
    kernel = _disc(max(round(THICK * min(hole.shape)), 1))
    return cv2.morphologyEx((like | hole).astype(np.uint8), cv2.MORPH_OPEN, kernel).astype(bool) & like


def _on_plain_ground(found: np.ndarray, dark: np.ndarray, hole: np.ndarray, gap: int) -> np.ndarray:
    """The pieces of ``found`` around which the ground is as the middle of its rows."""
    count, labels = cv2.connectedComponents(found.astype(np.uint8))
    kept = np.zeros_like(found)
    for number in range(1, count):
        piece = labels == number
        ring = dark[_grown(piece, 2 * gap) & ~_grown(piece, gap) & ~hole]
        if len(ring) >= RING and abs(ring.mean()) < PLAIN and ring.std() < PLAIN:
            kept |= piece
    return kept


def _grown(mask: np.ndarray, reach: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), _disc(reach)) > 0


def _disc(reach: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
