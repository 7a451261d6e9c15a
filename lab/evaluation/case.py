"""A case: somebody in F poses and in one reference picture, with what the methods are given and all that is true.

One object for both worlds: the drawn characters and the rendered people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from freeanimate_pack.demo.drawn import words as drawn_words
from freeanimate_pack.demo.drawn.motion import MOTIONS
from freeanimate_pack.demo.people import words as people_words
from freeanimate_pack.freeanimate_core.pose import PoseSequence

LITTLE = "a person"
EXTRA_WORDS = ", with a red hat and a yellow skirt"
DRAWN, PEOPLE = "drawn", "people"
WORLDS = (DRAWN, PEOPLE)


@dataclass(frozen=True)
class Case:
    """Pictures float32 0-1 on the CPU, masks 0-1, labels long as ``draw_parts`` has them, joints in pixels.

    Given: reference [1,H,W,3], given_mask [1,H,W], pose of the reference and targets [F]; exact, or as noisy as a
    user's. True: reference_mask [1,H,W], reference_labels [H,W]; truth [F,H,W,3] with masks and labels [F,H,W],
    joints [F,18,3] and visible [F,18], which of them no other part hides; room [H,W,3], the still scene without
    anybody; shadow [H,W], how much of the reference's cast shadow falls on it; shown [F,H,W], which pixels the
    reference shows too; places [F-1,H,W,2], where the pixels of frame t+1 were in frame t, and stayed [F-1,H,W],
    which of them both frames show. classes: of pose, one for each frame, or none.
    """

    world: str
    seed: int
    classes: tuple[str, ...]
    reference: Tensor
    given_mask: Tensor
    pose: PoseSequence
    targets: PoseSequence
    reference_mask: Tensor
    reference_labels: Tensor
    truth: Tensor
    masks: Tensor
    labels: Tensor
    joints: np.ndarray
    visible: np.ndarray
    room: Tensor
    shadow: Tensor
    shown: Tensor
    places: Tensor
    stayed: Tensor

    def only(self, frames: Sequence[int]) -> Self:
        """The same with some of the frames; what follows a gap was not there before."""
        kept = list(frames)
        before = [min(t, len(self.places) - 1) for t in kept[:-1]]
        next_to = torch.tensor([b == a + 1 for a, b in zip(kept, kept[1:])], dtype=torch.bool)
        arrays = {name: getattr(self, name)[kept] for name in self.framed()}
        return replace(
            self,
            **arrays,
            classes=tuple(self.classes[t] for t in kept) if self.classes else (),
            targets=self.targets.with_arrays({name: points[kept] for name, points in self.targets.arrays.items()}),
            places=self.places[before],
            stayed=self.stayed[before] & next_to[:, None, None],
        )

    def framed(self) -> tuple[str, ...]:
        """Names of what has an entry for each frame."""
        return "truth", "masks", "labels", "joints", "visible", "shown"


@dataclass(frozen=True)
class Previewed(Case):
    """A case in motion with the words for it and the preview that the pack makes of it.

    prompts: the words of each kind. poses [F,H,W,3]: the ControlNet's hints; preview [F,H,W,3] with
    preview_masks, holes and redraw [F,H,W], how likely it is wrong, over background [1,H,W,3].

    A drawn character's truth is itself in the poses that Align Pose gives, which all methods are asked for;
    they are not quite the driving ones, and how well poses are aligned is not in question here.
    """

    motion: str
    prompts: dict[str, str]
    poses: Tensor
    preview: Tensor
    preview_masks: Tensor
    holes: Tensor
    redraw: Tensor
    background: Tensor

    def has_holes(self, least: int) -> bool:
        """Whether the preview's hole masks show at least ``least`` pixels in all."""
        return int((self.holes > 0.5).sum()) >= least

    def framed(self) -> tuple[str, ...]:
        """Names of what has an entry for each frame."""
        return *super().framed(), "poses", "preview", "preview_masks", "holes", "redraw"


def motion_of(seed: int) -> str:
    """The motion that a held-out drawn character is given: all are taken in turn."""
    return list(MOTIONS)[seed % len(MOTIONS)]


def prompts_of(seed: int, world: str = DRAWN) -> dict[str, str]:
    """Kinds of words: true ones, none, another character's, true ones with things that are not there, and few."""
    caption = people_words.caption if world == PEOPLE else drawn_words.caption
    words = caption(seed)
    return {"true": words, "empty": "", "wrong": caption(seed + 1), "extra": words + EXTRA_WORDS, "little": LITTLE}
