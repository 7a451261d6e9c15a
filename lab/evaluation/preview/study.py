"""The methods on one pairs, and the measures of what they make."""

import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.measures import psnr
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.background import paint_out

from .baselines import Frames, Warp, linear_blend_skinning, similarity_of_figure, thin_plate_spline
from .pairs import PosePairs

MEASURES = {"person_psnr": ("dB", True), "mask_iou": ("", True), "joint_error": ("px", False), "seconds": ("s", False)}
PARTS = 10
LEAST = 24  # true pixels of a part that is asked for
FOUND = 0.1  # share of them from which a part counts as there
LOST = 1 / 8  # of the canvas: the error of a part that is not there


def ours(picture: Tensor, mask: Tensor, plate: Tensor, pose: PoseSequence, targets: PoseSequence) -> Frames:
    """The pack's Preview Generation."""
    made = generate(picture[None], pose, targets, mask[None], plate[None])
    return made.frames, made.person_mask


METHODS: dict[str, Warp] = {
    "ours": ours,
    "linear_blend_skinning": linear_blend_skinning,
    "thin_plate_spline": thin_plate_spline,
    "similarity": similarity_of_figure,
}


@dataclass(frozen=True)
class Made:
    """Frames [F,S,S,3] of one method on one pairs, and its measures of each frame by name, [F] each."""

    frames: Tensor
    values: dict[str, list[float]]


def make(pairs: PosePairs) -> dict[str, Made]:
    """Every method on one pairs, from the same mask and the same plate, as painted by the pack."""
    plate = paint_out(pairs.image[0], pairs.mask[0])
    return {name: _made(pairs, warp, plate) for name, warp in METHODS.items()}


def _made(pairs: PosePairs, warp: Warp, plate: Tensor) -> Made:
    start = time.process_time()
    frames, masks = warp(pairs.image[0], pairs.mask[0], plate, pairs.pose, pairs.targets)
    seconds = (time.process_time() - start) / len(frames)
    labels = moved_labels(pairs, warp)
    values = {
        "person_psnr": [_person_psnr(pairs, k, frames[k], masks[k]) for k in range(len(frames))],
        "mask_iou": [_overlap(pairs.true_masks[k], masks[k]) for k in range(len(frames))],
        "joint_error": [_part_error(pairs.true_labels[k], labels[k]) for k in range(len(frames))],
        "seconds": [seconds] * len(frames),
    }
    return Made(frames, values)


def _person_psnr(pairs: PosePairs, k: int, frame: Tensor, mask: Tensor) -> float:
    """PSNR in dB over the true figure and the one that was made."""
    either = torch.maximum(pairs.true_masks[k], mask) > 0.5
    return psnr(frame[either], pairs.truth[k][either], 1.0)


def _overlap(truth: Tensor, mask: Tensor) -> float:
    return float(torch.minimum(truth, mask).sum() / torch.maximum(truth, mask).sum())


def moved_labels(pairs: PosePairs, warp: Warp) -> Tensor:
    """Where the warp puts each part, [F,S,S] long: the label that shows most at a pixel, 0 the ground.

    Each part is a channel of its own, so that no mixture of two looks like a third and no soft edge is nobody's.
    """
    shares = functional.one_hot(pairs.labels[0], PARTS + 1)[..., 1:].float()
    nothing = torch.zeros(*shares.shape[:2], 3)
    moved = []
    for part in range(0, PARTS, 3):
        three = functional.pad(shares[..., part : part + 3], (0, max(part + 3 - PARTS, 0)))
        moved.append(warp(three, pairs.mask[0], nothing, pairs.pose, pairs.targets)[0])
    parts = torch.cat(moved, dim=-1)[..., :PARTS]
    return torch.cat([1 - parts.sum(dim=-1, keepdim=True), parts], dim=-1).argmax(dim=-1)


def _part_error(truth: Tensor, found: Tensor) -> float:
    """Distance in pixels between a part's true and its found middle, mean over the parts that the truth shows."""
    errors = []
    for part in range(1, PARTS + 1):
        true, there = truth == part, found == part
        if int(true.sum()) < LEAST:
            continue
        lost = int(there.sum()) < FOUND * int(true.sum())
        errors.append(LOST * len(truth) if lost else float((_middle(true) - _middle(there)).norm()))
    return sum(errors) / len(errors)


def _middle(area: Tensor) -> Tensor:
    return area.nonzero().double().mean(dim=0)
