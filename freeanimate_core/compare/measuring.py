"""The measures of a comparison: of whole videos, and frame by frame.

The measure at a frame is the same measure of the shortest clip that ends there, so that table and
plot can not disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..measures import background_drift, flicker, l1, psnr, ssim, warping_error
from .clips import TRUTH, Clips
from .flow import estimated_flow

Value = float | None


@dataclass(frozen=True)
class Clip:
    """One video with what it is measured by: images, truth [F,H,W,3], masks [F,H,W], flow of F-1 steps."""

    images: Tensor
    truth: Tensor | None
    masks: Tensor
    places: Tensor
    seen: Tensor

    def at(self, frames: list[int]) -> "Clip":
        """The clip of some frames; the flow is right between neighbours."""
        steps = [frame - 1 for frame in frames[1:]]
        truth = None if self.truth is None else self.truth[frames]
        return Clip(self.images[frames], truth, self.masks[frames], self.places[steps], self.seen[steps])


@dataclass(frozen=True)
class Measure:
    """One measure. of: its value for a clip. frames: those that the value at a frame is made of.

    truth: ``unread``, ``read`` or ``compared``; what compares with the truth says nothing of the truth itself.
    """

    name: str
    unit: str
    higher_is_better: bool
    truth: str
    of: Callable[[Clip], Value]
    frames: Callable[[int], list[int]]

    def series(self, clip: Clip) -> list[Value]:
        """The value at each frame; None at the first ones, when earlier frames are wanted."""
        needed = [self.frames(t) for t in range(len(clip.images))]
        return [self.of(clip.at(frames)) if frames[0] >= 0 else None for frames in needed]


def _by_truth(measure: Callable[[Tensor, Tensor], Value]) -> Callable[[Clip], Value]:
    """A measure of images and truth as one of a clip: None where the truth is unknown."""
    return lambda clip: None if clip.truth is None else measure(clip.images, clip.truth)


MEASURES = (
    Measure("L1", "levels", False, "compared", _by_truth(l1), lambda t: [t]),
    Measure("PSNR", "dB", True, "compared", _by_truth(partial(psnr, peak=1.0)), lambda t: [t]),
    Measure("SSIM", "", True, "compared", _by_truth(ssim), lambda t: [t]),
    Measure(
        "warping",
        "levels",
        False,
        "unread",
        lambda c: warping_error(c.images, c.places, c.seen),
        lambda t: [t - 1, t],
    ),
    Measure(
        "drift",
        "levels",
        False,
        "unread",
        lambda c: background_drift(c.images, c.masks),
        lambda t: sorted({0, t}),
    ),
    Measure("flicker", "levels", False, "read", _by_truth(flicker), lambda t: [t - 2, t - 1, t]),
)


@dataclass(frozen=True)
class Score:
    """One measure of all videos: the value of each whole video, and its values by frame, by label."""

    measure: Measure
    whole: dict[str, Value]
    series: dict[str, list[Value]]


def measured(clips: Clips, progress: Callable[[int], None]) -> list[Score]:
    """Scores in the order of MEASURES, without those that need a truth when there is none.

    The truth, if any, is scored last, but not against itself. progress: called with the number of
    videos done. Flow is the truth's, or, without one, each video's own.
    """
    masks = clips.person_mask
    if masks is None:
        masks = torch.zeros(next(iter(clips.videos.values())).shape[:3])
    flow = None if clips.truth is None else estimated_flow(clips.truth)
    scores = [Score(measure, {}, {}) for measure in MEASURES if measure.truth == "unread" or clips.truth is not None]
    for done, (label, images) in enumerate(clips.shown.items(), 1):
        clip = Clip(images, clips.truth, masks, *(flow or estimated_flow(images)))
        for score in scores:
            if score.measure.truth == "compared" and clips.truth is not None and label == TRUTH:
                continue
            score.whole[label] = score.measure.of(clip)
            score.series[label] = score.measure.series(clip)
        progress(done)
    return scores
