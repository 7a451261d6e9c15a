"""Seconds and peak memory of runs, and what many of them say together."""

import statistics
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile


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
        """Whether the time that was given to all runs together is used up."""
        return time.monotonic() > self.deadline


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
