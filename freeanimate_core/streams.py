"""The evaluations of the user's U-Net that the method is made of, as functions.

The host supplies them; tests supply their own.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from .conditioning import windowed
from .passes import AttentionPass

Target = Callable[[AttentionPass, Tensor, range], list[Tensor]]


@dataclass(frozen=True)
class Streams:
    """Reference and preview under the recorded conditionings.

    reference(attention, x [1,C,h,w], sigma) and preview(attention, x [f,C,h,w], frames, sigma)
    return denoised predictions; attention says what the layers read and keeps what they record.
    """

    reference: Callable[[AttentionPass, Tensor, float], Tensor]
    preview: Callable[[AttentionPass, Tensor, range, float], Tensor]


def recording_streams(evaluate: Callable, reference: dict, preview: dict, frames: int) -> Streams:
    """Streams over the processed entries of the recorded conditionings of a clip of ``frames``.

    evaluate(conds, x, sigma, attention) is the host's evaluation of conditionings.
    """

    def run_reference(attention: AttentionPass, x: Tensor, sigma: float) -> Tensor:
        return evaluate(windowed([[reference]], range(1), 1), x, sigma, attention)[0]

    def run_preview(attention: AttentionPass, x: Tensor, window: range, sigma: float) -> Tensor:
        return evaluate(windowed([[preview]], window, frames), x, sigma, attention)[0]

    return Streams(run_reference, run_preview)
