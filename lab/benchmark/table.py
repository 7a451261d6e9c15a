"""Results as numbers: bench.json and a Markdown table."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from ..timing import middle, ratio, spread
from .count import Costs
from .measure import Measured
from .rows import Row

HEADINGS = {
    "name": "row",
    "seconds": "seconds",
    "spread": "spread",
    "ratio_to_floor": "ratio to floor",
    "bound_ratio": "bound",
    "over_bound": "ratio / bound",
    "unet_rows": "U-Net rows",
    "peak_bytes": "peak MB",
    "stored_bytes": "stored MB",
    "max_difference": "max difference",
}


def entries(
    rows: Sequence[Row], measured: Mapping[str, Measured], costs: Costs, truths: Mapping[float, Tensor]
) -> list[dict]:
    """The JSON entry of every row; None where nothing was measured."""
    works = {row.name: row.work.multiply_adds(costs) for row in rows}
    return [_entry(row, measured, works, truths) for row in rows]


def _entry(
    row: Row, measured: Mapping[str, Measured], works: Mapping[str, int], truths: Mapping[float, Tensor]
) -> dict:
    found, floor = measured.get(row.same or row.name, Measured()), measured[row.floor]
    return {
        "name": row.name,
        "seconds": middle(found.seconds),
        "spread": spread(found.seconds),
        "ratio_to_floor": ratio(found.seconds, floor.seconds),
        "bound_ratio": works[row.name] / works[row.floor],
        "unet_rows": found.unet_rows,
        "peak_bytes": found.peak_bytes,
        "stored_bytes": row.stored_bytes,
        "max_difference": difference(found.latents, truths.get(row.span)),
    }


def difference(latents: Tensor | None, truth: Tensor | None) -> float | None:
    """Largest difference from the literal latents over their frames, as a part of their largest value."""
    if latents is None or truth is None:
        return None
    truth = truth.cpu().double()
    return float((latents[: len(truth)].cpu().double() - truth).abs().max() / truth.abs().max())


def notes(rows: Sequence[Row], measured: Mapping[str, Measured]) -> dict[str, str]:
    """Why rows have no time of their own."""
    told = {row.name: row.note or (f"the same as {row.same} here" if row.same else "") for row in rows}
    return {name: note or measured[name].note for name, note in told.items() if note or measured[name].note}


def write_json(path: Path, results: dict) -> None:
    """Everything that was measured."""
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def markdown(results: dict) -> str:
    """The rows as a table, with what they were measured under and what was left out."""
    lines = [f"# Benchmark: {results['size']} on {results['device']}", "", _about(results["about"]), ""]
    shown = [row | {"over_bound": _over_bound(row)} for row in results["rows"]]
    lines += [_line(HEADINGS.values()), _line("---" for _ in HEADINGS)]
    lines += [_line(_cell(key, row[key]) for key in HEADINGS) for row in shown]
    lines += ["", *(f"- {name}: {note}" for name, note in results["notes"].items())]
    return "\n".join(lines) + "\n"


def _over_bound(row: Mapping) -> float | None:
    return None if row["ratio_to_floor"] is None else row["ratio_to_floor"] / row["bound_ratio"]


def _about(about: Mapping[str, object]) -> str:
    shown = {name: value for name, value in about.items() if value is not None}
    return "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items()) + "."


def _line(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(key: str, value: object) -> str:
    if value is None:
        return "-"
    if key.endswith("_bytes"):
        return f"{value / 1e6:.4g}"
    if isinstance(value, float):
        return f"{value:.1e}" if key == "max_difference" else f"{value:.3f}"
    return str(value)
