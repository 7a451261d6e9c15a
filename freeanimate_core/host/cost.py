"""What a run will cost, from the shapes of the U-Net alone: bytes of a window and of a bank, time beside sampling.

A row is one frame under one conditioning in one evaluation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from torch.nn import Module

TEXT_TOKENS = 77
# What one transformer block holds at its peak, in inputs of its attention layers: most of it is the
# gated feed-forward. Measured on the host; RA-SA adds longer keys and values, replay copies of inputs.
PLAIN, ANCHORED, REPLAYED = 22.5, 25.0, 27.0


@dataclass(frozen=True)
class Site:
    """One transformer block as one row passes it: tokens, channels, and entries that the U-Net holds meanwhile.

    held: skip connections not yet taken. lent: ControlNet residuals not yet added.
    """

    tokens: int
    channels: int
    held: int
    lent: int

    @property
    def values(self) -> int:
        """Entries of the input of one of its two attention layers."""
        return self.tokens * self.channels

    @property
    def attended(self) -> int:
        """Multiply-adds of q k^T and of map times V, over its own tokens."""
        return 2 * self.tokens * self.values


@dataclass(frozen=True)
class Shape:
    """A U-Net at one latent size, with a ControlNet.

    encoder, rest: multiply-adds of a row but for attention, up to the middle and behind it. element:
    bytes of a value.
    """

    sites: tuple[Site, ...]
    encoder: int
    rest: int
    element: int

    def frame_bytes(self, halves: int, weight: float, replays: bool, recomputes: bool) -> float:
        """Of the device, for one frame of a window while it is denoised under ``halves`` conditionings."""
        transient = REPLAYED if replays else ANCHORED if weight else PLAIN
        row = max(site.lent + site.held + transient * site.values for site in self.sites)
        return self.element * (halves * row + (recomputes and replays) * self._recorded)

    def recording_bytes(self) -> float:
        """Of the device, for one row of a pass that records all layers' inputs."""
        recorded, peak = 0, 0.0
        for site in self.sites:
            peak = max(peak, site.lent + site.held + ANCHORED * site.values + recorded)
            recorded += 2 * site.values
        return self.element * peak

    def bank_bytes(self, frames: int) -> int:
        """Of a bank, for one level: both layers' inputs of the frames, the reference's of self-attention."""
        return self.element * (frames * self._recorded + self._recorded // 2)

    def time(self, frames: int, halves: int, weight: float, recomputes: bool, banked: bool, control: bool) -> float:
        """Arithmetic of one denoising step over that of the host's sampling of the same frames.

        recomputes: whether the preview pass is run again in this step. banked: whether the reference's
        inputs are kept.
        """
        plain = self.encoder + self.rest + sum(s.attended + 2 * s.values * TEXT_TOKENS for s in self.sites)
        longer = sum(s.attended + 2 * s.values * s.channels for s in self.sites) if weight else 0
        controlled = plain + control * self.encoder
        rows = frames * (halves + recomputes)
        reference = 0 if banked or not weight else plain
        return (rows * (controlled + longer) + reference) / (frames * halves * controlled)

    @property
    def _recorded(self) -> int:
        return 2 * sum(site.values for site in self.sites)


def unet_shape(unet: Module, height: int, width: int, element: int) -> Shape:
    """The shape of the host's U-Net for latents of ``height`` x ``width`` cells and values of ``element`` bytes."""
    size, sizes, skips = (height, width), [], []
    met: list[tuple[Module, tuple[int, int], int]] = []  # transformer blocks, their size, the skips held
    encoder = rest = channels = 0
    for block in unet.input_blocks:
        for layer in block:
            size = _halved(size) if _halves(layer) else size
            met += [(inner, size, sum(skips)) for inner in _transformers(layer)]
            channels = getattr(layer, "out_channels", channels)
        encoder += _weights(block) * prod(size)
        sizes.append(size)
        skips.append(channels * prod(size))
    met += [(inner, size, sum(skips)) for layer in unet.middle_block or () for inner in _transformers(layer)]
    residuals = sum(skips) + channels * prod(size)
    encoder += _weights(unet.middle_block) * prod(size)
    sites = [_site(inner, at, held, residuals) for inner, at, held in met]
    for block in unet.output_blocks:  # each runs at the size of the skip connection that it takes
        size = sizes.pop()
        skips.pop()
        sites += [_site(i, size, sum(skips), sum(skips)) for layer in block for i in _transformers(layer)]
        rest += _weights(block) * prod(size)
    return Shape(tuple(sites), encoder, rest, element)


def _site(block: Module, size: tuple[int, int], held: int, lent: int) -> Site:
    return Site(prod(size), block.norm1.normalized_shape[0], held, lent)


def _halves(layer: Module) -> bool:
    return hasattr(layer, "op") or getattr(layer, "updown", False)


def _halved(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


def _transformers(layer: Module) -> Iterator[Module]:
    return iter(getattr(layer, "transformer_blocks", ()))


def _weights(block: Module | None) -> int:
    return 0 if block is None else sum(p.numel() for p in block.parameters())


def shape_of(model, latents: tuple[int, ...]) -> Shape:
    """What the model's U-Net is made of for latents of a shape (F,C,h,w)."""
    return unet_shape(model.model.diffusion_model, *latents[-2:], model.model.get_dtype_inference().itemsize)
