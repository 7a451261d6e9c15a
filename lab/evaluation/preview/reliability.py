"""The reliability curve: of the cells that are said to be wrong with a probability, how many are."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .trust import Cells

BINS = 10
SIDE, EDGE = 360, 44  # pixels: of the picture and about its axes
LARGEST = 6  # pixels: radius of the dot with most cells
PAPER, INK, GRID, LINE, DOT = (255, 255, 255), (40, 40, 40), (220, 220, 220), (150, 150, 150), (31, 90, 180)


def reliability(frames: Sequence[Cells]) -> list[tuple[float, float, int]]:
    """What is said on the mean, the share that is truly wrong and the number of cells, for every tenth that has any."""
    said, wrong = (np.concatenate([getattr(cells, name) for cells in frames]) for name in ("said", "wrong"))
    tenth = np.clip((said * BINS).astype(int), 0, BINS - 1)
    kept = [tenth == k for k in range(BINS) if (tenth == k).any()]
    return [(float(said[chosen].mean()), float(wrong[chosen].mean()), int(chosen.sum())) for chosen in kept]


def curve(frames: Sequence[Cells]) -> Image.Image:
    """The curve as a picture; on the diagonal, what is said is so. A dot's area is its number of cells."""
    points = reliability(frames)
    picture = Image.new("RGB", (SIDE, SIDE), PAPER)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    for level in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line((*_spot(0, level), *_spot(1, level)), GRID)
        draw.line((*_spot(level, 0), *_spot(level, 1)), GRID)
        draw.text((EDGE - 4, _spot(0, level)[1]), f"{level:.2f}", INK, font, anchor="rm")
        draw.text((_spot(level, 0)[0], SIDE - EDGE + 4), f"{level:.2f}", INK, font, anchor="mt")
    draw.line((*_spot(0, 0), *_spot(1, 1)), LINE)
    draw.line([_spot(said, wrong) for said, wrong, _ in points], DOT, 2)
    most = max(count for *_, count in points)
    for said, wrong, count in points:
        (x, y), radius = _spot(said, wrong), max(LARGEST * (count / most) ** 0.5, 1.5)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), DOT)
    draw.text((SIDE / 2, SIDE - 8), "probability that is said", INK, font, anchor="mb")
    draw.text((EDGE, 8), f"share of wrong cells, of {sum(count for *_, count in points)}", INK, font)
    return picture


def _spot(x: float, y: float) -> tuple[float, float]:
    """Pixels of a place in the unit square, upwards."""
    return EDGE + x * (SIDE - 2 * EDGE), SIDE - EDGE - y * (SIDE - 2 * EDGE)
