"""The evaluations of the user's U-Net that record: reference and preview, apart or in one batch, and at one level.

The host evaluates conditionings; tests bring their own evaluation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .bank import AttentionBank
from .conditioning import Cuts, batchable, batched, windowed
from .passes import AttentionPass, Features, RecordingPass, TogetherPass
from .windows import Windower

Target = Callable[[AttentionPass, Tensor, range], list[Tensor]]
Evaluate = Callable[[list, Tensor, float, AttentionPass], list[Tensor]]


@dataclass(frozen=True)
class Evaluations:
    """Reference and preview under the recorded conditionings of a clip of ``frames``.

    evaluate(conds, x, sigma, attention): denoised predictions, one for each of ``conds``; attention says what
    the layers read and keeps what they record. reference_entry, preview_entry: as the host processed them.
    cuts: of ControlNets, for all who evaluate the same frames.
    """

    evaluate: Evaluate
    reference_entry: dict
    preview_entry: dict
    frames: int
    cuts: Cuts = field(default_factory=Cuts)

    @property
    def joinable(self) -> bool:
        """Whether the host can evaluate reference and preview as rows of one batch."""
        return batchable(self.preview_entry, self.reference_entry)

    def reference(self, attention: AttentionPass, x: Tensor, sigma: float) -> Tensor:
        """Denoised reference [1,C,h,w]."""
        return self.evaluate(windowed([[self.reference_entry]], range(1), 1), x, sigma, attention)[0]

    def preview(self, attention: AttentionPass, x: Tensor, window: range, sigma: float) -> Tensor:
        """Denoised preview frames [f,C,h,w] of a window."""
        return self.evaluate(self._cut(window), x, sigma, attention)[0]

    def together(self, attention: AttentionPass, x: Tensor, window: range, sigma: float) -> Tensor:
        """Both at once, [f+1,C,h,w], the reference as the last row; only where ``joinable``."""
        ((of_window,),) = self._cut(window)
        return self.evaluate([[batched(of_window, self.reference_entry, len(window))]], x, sigma, attention)[0]

    def _cut(self, window: range) -> list:
        return windowed([[self.preview_entry]], window, self.frames, self.cuts)


class LevelPasses:
    """Reference and preview at one level: the reference once, whatever the windows.

    anchor: the reference's latents [1,C,h,w]. weight: w of the reference's keys in the preview pass.
    known: the reference's layer inputs, where they are recorded. joins: whether the reference may be a row
    of the first window's batch, which costs far less than an evaluation of its own.
    """

    denoised_reference: Tensor  # [1,C,h,w], once the reference has passed

    def __init__(
        self,
        evaluations: Evaluations,
        sigma: float,
        anchor: Tensor,
        weight: float,
        known: Features | None = None,
        joins: bool = True,
    ):
        self.evaluations, self.sigma, self.anchor, self.weight = evaluations, sigma, anchor, weight
        self._features = known
        self._joins = joins and evaluations.joinable

    def reference(self) -> Features:
        """Inputs [1,n,c] of the self-attention layers as the reference passes them."""
        if self._features is None:
            recording = RecordingPass(cross=False)
            self.denoised_reference = self.evaluations.reference(recording, self.anchor, self.sigma)
            self._features = recording.features
        return self._features

    def preview(self, x: Tensor, frames: range) -> tuple[Tensor, Features]:
        """Denoised preview [f,C,h,w] of a window and the inputs [f,n,c] of its attention layers."""
        if self._joins and self._features is None and len(frames) > 1:  # one frame: no memory for two rows
            return self._together(x, frames)
        recording = RecordingPass(self.reference() if self.weight > 0 else {}, self.weight)
        return self.evaluations.preview(recording, x, frames, self.sigma), recording.features

    def _together(self, x: Tensor, frames: range) -> tuple[Tensor, Features]:
        recording = TogetherPass(weight=self.weight)
        denoised = self.evaluations.together(recording, torch.cat([x, self.anchor]), frames, self.sigma)
        self.denoised_reference, self._features = denoised[-1:], recording.reference
        return denoised[:-1], recording.features

    def capture(
        self, preview: Tensor, windower: Windower, level: int = 0, bank: AttentionBank | None = None
    ) -> tuple[Tensor, Tensor]:
        """Denoised preview [F,C,h,w], window by window, and reference; their layer inputs go to ``bank`` if given."""

        def window(frames: range) -> list[Tensor]:
            denoised, features = self.preview(preview[frames.start : frames.stop], frames)
            if bank is not None:
                bank.put(level, frames, features)
            return [denoised]

        (denoised,) = windower.map(preview.shape[0], window)
        features = self.reference()
        if bank is not None:
            bank.put_reference(level, features)
        return denoised, self.denoised_reference
