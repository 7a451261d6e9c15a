"""The comparison as a Markdown table, which reads as a table in plain text too, and what its figures mean."""

import math

from .clips import Clips
from .measuring import MEASURES, Score, Value


def written(scores: list[Score], clips: Clips) -> str:
    """One row per video, one column per measure, and below it the units and what was missing."""
    rows = [["video", *(score.measure.name for score in scores)]]
    rows += [[_cell(label), *(_number(score.whole.get(label)) for score in scores)] for label in clips.shown]
    return "\n".join([*_aligned(rows), "", *_units(scores), *_missing(scores, clips)])


def _aligned(rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table whose bars stand under one another; figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]) + " |"

    return [line(rows[0]), line(rule), *map(line, rows[1:])]


def _cell(label: str) -> str:
    return label.replace("|", "/").replace("\n", " ")


def _number(value: Value) -> str:
    if value is None:
        return "-"
    return "equal" if math.isinf(value) else f"{value:.4g}"


def _units(scores: list[Score]) -> list[str]:
    """Which way is better, with the unit of each measure."""
    named: dict[bool, list[str]] = {True: [], False: []}
    for score in scores:
        unit = f" ({score.measure.unit})" if score.measure.unit else ""
        named[score.measure.higher_is_better].append(score.measure.name + unit)
    lines = [f"{'Higher' if way else 'Lower'} is better: {', '.join(names)}." for way, names in named.items() if names]
    return [*lines, "A level is 1/255 of full brightness; - is what could not be measured."]


def _missing(scores: list[Score], clips: Clips) -> list[str]:
    """What the inputs that are not connected would change."""
    lines = []
    if clips.truth is None:
        absent = [measure.name for measure in MEASURES if measure not in [score.measure for score in scores]]
        lines.append(f"No truth is connected: {', '.join(absent)} are left out, and warping follows each video's")
        lines[-1] += " own motion, which a blurred or frozen video follows best."
    if clips.person_mask is None:
        lines.append("No person_mask is connected: drift counts the person's motion too.")
    return lines
