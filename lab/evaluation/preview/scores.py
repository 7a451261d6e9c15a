"""The measures of one previewed frame against its truth: pictures [H,W,3], masks and maps [H,W], labels [H,W] long."""

import torch
from torch import Tensor

from freeanimate_pack.freeanimate_core.measures import psnr

PARTS = 10
LEAST = 24  # true pixels of a part that is asked for, or of an area that is measured
FOUND = 0.1  # share of them from which a part counts as there
LOST = 1 / 8  # of the canvas: the error of a part that is not there
UNSHADED = 0.02  # of a cast shadow


def person_psnr(frame: Tensor, mask: Tensor, truth: Tensor, true_mask: Tensor) -> float:
    """PSNR in dB over the true figure and the one that was made; inf when equal."""
    either = torch.maximum(true_mask, mask) > 0.5
    return psnr(frame[either], truth[either], 1.0)


def overlap(truth: Tensor, mask: Tensor) -> float:
    """Intersection over union of two soft masks."""
    return float(torch.minimum(truth, mask).sum() / torch.maximum(truth, mask).sum())


def area_psnr(frame: Tensor, truth: Tensor, area: Tensor) -> float | None:
    """PSNR in dB over the pixels of a bool map; None where they are too few."""
    return psnr(frame[area], truth[area], 1.0) if int(area.sum()) >= LEAST else None


def recall(flagged: Tensor, unseen: Tensor) -> float | None:
    """Share of the unseen pixels that are flagged; None where too few are unseen. Both bool."""
    return _share(flagged, unseen)


def precision(flagged: Tensor, unseen: Tensor) -> float | None:
    """Share of the flagged pixels that are unseen; None where too few are flagged. Both bool."""
    return _share(unseen, flagged)


def _share(found: Tensor, among: Tensor) -> float | None:
    return float(found[among].float().mean()) if int(among.sum()) >= LEAST else None


def plate_psnr(plate: Tensor, room: Tensor, mask: Tensor, shadow: Tensor) -> float | None:
    """PSNR in dB of the painted plate where the reference's person stood and its cast shadow does not fall."""
    return area_psnr(plate, room, (mask > 0.5) & (shadow < UNSHADED))


def part_error(truth: Tensor, found: Tensor) -> float:
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
