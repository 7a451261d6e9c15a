"""Clones of a MODEL that carry the pack's two chained patches and its three keyed wrappers."""

from collections.abc import Callable

import comfy.model_patcher
import comfy.samplers
from comfy.patcher_extension import WrappersMP

from ..method.windows import Windower, one_window
from .memory import free_for
from .patches import cross_attention_patch, self_attention_patch

KEY = "freeanimate"
WRAPPED = WrappersMP.OUTER_SAMPLE, WrappersMP.PREPARE_SAMPLING, WrappersMP.CALC_COND_BATCH


def without_wrappers(model):
    """A clone that no record of an earlier Patch Model node reaches."""
    clone = model.clone()
    for wrapper in WRAPPED:
        clone.remove_wrappers_with_key(wrapper, KEY)
    return clone


def with_attention_patches(model):
    """A clone that carries the two chained patches once, and none of our wrappers."""
    clone = without_wrappers(model)
    clone.remove_additional_models("multigpu")  # cond and uncond would run in threads over one pass
    patches = clone.model_options["transformer_options"].get("patches", {})
    if self_attention_patch not in patches.get("attn1_patch", []):
        clone.set_model_attn1_patch(self_attention_patch)
        clone.set_model_attn2_patch(cross_attention_patch)
        patches = clone.model_options["transformer_options"]["patches"]
        for name in ("attn1_patch", "attn2_patch"):
            patches[name].insert(0, patches[name].pop())  # first: others then act on recorded inputs as on live ones
    return clone


def install(clone, outer_sample: Callable, prepare_sampling: Callable, calc_cond_batch: Callable) -> None:
    """Hang the three wrappers on a clone made by ``with_attention_patches``, or in the place of those on it."""
    for kind, wrapper in zip(WRAPPED, (outer_sample, prepare_sampling, calc_cond_batch), strict=True):
        clone.wrappers.setdefault(kind, {})[KEY] = [wrapper]


def limit_estimate(clone, windower: Windower) -> None:
    """The host makes room for one window of an inversion, not for the clip."""
    clone.add_wrapper_with_key(WrappersMP.PREPARE_SAMPLING, KEY, one_window(windower, free_for))


def kept(options: dict) -> dict:
    """The model options of an inversion for its record, without the pack's wrappers and what the host loads models by.

    Both hold the run's progress bar, and with it the previewer.
    """
    transformer = dict(options["transformer_options"])
    wrappers = transformer.get("wrappers", {}).items()
    transformer["wrappers"] = {kind: {key: w for key, w in keyed.items() if key != KEY} for kind, keyed in wrappers}
    rest = {name: value for name, value in options.items() if name != "to_load_options"}
    return {**rest, "transformer_options": transformer}


def placed(options: dict, model) -> dict:
    """A copy of recorded model options with the patches in them on the model's device."""
    options = comfy.model_patcher.create_model_options_clone(options)
    comfy.samplers.cast_transformer_options(options["transformer_options"], model.load_device, model.model_dtype())
    return options
