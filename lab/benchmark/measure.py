"""Time, rows and peak memory of runs, interleaved and repeated."""

import gc
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

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


class Clock:
    """Seconds of work on a device. own: this process's CPU time, for a machine that is shared with others."""

    def __init__(self, device: str, own: bool = False, limit: float = 0.0):
        self.device, self.own = device, own
        self.deadline = time.monotonic() + limit if limit else float("inf")

    def now(self) -> float:
        """The time, after the device has done what it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.process_time() if self.own else time.perf_counter()

    def over(self) -> bool:
        """Whether the time that was given to the whole benchmark is used up."""
        return time.monotonic() > self.deadline


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


def with_peak(run: Callable[[], Tensor], clock: Clock) -> tuple[Tensor, float, int]:
    """Output, seconds and peak bytes of a run: all that the card holds, or what the run allocated in RAM."""
    if clock.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        begin = clock.now()
        latents = run()
        return latents, clock.now() - begin, torch.cuda.max_memory_allocated()
    warnings.filterwarnings("ignore", "Warning: Profiler clears events")  # we read one cycle
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as prof:
        begin = clock.now()
        latents = run()
        seconds = clock.now() - begin
    return latents, seconds, peak_of(prof.profiler.kineto_results.events())


def peak_of(events: Sequence) -> int:
    """Largest sum of allocations minus frees over a profiler's memory events."""
    total = peak = 0
    for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
        total += event.nbytes()
        peak = max(peak, total)
    return peak


def middle(values: Sequence[float]) -> float | None:
    """Median; None of nothing."""
    return statistics.median(values) if values else None


def spread(values: Sequence[float]) -> float | None:
    """Distance between the quartiles; None of fewer than two values."""
    if len(values) < 2:
        return None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def ratio(values: Sequence[float], floors: Sequence[float]) -> float | None:
    """Median of the ratios of one round each: what else the machine does weighs on both."""
    return middle([value / floor for value, floor in zip(values, floors)])
