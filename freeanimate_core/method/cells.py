"""Pictures and the latent cells that they are encoded to. Axes: f frames, h, w cells, H, W pixels."""

from einops import rearrange
from torch import Tensor
from torch.nn import functional

from ..errors import PATCH_MODEL, PREVIEW, FreeAnimateError, counted
from ..pictures import read_masks


def fits(pixels: tuple[int, int], cells: tuple[int, int]) -> bool:
    """Whether a picture of (H, W) has the aspect of one that was encoded to (h, w) cells.

    The VAE drops what is left of a cell at the picture's edge, so a side may be almost a cell longer.
    """
    height, width = pixels
    rows, columns = cells
    return width * rows < height * (columns + 1) and height * columns < width * (rows + 1)


def redrawn_cells(mask: Tensor, shape: tuple[int, ...]) -> Tensor:
    """How far [1 or f,1,h,w] each latent cell is redrawn: the largest value in it of a MASK of 1 or f frames (0-1).

    shape: of the frames' latents, (f,c,h,w). Raises FreeAnimateError for another count or aspect.
    """
    mask = read_masks(mask, f"{PATCH_MODEL}: redraw_mask")
    frames, _, *cells = shape
    count, *pixels = mask.shape
    if count not in (1, frames) or not fits((pixels[0], pixels[1]), (cells[0], cells[1])):
        raise FreeAnimateError(
            f"{PATCH_MODEL}: redraw_mask is {count} of {pixels[1]}x{pixels[0]} and the inversion "
            f"{counted(frames, 'frame')} of latent size {cells[1]}x{cells[0]}; connect redraw_mask of the {PREVIEW} "
            "that was inverted, or one mask of that shape."
        )
    encoded = _cropped(_cropped(mask, cells[0], 1), cells[1], 2)
    return functional.adaptive_max_pool2d(rearrange(encoded, "f h w -> f 1 h w"), cells)


def _cropped(mask: Tensor, cells: int, dim: int) -> Tensor:
    """A mask without what the host's VAE leaves off a picture that is no multiple of a cell, half on each side."""
    length = mask.shape[dim]
    whole = cells * max(length // cells, 1)
    spare = length - whole
    return mask.narrow(dim, spare // 2, whole) if 0 < spare < length // cells else mask
