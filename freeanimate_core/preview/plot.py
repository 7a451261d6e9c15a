"""The coverage score over a clip as a picture."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT, _EDGE = 640, 240, 36  # pixels
_PAPER, _INK, _GRID, _LINE, _LOW = (255, 255, 255), (40, 40, 40), (220, 220, 220), (31, 90, 180), (200, 40, 30)


def coverage_plot(scores: Sequence[float], threshold: float) -> torch.Tensor:
    """Picture [1,H,W,3] float32 0-1 of scores 0-1 over the frames; those below ``threshold`` are red dots."""
    picture = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line((_EDGE, _y(level), _WIDTH - _EDGE, _y(level)), _GRID)
        draw.text((_EDGE - 4, _y(level)), f"{level:.2f}", _INK, font, anchor="rm")
    if threshold > 0:
        draw.line((_EDGE, _y(threshold), _WIDTH - _EDGE, _y(threshold)), _LOW)
    spots = [(_x(frame, len(scores)), _y(score)) for frame, score in enumerate(scores)]
    draw.line(spots, _LINE, 2)
    for (x, y), score in zip(spots, scores):
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), _LOW if score < threshold else _LINE)
    for frame in sorted({0, len(scores) // 2, len(scores) - 1}):
        draw.text((_x(frame, len(scores)), _HEIGHT - _EDGE + 4), str(frame), _INK, font, anchor="mt")
    draw.text((_EDGE, 6), "coverage of the figure per frame", _INK, font)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)[None]


def _x(frame: int, count: int) -> float:
    return _EDGE + (_WIDTH - 2 * _EDGE) * (frame / (count - 1) if count > 1 else 0.5)


def _y(score: float) -> float:
    return _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * score
