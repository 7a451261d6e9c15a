"""Patches for comparison that the pack does not offer, set on a patched model after the pack's own.

Each takes the MODEL and the scene and returns a clone. They act where the frames are denoised; what
was recorded is not touched, because the pack keeps the model options of the inversion.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.host.patches import site_of
from freeanimate_pack.freeanimate_core.method.schedule import guidance

from .case import Previewed

RESCALE = 0.7  # the host's default multiplier of RescaleCFG
HOLE_SHARE = 0.1  # of a token's area, from which it counts as invented
LIVE = "freeanimate_evaluation_live"
NEGATIVE = 1  # its place among the guider's conditionings
Inputs = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Scene:
    """What an extra may look at: the case, and its latents [1 or F,C,h,w] in model space.

    wordless(): a function of sigma: by layer, the inputs [1,n,c] of the reference's attention
    in its own inversion without words.
    """

    case: Previewed
    reference: Tensor
    preview: Tensor
    wordless: Callable[[], Callable[[float], dict[str, Tensor]]]


def _reference_keys_only(model, scene: Scene):
    """Self-attention reads the reference's half of the keys and values and no longer its own."""

    def patch(query: Tensor, key: Tensor, value: Tensor, extra: dict) -> Inputs:
        tokens = query.shape[1]
        return (query, key[:, tokens:], value[:, tokens:]) if key.shape[1] == 2 * tokens else (query, key, value)

    clone = model.clone()
    clone.set_model_attn1_patch(patch)
    return clone


def _rescaled(model, scene: Scene):
    """The host's RescaleCFG."""
    from comfy_extras.nodes_model_advanced import RescaleCFG

    return RescaleCFG().patch(model, RESCALE)[0]


def guided_within(model, descending: Tensor, span: tuple[float, float]):
    """For any sampler of the host what cfg_start and cfg_end are for the Animate Sampler."""

    def guide(options: dict) -> Tensor:
        scale = guidance(float(options["sigma"][0]), descending, options["cond_scale"], *span)
        return options["uncond"] + scale * (options["cond"] - options["uncond"])

    clone = model.clone()
    clone.set_model_sampler_cfg_function(guide)
    return clone


def mixed(mix: Callable[[Inputs, Inputs, dict, Scene], Inputs]) -> Callable:
    """An extra: ``mix(patched, live, options of the layer, scene)`` of a layer's inputs with and without the pack."""

    def remember(query: Tensor, key: Tensor, value: Tensor, extra: dict) -> Inputs:
        extra[LIVE] = (query, key, value)
        return query, key, value

    def patched(model, scene: Scene):
        def mixing(query: Tensor, key: Tensor, value: Tensor, extra: dict) -> Inputs:
            return mix((query, key, value), extra[LIVE], extra, scene)

        clone = model.clone()
        clone.set_model_attn1_patch(mixing)
        clone.set_model_attn2_patch(mixing)
        patches = clone.model_options["transformer_options"]["patches"]
        for kind in ("attn1_patch", "attn2_patch"):
            patches[kind].insert(0, remember)  # before the pack's patch, which is the first otherwise
        return clone

    return patched


def only_in(chosen: Callable[[dict], bool]) -> Callable:
    """RA-SA and replay in the layers that ``chosen(options of the layer)`` names; the others as they are."""
    return mixed(lambda inputs, live, extra, _: inputs if chosen(extra) else live)


def _towards_live(inputs: Inputs, live: Inputs, share: Tensor) -> Inputs:
    """Query and own keys moved from the recorded to the live ones by ``share`` [b,n,1]; values are live anyway."""
    query, key, value = inputs
    if live[0].shape != live[1].shape:  # cross-attention: keys are words, which both have in common
        return torch.lerp(query, live[0], share), key, value
    own = torch.lerp(key[:, : live[1].shape[1]], live[1], share)
    return torch.lerp(query, live[0], share), torch.cat([own, key[:, live[1].shape[1] :]], dim=1), value


def _fading(inputs: Inputs, live: Inputs, extra: dict, _: Scene) -> Inputs:
    """Replay that fades linearly over the steps instead of ending at once."""
    sigmas = extra["sample_sigmas"]
    done = int((sigmas > extra["sigmas"][0] * 1.001).sum()) / (len(sigmas) - 1)
    return _towards_live(inputs, live, torch.full_like(inputs[0][:1, :1, :1], done))


def _live_in_holes(inputs: Inputs, live: Inputs, extra: dict, scene: Scene) -> Inputs:
    """Live attention where the preview is invented, the recorded one elsewhere; all frames are in one window."""
    side = extra["activations_shape"][-2:]
    holes = functional.adaptive_avg_pool2d(scene.case.holes[:, None].to(inputs[0]), side)
    share = rearrange((holes > HOLE_SHARE).to(inputs[0]), "f 1 y x -> f (y x) 1")
    chunks = len(inputs[0]) // len(share)
    return _towards_live(inputs, live, repeat(share, "f n 1 -> (chunks f) n 1", chunks=chunks))


def _own_words(model, scene: Scene):
    """The negative half reads the reference as it is without words; the positive half as the pack has it."""
    wordless = scene.wordless()  # a sampling of its own, so before the other one

    def mix(inputs: Inputs, live: Inputs, extra: dict, _: Scene) -> Inputs:
        query, key, value = inputs
        tokens = live[1].shape[1]
        if key.shape[1] != 2 * tokens:  # cross-attention
            return inputs
        reference = wordless(float(extra["sigmas"][0]))[f"{site_of(extra)}.self"].to(key)
        chunks = extra["cond_or_uncond"]
        negative = torch.tensor([chunk == NEGATIVE for chunk in chunks], device=key.device)
        negative = repeat(negative, "chunks -> (chunks f) 1 1", f=len(key) // len(chunks))
        theirs = (torch.where(negative, reference, both[:, tokens:]) for both in (key, value))
        key, value = (torch.cat([both[:, :tokens], their], dim=1) for both, their in zip((key, value), theirs))
        return query, key, value

    return mixed(mix)(model, scene)


def _to_statistics(latents: Tensor, mask: Tensor, like: Tensor, its_mask: Tensor) -> Tensor:
    """AdaIN: the masked part of latents [F,C,h,w] gets channel means and deviations of another's masked part."""
    (mean, deviation), (goal, spread) = _statistics(latents, mask), _statistics(like, its_mask)
    return torch.lerp(latents, (latents - mean) / deviation * spread + goal, mask)


def _statistics(latents: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Channel means and deviations [F,C,1,1] of the part of [F,C,h,w] that ``mask`` [F,1,h,w] shows."""
    weight = mask / mask.sum(dim=(-2, -1), keepdim=True).clamp_min(1e-6)
    mean = (weight * latents).sum(dim=(-2, -1), keepdim=True)
    return mean, (weight * (latents - mean).square()).sum(dim=(-2, -1), keepdim=True).sqrt().clamp_min(1e-6)


def _after_guidance(change: Callable[[Tensor, Scene], Tensor]) -> Callable:
    """An extra: ``change(guided prediction [F,C,h,w], scene)`` after every step's guidance."""

    def patched(model, scene: Scene):
        clone = model.clone()
        clone.set_model_sampler_post_cfg_function(lambda options: change(options["denoised"], scene))
        return clone

    return patched


def _as_reference(denoised: Tensor, scene: Scene) -> Tensor:
    """The person's channel statistics are those of the reference's person."""
    side = denoised.shape[-2:]
    now, then = (
        functional.adaptive_avg_pool2d(mask[:, None].to(denoised), side)
        for mask in (scene.case.preview_masks, scene.case.reference_mask)
    )
    return _to_statistics(denoised, now, scene.reference.to(denoised), then)


def _as_preview(denoised: Tensor, scene: Scene) -> Tensor:
    """Each frame's channel statistics are those of its preview."""
    whole = torch.ones_like(denoised[:, :1])
    return _to_statistics(denoised, whole, scene.preview.to(denoised), whole)


def _masked(model, scene: Scene):
    """RA-SA where a person's queries read the reference's person only, and the ground's its ground."""
    persons = torch.cat([scene.case.preview_masks, scene.case.reference_mask])[:, None]

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
    kinds = rearrange(functional.adaptive_avg_pool2d(persons.to(like.device), side), "f 1 y x -> f (y x)") > 0.5
    frames, reference = kinds[:-1], kinds[-1]
    apart = frames[:, :, None] != reference[None, None]
    mask = torch.zeros(len(frames), tokens, 2 * tokens, dtype=like.dtype, device=like.device)
    mask[..., tokens:].masked_fill_(apart, torch.finfo(like.dtype).min)
    return repeat(mask, "f n m -> (chunks f) 1 n m", chunks=like.shape[0] // len(frames))


def _on_side(at_most: int) -> Callable[[dict], bool]:
    return lambda extra: max(extra["activations_shape"][-2:]) <= at_most


EXTRAS: dict[str, Callable] = {
    "reference_keys_only": _reference_keys_only,
    "rescaled_guidance": _rescaled,
    "decoder_only": only_in(lambda extra: extra["block"][0] == "output"),
    "half_size_layers": only_in(_on_side(8)),  # of 16x16 latents, as 32x32 is of 64x64
    "masked_ra_sa": _masked,
    "fading_replay": mixed(_fading),
    "live_in_holes": mixed(_live_in_holes),
    "own_words": _own_words,
    "statistics_of_reference": _after_guidance(_as_reference),
    "statistics_of_preview": _after_guidance(_as_preview),
}
