"""The measures as JSON and as a Markdown table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..results import mean_and_error
from .pairs import CLASSES
from .study import MEASURES, METHODS

Values = Mapping[str, Sequence[Sequence[float]]]  # per measure: per character, the values of each class's pairs
DIGITS = {"mask_iou": 3, "seconds": 3}
FIRST = ("person_psnr", "mask_iou", "joint_error")  # measures in which a class has a winner


def summary(values: Mapping[str, Mapping[str, Values]]) -> dict:
    """{class: {method: {measure: {mean, se}}}}; a character's pairs of one class are one value."""
    return {
        name: {method: {measure: _entry(values[name][method][measure]) for measure in MEASURES} for method in METHODS}
        for name in CLASSES
    }


def _entry(characters: Sequence[Sequence[float]]) -> dict[str, float | None]:
    mean, error = mean_and_error([sum(pairs) / len(pairs) for pairs in characters])
    return {"mean": mean, "se": error}


def losses(table: dict) -> list[str]:
    """Where our method is not first, as text."""
    found = []
    for name, methods in table.items():
        for measure in FIRST:
            up = MEASURES[measure][1]
            best = (max if up else min)(methods, key=lambda method: methods[method][measure]["mean"])
            if best != "ours":
                found.append(f"{name}: {best} is first in {measure}")
    return found


def write(path: Path, table: dict, about: dict) -> None:
    """preview.json and preview.md in the folder ``path``."""
    (path / "preview.json").write_text(json.dumps({"classes": table, "settings": about}, indent=2) + "\n", "utf-8")
    units = [f"{name}{f' ({unit})' if unit else ''} {'up' if up else 'down'}" for name, (unit, up) in MEASURES.items()]
    lines = [
        f"# Preview Generation: {about['characters']} characters, {about['pairs']} pose pairs, {about['size']} px",
        "",
        "Mean over the characters and its standard error; seconds of CPU per frame, one thread.",
        "",
        f"| pose class | method | {' | '.join(units)} |",
        "|---" * (len(MEASURES) + 2) + "|",
    ]
    for name, methods in table.items():
        lines += [f"| {name} | {method} | {_cells(entries)} |" for method, entries in methods.items()]
    lines += ["", *(losses(table) or ["`ours` is first in every class and measure."])]
    (path / "preview.md").write_text("\n".join(lines) + "\n", "utf-8")


def _cells(entries: dict) -> str:
    shown = []
    for measure, entry in entries.items():
        if entry["mean"] is None:
            shown.append("-")
            continue
        digits = DIGITS.get(measure, 2)
        error = "" if entry["se"] is None else f" +- {entry['se']:.{digits}f}"
        shown.append(f"{entry['mean']:.{digits}f}{error}")
    return " | ".join(shown)


def of_people(values: Mapping[str, Mapping[str, Mapping[str, Sequence[float | None]]]]) -> dict:
    """{class: {method: {measure: {mean, se}}}} over the people that have a value."""
    return {
        name: {
            method: {measure: _known(column) for measure, column in measures.items()}
            for method, measures in methods.items()
        }
        for name, methods in values.items()
    }


def _known(column: Sequence[float | None]) -> dict[str, float | None]:
    mean, error = mean_and_error([value for value in column if value is not None])
    return {"mean": mean, "se": error}


def write_people(path: Path, classes: dict, trust: dict, about: dict) -> None:
    """preview.json and preview.md of the rendered world in the folder ``path``."""
    content = {"classes": classes, "trust": trust, "settings": about}
    (path / "preview.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    first = next(iter(next(iter(classes.values())).values()))
    lines = [
        f"# Preview Generation: {about['people']} rendered people, {about['inputs']} inputs, {about['size']} px",
        "",
        "Mean over the people and its standard error; seconds of CPU per frame, one thread.",
        "",
        f"| pose class | method | {' | '.join(first)} |",
        "|---" * (len(first) + 2) + "|",
    ]
    for name, methods in classes.items():
        lines += [f"| {name} | {method} | {_cells(entries)} |" for method, entries in methods.items()]
    lines += ["", f"| {' | '.join(trust)} |", "|---" * len(trust) + "|"]
    lines.append(f"| {' | '.join('-' if value is None else f'{value:.2f}' for value in trust.values())} |")
    (path / "preview.md").write_text("\n".join(lines) + "\n", "utf-8")
