"""Frame windows: the only place where a clip meets the memory of the device.

Frames read the reference and never one another, so any window size gives the same video. Peak
memory is that of one window's evaluations; what grows with the clip is only its latents
(a few per frame), the pose hints and the record.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import counted

MAX_AUTO_FRAMES = 16  # beyond this a batch is no faster on the cards we aim at, only larger
ROOM_FRAMES = 4  # asked of the host before it loads the models; more would push weights out of the card


def auto_size(frames: int, bytes_per_frame: float, free_bytes: float) -> int:
    """Frames per window that fit into the free memory of the device, at least 1."""
    fitting = int(free_bytes // max(bytes_per_frame, 1.0))
    return max(1, min(frames, fitting, MAX_AUTO_FRAMES))


@dataclass
class Windower:
    """Runs an evaluation window by window, halving the window when the device is full.

    size: frames per window. out_of_memory(error): whether an error means a full device.
    recover: called before a smaller window is tried. poll: called before every window with its
    first frame, raises when the user interrupts. bytes_per_frame: estimate for the device; above 0
    it lets ``fit`` choose the size. free_bytes: what ``fit`` found free.
    """

    size: int
    out_of_memory: Callable[[RuntimeError], bool] = lambda error: False
    recover: Callable[[], None] = lambda: None
    poll: Callable[[int], None] = lambda start: None
    bytes_per_frame: float = 0.0
    free_bytes: float = 0.0

    def fit(self, frames: int, free_bytes: float) -> None:
        """Choose the size by what is free once the models are loaded; a size that the user set stays."""
        if self.bytes_per_frame:
            self.size = auto_size(frames, self.bytes_per_frame, free_bytes)
            self.free_bytes = free_bytes

    def __str__(self) -> str:
        words = f"{counted(self.size, 'frame')} at a time"
        if not self.free_bytes:
            return words
        needed, free = self.size * self.bytes_per_frame / 1e9, self.free_bytes / 1e9
        return f"{words} (about {needed:.2f} GB of {free:.1f} GB free)"

    def map(self, frames: int, evaluate: Callable[[range], list[Tensor]]) -> list[Tensor]:
        """``evaluate(window)`` for all windows, each of its outputs joined along the frames.

        A window that does not fit is halved and repeated; the smaller size then stays. With a
        window of one frame the device's error goes on to the host, which frees its models.
        """
        done: list[list[Tensor]] = []
        start = 0
        while start < frames:
            window = range(start, min(start + self.size, frames))
            outputs = self._attempt(window, evaluate)
            if outputs is None:
                self.size = (len(window) + 1) // 2
                self.recover()
                continue
            done.append(outputs)
            start = window.stop
        return [torch.cat(parts) for parts in zip(*done)]

    def _attempt(self, window: range, evaluate: Callable[[range], list[Tensor]]) -> list[Tensor] | None:
        self.poll(window.start)
        try:
            return evaluate(window)
        except RuntimeError as error:
            if len(window) == 1 or not self.out_of_memory(error):
                raise
            return None


def one_window(windower: Windower, free_for: Callable[..., int]) -> Callable:
    """PREPARE_SAMPLING wrapper: the host makes room for one window, not for the clip.

    free_for(model): bytes that the model, once it is loaded, may fill on its device.
    """

    def prepare(executor, model, noise_shape, conds, *args, **kwargs):
        shape = [min(noise_shape[0], windower.size), *noise_shape[1:]]
        loaded = executor(model, shape, conds, *args, **kwargs)
        windower.fit(noise_shape[0], free_for(model))
        return loaded

    return prepare
