"""TAESD weights by colour initialisation: an autoencoder that shows the picture without any training.

Channels 0-2 of every layer carry the local mean RGB. The encoder halves by exact 2x2 means; the decoder
doubles by repetition and smooths each time, which is bilinear interpolation, after one sharpening at
latent size that undoes part of the means' blur. Channel 3 carries the constant 1, from which a block
sees where the picture ends: convolutions pad with 0, and the outermost pixels must not be smoothed with it.
"""

import torch
from torch import Tensor

WIDTH = 64  # fixed by the host's TAESD
ONES = 3  # channel that carries the constant 1
RAISE, LOWER, EDGE = 8, 11, 14  # a block's inner channels: what to add, what to subtract, where the border is
LATENT_GAIN = 2.0  # RGB 0..1 becomes -1..1
TANH_GAIN = 1.025  # mean slope of the decoder's soft clamp, tanh(x/3)*3, over that range
EDGE_GAIN = 20.0  # silences a block's change at the border
SHARPEN, SMOOTH = -1.0, 1.0  # strength of a block's change towards the local mean

ENCODER_BLOCKS = (1, 3, 4, 5, 7, 8, 9, 11, 12, 13)
DECODER_BLOCKS = {3: SHARPEN, 4: 0.0, 5: 0.0, 8: SMOOTH, 9: 0.0, 10: 0.0, 13: SMOOTH, 14: 0.0, 15: 0.0, 18: SMOOTH}
BLUR = torch.tensor([1.0, 2.0, 1.0])


def _conv(outputs: int, inputs: int) -> Tensor:
    """A convolution of zeros, [out, in, 3, 3]."""
    return torch.zeros(outputs, inputs, 3, 3)


def _carry(channels: int) -> Tensor:
    """A convolution [64, 64, 3, 3] that hands its first channels on."""
    weight = _conv(WIDTH, WIDTH)
    weight[range(channels), range(channels), 1, 1] = 1.0
    return weight


def _halve() -> Tensor:
    """A stride 2 convolution that takes the mean of each 2x2 cell: it never touches the padding."""
    weight = _conv(WIDTH, WIDTH)
    weight[range(3), range(3), 1:, 1:] = 0.25
    return weight


def _block(prefix: str, strength: float) -> dict[str, Tensor]:
    """A residual block: x + strength * (3x3 binomial mean - x) in RGB, x itself at the border."""
    first, second, third = _conv(WIDTH, WIDTH), _conv(WIDTH, WIDTH), _conv(WIDTH, WIDTH)
    change = torch.outer(BLUR, BLUR) / 16
    change[1, 1] -= 1
    for c in range(3):
        first[RAISE + c, c], first[LOWER + c, c] = change, -change
        for inner in (RAISE + c, LOWER + c):
            second[inner, inner, 1, 1], second[inner, EDGE, 1, 1] = 1.0, -EDGE_GAIN
        third[c, RAISE + c, 1, 1], third[c, LOWER + c, 1, 1] = strength, -strength
    first[EDGE, ONES] = -change
    weights = {f"{prefix}.conv.{i}.weight": w for i, w in ((0, first), (2, second), (4, third))}
    return weights | {f"{prefix}.conv.{i}.bias": torch.zeros(WIDTH) for i in (0, 2, 4)}


def _encoder(channels: int) -> dict[str, Tensor]:
    """Encoder weights for pictures [B,3,H,W] in 0..1 to latents [B,channels,H/8,W/8], RGB in the first three."""
    weights: dict[str, Tensor] = {}
    for index in ENCODER_BLOCKS:
        weights |= _block(f"{index}", 0.0)
    weights["0.weight"], weights["0.bias"] = _carry(3)[:, :3].clone(), torch.zeros(WIDTH)
    for index in (2, 6, 10):
        weights[f"{index}.weight"] = _halve()
    weights["14.weight"], weights["14.bias"] = _conv(channels, WIDTH), torch.zeros(channels)
    weights["14.weight"][range(3), range(3), 1, 1] = LATENT_GAIN
    weights["14.bias"][:3] = -LATENT_GAIN / 2
    return weights


def _decoder(channels: int) -> dict[str, Tensor]:
    """Decoder weights for those latents back to pictures [B,3,H,W] in 0..1."""
    weights: dict[str, Tensor] = {}
    for index, strength in DECODER_BLOCKS.items():
        weights |= _block(f"{index}", strength)
    weights["1.weight"], weights["1.bias"] = _conv(WIDTH, channels), torch.zeros(WIDTH)
    weights["1.weight"][range(3), range(3), 1, 1] = TANH_GAIN / LATENT_GAIN
    weights["1.bias"][:3], weights["1.bias"][ONES] = 0.5, 1.0
    for index in (7, 12, 17):
        weights[f"{index}.weight"] = _carry(4)
    weights["19.weight"], weights["19.bias"] = _carry(3)[:3].clone(), torch.zeros(3)
    return weights


def colour_taesd(channels: int, scale: float) -> dict[str, Tensor]:
    """A TAESD state dict for `comfy.sd.VAE` whose latents, times `scale`, are RGB within about -1..1.

    `channels` is the latent width (4 for SD1.x to SDXL), `scale` the family's latent scale factor.
    """
    encoder = {f"taesd_encoder.{key}": value for key, value in _encoder(channels).items()}
    decoder = {f"taesd_decoder.{key}": value for key, value in _decoder(channels).items()}
    return encoder | decoder | {"vae_scale": torch.tensor(scale), "vae_shift": torch.tensor(0.0)}
