"""Time and peak memory against the number of frames, as a picture: two panels, both axes logarithmic."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 520, 400, 70, 20, 40, 90  # pixels of a panel and its margins
GROUND, INK, FAINT = (255, 255, 255), (30, 30, 34), (222, 222, 226)
COLOURS = ((120, 120, 126), (200, 62, 38), (44, 94, 156), (60, 140, 80))
UNITS = {"seconds": ("time", "s", 1.0), "peak_bytes": ("peak memory", "MB", 1e6)}


def plot(points: Sequence[dict], heading: str) -> Image.Image:
    """One line per name; points without a value are left out."""
    picture = Image.new("RGB", (WIDTH * len(UNITS), HEIGHT + 24), GROUND)
    draw = ImageDraw.Draw(picture)
    draw.text((8, 6), heading, INK, ImageFont.load_default(13))
    for number, key in enumerate(UNITS):
        _panel(draw, number * WIDTH, 24, key, points)
    return picture


def _panel(draw: ImageDraw.ImageDraw, left: int, top: int, key: str, points: Sequence[dict]) -> None:
    title, unit, scale = UNITS[key]
    known = [(p["name"], p["frames"], p[key] / scale) for p in points if p[key]]
    if not known:
        return
    box = left + LEFT, top + TOP, left + WIDTH - RIGHT, top + HEIGHT - BOTTOM
    x_of = _axis(sorted({frames for _, frames, _ in known}), box[0], box[2])
    low, high = (round_(math.log10(pick(v for *_, v in known))) for round_, pick in ENDS)
    y_of = _axis((10.0**low, 10.0 ** max(high, low + 1)), box[3], box[1])
    _grid(draw, box, sorted({frames for _, frames, _ in known}), x_of, range(low, max(high, low + 1) + 1), y_of)
    draw.text((box[0], top + 16), f"{title} ({unit}) by number of frames", INK, ImageFont.load_default(13))
    for number, name in enumerate(dict.fromkeys(name for name, *_ in known)):
        line = [(x_of(frames), y_of(value)) for other, frames, value in known if other == name]
        _line(draw, line, COLOURS[number % len(COLOURS)])
        _legend(draw, (box[0], box[3] + 28 + 14 * number), name, COLOURS[number % len(COLOURS)])


ENDS = (math.floor, min), (math.ceil, max)


def _axis(values: Sequence[float], start: float, end: float):
    """Where a value stands between the pixels ``start`` and ``end``, by its logarithm."""
    low, high = math.log(values[0]), math.log(values[-1])
    return lambda value: start + (end - start) * ((math.log(value) - low) / ((high - low) or 1.0))


def _grid(draw: ImageDraw.ImageDraw, box, frames: Sequence[int], x_of, powers: range, y_of) -> None:
    font = ImageFont.load_default(11)
    for count in frames:
        draw.line((x_of(count), box[1], x_of(count), box[3]), FAINT)
        draw.text((x_of(count), box[3] + 6), str(count), INK, font, anchor="ma")
    for power in powers:
        y = y_of(10.0**power)
        draw.line((box[0], y, box[2], y), FAINT)
        draw.text((box[0] - 6, y), f"{10.0**power:g}", INK, font, anchor="rm")


def _line(draw: ImageDraw.ImageDraw, line: Sequence[tuple[float, float]], colour: tuple[int, int, int]) -> None:
    draw.line(line, colour, 2)
    for x, y in line:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), colour)


def _legend(draw: ImageDraw.ImageDraw, corner: tuple[float, float], name: str, colour: tuple[int, int, int]) -> None:
    draw.line((corner[0], corner[1] + 6, corner[0] + 18, corner[1] + 6), colour, 3)
    draw.text((corner[0] + 24, corner[1]), name, INK, ImageFont.load_default(11))
