"""What tells two MODELs apart: digests of all that acts on the U-Net itself, computed once for each of its states.

What travels in model options may differ between the inversion and the sampler, for the record keeps its own. Weights,
patches on them, injected layers and object patches act on every pass alike, so they must be the same.
"""

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn import Module

from ..method.fingerprint import closed_over, values_digest, weights_digest

CAST = (torch.float32, torch.float16, torch.bfloat16)  # what an injected LoRA takes on of the layer it acts on

# Both die with what they are keyed by: the host's model, and one injection
_OF_MODEL: WeakKeyDictionary = WeakKeyDictionary()
_OF_INJECTION: WeakKeyDictionary = WeakKeyDictionary()


def model_digests(model) -> dict[str, str]:
    """Digests of the checkpoint's weights, patches (LoRA) on them, injected layers, exchanged objects and levels."""
    known = _OF_MODEL.setdefault(model.model, {})
    sampling = model.get_model_object("model_sampling")
    kinds = [kind.__name__ for kind in type(sampling).__mro__]
    on_weights = model.patches_uuid, sum(map(len, model.patches.values()))
    return {
        "weights": _once(known, "weights", lambda: _weights_digest(model)),
        "patches": _once(known, on_weights, lambda: _patches_digest(model)),
        "injected": values_digest({key: [_injection_digest(one) for one in all_] for key, all_ in _injections(model)}),
        "objects": _objects_digest(model),
        "sampling": values_digest(kinds, getattr(sampling, "sigmas", None)),
    }


def _once(known: dict, key: object, digest: Callable[[], str]) -> str:
    if key not in known:
        known[key] = digest()
    return known[key]


def _weights_digest(model) -> str:
    weights = dict(model.model.diffusion_model.state_dict(prefix="diffusion_model."))
    for name, saved in model.backup.items():
        if name in weights:
            weights[name] = saved.weight
    return weights_digest(weights)


def _patches_digest(model) -> str:
    wrappers = getattr(model, "weight_wrapper_patches", {})
    return values_digest(model.patches, {name: [closed_over(f) for f in found] for name, found in wrappers.items()})


def _injections(model) -> Iterator[tuple[str, list]]:
    return ((key, found) for key, found in model.injections.items() if found)


def _injection_digest(injection) -> str:
    """Digest of one injection by what its function closes over, bypass LoRAs by value."""
    return _once(_OF_INJECTION, injection, lambda: values_digest(closed_over(injection.inject, _adapters)))


def _adapters(value: object) -> list | None:
    """The weight adapters of the host's bypass manager by layer, with their strengths; None for another object."""
    adapters = getattr(value, "adapters", None)
    if not isinstance(adapters, dict):
        return None
    layers = {id(hook.adapter): hook.module.weight.dtype for hook in getattr(value, "hooks", ())}
    return [
        [name, strength, type(adapter).__name__, _as_injected(adapter, layers.get(id(adapter)))]
        for name, (adapter, strength) in sorted(adapters.items())
    ]


def _as_injected(adapter, dtype: torch.dtype | None) -> list:
    """An adapter's weights as they are once injected: the host casts them then, in place."""
    held = adapter.state_dict() if isinstance(adapter, Module) else adapter.weights
    values = list(held.values()) if isinstance(held, dict) else list(held)
    return [v.to(dtype) if isinstance(v, Tensor) and dtype in CAST else v for v in values]


def _objects_digest(model) -> str:
    """Digest of the attributes that are exchanged while the model is loaded, but for the noise levels."""
    exchanged = {name: _uncompiled(value) for name, value in model.object_patches.items() if name != "model_sampling"}
    others = {name: value for name, value in exchanged.items() if value is not _own(model, name)}
    return values_digest({name: _object_values(value) for name, value in others.items()})


def _uncompiled(value: object) -> object:
    """What a compiled module was compiled from, which it computes."""
    return getattr(value, "_orig_mod", value)


def _own(model, name: str) -> object:
    """The attribute that an object patch takes the place of, whether the model is loaded or not."""
    if name in model.object_patches_backup:
        return model.object_patches_backup[name]
    owner = model.model
    for step in name.split("."):
        owner = getattr(owner, step, None)
    return owner


def _object_values(value: object) -> list:
    if isinstance(value, Module):
        return [type(value).__name__, weights_digest(value.state_dict())]
    return closed_over(value) if callable(value) else [value if isinstance(value, Tensor) else repr(value)]
