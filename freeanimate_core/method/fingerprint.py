"""What a record was made from, by content, so that a stale one is refused with words.

Digests depend on values alone: they are equal after a restart of the host.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

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
    sampling: str
    prompt: str
    control: str


def sampled(tensor: Tensor, count: int) -> bytes:
    """At most ``count`` values of a tensor, evenly spread, as fp32 bytes."""
    flat = tensor.detach().reshape(-1)
    stride = max(1, -(-flat.numel() // count))
    return flat[::stride].to("cpu", torch.float32).numpy().tobytes()


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
        digest.update(type(value).__qualname__.encode())
