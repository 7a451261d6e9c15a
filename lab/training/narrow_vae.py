"""An autoencoder of the TAESD layout with fewer channels per level, and its widening to the host's.

The narrow net trains several times faster. `demo.model.weights.taesd` pads it to the layout's 64 channels.
Axes: b pictures, c channels, h, w pixels or latent cells (8 pixels wide).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

LATENT_CHANNELS = 16
WIDTHS = (16, 32, 64, 64)  # channels at 1, 1/2, 1/4 and 1/8 of the picture's size
BLOCKS = (1, 3, 3, 3)  # residual blocks at each size, fixed by the layout
ENCODER_BLOCKS = (0, 1, 1, 2)  # of which the encoder uses these: the decoder has the harder task
COLOURS = range(3)
BOUND = 3.0  # of latents, fixed by the layout
CARRY_GAIN, CENTRE = 4.0, 0.55  # RGB 0..1 becomes about -2..2, of deviation 1 or so, in three latent channels


class Block(nn.Module):
    """Three convolutions beside the identity, then ReLU."""

    def __init__(self, width: int):
        super().__init__()
        layers = [_conv(width, width), nn.ReLU(), _conv(width, width), nn.ReLU(), _conv(width, width)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(x) + x)


class SoftClamp(nn.Module):
    """The layout's bound on latents: within -3..3, slope 1 at 0."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / BOUND) * BOUND


def _conv(inputs: int, outputs: int, **options) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


def _level(width: int, blocks: int, used: int | None = None) -> list[nn.Module]:
    """Blocks of one size; those that are not used hand their input on, as a block of zeros does."""
    used = blocks if used is None else used
    return [Block(width) if k < used else nn.ReLU() for k in range(blocks)]


class Encoder(nn.Sequential):
    """Pictures [b,3,h,w] in 0..1 to latents [b,16,h/8,w/8]."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [_conv(3, WIDTHS[0]), *_level(WIDTHS[0], BLOCKS[0], ENCODER_BLOCKS[0])]
        for above, width, blocks, used in zip(WIDTHS, WIDTHS[1:], BLOCKS[1:], ENCODER_BLOCKS[1:]):
            layers += [_conv(above, width, stride=2, bias=False), *_level(width, blocks, used)]
        super().__init__(*layers, _conv(WIDTHS[-1], LATENT_CHANNELS))


class Decoder(nn.Sequential):
    """Latents [b,16,h/8,w/8] to pictures [b,3,h,w] around 0..1."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [SoftClamp(), _conv(LATENT_CHANNELS, WIDTHS[-1]), nn.ReLU()]
        for width, below, blocks in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], BLOCKS[:0:-1]):
            layers += [*_level(width, blocks), nn.Upsample(scale_factor=2), _conv(width, below, bias=False)]
        super().__init__(*layers, *_level(WIDTHS[0], BLOCKS[0]), _conv(WIDTHS[0], 3))


def colour_start(encoder: Encoder, decoder: Decoder, rng: torch.Generator) -> None:
    """Draw the weights, with channels 0-2 of every layer carrying the local mean colour.

    The pair then shows a blurred picture before the first step, which saves hundreds of steps.
    """
    for net in (encoder, decoder):
        for conv in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=rng)
            if conv.bias is not None:
                nn.init.zeros_(conv.bias)
        for block in (m for m in net if isinstance(m, Block)):
            _keep_colours(block)
        for conv in (m for m in net if isinstance(m, nn.Conv2d)):
            _carry_colours(conv)
    with torch.no_grad():
        last, first = encoder[-1], decoder[1]
        last.weight[COLOURS] *= CARRY_GAIN
        last.bias[COLOURS] = -CARRY_GAIN * CENTRE
        first.weight[COLOURS] /= CARRY_GAIN
        first.bias[COLOURS] = CENTRE


@torch.no_grad()
def _keep_colours(block: Block) -> None:
    """A block that starts near the identity."""
    block.conv[-1].weight.mul_(0.1)
    block.conv[-1].weight[COLOURS] = 0


@torch.no_grad()
def _carry_colours(conv: nn.Conv2d) -> None:
    """The first three channels pass, averaged over each 2x2 cell where the convolution halves."""
    conv.weight[COLOURS] = 0
    for c in COLOURS:
        if conv.stride == (2, 2):
            conv.weight[c, c, 1:, 1:] = 0.25
        else:
            conv.weight[c, c, 1, 1] = 1.0


class Critic(nn.Sequential):
    """Scores [b,1,h/4,w/4] of pictures [b,3,h,w]: positive where a place looks like a true one."""

    def __init__(self, rng: torch.Generator):
        widths = (3, 32, 64, 64)
        layers: list[nn.Module] = []
        for inputs, width, stride in zip(widths, widths[1:], (2, 2, 1)):
            layers += [nn.Conv2d(inputs, width, 4 if stride == 2 else 3, stride, 1), nn.LeakyReLU(0.2)]
        super().__init__(*layers, _conv(widths[-1], 1))
        for conv in (m for m in self if isinstance(m, nn.Conv2d)):
            nn.init.kaiming_normal_(conv.weight, 0.2, generator=rng)
            nn.init.zeros_(conv.bias)
