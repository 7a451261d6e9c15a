"""The person's mask in the reference: given, or cut out by the pose; whoever else is in it is left out.

Axes: h, w are the reference's rows and columns.
"""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, label
from torch import Tensor

from ..errors import PREVIEW, FreeAnimateError
from .bones import Bone, Trunk
from .cut import SURE, cut_out, surroundings

TOUCHED, BODY = 1.0, 1.5  # radii of a bone: what a limb reaches, and within which most of a piece of it lies
MOSTLY = 0.5  # share of a piece within BODY from which on it is the person's, however large: legs below a table
SMALL = 0.1  # of the person's area: a piece that a limb reaches is the person's up to that size: a hand behind a bag
SOMEBODY = 0.03  # of the person's area: what is smaller is a speck, and no word is lost about it
NAMED = 3  # as many are named, the largest first
SIDES = ("at the left", "in the middle", "at the right")  # thirds of the picture


def person_mask(image: Tensor, given: Tensor | None, bones: list[Bone | Trunk]) -> tuple[Tensor, tuple[str, ...]]:
    """Mask [H,W] float32 0-1 of the person in ``image`` [H,W,3], and a warning for everybody left out of it.

    ``given`` [H,W] wins over cutting it out.
    """
    if given is not None:
        if not (given > 0.5).any():
            raise FreeAnimateError(
                f"{PREVIEW}: person_mask is empty; paint the person white, or disconnect it to use the pose instead."
            )
        return alone(given, bones, "person_mask")
    mask = cut_out(image, bones)
    if not (mask > 0.5).any():
        raise FreeAnimateError(
            f"{PREVIEW}: no person could be cut out of the reference by its pose; connect person_mask."
        )
    return alone(mask, bones, "the mask cut out by the pose")


def alone(mask: Tensor, bones: list[Bone | Trunk], name: str) -> tuple[Tensor, tuple[str, ...]]:
    """``mask`` [H,W] without what does not hang together with the figure of ``bones``, and words for what that is.

    A piece of its own stays when a limb reaches it and it is small, or when most of it lies about the bones. A mask
    that shows nothing but the person comes back as it is.
    """
    pieces, count = label((mask > 0.5).numpy(), structure=np.ones((3, 3)))
    if count < 2:
        return mask, ()
    areas = np.bincount(pieces.ravel())
    foreign = _foreign(pieces, areas, bones)
    if not foreign.any():
        return mask, ()
    # A soft edge goes with the piece that it is nearest to.
    rows, cols = distance_transform_edt(pieces == 0, return_distances=False, return_indices=True)
    left = mask * torch.from_numpy(~foreign[pieces[rows, cols]])
    least = SOMEBODY * areas[1:][~foreign[1:]].sum()
    others = [k for k in np.argsort(-areas, kind="stable") if foreign[k] and areas[k] >= least]
    return left, tuple(_words(pieces == k, name) for k in others[:NAMED])


def _foreign(pieces: np.ndarray, areas: np.ndarray, bones: list[Bone | Trunk]) -> np.ndarray:
    """Which pieces [n] are not the person's, of labels ``pieces`` [h,w] with ``areas`` [n]; 0 is the ground."""
    height, width = pieces.shape
    distance = surroundings(bones, height, width).resized((width, height)).distance
    core, touched, body = (_count(pieces, distance < most, len(areas)) for most in (SURE, TOUCHED, BODY))
    if not core[1:].any():  # pose and mask are of different pictures, which is told elsewhere
        return np.zeros(len(areas), dtype=bool)
    person = 1 + int(core[1:].argmax())
    kept = (body >= MOSTLY * areas) | ((touched > 0) & (areas <= SMALL * areas[person]))
    kept[[0, person]] = True
    return ~kept


def _count(pieces: np.ndarray, area: np.ndarray, count: int) -> np.ndarray:
    """How many pixels of each piece [count] lie in an area [h,w]."""
    return np.bincount(pieces[area], minlength=count)


def _words(piece: np.ndarray, name: str) -> str:
    """Where somebody [h,w] stands."""
    columns, width = np.flatnonzero(piece.any(axis=0)), piece.shape[1]
    first, last = int(columns[0]), int(columns[-1])
    side = SIDES[min(3 * (first + last) // (2 * width), 2)]
    return f"{name} shows somebody else {side}, x {first}-{last} of {width}, who stays in the background."
