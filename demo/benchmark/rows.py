"""The rows of a benchmark: what is run, what it must compute, and what it keeps. Needs the host."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from .count import Costs, Work
from .joint import joint
from .literal import KeptLayers, Layers, denoise, keep_maps
from .subject import CFG, Subject

SPAN = 0.8
FATEZERO_TOKENS = 32 * 32  # of the largest layers whose maps FateZero keeps
ROOM = 0.8  # of the free RAM that kept maps may take


@dataclass(frozen=True)
class Row:
    """run: what is timed, None where ``note`` says why not; its latents are the method's at ``span``, where given."""

    name: str
    run: Callable[[], Tensor] | None
    work: Work
    stored_bytes: int = 0
    floor: str = "floor"
    span: float | None = SPAN
    note: str = ""


class Rows:
    """All rows of a subject, over one inversion in each tier."""

    def __init__(self, subject: Subject, costs: Costs):
        self.subject, self.costs = subject, costs
        self.record = subject.invert()
        self.frames, self.steps = subject.frames, len(self.record.descending) - 1
        self.evaluated = len(self.record.levels) - 1
        self.windows = len(subject.windows())
        self.element = torch.empty(0, dtype=subject.size.dtype).element_size()

    def all(self) -> list[Row]:
        """In the order of the table."""
        rows = [*self._floors(), self._inversion("inversion", "recompute"), *self._tiers(), *self._literal()]
        rows += self._joint()
        return rows + (self._variants() if self.subject.size.variants else [])

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

    def _floors(self) -> list[Row]:
        subject, record, each = self.subject, self.record, self.frames * self.steps
        one_more = (self.frames + 1) * self.evaluated
        return [
            Row("floor", lambda: subject.floor(record, CFG), Work(2 * each, 2 * each), span=None),
            Row("floor_cond_only", lambda: subject.floor(record, 1.0), Work(each, each), span=None),
            Row("floor_inversion", lambda: subject.floor_of_inversion(record), Work(one_more, one_more), span=None),
        ]

    def _inversion(self, name: str, tier: str) -> Row:
        levels = self.evaluated + (tier != "recompute")  # a bank wants the top level too
        rows = self.frames * levels
        work = Work(rows + levels, rows, rows, rows)

        def run() -> Tensor:
            return self.subject.invert(tier).top

        return Row(name, run, work, self._bytes(self.record), "floor_inversion", None)

    def _animate(self, name: str, record, span: float = SPAN, window: int = 0) -> Row:
        rows = 2 * self.frames * self.steps
        if record.bank is None:
            rows += self.frames * self.span_steps(span)
        work = Work(rows + self.steps, rows, rows, rows)
        return Row(name, lambda: self.subject.animate(record, span, window), work, self._bytes(record), span=span)

    def _tiers(self) -> list[Row]:
        tiers = {"recompute": self.record} | {tier: self.subject.invert(tier) for tier in ("memory", "disk")}
        self.banked = tiers["memory"]
        rows = [self._animate(f"animate_{tier}", record) for tier, record in tiers.items()]
        return [*rows, self._animate("animate_ra_sa_only", self.record, 0.0)]

    def _bytes(self, record) -> int:
        """What a record holds: its tensors, those of its bank, or as many in the files of its bank."""
        held = sum(t.numel() * t.element_size() for t in record)
        if record.bank is not None and record.bank.storage == "disk":
            held += self.costs.input_values * self.element * self.frames * self.steps
        return held

    def _literal(self) -> list[Row]:
        largest = max(site.tokens for site in self.costs.sites)
        everything = self._literal_row("literal_maps_all", largest)
        if largest > FATEZERO_TOKENS:
            return [self._literal_row("literal_maps_32", FATEZERO_TOKENS), everything]
        alike = Row(
            "literal_maps_32", None, everything.work, everything.stored_bytes, note="no larger layer: literal_maps_all"
        )
        return [alike, everything]

    def _literal_row(self, name: str, most_tokens: int) -> Row:
        needed = self.costs.map_values(most_tokens) * self.element * self.frames * self.steps
        each = 2 * self.frames * self.steps
        replayed = self.frames * self.span_steps(SPAN)
        work = Work(each + self.windows * self.steps, each, each, each, replayed, most_tokens)
        free = self.subject.host.core.free_memory(torch.device("cpu"))
        if needed > ROOM * free:
            note = f"needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB free"
            return Row(name, None, work, needed, note=note)
        kept = self._kept(most_tokens)

        def run() -> Tensor:
            return self.subject.in_windows(lambda frames: denoise(*self._live(frames), *kept[frames.start]))

        stored = sum(layers.bytes() for _, _, layers in kept.values())
        span = SPAN if most_tokens >= max(site.tokens for site in self.costs.sites) else None
        return Row(name, run, work, stored, span=span)

    def _kept(self, most_tokens: int) -> dict[int, tuple]:
        """Record, guidance and kept maps of every window, by its first frame."""
        kept = {}
        for frames in self.subject.windows():
            part = self.subject.part(self.record, frames)
            layers = KeptLayers(self.subject.size.dtype, most_tokens)
            kept[frames.start] = part, CFG, keep_maps(self.subject.models.model, part, layers)
        return kept

    def _joint(self) -> list[Row]:
        rows = self.frames * (2 * self.steps + self.span_steps(SPAN))
        anchored = Work(rows + self.windows * self.steps, rows, rows)
        return [
            Row("joint_batch", partial(self._run_joint, False), Work(rows, rows), self._bytes(self.record), span=None),
            Row("joint_batch_ra_sa", partial(self._run_joint, True), anchored, self._bytes(self.record)),
        ]

    def _run_joint(self, anchored: bool) -> Tensor:
        def run(frames: range) -> Tensor:
            part = self.subject.part(self.record, frames)
            return joint(*self._live(frames), part, CFG, SPAN, anchored)

        return self.subject.in_windows(run)

    def _variants(self) -> list[Row]:
        spans = [self._animate(f"animate_recompute_span_{span}", self.record, span) for span in (0.5, 1.0)]
        windows = [
            self._animate(f"animate_{tier}_window_{window}", record, window=window)
            for window in (1, 4)
            for tier, record in (("recompute", self.record), ("memory", self.banked))
        ]
        return [self._inversion("inversion_memory", "memory"), *spans, *windows]
