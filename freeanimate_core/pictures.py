"""The one reader of pictures, one of masks and one of latents: whatever a node is given, as the pack expects it.

``where`` begins every refusal: the node's display name and the input, as in "Compare Videos: truth".
Nodes of other packs hand on other channels, ranks, units and kinds of numbers than the host's own. What can
mean one thing only is read as that; everything else is refused before the long work starts.
"""

import logging
from collections.abc import Mapping
from functools import cache

import torch
from torch import Tensor

from .errors import FreeAnimateError, counted

LOWEST, HIGHEST = -0.5, 2.0  # resampling overshoots 0-1 by less; more is another unit (-1 to 1, 0-255)
LEVELS = 255.0
GREY, COLOUR, WITH_ALPHA = 1, 3, 4  # channels
log = logging.getLogger("freeanimate")


def read_pictures(images: object, where: str) -> Tensor:
    """An IMAGE as [F,H,W,3] float32 0-1 on the CPU, F, H and W at least 1.

    Read: floats 0-1, 8 bits 0-255 and bool; grey [F,H,W,1], whose channel is repeated, and RGBA
    [F,H,W,4], which is laid over black. Raises FreeAnimateError for all else.
    """
    if not isinstance(images, Tensor):
        raise FreeAnimateError(f"{where} is {_kind(images)} and no picture; connect an IMAGE output.")
    if images.ndim != 4 or images.shape[-1] not in (GREY, COLOUR, WITH_ALPHA):
        raise FreeAnimateError(
            f"{where} has the shape {_shape(images)}, but pictures are frames x height x width x channels, with 1 "
            "(grey), 3 (RGB) or 4 (RGBA) channels; connect an IMAGE (Convert Mask to Image makes one of a mask)."
        )
    values = _unit_values(images, where, images.dtype == torch.uint8)
    channels = images.shape[-1]
    if channels == GREY:
        _say_once(f"{where} is grey: its one channel is taken for red, green and blue")
        return values.repeat(1, 1, 1, COLOUR)
    if channels == WITH_ALPHA:
        _say_once(f"{where} is RGBA: it is laid over black by its alpha")
        return values[..., :COLOUR] * values[..., COLOUR:]
    return values


def read_picture(images: object, where: str) -> Tensor:
    """An IMAGE of exactly one picture as [1,H,W,3]; otherwise as ``read_pictures``."""
    pictures = read_pictures(images, where)
    if len(pictures) != 1:
        raise FreeAnimateError(
            f"{where} holds {counted(len(pictures), 'image')}, but exactly one is expected; pick one with Get Image "
            "from Batch."
        )
    return pictures


def read_masks(masks: object, where: str) -> Tensor:
    """A MASK as [F,H,W] float32 0-1 on the CPU, F, H and W at least 1.

    Read: [H,W], [F,H,W], [F,1,H,W] and [F,H,W,1]; floats 0-1, bool, and 8 bits, 0-255 or 0 and 1.
    Raises FreeAnimateError for all else.
    """
    if not isinstance(masks, Tensor):
        raise FreeAnimateError(f"{where} is {_kind(masks)} and no mask; connect a MASK output.")
    batch = _mask_batch(masks)
    if batch is None:
        raise FreeAnimateError(
            f"{where} has the shape {_shape(masks)}, but masks are frames x height x width; connect a MASK (Convert "
            "Image to Mask makes one of a picture)."
        )
    return _unit_values(batch, where, batch.dtype == torch.uint8 and batch.numel() > 0 and bool(batch.max() > 1))


def read_mask(masks: object, where: str) -> Tensor:
    """A MASK of exactly one mask as [1,H,W]; otherwise as ``read_masks``."""
    batch = read_masks(masks, where)
    if len(batch) != 1:
        raise FreeAnimateError(
            f"{where} holds {counted(len(batch), 'mask')}, but exactly one is expected; connect the reference's."
        )
    return batch


def read_latents(latent: object, where: str, channels: int) -> Tensor:
    """The samples [F,channels,h,w] of a LATENT, finite, not blank, F, h and w at least 1; else FreeAnimateError."""
    samples = latent.get("samples") if isinstance(latent, Mapping) else None
    if not isinstance(samples, Tensor):
        raise FreeAnimateError(f"{where} holds no latents; connect the LATENT output of VAE Encode.")
    if samples.ndim != 4 or samples.shape[1] != channels:
        raise FreeAnimateError(
            f"{where} has shape {tuple(samples.shape)} and the model works on [frames, {channels}, height, width]; "
            "encode with the VAE of this checkpoint."
        )
    if samples.numel() == 0:
        raise FreeAnimateError(f"{where} is empty; encode at least one frame with VAE Encode.")
    if not samples.is_floating_point():
        raise FreeAnimateError(f"{where} holds {_numbers(samples)}, but latents are floating point; use VAE Encode.")
    if not torch.isfinite(samples).all():
        raise FreeAnimateError(f"{where} holds NaN or infinite values; check the VAE (try --fp32-vae) that encoded it.")
    if samples.min() == samples.max():
        raise FreeAnimateError(f"{where} is blank; connect VAE-encoded pictures, not an empty latent.")
    return samples


def _mask_batch(masks: Tensor) -> Tensor | None:
    """[F,H,W] of the shapes that a mask may have; None for another."""
    if masks.ndim == 2:
        return masks[None]
    if masks.ndim == 4 and 1 in (masks.shape[1], masks.shape[3]):
        return masks[:, 0] if masks.shape[1] == 1 else masks[..., 0]
    return masks if masks.ndim == 3 else None


def _unit_values(values: Tensor, where: str, levels: bool) -> Tensor:
    """float32 0-1 on the CPU; levels: they are 0-255. FreeAnimateError for none, for NaN and for another unit."""
    if values.numel() == 0:
        raise FreeAnimateError(f"{where} is empty ({_shape(values)}); connect at least one frame.")
    if not (values.is_floating_point() or values.dtype in (torch.uint8, torch.bool)):
        raise FreeAnimateError(
            f"{where} holds {_numbers(values)}; give floating point numbers 0-1, 8 bits 0-255, or bool."
        )
    unit = (values.detach() if values.requires_grad else values).to("cpu", torch.float32)
    unit = unit / LEVELS if levels else unit
    low, high = (bound.item() for bound in torch.aminmax(unit))  # both are NaN where any value is
    if not -torch.inf < low <= high < torch.inf:
        raise FreeAnimateError(f"{where} holds NaN or infinite values; check the node that made it.")
    if low < LOWEST or high > HIGHEST:
        raise FreeAnimateError(
            f"{where} holds values from {low:.4g} to {high:.4g} and 0-1 is supported; change the node that made it, or "
            "put one before this input that brings them to 0-1."
        )
    return unit if low >= 0 and high <= 1 else unit.clamp(0, 1)


def _kind(value: object) -> str:
    return "empty" if value is None else f"a {type(value).__name__}"


def _shape(values: Tensor) -> str:
    return "x".join(map(str, values.shape)) or "of one number"


def _numbers(values: Tensor) -> str:
    return f"{str(values.dtype).removeprefix('torch.')} values"


@cache
def _say_once(sentence: str) -> None:
    """Log a sentence the first time that it is said."""
    log.info("%s", sentence)
