"""The person's mask in the reference: given, or cut out from the pose. Uses OpenCV."""

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import PREVIEW, FreeAnimateError
from .bones import Bone, Trunk

ROUNDS = 5  # of grabCut
LARGEST = 512  # longest side on which grabCut runs; its cost grows with the area


def person_mask(image: Tensor, given: Tensor | None, bones: list[Bone | Trunk]) -> Tensor:
    """Mask [H,W] float32 0-1 of the person in ``image`` [H,W,3]; ``given`` wins over cutting it out."""
    if given is not None:
        if not (given > 0.5).any():
            raise FreeAnimateError(
                f"{PREVIEW}: person_mask is empty; paint the person white, or disconnect it to use the pose instead."
            )
        return given
    mask = cut_out(image, bones)
    if not (mask > 0.5).any():
        raise FreeAnimateError(
            f"{PREVIEW}: no person could be cut out of the reference by its pose; connect person_mask."
        )
    return mask


def cut_out(image: Tensor, bones: list[Bone | Trunk]) -> Tensor:
    """GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004) as a mask [H,W], seeded by the bones.

    Thin capsules about them are the person; what is far from all of them is ground.
    """
    height, width = image.shape[:2]
    shrink = min(1.0, LARGEST / max(height, width))
    size = max(round(width * shrink), 2), max(round(height * shrink), 2)
    picture = cv2.resize((image.numpy() * 255).round().astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    near = _nearest(bones, size[1], size[0], (size[0] / width, size[1] / height))
    seeds = np.full(near.shape, cv2.GC_BGD, dtype=np.uint8)
    seeds[near < 2.2] = cv2.GC_PR_BGD
    seeds[near < 1.0] = cv2.GC_PR_FGD
    seeds[near < 0.4] = cv2.GC_FGD
    if (near < 1.0).any() and (near >= 1.0).any():  # else there is nothing to tell apart
        # OpenCV draws the start of its colour models from this generator.
        cv2.setRNGSeed(0)
        rectangle, models = (0, 0, 0, 0), np.zeros((2, 1, 65))  # no rectangle: the seeds say where to start
        cv2.grabCut(picture, seeds, rectangle, models[0], models[1], ROUNDS, cv2.GC_INIT_WITH_MASK)
    figure = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    full = cv2.resize(figure, (width, height), interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(cv2.GaussianBlur(full, (0, 0), 0.7))


def _nearest(bones: list[Bone | Trunk], height: int, width: int, scale: tuple[float, float]) -> np.ndarray:
    """Distance to the nearest bone in units of its radius, [h,w] on a canvas scaled by (x, y)."""
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) / scale[0]
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / scale[1]
    return np.min([bone.depth(x, y) / bone.radius + 1 for bone in bones], axis=0)
