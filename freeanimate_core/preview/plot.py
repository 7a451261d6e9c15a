"""The coverage score over a clip as a picture."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

WIDTH, HEIGHT, EDGE = 640, 240, 36  # pixels
PAPER, INK, GRID, LINE, LOW = (255, 255, 255), (40, 40, 40), (220, 220, 220), (31, 90, 180), (200, 40, 30)


def coverage_plot(scores: Sequence[float], threshold: float) -> Tensor:
    """Picture [1,H,W,3] float32 0-1 of scores 0-1 over the frames; those below ``threshold`` are red dots."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line((EDGE, _y(level), WIDTH - EDGE, _y(level)), GRID)
        draw.text((EDGE - 4, _y(level)), f"{level:.2f}", INK, font, anchor="rm")
    if threshold > 0:
        draw.line((EDGE, _y(threshold), WIDTH - EDGE, _y(threshold)), LOW)
    spots = [(_x(frame, len(scores)), _y(score)) for frame, score in enumerate(scores)]
    draw.line(spots, LINE, 2)
    for (x, y), score in zip(spots, scores):
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), LOW if score < threshold else LINE)
    for frame in sorted({0, len(scores) // 2, len(scores) - 1}):
        draw.text((_x(frame, len(scores)), HEIGHT - EDGE + 4), str(frame), INK, font, anchor="mt")
    draw.text((EDGE, 6), "coverage of the figure per frame", INK, font)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)[None]


def _x(frame: int, count: int) -> float:
    return EDGE + (WIDTH - 2 * EDGE) * (frame / (count - 1) if count > 1 else 0.5)


def _y(score: float) -> float:
    return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * score
