"""The measures over time as one picture: a panel per measure, a line per video."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .clips import TRUTH
from .measuring import Score, Value
from .side_by_side import Font, fitting

WIDTH, HEIGHT, COLUMNS = 1280, 720, 3  # to be read at half this size
FINE = 2  # drawn this much larger, because PIL's lines have hard edges
LEGEND, TITLE, TICKS, NUMBERS, EDGE = 56, 40, 38, 84, 18  # pixels
TEXT, SMALL = 24, 20
PAPER, INK, GRID, FRAME = (255, 255, 255), (30, 30, 34), (228, 228, 232), (150, 150, 156)
COLOURS = ((31, 90, 180), (214, 96, 20), (20, 140, 84), (150, 60, 160))
TRUTH_COLOUR = (120, 120, 126)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Panel:
    """Where the graph of a panel lies, in pixels, and the values at its ends."""

    left: float
    top: float
    right: float
    bottom: float
    frames: int
    low: float
    high: float

    def x(self, frame: float) -> float:
        """Column of a frame; a single one stands in the middle."""
        share = frame / (self.frames - 1) if self.frames > 1 else 0.5
        return self.left + (self.right - self.left) * share

    def y(self, value: float) -> float:
        """Row of a value."""
        return self.bottom - (self.bottom - self.top) * (value - self.low) / (self.high - self.low)


def plotted(scores: list[Score], labels: list[str]) -> Tensor:
    """Picture [1,HEIGHT,WIDTH,3] float32 0-1 of the scores over the frames; labels: of all videos, the truth last."""
    picture = Image.new("RGB", (FINE * WIDTH, FINE * HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    colours = {label: TRUTH_COLOUR if label == TRUTH else COLOURS[i % len(COLOURS)] for i, label in enumerate(labels)}
    _legend(draw, colours)
    columns = min(COLUMNS, len(scores))
    rows = -(-len(scores) // columns)
    width, height = WIDTH / columns, (HEIGHT - LEGEND) / rows
    for number, score in enumerate(scores):
        row, column = divmod(number, columns)
        _panel(draw, score, colours, column * width, LEGEND + row * height, width, height)
    picture = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)[None]


def _font(size: int) -> Font:
    return ImageFont.load_default(FINE * size)


def _fine(x: float, y: float) -> tuple[float, float]:
    """A point of the picture on the finer one that is drawn."""
    return FINE * x, FINE * y


def _legend(draw: ImageDraw.ImageDraw, colours: Mapping[str, Colour]) -> None:
    room = (WIDTH - 2 * EDGE) / len(colours)
    for number, (label, colour) in enumerate(colours.items()):
        x, y = EDGE + number * room, LEGEND / 2
        draw.line((_fine(x, y), _fine(x + 36, y)), colour, FINE * 5)
        text = fitting(label, _font(TEXT), FINE * (room - 60))
        draw.text(_fine(x + 46, y), text, INK, _font(TEXT), anchor="lm")


def _panel(
    draw: ImageDraw.ImageDraw,
    score: Score,
    colours: Mapping[str, Colour],
    left: float,
    top: float,
    width: float,
    height: float,
) -> None:
    """Title, axes and lines of one measure in a rectangle of the picture."""
    measure = score.measure
    unit = f", {measure.unit}" if measure.unit else ""
    title = f"{measure.name}{unit} ({'higher' if measure.higher_is_better else 'lower'} is better)"
    draw.text(_fine(left + EDGE, top + TITLE / 2), title, INK, _font(SMALL), anchor="lm")
    ticks = nice_ticks([v for series in score.series.values() for v in series if v is not None and math.isfinite(v)])
    frames = max(map(len, score.series.values()))
    panel = Panel(left + NUMBERS, top + TITLE, left + width - EDGE, top + height - TICKS, frames, ticks[0], ticks[-1])
    for tick in ticks:
        draw.line((_fine(panel.left, panel.y(tick)), _fine(panel.right, panel.y(tick))), GRID, FINE)
        draw.text(_fine(panel.left - 8, panel.y(tick)), f"{tick:.6g}", INK, _font(SMALL), anchor="rm")
    for frame in sorted({0, (frames - 1) // 2, frames - 1}):
        name = str(frame) if frame else "frame 0"
        draw.text(_fine(panel.x(frame), panel.bottom + 12), name, INK, _font(SMALL), anchor="mt")
    corners = _fine(panel.left, panel.top), _fine(panel.right, panel.bottom)
    draw.rectangle(corners, outline=FRAME, width=FINE)
    for label, series in score.series.items():
        _line(draw, panel, series, colours[label])


def _line(draw: ImageDraw.ImageDraw, panel: Panel, series: list[Value], colour: Colour) -> None:
    """A line through the known values, broken at the others; a value between two gaps is a dot."""
    known = [(frame, value) for frame, value in enumerate(series) if value is not None and math.isfinite(value)]
    for _, run in groupby(enumerate(known), key=lambda spot: spot[1][0] - spot[0]):  # alike as long as no frame lacks
        spots = [_fine(panel.x(frame), panel.y(value)) for _, (frame, value) in run]
        if len(spots) == 1:
            (x, y), r = spots[0], FINE * 4
            draw.ellipse((x - r, y - r, x + r, y + r), colour)
        else:
            draw.line(spots, colour, FINE * 4, joint="curve")


def nice_ticks(values: list[float]) -> list[float]:
    """Three to six round numbers, evenly spaced, that hold all values between the first and the last."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low < 1e-6 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    step = next(_round_steps((high - low) / 4))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first, last + 1)]


def _round_steps(least: float) -> Iterator[float]:
    """1, 2 and 5 times powers of ten from ``least`` upwards."""
    power = 10.0 ** math.floor(math.log10(least))
    return (factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
