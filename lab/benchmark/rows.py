"""The rows of a benchmark: what is run, what it must compute, and what it keeps. Needs the host."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.host.memory import free_memory

from .count import Costs, Work
from .joint import joint
from .literal import KeptLayers, Layers, denoise, keep_maps
from .subject import CFG, Subject

SPAN = 0.8
FATEZERO_TOKENS = 32 * 32  # of the largest layers whose maps FateZero keeps
ROOM = 0.8  # of the free RAM that kept maps may take


@dataclass(frozen=True)
class Row:
    """One line of the table.

    run: what is timed; None where ``note`` says why not, or where ``same`` is a row that does the same
    here. Its latents are the method's at ``span``, where given.
    """

    name: str
    run: Callable[[], Tensor] | None
    work: Work
    stored_bytes: int = 0
    floor: str = "floor"
    span: float | None = SPAN
    note: str = ""
    same: str = ""


class Rows:
    """The rows of a subject by name; what a row runs on (records, kept maps) is made when it is built."""

    def __init__(self, subject: Subject, costs: Costs):
        self.subject, self.costs = subject, costs
        self._records: dict[str, object] = {}
        self._maps: dict[int, dict[int, tuple]] = {}
        self.record = self._tier("recompute")
        self.frames, self.steps = subject.frames, len(self.record.descending) - 1
        self.evaluated = len(self.record.levels) - 1
        self.windows = len(subject.windows())
        self.element = torch.empty(0, dtype=subject.size.dtype).element_size()
        self.largest = max(site.tokens for site in costs.sites)

    def build(self, wanted: Collection[str] = ()) -> list[Row]:
        """The wanted rows, or all, in the order of the table; floors are always there."""
        makers = {n: make for n, make in self._makers().items() if not wanted or n in wanted or "floor" in n}
        return [make() for make in makers.values()]

    def _makers(self) -> dict[str, Callable[[], Row]]:
        makers = {
            "floor": self._floor,
            "floor_cond_only": self._cond_only,
            "floor_inversion": self._floor_of_inversion,
            "inversion": partial(self._inversion, "inversion", "recompute"),
            "animate_recompute": partial(self._animate, "animate_recompute"),
            "animate_memory": partial(self._animate, "animate_memory", "memory"),
            "animate_disk": partial(self._animate, "animate_disk", "disk"),
            "animate_ra_sa_only": partial(self._animate, "animate_ra_sa_only", span=0.0),
            "literal_maps_32": partial(self._literal, "literal_maps_32", FATEZERO_TOKENS),
            "literal_maps_all": partial(self._literal, "literal_maps_all", self.largest),
            "joint_batch": partial(self._joint, "joint_batch", anchored=False),
            "joint_batch_ra_sa": partial(self._joint, "joint_batch_ra_sa", anchored=True),
        }
        return makers | (self._variants() if self.subject.size.variants else {})

    def _variants(self) -> dict[str, Callable[[], Row]]:
        """Other spans, windows and tiers."""
        makers = {"inversion_memory": partial(self._inversion, "inversion_memory", "memory")}
        for span in (0.5, 1.0):
            name = f"animate_recompute_span_{span}"
            makers[name] = partial(self._animate, name, span=span)
        for window in (1, 2):
            makers[f"floor_window_{window}"] = partial(self._floor, f"floor_window_{window}", window)
            for tier in ("recompute", "memory"):
                name = f"animate_{tier}_window_{window}"
                makers[name] = partial(self._animate, name, tier, window=window)
        return makers

    def truth(self, span: float) -> Tensor:
        """Latents by the literal method: of the first frame, its maps made anew at each level, in fp32."""
        part = self.subject.part(self.record, range(1))
        layers = Layers(dtype=torch.float32)
        return denoise(*self._live(range(1)), part, CFG, layers, span, span)

    def span_steps(self, span: float) -> int:
        """Steps that replay, of the first ``span`` of all."""
        return int(span * self.steps + 0.5)

    def _live(self, frames: range) -> tuple:
        return (self.subject.models.model, *self.subject.conditionings(frames))

    def _tier(self, tier: str):
        if tier not in self._records:
            self._records[tier] = self.subject.invert(tier)
        return self._records[tier]

    def _floor(self, name: str = "floor", window: int = 0) -> Row:
        each = 2 * self.frames * self.steps
        return Row(name, lambda: self.subject.floor(self.record, CFG, window), Work(each, each), span=None)

    def _cond_only(self) -> Row:
        each = self.frames * self.steps
        return Row("floor_cond_only", lambda: self.subject.floor(self.record, 1.0), Work(each, each), span=None)

    def _floor_of_inversion(self) -> Row:
        each = (self.frames + 1) * self.evaluated
        return Row("floor_inversion", lambda: self.subject.floor_of_inversion(self.record), Work(each, each), span=None)

    def _inversion(self, name: str, tier: str) -> Row:
        levels = self.evaluated + (tier != "recompute")  # a bank wants the top level too
        rows = self.frames * levels
        work = Work(rows + levels, rows, rows, rows)
        return self._fitting(
            tier, Row(name, lambda: self.subject.invert(tier).top, work, floor="floor_inversion", span=None)
        )

    def _animate(self, name: str, tier: str = "recompute", span: float = SPAN, window: int = 0) -> Row:
        rows = 2 * self.frames * self.steps
        reference = 0  # a bank holds what the reference's rows would give
        if tier == "recompute":
            rows += self.frames * self.span_steps(span)
            reference = self.steps
        work = Work(rows + reference, rows, rows, rows)
        run = partial(self._run_animate, tier, span, window)
        floor = f"floor_window_{window}" if window else "floor"
        return self._fitting(tier, Row(name, run, work, floor=floor, span=span))

    def _run_animate(self, tier: str, span: float, window: int) -> Tensor:
        return self.subject.animate(self._tier(tier), span, window)

    def _fitting(self, tier: str, row: Row) -> Row:
        """The row with the bytes that its record holds; without a run, and why, where the pack refuses the tier."""
        counted = 0 if tier == "recompute" else self.costs.kept_values(self.frames) * self.element * self.steps
        try:
            record = self._tier(tier)
        except FreeAnimateError as error:
            return replace(row, run=None, stored_bytes=counted, note=str(error))
        in_files = counted if tier == "disk" else 0
        return replace(row, stored_bytes=_bytes(record) + in_files)

    def _literal(self, name: str, most_tokens: int) -> Row:
        each = 2 * self.frames * self.steps
        replayed = self.frames * self.span_steps(SPAN)
        work = Work(each + self.windows * self.steps, each, each, each, replayed, most_tokens)
        needed = self.costs.map_values(most_tokens) * self.element * self.frames * self.steps
        free = free_memory(torch.device("cpu"))
        if name != "literal_maps_all" and most_tokens >= self.largest:
            return replace(
                self._literal("literal_maps_all", self.largest), name=name, run=None, same="literal_maps_all"
            )
        if needed > ROOM * free:
            return Row(name, None, work, needed, note=f"needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")
        if most_tokens not in self._maps:
            self._maps[most_tokens] = self._kept(most_tokens)
        kept = self._maps[most_tokens]

        def run() -> Tensor:
            return self.subject.in_windows(lambda frames: denoise(*self._live(frames), *kept[frames.start]))

        stored = sum(layers.bytes() for _, _, layers in kept.values())
        return Row(name, run, work, stored, span=SPAN if most_tokens == self.largest else None)

    def _kept(self, most_tokens: int) -> dict[int, tuple]:
        """Record, guidance and kept maps of every window, by its first frame."""
        kept = {}
        for frames in self.subject.windows():
            part = self.subject.part(self.record, frames)
            layers = KeptLayers(self.subject.size.dtype, most_tokens)
            kept[frames.start] = part, CFG, keep_maps(self.subject.models.model, part, layers)
        return kept

    def _joint(self, name: str, anchored: bool) -> Row:
        rows = self.frames * (2 * self.steps + self.span_steps(SPAN))
        work = Work(rows + self.windows * self.steps, rows, rows) if anchored else Work(rows, rows)

        def run(frames: range) -> Tensor:
            part = self.subject.part(self.record, frames)
            return joint(*self._live(frames), part, CFG, SPAN, anchored)

        span = SPAN if anchored else None
        return Row(name, lambda: self.subject.in_windows(run), work, _bytes(self.record), span=span)


def _bytes(record) -> int:
    """Of all tensors that a record holds in RAM."""
    return sum(t.numel() * t.element_size() for t in record)
