"""What a record was made from, by content, so that a stale one is refused with words.

Digests depend on values alone: they are equal after a restart of the host.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CellType

import torch
from torch import Tensor

SAMPLED_TENSORS = 64
SAMPLED_WEIGHTS = 256  # per weight tensor: enough to tell checkpoints apart, read in a blink
SAMPLED_VALUES = 2**20  # per value: text and LoRA whole, pose hints densely


@dataclass(frozen=True)
class Fingerprint:
    """Digests of what one inversion was made with, one for each cause of staleness.

    Size, noise levels and reference weight need no digest: the record holds them as they are.
    """

    weights: str
    patches: str
    injected: str
    objects: str
    sampling: str
    prompt: str
    control: str


def sampled(tensor: Tensor, count: int) -> bytes:
    """At most ``count`` values of a tensor, evenly spread, as fp32 bytes."""
    flat = tensor.detach().reshape(-1)
    stride = max(1, -(-flat.numel() // count))
    return flat[::stride].to("cpu", torch.float32).numpy().tobytes()


def signs_digest(weights: Mapping[str, Tensor]) -> str:
    """``weights_digest`` by signs alone, which no rounding changes: for weights that may have been cast."""
    return weights_digest({name: torch.signbit(weight).to(torch.uint8) for name, weight in weights.items()})


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Digest of all names and shapes and of a fixed sample of the values."""
    digest = hashlib.sha256()
    names = sorted(weights)
    for name in names:
        digest.update(f"{name}{tuple(weights[name].shape)}".encode())
    stride = max(1, len(names) // SAMPLED_TENSORS)
    for name in names[::stride]:
        digest.update(sampled(weights[name], SAMPLED_WEIGHTS))
    return digest.hexdigest()


def values_digest(*values: object) -> str:
    """Digest of nested numbers, strings, tensors, sequences and mappings by their values."""
    digest = hashlib.sha256()
    for value in values:
        _update(digest, value)
    return digest.hexdigest()


def _update(digest, value: object) -> None:
    if isinstance(value, Tensor):
        digest.update(repr(tuple(value.shape)).encode() + sampled(value, SAMPLED_VALUES))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            _update(digest, key)
            _update(digest, value[key])
    elif isinstance(value, (list, tuple)):
        digest.update(f"{len(value)}".encode())
        for item in value:
            _update(digest, item)
    elif hasattr(value, "weights"):  # the host's weight adapters (LoRA, LoHa, ...)
        _update(digest, type(value).__name__)
        _update(digest, value.weights)
    elif value is None or isinstance(value, (bool, int, float, str)):
        digest.update(repr(value).encode())
    else:
        digest.update(getattr(value, "__qualname__", type(value).__qualname__).encode())


def closed_over(function: object, known: Callable[[object], list | None] = lambda value: None) -> list:
    """A function by its name and the values that it closes over, is bound to or was given in advance, for a digest.

    known: describes objects that ``_update`` knows by their type alone; None for those it does not know either.
    """
    inner = getattr(function, "func", function)  # functools.partial
    held = [cell.cell_contents for cell in getattr(inner, "__closure__", None) or () if _filled(cell)]
    held += [*getattr(function, "args", ()), getattr(function, "keywords", {}), getattr(inner, "__self__", None)]
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    return [name, [value if (told := known(value)) is None else told for value in held]]


def _filled(cell: CellType) -> bool:
    """Whether a variable that a function closes over has a value yet."""
    try:
        return cell.cell_contents is cell.cell_contents
    except ValueError:
        return False
