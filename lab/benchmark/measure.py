"""Time, rows and peak memory of a benchmark's runs, interleaved and repeated."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..timing import Clock, with_peak
from .subject import Models


@dataclass
class Measured:
    """What one row showed: seconds of the timed rounds, rows of one run, peak bytes, latents, why it was left out."""

    seconds: list[float] = field(default_factory=list)
    unet_rows: int | None = None
    control_rows: int | None = None
    peak_bytes: int | None = None
    latents: Tensor | None = None
    note: str = ""


def measure_all(
    runs: dict[str, Callable[[], Tensor]], models: Models, repetitions: int, clock: Clock, say: Callable[[str], None]
) -> dict[str, Measured]:
    """Every run once per round, in turn. The first round measures memory; alone, it is timed as well."""
    results = {name: Measured() for name in runs}
    for round_ in range(repetitions + 1 if repetitions > 1 else 1):
        if round_ > 1 and clock.over():
            break
        say(f"round {round_} of {repetitions}" if round_ else "memory and warm-up")
        for name, run in runs.items():
            result = results[name]
            if clock.over():
                result.note = result.note or ("" if result.seconds else "no time left")
            elif not result.note:
                _one(run, result, models, clock, first=round_ == 0, timed=round_ > 0 or repetitions == 1)
    return results


def _one(run: Callable[[], Tensor], result: Measured, models: Models, clock: Clock, first: bool, timed: bool) -> None:
    gc.collect()
    models.rows.update(unet=0, control=0)
    try:
        if first:
            result.latents, seconds, result.peak_bytes = with_peak(run, clock)
        else:
            begin = clock.now()
            run()
            seconds = clock.now() - begin
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        result.note = "out of memory"
        return
    result.unet_rows, result.control_rows = models.rows["unet"], models.rows["control"]
    if timed:
        result.seconds.append(seconds)
