"""The evaluations of the user's U-Net that the method is made of, as functions, and how one level uses them.

The host supplies them; tests supply their own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .bank import AttentionBank
from .conditioning import batchable, batched, windowed
from .passes import AttentionPass, Features, RecordingPass, TogetherPass
from .windows import Windower

Target = Callable[[AttentionPass, Tensor, range], list[Tensor]]


@dataclass(frozen=True)
class Streams:
    """Reference and preview under the recorded conditionings.

    reference(attention, x [1,C,h,w], sigma) and preview(attention, x [f,C,h,w], frames, sigma)
    return denoised predictions; attention says what the layers read and keeps what they record.
    together(attention, x [f+1,C,h,w], frames, sigma): both at once, the reference as the last row;
    None where the host cannot batch their conditionings.
    """

    reference: Callable[[AttentionPass, Tensor, float], Tensor]
    preview: Callable[[AttentionPass, Tensor, range, float], Tensor]
    together: Callable[[AttentionPass, Tensor, range, float], Tensor] | None = None


def recording_streams(evaluate: Callable, reference: dict, preview: dict, frames: int) -> Streams:
    """Streams over the processed entries of the recorded conditionings of a clip of ``frames``.

    evaluate(conds, x, sigma, attention) is the host's evaluation of conditionings.
    """

    def run_reference(attention: AttentionPass, x: Tensor, sigma: float) -> Tensor:
        return evaluate(windowed([[reference]], range(1), 1), x, sigma, attention)[0]

    def run_preview(attention: AttentionPass, x: Tensor, window: range, sigma: float) -> Tensor:
        return evaluate(windowed([[preview]], window, frames), x, sigma, attention)[0]

    def run_together(attention: AttentionPass, x: Tensor, window: range, sigma: float) -> Tensor:
        ((of_window,),) = windowed([[preview]], window, frames)
        return evaluate([[batched(of_window, reference, len(window))]], x, sigma, attention)[0]

    return Streams(run_reference, run_preview, run_together if batchable(preview, reference) else None)


class LevelPasses:
    """Reference and preview at one level: the reference once, whatever the windows.

    anchor: the reference's latents [1,C,h,w]; None when nothing reads them. weight: w of the
    reference's keys in the preview pass. known: the reference's layer inputs, where they are
    recorded. One row more in the first window's batch costs far less than an evaluation of its own.
    """

    def __init__(
        self, streams: Streams, sigma: float, anchor: Tensor | None, weight: float, known: Features | None = None
    ):
        self.streams, self.sigma, self.anchor, self.weight = streams, sigma, anchor, weight
        self.denoised_reference: Tensor | None = None
        self._features = known

    def reference(self) -> Features:
        """Inputs [1,n,c] of the self-attention layers as the reference passes them."""
        if self._features is None:
            recording = RecordingPass(cross=False)
            self.denoised_reference = self.streams.reference(recording, self.anchor, self.sigma)
            self._features = recording.features
        return self._features

    def preview(self, x: Tensor, frames: range) -> tuple[Tensor, Features]:
        """Denoised preview [f,C,h,w] of a window and the inputs [f,n,c] of its attention layers."""
        joins = self.anchor is not None and self._features is None and self.streams.together is not None
        if joins and len(frames) > 1:  # windows of one frame are for who has no memory for two rows
            return self._together(x, frames)
        recording = RecordingPass(self.reference() if self.weight > 0 else {}, self.weight)
        return self.streams.preview(recording, x, frames, self.sigma), recording.features

    def _together(self, x: Tensor, frames: range) -> tuple[Tensor, Features]:
        recording = TogetherPass(weight=self.weight)
        denoised = self.streams.together(recording, torch.cat([x, self.anchor]), frames, self.sigma)
        self.denoised_reference, self._features = denoised[-1:], recording.reference
        return denoised[:-1], recording.features


class Capture:
    """Evaluates reference and preview at a level, window by window, and fills a bank.

    streams: the evaluations. weight: w of the reference's keys in the preview passes.
    """

    def __init__(self, streams: Streams, weight: float, windower: Windower):
        self.streams = streams
        self.weight = weight
        self.windower = windower

    def __call__(
        self, level: int, sigma: float, preview: Tensor, reference: Tensor, bank: AttentionBank | None
    ) -> tuple[Tensor, Tensor]:
        """Denoised preview [F,C,h,w] and reference [1,C,h,w]; layer inputs go to ``bank`` if given."""
        passes = LevelPasses(self.streams, sigma, reference, self.weight)

        def window(frames: range) -> list[Tensor]:
            denoised, features = passes.preview(preview[frames.start : frames.stop], frames)
            if bank is not None:
                bank.put(level, frames, features)
            return [denoised]

        (denoised,) = self.windower.map(preview.shape[0], window)
        features = passes.reference()
        if bank is not None:
            bank.put_reference(level, features)
        return denoised, passes.denoised_reference
