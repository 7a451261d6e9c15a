"""Videos beside one another, each under its label."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

GROUND, INK = (24, 24, 28), (232, 232, 236)
GAP = 4  # pixels between the videos
LEAST_FONT = 11  # pixels
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def side_by_side(videos: Mapping[str, Tensor]) -> Tensor:
    """One row of labelled videos [F,H,W,3] 0-1: [F,H',W',3], with even sides, which video encoders want."""
    columns = list(videos.values())
    frames, height, width = columns[0].shape[:3]
    size = max(LEAST_FONT, round(min(height, 2 * width) / 18))
    bar = size * 3 // 2
    bar += (bar + height) % 2
    total = len(columns) * (width + GAP) - GAP
    shape = (frames, bar + height, total + total % 2, 3)
    picture = torch.tensor(GROUND, dtype=columns[0].dtype).div(255).expand(shape).clone()
    for number, (label, column) in enumerate(videos.items()):
        left = number * (width + GAP)
        picture[:, :bar, left : left + width] = _label(label, width, bar, size)
        picture[:, bar:, left : left + width] = column
    return picture


def _label(text: str, width: int, height: int, size: int) -> Tensor:
    """A bar [height,width,3] with its text in the middle, cut short where it is too long."""
    bar = Image.new("RGB", (width, height), GROUND)
    text = fitting(text, ImageFont.load_default(size), width - GAP)
    ImageDraw.Draw(bar).text((width / 2, height / 2), text, INK, ImageFont.load_default(size), anchor="mm")
    return torch.from_numpy(np.asarray(bar, dtype=np.float32) / 255)


def fitting(text: str, font: Font, width: float) -> str:
    """The text in one line, with "..." in the place of what does not fit into ``width`` pixels."""
    text = " ".join(text.split())
    if font.getlength(text) <= width:
        return text
    fits, too_long = 0, len(text)  # letters that are kept: halved, as a line may be long
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        fits, too_long = (middle, too_long) if font.getlength(f"{text[:middle]}...") <= width else (fits, middle)
    return f"{text[:fits]}..."
