"""A case: a held-out character in motion, with its truth and with the preview that the pack makes of it."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from freeanimate_pack.demo.drawn.motion import MOTIONS
from freeanimate_pack.demo.drawn.words import caption

EXTRA_WORDS = ", with a red hat and a yellow skirt"


@dataclass(frozen=True)
class Case:
    """One character in one motion. Pictures float32 0-1 on the CPU, masks 0-1, labels as ``draw_parts`` has them.

    reference [1,H,W,3] with reference_mask [1,H,W] and reference_labels [H,W]; truth [F,H,W,3] with
    masks, labels [F,H,W] and joints [F,18,3]; poses [F,H,W,3]: the ControlNet's hints; preview
    [F,H,W,3] with preview_masks and holes [F,H,W] over background [1,H,W,3]. prompts: the words of each kind.

    The truth is the character in the poses that Align Pose gives, which all methods are asked for;
    they are not quite the driving ones, and how well poses are aligned is not in question here.
    """

    seed: int
    motion: str
    prompts: dict[str, str]
    reference: Tensor
    reference_mask: Tensor
    reference_labels: Tensor
    truth: Tensor
    masks: Tensor
    labels: Tensor
    joints: np.ndarray
    poses: Tensor
    preview: Tensor
    preview_masks: Tensor
    holes: Tensor
    background: Tensor

    def has_holes(self, least: int) -> bool:
        """Whether the preview's hole masks show at least ``least`` pixels in all."""
        return int((self.holes > 0.5).sum()) >= least


def motion_of(seed: int) -> str:
    """The motion that a held-out character is given: all are taken in turn."""
    return list(MOTIONS)[seed % len(MOTIONS)]


def prompts_of(seed: int) -> dict[str, str]:
    """Kinds of words: true ones, none, another character's, and true ones with things that are not there."""
    words = caption(seed)
    return {"true": words, "empty": "", "wrong": caption(seed + 1), "extra": words + EXTRA_WORDS}
