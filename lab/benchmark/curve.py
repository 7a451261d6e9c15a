"""Time and peak memory against the number of frames. Needs the host."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from torch import Tensor

from ..timing import Clock
from .count import count
from .joint import joint
from .measure import Measured, measure_all
from .rows import SPAN
from .sizes import Size
from .subject import CFG, Models, Subject


def points(models: Models, size: Size, clock: Clock, say: Callable[[str], None]) -> Iterator[dict]:
    """{name, frames, seconds, peak_bytes} of the methods at each number of frames.

    Floor and joint batch take the whole clip at once, ours windows of ``size.curve.window``; of the
    kept maps, whose bytes are counted, there are no seconds.
    """
    size = replace(size, cells=size.curve.cells)
    costs = count(Subject(models, size, 1, 1, 0))
    for frames in size.curve.frames:
        if clock.over():
            return
        say(f"{frames} frames")
        subject = Subject(models, size, frames, size.curve.steps, 0)
        record = subject.invert(window=size.curve.window)
        measured = measure_all(_runs(subject, record, size.curve.window), models, 1, clock, lambda text: None)
        for name, found in measured.items():
            yield {"name": name, "frames": frames, "seconds": _seconds(found), "peak_bytes": found.peak_bytes}
        element = record.preview.new_empty(0, dtype=size.dtype).element_size()
        maps = costs.map_values(max(site.tokens for site in costs.sites)) * element
        kept = maps * frames * (len(record.descending) - 1)
        yield {"name": "literal maps (counted)", "frames": frames, "seconds": None, "peak_bytes": kept}


def _seconds(found: Measured) -> float | None:
    return found.seconds[0] if found.seconds else None


def _runs(subject: Subject, record, window: int) -> dict[str, Callable[[], Tensor]]:
    whole = range(subject.frames)

    def batch() -> Tensor:
        part = subject.part(record, whole)
        return joint(subject.models.model, subject.positive, subject.negative, part, CFG, SPAN, anchored=True)

    return {
        "floor": lambda: subject.floor(record, CFG),
        "animate_recompute": lambda: subject.animate(record, SPAN, window),
        "joint_batch_ra_sa": batch,
    }
