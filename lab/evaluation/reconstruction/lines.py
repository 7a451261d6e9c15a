"""PSNR against evaluations as a picture: one line per way, the axis of evaluations logarithmic."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 460, 46, 250, 34, 40  # pixels of the picture and its margins
GROUND, INK, FAINT = (255, 255, 255), (30, 30, 34), (222, 222, 226)
COLOURS = ((200, 62, 38), (44, 94, 156), (60, 140, 80), (150, 90, 170), (190, 140, 30))
STEP = 5  # dB between the lines of the grid


def plot(entries: Sequence[dict]) -> Image.Image:
    """Entries with ``way``, ``evaluations`` and ``psnr``; colours come round again as thin lines with open marks."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(picture)
    draw.text((LEFT, 8), "reconstruction, dB, by evaluations of a frame, up and down", INK, ImageFont.load_default(13))
    x_of = _axis([math.log(e["evaluations"]) for e in entries], LEFT, WIDTH - RIGHT)
    low, high = (
        STEP * turn(pick(e["psnr"] for e in entries) / STEP) for turn, pick in ((math.floor, min), (math.ceil, max))
    )
    y_of = _axis([low, high], HEIGHT - BOTTOM, TOP)
    for value in range(low, high + 1, STEP):
        draw.line((LEFT, y_of(value), WIDTH - RIGHT, y_of(value)), FAINT)
        draw.text((LEFT - 6, y_of(value)), str(value), INK, ImageFont.load_default(11), anchor="rm")
    for number in sorted({e["evaluations"] for e in entries if e["way"] == entries[0]["way"]}):
        draw.line((x_of(math.log(number)), TOP, x_of(math.log(number)), HEIGHT - BOTTOM), FAINT)
        draw.text((x_of(math.log(number)), HEIGHT - BOTTOM + 6), str(number), INK, ImageFont.load_default(11), "ma")
    for number, name in enumerate(dict.fromkeys(e["way"] for e in entries)):
        line = sorted((x_of(math.log(e["evaluations"])), y_of(e["psnr"])) for e in entries if e["way"] == name)
        y = TOP + 16 * number
        for points in (line, [(WIDTH - RIGHT + 14, y + 6), (WIDTH - RIGHT + 40, y + 6)]):
            _line(draw, points, COLOURS[number % len(COLOURS)], thin=number >= len(COLOURS))
        draw.text((WIDTH - RIGHT + 48, y), name, INK, ImageFont.load_default(11))
    return picture


def _axis(values: Sequence[float], start: float, end: float):
    """Where a value stands between the pixels ``start`` and ``end``."""
    low, high = min(values), max(values)
    return lambda value: start + (end - start) * (value - low) / ((high - low) or 1.0)


def _line(draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour, thin: bool) -> None:
    draw.line(points, tuple((c + 255) // 2 for c in colour) if thin else colour, 1 if thin else 2)
    for x, y in points:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), GROUND if thin else colour, colour)
