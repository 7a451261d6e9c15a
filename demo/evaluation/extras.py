"""Patches for comparison that the pack does not offer, set on a patched model after the pack's own.

Each takes the MODEL and the case and returns a clone. They act where the frames are denoised; what
was recorded is not touched, because the pack keeps the model options of the inversion.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from .cases import Case

RESCALE = 0.7  # the host's default multiplier of RescaleCFG
GUIDED_SIGMAS = (0.4, 5.5)  # outside of them guidance is 1 (Kynkaanniemi et al. 2024)
LIVE = "freeanimate_evaluation_live"


def _reference_keys_only(model, case: Case):
    """Self-attention reads the reference's half of the keys and values and no longer its own."""

    def patch(query: Tensor, key: Tensor, value: Tensor, extra: dict) -> tuple[Tensor, Tensor, Tensor]:
        tokens = query.shape[1]
        return (query, key[:, tokens:], value[:, tokens:]) if key.shape[1] == 2 * tokens else (query, key, value)

    clone = model.clone()
    clone.set_model_attn1_patch(patch)
    return clone


def _rescaled(model, case: Case):
    """The host's RescaleCFG."""
    from comfy_extras.nodes_model_advanced import RescaleCFG

    return RescaleCFG().patch(model, RESCALE)[0]


def _guided_between(model, case: Case):
    """Guidance over an interval of noise levels only."""

    def guide(options: dict) -> Tensor:
        low, high = GUIDED_SIGMAS
        scale = options["cond_scale"] if low <= float(options["sigma"][0]) <= high else 1.0
        return options["uncond"] + scale * (options["cond"] - options["uncond"])

    clone = model.clone()
    clone.set_model_sampler_cfg_function(guide)
    return clone


def only_in(chosen: Callable[[dict], bool]) -> Callable:
    """RA-SA and replay in the layers that ``chosen(options of the layer)`` names; the others as they are."""

    def remember(query: Tensor, key: Tensor, value: Tensor, extra: dict) -> tuple[Tensor, Tensor, Tensor]:
        extra[LIVE] = (query, key, value)
        return query, key, value

    def restore(query: Tensor, key: Tensor, value: Tensor, extra: dict) -> tuple[Tensor, Tensor, Tensor]:
        return (query, key, value) if chosen(extra) else extra[LIVE]

    def patched(model, case: Case):
        clone = model.clone()
        clone.set_model_attn1_patch(restore)
        clone.set_model_attn2_patch(restore)
        patches = clone.model_options["transformer_options"]["patches"]
        for kind in ("attn1_patch", "attn2_patch"):
            patches[kind].insert(0, remember)  # before the pack's patch, which is the first otherwise
        return clone

    return patched


def _masked(model, case: Case):
    """RA-SA where a person's queries read the reference's person only, and the ground's its ground."""
    persons = torch.cat([case.preview_masks, case.reference_mask])[:, None]

    def override(func: Callable, q: Tensor, k: Tensor, v: Tensor, heads: int, mask=None, **kwargs) -> Tensor:
        if k.shape[-2] == 2 * q.shape[-2]:
            kinds = _same_kind(persons, q)
            mask = kinds if mask is None else mask + kinds
        return func(q, k, v, heads, mask=mask, **kwargs)

    clone = model.clone()
    clone.model_options["transformer_options"]["optimized_attention_override"] = override
    return clone


def _same_kind(persons: Tensor, like: Tensor) -> Tensor:
    """Additive mask [b,1,n,2n] for queries [b,n,c] of all frames in one window, whose picture is square."""
    tokens = like.shape[-2]
    side = round(tokens**0.5)
    kinds = torch.nn.functional.adaptive_avg_pool2d(persons.to(like.device), side).flatten(1) > 0.5
    frames, reference = kinds[:-1], kinds[-1]
    apart = frames[:, :, None] != reference[None, None]
    mask = torch.zeros(len(frames), tokens, 2 * tokens, dtype=like.dtype, device=like.device)
    mask[..., tokens:].masked_fill_(apart, torch.finfo(like.dtype).min)
    return mask.repeat(like.shape[0] // len(frames), 1, 1)[:, None]


def _on_side(at_most: int) -> Callable[[dict], bool]:
    return lambda extra: max(extra["activations_shape"][-2:]) <= at_most


EXTRAS: dict[str, Callable] = {
    "reference_keys_only": _reference_keys_only,
    "rescaled_guidance": _rescaled,
    "guidance_interval": _guided_between,
    "decoder_only": only_in(lambda extra: extra["block"][0] == "output"),
    "half_size_layers": only_in(_on_side(8)),  # of 16x16 latents, as 32x32 is of 64x64
    "masked_ra_sa": _masked,
}
