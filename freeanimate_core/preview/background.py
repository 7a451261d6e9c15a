"""The background plate: given, or the reference with the person painted out. Uses OpenCV."""

import cv2
import numpy as np
import torch

_MARGIN = 0.012  # how far the hole reaches beyond the mask, of the shorter side: soft edges and outlines
_REACH = 0.008  # neighbourhood that Telea's method looks at, of the shorter side


def background_plate(image: torch.Tensor, mask: torch.Tensor, given: torch.Tensor | None) -> torch.Tensor:
    """One plate [H,W,3] float32 for all frames; outside the dilated mask it is ``image`` bit for bit."""
    return paint_out(image, mask) if given is None else given


def paint_out(image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """``image`` [H,W,3] with the figure of ``mask`` [H,W] filled in from around it (Telea)."""
    unit = min(image.shape[:2])
    reach = max(round(_MARGIN * unit), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    hole = cv2.dilate((mask > 0.02).numpy().astype(np.uint8), kernel)
    picture = (image.numpy() * 255).round().astype(np.uint8)
    filled = cv2.inpaint(picture, hole, max(_REACH * unit, 3.0), cv2.INPAINT_TELEA)
    plate = torch.from_numpy(filled.astype(np.float32) / 255)
    return torch.where(torch.from_numpy(hole)[..., None] > 0, plate, image)
