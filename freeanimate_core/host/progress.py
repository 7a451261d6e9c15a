"""One bar for a node, over frames x levels, with previews that show a strip of the frames."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

MOST_SHOWN = 5  # frames in a strip
WIDEST = 512  # latent cells that a strip is wide at most, unless one frame is wider: a preview is to cost little


def strip(latents: Tensor) -> Tensor:
    """Some frames of [F,C,h,w], evenly chosen with the first and the last, beside one another: [1,C,h,n*w]."""
    count, width = latents.shape[0], latents.shape[-1]
    shown = max(1, min(count, MOST_SHOWN, WIDEST // width))
    chosen = torch.linspace(0, count - 1, shown).round().long().tolist()
    return torch.cat([latents[frame : frame + 1] for frame in chosen], dim=-1)  # an index would be copied to the device


@dataclass
class Bar:
    """Progress of a node in frames x levels: it moves with every window and shows every level.

    show(done), picture(done, strip [1,C,h,w]) and say(text on the node) are the host's; ``show``
    raises when the user interrupts. plan: how the run goes about it, in words, once that is settled.
    """

    show: Callable[[int], None]
    picture: Callable[[int, Tensor], None]
    say: Callable[[str], None]
    plan: str = field(default="", init=False)
    _done: int = field(default=0, init=False)

    def settle(self, plan: str) -> None:
        """The plan, which the node shows from here on; a long clip settles on the same one for every part."""
        if plan != self.plan:
            self.plan = plan
            self.say(plan)

    def window(self, start: int) -> None:
        """A window begins whose first frame is ``start`` of those at this level."""
        self.show(self._done + start)

    def level(self, denoised: Tensor) -> None:
        """All frames [F,C,h,w] are evaluated at a level."""
        self._done += denoised.shape[0]
        self.picture(self._done, strip(denoised))

    def skip(self, count: int) -> None:
        """So many frames x levels need no evaluation, or were done in another way."""
        self._done += count
        self.show(self._done)

    def __call__(self, step: int, denoised: Tensor, x: Tensor, steps: int) -> None:
        """The host's sampler callback."""
        self.level(denoised)
