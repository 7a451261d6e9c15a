"""The Paste Preview node's work: the preview's own pixels wherever the patched model kept it to the end.

Axes: f frames, h, w pixels of the images.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import PASTE, PATCH_MODEL, FreeAnimateError, counted
from ..host import clones
from ..method.conditioning import rows
from ..method.release import freed
from ..pictures import read_pictures
from .patch import PatchedModel
from .refine_pixels import softened

CELL = 8  # pixels of a latent cell; what a VAE leaves off at a picture's border is less, half of it on each side


def paste_preview(model, images: Tensor, preview: Tensor, first_frame: int, feather: int) -> tuple[Tensor, str]:
    """Images [f,h,w,3] whose kept cells are the preview's pixels, bit for bit, and in words how much that is.

    model: the patched MODEL that made the images; one that keeps nothing gets them back as they came. preview: all F
    frames that were inverted, of which the images begin at ``first_frame``. feather: pixels inside of what was free.
    Raises FreeAnimateError for a model that is not patched, and for other counts or sizes.
    """
    patched: PatchedModel | None = model.get_attachment(clones.KEY)
    if patched is None:
        raise FreeAnimateError(f"{PASTE}: model is not patched; connect the model output of {PATCH_MODEL}.")
    made, given = read_pictures(images, f"{PASTE}: images"), read_pictures(preview, f"{PASTE}: preview")
    record = patched.record
    total = record.clip_frames
    frames = range(first_frame, first_frame + len(made))
    _check_counts(len(made), len(given), total, frames)
    _check_range(frames, record.clip_range)
    cropped = _cropped(given[first_frame : frames.stop], made)
    if patched.clip_redraw is None or patched.config.keep_span < 1:
        lacks = "no redraw_mask" if patched.clip_redraw is None else f"keep_span {patched.config.keep_span:g}"
        return made, f"images as they came: with {lacks} {PATCH_MODEL} keeps nothing of the preview to the end"
    free = freed(rows(patched.clip_redraw, frames, total), len(patched.record.descending) - 1, patched.config)
    return pasted(made, cropped, free, feather), f"{1 - float(free.mean()):.0%} of the cells are the preview's pixels"


def pasted(images: Tensor, preview: Tensor, free: Tensor, feather: int) -> Tensor:
    """Images [f,h,w,3] where latent cells are ``free`` [1 or f,1,u,v] (0 or 1), ``preview`` elsewhere.

    The edge of what is free lies inside it, ``feather`` pixels wide (0 = hard).
    """
    result = torch.empty_like(images)
    for t, (image, frame) in enumerate(zip(images, preview)):  # one at a time: a clip may fill the memory
        cells = free[min(t, len(free) - 1)][None].to(image)
        shown = softened(functional.interpolate(cells, image.shape[:2])[0], feather)[0, ..., None]
        result[t] = torch.where(shown > 0, torch.lerp(frame, image, shown), frame)
    return result


def _check_counts(images: int, preview: int, total: int, frames: range) -> None:
    if preview != total:
        raise FreeAnimateError(
            f"{PASTE}: preview is {counted(preview, 'frame')} and the inversion has {total}; connect the preview that "
            "was encoded for it."
        )
    if frames.stop > total:
        raise FreeAnimateError(
            f"{PASTE}: images is {counted(images, 'frame')} from first_frame {frames.start} and the preview has "
            f"{total}; connect the decoded frames of this clip, and set first_frame as in the node that made them."
        )


def _check_range(frames: range, inverted: range) -> None:
    """FreeAnimateError for images of another range than the one that was inverted; a joined clip is longer."""
    if len(frames) <= len(inverted) and not (inverted.start <= frames.start and frames.stop <= inverted.stop):
        raise FreeAnimateError(
            f"{PASTE}: images begin at first_frame {frames.start} and the inversion has frames {inverted.start} to "
            f"{inverted.stop - 1} of the clip; set first_frame to {inverted.start}."
        )


def _cropped(preview: Tensor, images: Tensor) -> Tensor:
    """The preview [f,h,w,3] as the host's VAE encoded it, which leaves off what is not a whole cell."""
    (height, width), (rows_there, columns) = images.shape[1:3], preview.shape[1:3]
    above, left = (rows_there - height) // 2, (columns - width) // 2
    if not (0 <= rows_there - height < CELL and 0 <= columns - width < CELL):
        raise FreeAnimateError(
            f"{PASTE}: images are {width}x{height} and preview is {columns}x{rows_there}; connect the decoded frames "
            "as they come from the VAE, and resize after this node."
        )
    return preview[:, above : above + height, left : left + width]
