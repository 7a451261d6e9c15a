"""One benchmark from a command line: measure all rows, then the curve, and write. Needs the host."""

import argparse
import time

import torch
from torch import Tensor

from ..hosting import Host
from ..timing import Clock
from . import curve, loading, table
from .count import Costs, count
from .measure import Measured, measure_all
from .plot import plot
from .profiling import operators
from .rows import SPAN, Row, Rows
from .sizes import QUICK, Size, size_of
from .subject import CFG, Models, Subject


@torch.inference_mode()
def run(host: Host, options: argparse.Namespace) -> None:
    """Measure what the options ask for and write bench.json, bench.md and bench.png."""
    size = QUICK if options.quick else size_of(options.size, options.device, options.frames)
    clock = Clock(options.device, options.cpu_clock, options.limit)
    _say(f"{options.size} on {options.device}: building the models")
    models = Models(size.layout, size.dtype)
    subject = Subject(models, size, size.frames, size.steps, size.window)
    costs = count(subject)
    _say("inverting and keeping maps")
    table_of = Rows(subject, costs)
    rows = table_of.build(options.rows)
    runs = {row.name: row.run for row in rows if row.run is not None}
    measured = measure_all(runs, models, size.repetitions, clock, _say)
    results = {
        "device": options.device,
        "size": options.size,
        "rows": table.entries(rows, measured, costs, _truths(table_of, rows, measured)),
        "about": _about(host, size, table_of, costs, options) | _beside(clock, options),
        "notes": table.notes(rows, measured),
    }
    if options.profile:
        _profile(options, rows)
    del table_of, rows, runs, measured
    results["curve"] = []
    _write(options, results)  # before the long clips, which may be stopped
    if size.curve:
        results["curve"] = list(curve.points(models, size, clock, _say))
        _write(options, results)


def _truths(table_of: Rows, rows: list[Row], measured: dict[str, Measured]) -> dict[float, Tensor]:
    """The literal latents at every span of the table: those of the kept maps, else made for one frame."""
    truths = {}
    for span in {row.span for row in rows if row.span is not None}:
        found = measured.get("literal_maps_all", Measured()).latents if span == SPAN else None
        try:
            truths[span] = table_of.truth(span) if found is None else found
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
    return truths


def _about(host: Host, size: Size, table_of: Rows, costs: Costs, options: argparse.Namespace) -> dict:
    """What the numbers were measured under."""
    return {
        "pixels": _pixels(size.cells),
        "curve_pixels": _pixels(size.curve.cells) if size.curve else None,
        "frames": size.frames,
        "steps": table_of.steps,
        "cfg": CFG,
        "span": SPAN,
        "window": size.window or size.frames,
        "repetitions": size.repetitions,
        "dtype": str(size.dtype).removeprefix("torch."),
        "clock": "CPU seconds of the process" if options.cpu_clock else "wall",
        "threads": torch.get_num_threads(),
        "memory_cap_GB": options.memory_cap or None,
        "torch": torch.__version__,
        "host": host.version,
        "G_multiply_adds_of_a_U-Net_row": round(costs.unet / 1e9, 4),
        "of_a_ControlNet_row": round(costs.control / 1e9, 4),
        "of_the_reference's_keys_attended": round(costs.attended / 1e9, 4),
        "and_projected": round(costs.projected / 1e9, 4),
    }


def _beside(clock: Clock, options: argparse.Namespace) -> dict:
    """Seconds of what needs no model; another machine's are told beside what is wanted."""
    seconds, wanted = loading.import_seconds(options.host), loading.IMPORT_WANTED
    return {
        "import_of_the_pack": f"{seconds:.2f} s ({'at most' if seconds <= wanted else 'more than'} {wanted:g} wanted)",
        f"drawing_{loading.FRAMES}_poses": f"{loading.drawing_seconds(clock):.2f} s",
    }


def _profile(options: argparse.Namespace, rows: list[Row]) -> None:
    """The operators of the row that the options name, and those of its floor."""
    by_name = {row.name: row for row in rows if row.run is not None}
    for name in (options.profile, by_name[options.profile].floor) if options.profile in by_name else ():
        text = operators(by_name[name].run, options.device)
        (options.out / f"profile_{name}.txt").write_text(text, encoding="utf-8")


def _write(options: argparse.Namespace, results: dict) -> None:
    table.write_json(options.out / "bench.json", results)
    (options.out / "bench.md").write_text(table.markdown(results), encoding="utf-8")
    if results["curve"]:
        heading = f"{results['size']} on {results['device']}, {results['about']['curve_pixels']} pixels"
        plot(results["curve"], heading).save(options.out / "bench.png")
    _say(f"written to {options.out}")


def _say(text: str) -> None:
    print(f"[bench {time.strftime('%H:%M:%S')}] {text}", flush=True)


def _pixels(cells: tuple[int, int]) -> str:
    return f"{8 * cells[1]}x{8 * cells[0]}"
