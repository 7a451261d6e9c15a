"""Conditionings of the host, as data: checked before a run, cut to one window during it.

An entry is ``[text, options]`` as it travels between nodes, or, while sampling, a dict with
``model_conds`` and ``control``. Everything here works on copies: the user's objects never change.
"""

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from ..errors import FreeAnimateError, counted


class ModelCond(Protocol):
    """One input of the host's model under a conditioning: a tensor, a list of them, or a plain value."""

    cond: object

    def _copy_with(self, cond: object) -> "ModelCond": ...


class Control(Protocol):
    """What is used of the host's ControlNets and T2I adapters, which chain."""

    cond_hint: Tensor | None
    cond_hint_original: Tensor
    extra_concat: list[Tensor] | None
    extra_concat_orig: list[Tensor]
    multigpu_clones: dict
    previous_controlnet: "Control | None"

    def get_control(self, x: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict): ...


REGIONS = ("area", "mask")
COLOURS = 3  # channels of a hint
LENT = ("control", "gligen")


def controls(entry: dict) -> Iterator[Control]:
    """The chain of ControlNets of an entry, the last applied first."""
    control = entry.get("control")
    while control is not None:
        yield control
        control = control.previous_controlnet


def refuse_regions(entries: Iterable[dict], node: str, label: str) -> None:
    """FreeAnimateError for area and mask conditionings, which a recorded map cannot follow."""
    for entry in entries:
        for name in REGIONS:
            if name in entry:
                raise FreeAnimateError(
                    f"{node}: {label} holds a conditioning limited to an {name}; FreeAnimate supports conditionings "
                    "of the full picture: remove the Conditioning (Set Area / Set Mask) node before it."
                )


def check_text(entries: Iterable[dict], node: str, label: str) -> None:
    """FreeAnimateError for a guider's entry without a text, or with one that holds no finite numbers."""
    for entry in entries:
        if entry.get("cross_attn") is None:
            raise FreeAnimateError(f"{node}: {label} has no text; connect a CLIP Text Encode (Prompt).")
        texts = (entry.get("cross_attn"), entry.get("pooled_output"))
        if not all(torch.isfinite(text).all() for text in texts if text is not None):
            raise FreeAnimateError(
                f"{node}: {label} holds a text with NaN or infinite values; check the text encoder and the nodes after "
                "it."
            )


def check_hints(entries: Iterable[dict], frames: int, node: str, label: str, source: str = "") -> None:
    """FreeAnimateError unless every ControlNet has one hint image per frame, or one for all.

    source: the input that the frames were counted at, which may be the wrong one of the two; empty: it is not.
    """
    or_the_frames = f", or {source} all frames" if source else ""
    for entry in entries:
        for control in controls(entry):
            hint = getattr(control, "cond_hint_original", None)
            # Advanced-ControlNet binds methods to the instance: a copy would read the original's hints
            if hint is None or "get_control" in vars(control) or hasattr(control, "sub_idxs"):
                raise FreeAnimateError(
                    f"{node}: {label} carries a {type(control).__name__}, whose pose images cannot be cut into "
                    "windows; load it with ComfyUI's own Load ControlNet Model and Apply ControlNet nodes."
                )
            # a T2I adapter of one channel takes the mean of three
            if hint.ndim != 4 or hint.shape[1] not in (COLOURS, getattr(control, "channels_in", COLOURS)):
                shape = "x".join(map(str, hint.movedim(1, -1).shape))
                raise FreeAnimateError(
                    f"{node}: {label} has pose images of the shape {shape}, and the ControlNet reads RGB; give Apply "
                    "ControlNet pictures of 3 channels."
                )
            if hint.shape[0] not in (1, frames):
                raise FreeAnimateError(
                    f"{node}: {label} has {counted(hint.shape[0], 'pose image')} for {counted(frames, 'frame')}; "
                    f"give Apply ControlNet one pose image per frame (or one for all){or_the_frames}."
                )
            for pictures in (hint, *control.extra_concat_orig):
                # one number says it, without a copy of the clip's hints
                if not math.isfinite(float(pictures.sum(dtype=torch.float32))):
                    raise FreeAnimateError(
                        f"{node}: {label} has pose images that hold NaN or infinite values; check the image that goes "
                        "into Apply ControlNet."
                    )


def single_entry(conditioning: list, node: str, label: str) -> dict:
    """The options of the one entry of a conditioning that a record can be made with.

    Raises FreeAnimateError for several entries, for scheduled ones, regions, and weight hooks.
    """
    if len(conditioning) != 1:
        raise FreeAnimateError(
            f"{node}: {label} has {len(conditioning)} entries and an inversion is made with one; connect the "
            f"conditioning before Conditioning (Combine). {'' if conditioning else 'It is empty.'}".strip()
        )
    text, options = conditioning[0]
    if text is None:
        raise FreeAnimateError(f"{node}: {label} holds no text; connect a CLIP Text Encode node.")
    refuse_regions([options], node, label)
    if options.get("start_percent", 0.0) > 0.0 or options.get("end_percent", 1.0) < 1.0:
        raise FreeAnimateError(
            f"{node}: {label} is limited to part of the steps; connect the conditioning before "
            "ConditioningSetTimestepRange (the sampler accepts scheduled ones)."
        )
    if options.get("hooks") is not None:
        raise FreeAnimateError(
            f"{node}: {label} carries weight hooks; use a LoRA loader on the model, before {node}, instead."
        )
    return options


def without_control(conditioning: list) -> list:
    """The same conditioning without its ControlNets."""
    return [[text, {k: v for k, v in options.items() if k != "control"}] for text, options in conditioning]


def restored(entry: dict, recorded: dict) -> dict:
    """A processed entry without what the host may have lent it from another prompt."""
    return {k: v for k, v in entry.items() if k in recorded or k not in LENT}


def rows(tensor: Tensor, frames: range, total: int) -> Tensor:
    """Rows of a per-frame tensor [total or 1,...]; one row serves all frames, other counts repeat as in the host."""
    if tensor.shape[0] == 1:
        return tensor
    if tensor.shape[0] == total:
        return tensor[frames.start : frames.stop]
    index = torch.arange(frames.start, frames.stop, device=tensor.device) % tensor.shape[0]
    return tensor[index]


def _windowed_cond(cond: ModelCond, frames: range, total: int) -> ModelCond:
    """A model cond of the host, cut to a window."""
    value = cond.cond
    if isinstance(value, Tensor) and value.ndim > 0:
        return cond._copy_with(rows(value, frames, total))
    if isinstance(value, list):
        return cond._copy_with([rows(v, frames, total) for v in value])
    return cond


def windowed_control(control: Control, frames: range, total: int) -> Control:
    """A shallow copy of a ControlNet (and its chain) with the hints of one window.

    Shallow, because the host's own ``copy`` drops what ``pre_run`` prepared.
    """
    cut = copy.copy(control)
    cut.cond_hint = None
    cut.extra_concat = None
    cut.multigpu_clones = {}
    cut.cond_hint_original = rows(control.cond_hint_original, frames, total)
    cut.extra_concat_orig = [rows(t, frames, total) for t in control.extra_concat_orig]
    if hasattr(cut, "control_input"):  # T2I adapters keep their encoded hint here
        cut.control_input = None
    if control.previous_controlnet is not None:
        cut.previous_controlnet = windowed_control(control.previous_controlnet, frames, total)
    return cut


class Cuts:
    """Copies of ControlNets for one window, for all entries, passes and steps that evaluate it.

    Entries that share a ControlNet share its copy, or the host would not batch them. A ControlNet scales its
    hints and moves them to the device when it is first asked: a kept copy does so once for a clip of one
    window, and once a step for each of several. The hints of one window are held at a time.
    """

    def __init__(self) -> None:
        self._window: tuple[range, int] | None = None
        self._made: dict[int, tuple[Control, Control]] = {}  # by identity: a ControlNet, held so, and its copy

    def cutter(self, frames: range, total: int) -> Callable[[Control], Control]:
        """``windowed_control`` for one evaluation of a window of ``frames`` out of ``total``."""
        if self._window != (frames, total):
            self._window, self._made = (frames, total), {}
        self._made = {key: pair for key, pair in self._made.items() if not _encodes_its_hint(pair[0])}

        def cut(control: Control) -> Control:
            if id(control) not in self._made:
                self._made[id(control)] = control, windowed_control(control, frames, total)
            return self._made[id(control)][1]

        return cut


def _encodes_its_hint(control: Control | None) -> bool:
    """Whether a T2I adapter is in the chain: it keeps what it made for one number of rows, and passes differ in it."""
    return control is not None and (hasattr(control, "control_input") or _encodes_its_hint(control.previous_controlnet))


def windowed(
    conds: list[list[dict] | None], frames: range, total: int, cuts: Cuts | None = None
) -> list[list[dict] | None]:
    """Processed conditionings cut to a window of ``frames`` out of ``total``; ``cuts``: kept of evaluations before."""
    cut_control = (Cuts() if cuts is None else cuts).cutter(frames, total)

    def cut(entry: dict) -> dict:
        entry = entry.copy()
        entry["model_conds"] = {k: _windowed_cond(c, frames, total) for k, c in entry["model_conds"].items()}
        control = entry.get("control")
        if control is not None:
            entry["control"] = cut_control(control)
        return entry

    return [entries if entries is None else [cut(e) for e in entries] for entries in conds]


class FirstRows:
    """A ControlNet that sees the first ``rows`` of a batch; those after them get nothing from it."""

    def __init__(self, control: Control, rows: int):
        self.control, self.rows = control, rows

    def get_control(self, x: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """The host's call: residuals by block, with zeros for the rows after the first."""
        total = x.shape[0]

        def cut(value: object) -> object:
            if isinstance(value, Tensor) and value.ndim > 0 and value.shape[0] == total:
                return value[: self.rows]
            return value

        seen = {name: cut(value) for name, value in cond.items()}
        made = self.control.get_control(x[: self.rows], t[: self.rows], seen, batched_number, transformer_options)
        if made is None:
            return None
        return {block: [self._padded(r, total) for r in residuals] for block, residuals in made.items()}

    def _padded(self, residual: Tensor | None, total: int) -> Tensor | None:
        """A residual of ``rows`` rows, or of one that serves them all (as the host adds it), for the whole batch."""
        if residual is None:
            return None
        residual = residual.expand(self.rows, *residual.shape[1:])
        return torch.cat([residual, residual.new_zeros(total - self.rows, *residual.shape[1:])])


def batchable(first: dict, second: dict) -> bool:
    """Whether the host can evaluate two processed entries as rows of one batch, the second without a ControlNet."""
    conds = first["model_conds"], second["model_conds"]
    if (
        second.get("control") is not None
        or "gligen" in first
        or "gligen" in second
        or conds[0].keys() != conds[1].keys()
    ):
        return False
    one = [{name: cond.process_cond(batch_size=1, area=None) for name, cond in part.items()} for part in conds]
    return all(one[0][name].can_concat(one[1][name]) for name in one[0])


def batched(first: dict, second: dict, rows: int) -> dict:
    """One entry for ``rows`` rows under ``first`` and one row more under ``second``, which are ``batchable``."""
    conds = {}
    for name, cond in first["model_conds"].items():
        many = cond.process_cond(batch_size=rows, area=None)
        one = second["model_conds"][name].process_cond(batch_size=1, area=None)
        conds[name] = many._copy_with(many.concat([one]))
    control = first.get("control")
    return first | {"model_conds": conds, "control": None if control is None else FirstRows(control, rows)}


def parts_of(conditionings: list[list], frames: range, total: int) -> list[list]:
    """Conditionings as they travel between nodes, cut to ``frames`` out of ``total``: texts and hints."""
    cut_control = Cuts().cutter(frames, total)

    def cut(text: Tensor | None, options: dict) -> list:
        options = dict(options)
        if options.get("control") is not None:
            options["control"] = cut_control(options["control"])
        if options.get("pooled_output") is not None:
            options["pooled_output"] = rows(options["pooled_output"], frames, total)
        return [None if text is None else rows(text, frames, total), options]

    return [[cut(text, options) for text, options in conditioning] for conditioning in conditionings]
