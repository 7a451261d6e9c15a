"""Where a run spends its time: torch's operators, the slowest first."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

MOST = 30


def operators(run: Callable[[], object], device: str) -> str:
    """The profiler's table of one run, by each operator's own time."""
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device == "cuda" else [])
    with profile(activities=activities) as prof:
        run()
    return prof.key_averages().table(sort_by=f"self_{device}_time_total", row_limit=MOST)
