"""The methods on one case, and the measures of what they make."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.background import paint_out

from ..case import Case
from .baselines import Frames, Warp, linear_blend_skinning, similarity_of_figure, thin_plate_spline
from .scores import PARTS, overlap, part_error, person_psnr

MEASURES = {"person_psnr": ("dB", True), "mask_iou": ("", True), "joint_error": ("px", False), "seconds": ("s", False)}


def ours(picture: Tensor, mask: Tensor, plate: Tensor, pose: PoseSequence, targets: PoseSequence) -> Frames:
    """The pack's Preview Generation."""
    made = generate(picture[None], pose, targets, mask[None], plate[None])
    return Frames(made.frames, made.person_mask, made.hole_mask, made.redraw_mask)


METHODS: dict[str, Warp] = {
    "ours": ours,
    "linear_blend_skinning": linear_blend_skinning,
    "thin_plate_spline": thin_plate_spline,
    "similarity": similarity_of_figure,
}


@dataclass(frozen=True)
class Made:
    """Frames [F,S,S,3] of one method on one case, and its measures of each frame by name, [F] each."""

    frames: Tensor
    values: dict[str, list[float]]


def make(case: Case) -> dict[str, Made]:
    """Every method on one case, from the same mask and the same plate, as painted by the pack."""
    plate = paint_out(case.reference[0], case.given_mask[0])
    return {name: _made(case, warp, plate) for name, warp in METHODS.items()}


def _made(case: Case, warp: Warp, plate: Tensor) -> Made:
    start = time.process_time()
    frames, masks, *_ = warp(case.reference[0], case.given_mask[0], plate, case.pose, case.targets)
    seconds = (time.process_time() - start) / len(frames)
    labels = moved_labels(case, warp)
    values = {
        "person_psnr": [person_psnr(frames[k], masks[k], case.truth[k], case.masks[k]) for k in range(len(frames))],
        "mask_iou": [overlap(case.masks[k], masks[k]) for k in range(len(frames))],
        "joint_error": [part_error(case.labels[k], labels[k]) for k in range(len(frames))],
        "seconds": [seconds] * len(frames),
    }
    return Made(frames, values)


def moved_labels(case: Case, warp: Warp) -> Tensor:
    """Where the warp puts each part, [F,S,S] long: the label that shows most at a pixel, 0 the ground.

    Each part is a channel of its own, so that no mixture of two looks like a third and no soft edge is nobody's.
    """
    shares = functional.one_hot(case.reference_labels, PARTS + 1)[..., 1:].float()
    nothing = torch.zeros(*shares.shape[:2], 3)
    moved = []
    for part in range(0, PARTS, 3):
        three = functional.pad(shares[..., part : part + 3], (0, max(part + 3 - PARTS, 0)))
        moved.append(warp(three, case.given_mask[0], nothing, case.pose, case.targets)[0])
    parts = torch.cat(moved, dim=-1)[..., :PARTS]
    return torch.cat([1 - parts.sum(dim=-1, keepdim=True), parts], dim=-1).argmax(dim=-1)
