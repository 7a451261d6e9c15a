"""Where each pixel of a frame was in the frame before it, estimated from the pictures (DIS optical flow)."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ..measures import grey, warped

LEAST_SIDE = 16  # pixels that the estimate needs each way
NEAR, FAR = 0.5, 0.01  # tolerance of the way there and back: pixels squared, share of the motion's square


def estimated_flow(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Places [F-1,H,W,2] of frame t+1's pixels in frame t, and which of them both frames show [F-1,H,W] bool.

    frames: [F,H,W,3] 0-1 on the CPU, sides of at least LEAST_SIDE. Dense inverse search (Kroeger et
    al., ECCV 2016, arXiv 1603.03590); a pixel counts as shown where the way there and back closes on the canvas
    (Sundaram, Brox and Keutzer, ECCV 2010).
    """
    import cv2  # here: slow to load, and only this needs it

    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)  # full resolution: a figure has few pixels to give away
    pictures = (grey(frames) * 255).round().to(torch.uint8).numpy()
    height, width = frames.shape[1:3]
    unknown = np.empty((0, 0), dtype=np.float32)  # no flow to begin with
    back, forth = (torch.empty(len(frames) - 1, height, width, 2) for _ in range(2))
    for t, (before, after) in enumerate(pairwise(pictures)):
        back[t] = torch.from_numpy(search.calc(after, before, unknown))
        forth[t] = torch.from_numpy(search.calc(before, after, unknown))
    columns, rows = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    places = back + torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    forth = warped(forth, places)
    gap, length = (back + forth).square().sum(-1), (back.square() + forth.square()).sum(-1)
    inside = (places >= 0).all(-1) & (places[..., 0] <= width) & (places[..., 1] <= height)
    return places, inside & (gap <= FAR * length + NEAR)
