"""Results of many characters as numbers: means, standard errors, paired differences; JSON and Markdown."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .measures import MEASURES
from .recipes import Method
from .store import Result, Results

DIGITS = {"ssim": 3}  # decimals in the Markdown table; the others have 2


def mean_and_error(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and standard error of the mean; None where there are too few values."""
    count = len(values)
    if count == 0:
        return None, None
    mean = sum(values) / count
    if count == 1:
        return mean, None
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (count - 1) / count)


def summary(results: Results, methods: Mapping[str, Method]) -> dict:
    """{method: {measure: {mean, se, paired_to_full, paired_se}}} over the characters.

    The paired difference is the method's value less that of the one it is held against (``full``
    unless its table says otherwise), on the characters where both have one.
    """
    return {name: _measured(found, results[methods[name].against]) for name, found in results.items()}


def _measured(found: list[Result], against: list[Result]) -> dict[str, dict[str, float | None]]:
    return {measure: _entry(_column(found, measure), _column(against, measure)) for measure in MEASURES}


def _column(found: list[Result], measure: str) -> list[float | None]:
    return [result.measures[measure] for result in found]


def _entry(values: list, against: list) -> dict[str, float | None]:
    mean, error = mean_and_error([v for v in values if v is not None])
    differences = [v - a for v, a in zip(values, against) if v is not None and a is not None]
    paired, paired_error = mean_and_error(differences)
    return {"mean": mean, "se": error, "paired_to_full": paired, "paired_se": paired_error}


def merged(parts: Sequence[Result]) -> Result:
    """The cases of one character as one result; where a measure has several values, a case counts by its classes."""
    if len(parts) == 1:
        return parts[0]
    return Result(
        {measure: _weighted(parts, measure) for measure in MEASURES},
        sum(part.seconds for part in parts),
        tuple(file for part in parts for file in part.frames_files),
        {name: values for part in parts for name, values in part.classes.items()},
    )


def _weighted(parts: Sequence[Result], measure: str) -> float | None:
    known = [(value, len(part.classes)) for part in parts if (value := part.measures[measure]) is not None]
    return sum(value * count for value, count in known) / sum(count for _, count in known) if known else None


def by_class(results: Results, methods: Mapping[str, Method]) -> dict[str, dict]:
    """{class: the summary of the frames of that class of pose}, where the cases have classes."""
    names = dict.fromkeys(name for found in results.values() for result in found for name in result.classes)
    nothing = dict.fromkeys(MEASURES)
    return {name: summary(_of_class(results, name, nothing), methods) for name in sorted(names)}


def _of_class(results: Results, name: str, nothing: dict) -> Results:
    return {
        method: [replace(result, measures=result.classes.get(name, nothing)) for result in found]
        for method, found in results.items()
    }


def write_json(path: Path, table: dict, cases: int, settings: dict, classes: dict | None = None) -> None:
    """The table with what it was made from, in the form {"cases", "settings", "methods"}, and "classes" if any."""
    content = {"cases": cases, "settings": settings, "methods": table} | ({"classes": classes} if classes else {})
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_values(path: Path, results: Results, seeds: Sequence[int]) -> None:
    """{"seeds", "methods": {method: {measure: [a value per character]}}}, for differences of other pairs."""
    methods = {name: {measure: _column(found, measure) for measure in MEASURES} for name, found in results.items()}
    path.write_text(json.dumps({"seeds": list(seeds), "methods": methods}) + "\n", encoding="utf-8")


def write_markdown(path: Path, table: dict, methods: Mapping[str, Method], heading: str) -> None:
    """Two tables, means and paired differences, and one sentence per method."""
    lines = [f"# {heading}", "", "Mean over the characters and its standard error.", ""]
    lines += _markdown(table, "mean", "se", methods)
    lines += ["", "Difference to `full`, or to the row that is named, per character: mean and standard error.", ""]
    lines += _markdown(table, "paired_to_full", "paired_se", methods)
    lines += ["", *(f"- `{name}`: {methods[name].about}" for name in table)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _markdown(table: dict, value: str, error: str, methods: Mapping[str, Method]) -> list[str]:
    units = [f"{name}{f' ({unit})' if unit else ''} {'up' if up else 'down'}" for name, (unit, up) in MEASURES.items()]
    lines = [f"| method | {' | '.join(units)} |", "|---" * (len(MEASURES) + 1) + "|"]
    for name, entries in table.items():
        against = methods[name].against
        label = name if value == "mean" or against == "full" else f"{name} - {against}"
        cells = [_cell(entries[measure][value], entries[measure][error], measure) for measure in MEASURES]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return lines


def _cell(value: float | None, error: float | None, measure: str) -> str:
    if value is None:
        return "-"
    digits = DIGITS.get(measure, 2)
    return f"{value:.{digits}f}" + ("" if error is None else f" +- {error:.{digits}f}")
