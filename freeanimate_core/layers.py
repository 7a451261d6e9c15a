"""The attention layers of a U-Net as shapes: what a run will read and keep, known before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch.nn import Module


@dataclass(frozen=True)
class Site:
    """One transformer block as one frame passes it: its tokens and the channels of its attention layers' inputs."""

    tokens: int
    channels: int

    @property
    def values(self) -> int:
        """Entries of the input of one of its two attention layers."""
        return self.tokens * self.channels


def attention_sites(unet: Module, height: int, width: int) -> list[Site]:
    """The transformer blocks of the host's U-Net at a latent size, in the order in which they run."""
    size, sizes, sites = (height, width), [], []
    for block in unet.input_blocks:
        for layer in block:
            if _halves(layer):
                size = tuple((side + 1) // 2 for side in size)
            sites += _sites(layer, size)
        sizes.append(size)
    for layer in unet.middle_block or ():
        sites += _sites(layer, size)
    for block in unet.output_blocks:  # each runs at the size of the skip connection that it takes
        size = sizes.pop()
        for layer in block:
            sites += _sites(layer, size)
    return sites


def recorded_bytes(sites: list[Site], frames: int, element: int) -> int:
    """Bytes that a bank keeps of one level: both layers' inputs of ``frames``, the reference's of self-attention.

    element: bytes of one value.
    """
    return sum(site.values for site in sites) * (2 * frames + 1) * element


def _halves(layer: Module) -> bool:
    return hasattr(layer, "op") or getattr(layer, "updown", False)


def _sites(layer: Module, size: tuple[int, int]) -> Iterator[Site]:
    for block in getattr(layer, "transformer_blocks", ()):
        yield Site(size[0] * size[1], block.norm1.normalized_shape[0])
