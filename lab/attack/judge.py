"""What came of a case: refused in a clear sentence, refused by the schema, accepted, raw or silent."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from freeanimate_pack.freeanimate_core import errors

from .draw import Case
from .host import Outcome

KINDS = ("clear", "schema", "accepted", "raw", "silent")
NAMES = tuple(text for name, text in vars(errors).items() if name.isupper() and isinstance(text, str))
REFUSAL = "freeanimate.FreeAnimateError"
CLOSE = 1e-3  # relative distance of results that agree: windows and kinds of numbers round differently
UNIT = ("IMAGE", "MASK")  # outputs whose values are 0-1
WATCHED = ("FreeAnimate", "KSampler")  # nodes whose outputs must be right
HANDED_ON = ("batch_index",)  # of a LATENT: as it came
LONGEST = 1000  # characters of a sentence


def judged(case: Case, outcomes: list[Outcome], classes: dict[str, type]) -> tuple[str, str]:
    """One of KINDS, and why."""
    first = [_alone(side.prompt, outcome, classes) for side, outcome in zip(case.sides, outcomes)]
    for kind in ("raw", "silent", "schema", "clear"):
        found = next((words for found, words in first if found == kind), None)
        if found is not None:
            return kind, found
    if case.expected == "bad":
        return "silent", "accepted what means nothing"
    if case.expected == "same":
        a, b = (_seen(outcome, side.end, side.slot) for side, outcome in zip(case.sides, outcomes))
        gap = distance(a, b)
        if gap > CLOSE:
            return "silent", f"twins differ by {gap:.2g}"
    return "accepted", ""


def _alone(prompt: dict, outcome: Outcome, classes: dict[str, type]) -> tuple[str, str]:
    """What came of one prompt."""
    if outcome.unprintable:
        return "raw", f"logged what is no text: {outcome.unprintable[0]:.200}"
    if outcome.refusal:
        return "schema", outcome.refusal
    if outcome.error:
        sentence = outcome.error["exception_message"].strip()
        if outcome.error["exception_type"] != REFUSAL:
            kind = outcome.error["exception_type"]
            return "raw" if outcome.ours else "schema", f"{kind}: {ascii(sentence)[:300]}"
        fault = unclear(sentence)
        return ("raw", f"{fault}: {ascii(sentence)[:300]}") if fault else ("clear", sentence)
    for name, values in outcome.outputs.items():
        kind = prompt[name]["class_type"] if name in prompt else ""
        fault = _wrong(values, classes[kind].RETURN_TYPES) if kind.startswith(WATCHED) else ""
        if fault:
            return "silent", f"{name} puts out {fault}"
    return "accepted", ""


def unclear(sentence: str) -> str:
    """What a refusal lacks; "" when it is one printable sentence that begins with a node's name."""
    if not sentence.startswith(NAMES):
        return "names no node"
    if not (sentence.isascii() and sentence.isprintable()):
        return "cannot be printed everywhere"
    if len(sentence) > LONGEST:
        return f"{len(sentence)} characters"
    return "" if sentence.endswith(".") else "is no sentence"


def _wrong(values: list, types: list[str]) -> str:
    """What is wrong with a node's outputs of these types: numbers that are none, pictures beyond 0-1."""
    for value, name in zip(values, types):
        for part in numbers(value):
            if not torch.isfinite(part).all():
                return f"a {name} with NaN or infinite values"
            if name in UNIT and part.numel() and (part.min() < 0 or part.max() > 1):
                return f"a {name} beyond 0-1"
    return ""


def numbers(value: object) -> Iterator[Tensor]:
    """Every tensor and number in an output, as tensors."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, bool | int | float):
        yield torch.tensor(float(value) if abs(value) < 2**63 else math.inf, dtype=torch.float64)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in HANDED_ON:
                yield from numbers(part)
    elif isinstance(value, list | tuple):
        if value and all(isinstance(part, float | int) for part in value):
            yield torch.tensor([float(part) for part in value], dtype=torch.float64)
        else:
            for part in value:
                yield from numbers(part)


def _seen(outcome: Outcome, end: str, slot: int | None) -> list[Tensor]:
    values = outcome.outputs[end]
    return list(numbers(values if slot is None else values[slot]))


def distance(first: list[Tensor], second: list[Tensor]) -> float:
    """The largest relative distance of two lists of tensors; inf where they are not alike."""
    if [part.shape for part in first] != [part.shape for part in second]:
        return math.inf
    gaps = []
    for a, b in zip(first, second):
        a, b = a.double().flatten(), b.double().flatten()
        gaps.append(float((a - b).norm() / b.norm().clamp(min=1e-6)) if len(a) else 0.0)
    return max(gaps, default=0.0)
