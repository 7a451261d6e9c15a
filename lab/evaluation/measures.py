"""The measures of one result against its character's truth."""

import numpy as np
import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.measures import (
    background_drift,
    flicker,
    grey,
    l1,
    masked_psnr,
    part_colour_error,
    part_colours,
    psnr,
    ssim,
    warping_error,
)

from .case import Previewed

# Name to (unit, whether higher is better), in the order of the tables.
MEASURES = {
    "ssim": ("", True),
    "psnr": ("dB", True),
    "person_psnr": ("dB", True),
    "hole_psnr": ("dB", True),
    "identity_error": ("levels", False),
    "warping_error": ("levels", False),
    "background_drift": ("levels", False),
    "flicker": ("levels", False),
    "joint_error": ("px", False),
    "l1": ("levels", False),
    "preview_psnr": ("dB", True),
    "seen_psnr": ("dB", True),
    "unseen_psnr": ("dB", True),
    "detail": ("", True),
    "face_psnr": ("dB", True),
    "released_warping": ("levels", False),
}
PARTS = range(1, 11)
HEAD = 2  # its label
NOSE, EYES = 0, (14, 15)
FACE = 0.5  # of the head's size: how far around nose and eyes the face reaches
CELL = 8  # pixels of a latent cell, each way
MOST_DB = 100.0  # what equal pictures get, so that means stay finite
LEAST_HOLE = 16  # pixels in the whole clip: fewer holes say nothing
PATCH, REACH = 13, 6  # joint_error: side of the patches and largest shift, pixels
FLAT = 1 / 255  # a patch with less spread has no place


def measure(case: Previewed, frames: Tensor, preview_through_vae: Tensor) -> dict[str, float | None]:
    """All MEASURES of a result [F,H,W,3]; None where the case has nothing to measure.

    preview_through_vae: what a perfect reconstruction of the preview would be.
    """
    truth = case.truth
    wanted = part_colours(case.reference[0], case.reference_labels, PARTS)
    found = {
        "ssim": ssim(frames, truth),
        "psnr": psnr(frames, truth, 1.0),
        "person_psnr": masked_psnr(frames, truth, case.masks),
        "hole_psnr": masked_psnr(frames, truth, case.holes) if case.has_holes(LEAST_HOLE) else None,
        "identity_error": part_colour_error(frames, case.labels, wanted),
        "warping_error": warping_error(frames, case.places, case.stayed),
        "background_drift": background_drift(frames, case.masks),
        "flicker": flicker(frames, truth),
        "joint_error": joint_error(frames, truth, case.joints),
        "l1": l1(frames, truth),
        "preview_psnr": psnr(frames, preview_through_vae, 1.0),
        "seen_psnr": _where(frames, truth, (case.masks > 0.5) & case.shown),
        "unseen_psnr": _where(frames, truth, (case.masks > 0.5) & ~case.shown),
        "detail": detail(frames, truth, case.masks),
        "face_psnr": _where(frames, truth, case.shown & face(case.labels, case.joints, case.visible)),
        "released_warping": warping_error(frames, case.places, case.stayed & released(case.redraw)[1:]),
    }
    return {name: _capped(name, value) for name, value in found.items()}


def measure_by_class(case: Previewed, frames: Tensor, preview_through_vae: Tensor) -> dict[str, dict]:
    """All MEASURES over the frames of each class of pose that the case has."""
    found = {}
    for name in dict.fromkeys(case.classes):
        own = [t for t, other in enumerate(case.classes) if other == name]
        found[name] = measure(case.only(own), frames[own], preview_through_vae[own])
    return found


def _where(frames: Tensor, truth: Tensor, area: Tensor) -> float | None:
    """PSNR in dB over pixels [F,H,W]; None where they are too few."""
    return masked_psnr(frames, truth, area.float()) if int(area.sum()) >= LEAST_HOLE else None


def _capped(name: str, value: float | None) -> float | None:
    return min(value, MOST_DB) if value is not None and MEASURES[name][0] == "dB" else value


def detail(frames: Tensor, truth: Tensor, masks: Tensor) -> float | None:
    """How much the grey person varies from pixel to pixel, over how much the true one does: 1 as much, 0 not at all.

    The mean absolute Laplacian over the pixels of frames [F,H,W,3] where masks [F,H,W] exceed 0.5.
    """
    inside = masks > 0.5
    found, wanted = (_laplacian(grey(images))[inside].abs().sum().item() for images in (frames, truth))
    return found / wanted if wanted else None


def _laplacian(values: Tensor) -> Tensor:
    """The sum of the four differences to the neighbours of [F,H,W], the border repeated."""
    around = functional.pad(values[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    vertical = around[:, :-2, 1:-1] + around[:, 2:, 1:-1]
    return vertical + around[:, 1:-1, :-2] + around[:, 1:-1, 2:] - 4 * values


def face(labels: Tensor, joints: np.ndarray, visible: np.ndarray) -> Tensor:
    """Pixels [F,H,W] bool of the face: of the head, near nose and eyes, in frames that show the nose and an eye.

    labels: [F,H,W]. joints: [F,18,3] in pixels, visible: [F,18] bool.
    """
    height, width = labels.shape[1:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    found = labels == HEAD
    for head, points, seen in zip(found, joints, visible):
        eyes = [joint for joint in EYES if seen[joint]]
        column, row = points[[NOSE, *eyes], :2].mean(0).tolist()
        near = torch.hypot(x - column, y - row) < FACE * head.sum().sqrt()
        head &= near & bool(eyes and seen[NOSE])
    return found


def released(redraw: Tensor) -> Tensor:
    """Pixels [F,H,W] bool that may be drawn anew: those that redraw [F,H,W] names at all, and a cell around."""
    return functional.max_pool2d((redraw > 0).float(), 2 * CELL + 1, stride=1, padding=CELL) > 0


def joint_error(frames: Tensor, truth: Tensor, joints: np.ndarray) -> float | None:
    """How far from its true place each joint is found, in pixels (at most 8.5), mean over joints and frames.

    The true picture around a joint is looked for in the result by normalised cross-correlation over
    whole-pixel shifts: colours may differ, the drawing may not. Joints off the canvas, and those in
    a flat patch of the truth, are left out. joints: [F,18,3] x, y, confidence in pixels.
    """
    distances = [
        distance
        for frame, true, pose in zip(frames, truth, joints)
        for x, y, confidence in pose.tolist()
        if confidence > 0 and 0 <= x < frame.shape[1] and 0 <= y < frame.shape[0]
        for distance in _found_at(frame, true, int(x), int(y))
    ]
    return sum(distances) / len(distances) if distances else None


def _found_at(frame: Tensor, truth: Tensor, column: int, row: int) -> list[float]:
    """The distance between a true patch and its best match in the result; empty for a flat true patch.

    Where nothing in the result resembles the patch the distance is the largest.
    """
    half = PATCH // 2
    wanted = _normalised(rearrange(_around(truth, column, row, half), "h w c -> 1 (h w) c"))
    if wanted is None:
        return []
    searched = rearrange(_around(frame, column, row, half + REACH), "h w c -> 1 c h w")
    patches = rearrange(functional.unfold(searched, PATCH), "1 (c pixels) n -> n pixels c", c=3)
    shift = torch.arange(-REACH, REACH + 1).float()
    distances = torch.hypot(*torch.meshgrid(shift, shift, indexing="ij")).flatten()
    found = _normalised(patches)
    if found is None or (scores := (found * wanted).sum((1, 2))).max() <= 0:
        return [distances.max().item()]
    return [distances[torch.argmax(scores - 1e-5 * distances)].item()]  # of equal matches the nearest


def _around(picture: Tensor, column: int, row: int, reach: int) -> Tensor:
    """The square [2r+1,2r+1,3] around a pixel, the border repeated."""
    rows = torch.arange(row - reach, row + reach + 1).clamp(0, picture.shape[0] - 1)
    columns = torch.arange(column - reach, column + reach + 1).clamp(0, picture.shape[1] - 1)
    return picture[rows][:, columns]


def _normalised(patches: Tensor) -> Tensor | None:
    """Patches [n,pixels,3] without their mean colour, of unit length; None when all are flat."""
    centred = patches - patches.mean(1, keepdim=True)
    if centred.square().mean().sqrt() < FLAT:
        return None
    return centred / centred.flatten(1).norm(dim=1).clamp_min(1e-6)[:, None, None]
