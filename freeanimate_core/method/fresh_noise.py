"""Fresh noise in what is drawn anew: an unlikely picture that deterministic inversion would reproduce is left.

A deterministic step from an inverted latent leads back to the picture that was inverted, however unlikely it is;
a step that replaces part of the noise leads to what the model holds likely, while kept cells guide it from all
sides (arXiv 2602.19089, self-guided stochastic sampling). Axes: f frames, c channels, h, w latent cells.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .schedule import SAME_LEVEL, step_of

SEEDS = 2**62  # of the noise of single steps


@dataclass(frozen=True)
class FreshNoise:
    """How much noise each step replaces: ``eta`` 0-1, 0 none, 1 as an ancestral sampler; ``seed`` of all of it.

    descending: [S+1] sigmas of the sampler, ending in 0.
    """

    eta: float
    seed: int
    descending: Tensor

    def stirred(self, predictions: list[Tensor], x: Tensor, sigma: float) -> list[Tensor]:
        """Denoised predictions [f,c,h,w] at (x, sigma), from which euler steps as an ancestral sampler would.

        The same affine map for all conditionings, so that it goes through guidance unchanged. One noise [1,c,h,w] for
        all frames. Calls between two levels, and the step to 0, keep theirs.
        """
        step = step_of(sigma, self.descending)
        if abs(float(self.descending[step]) - sigma) > SAME_LEVEL * sigma:
            return predictions
        to = float(self.descending[step + 1])
        down, up = ancestral_levels(sigma, to, self.eta)
        if up == 0:
            return predictions
        share, noise = (down - sigma) / (to - sigma), self._noise(step, x)
        offset = sigma * up / (to - sigma) * noise
        return [x - share * (x - denoised) - offset for denoised in predictions]

    def _noise(self, step: int, x: Tensor) -> Tensor:
        """Of one step, [1,c,h,w]: the same for whichever frames are asked, and however often."""
        seeds = torch.randint(SEEDS, (len(self.descending),), generator=torch.Generator().manual_seed(self.seed))
        rng = torch.Generator().manual_seed(int(seeds[step]))
        return torch.randn((1, *x.shape[1:]), generator=rng).to(x)


def ancestral_levels(sigma: float, to: float, eta: float) -> tuple[float, float]:
    """The level that a step from ``sigma`` goes down to, and the noise that it adds, so that it ends at ``to``.

    DDIM's eta (arXiv 2010.02502, eq. 16) in the variance-exploding variable.
    """
    up = min(to, eta * (to**2 * (sigma**2 - to**2) / sigma**2) ** 0.5)
    return (to**2 - up**2) ** 0.5, up
