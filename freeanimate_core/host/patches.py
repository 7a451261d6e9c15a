"""How passes reach the layers of the host's U-Net: two chained patches and a copy of its options.

Nothing here is installed globally: a pass travels in ``transformer_options`` of one evaluation.
"""

from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

from ..errors import INVERSION, PATCH_MODEL, FreeAnimateError
from ..method.attention import Inputs, biased
from ..method.fingerprint import closed_over, values_digest
from ..method.passes import AttentionPass

PASS = "freeanimate_pass"
REFUSED = {  # by what the class that made a patch is called, lower case, or a part of that
    "selfattentionguidance": "Self-Attention Guidance (it reads square maps)",
    "tomepatch": "Tome Patch Model (it merges tokens)",
    "tokenmerg": "token merging (frames would have fewer tokens than the inversion)",
    "hypertile": "HyperTile (it cuts the token grid)",
    "referenceonly": "a reference-only patch (it reads other rows of the batch, which holds some of the frames)",
    "stylealign": "StyleAligned (it reads other rows of the batch, which holds some of the frames)",
}
SHRINKS = {"PatchModelAddDownscale": "PatchModelAddDownscale (Kohya Deep Shrink)"}  # fine if the record has it too
MOTION = ("ade", "animatediff")  # in keys or modules of what AnimateDiff-Evolved and its kin hang on a model


def site_of(extra: Mapping) -> str:
    """The name of an attention layer: block, number, transformer index."""
    block, number = extra["block"][:2]
    return f"{block}.{number}.{extra.get('block_index', 0)}"


def self_attention_patch(query: Tensor, key: Tensor, value: Tensor, extra: Mapping) -> Inputs:
    """Chained ``attn1_patch``: the inputs as the current pass wants them."""
    attention: AttentionPass | None = extra.get(PASS)
    if attention is None:
        return query, key, value
    height, width = extra["activations_shape"][-2:]
    if query.shape[1] != height * width or key.shape[1] != height * width:
        raise _tokens_changed(query.shape[1], key.shape[1], height, width)
    return attention.self_inputs(site_of(extra), (query, key, value), extra["cond_or_uncond"])


def cross_attention_patch(query: Tensor, key: Tensor, value: Tensor, extra: Mapping) -> Inputs:
    """Chained ``attn2_patch``: the inputs as the current pass wants them."""
    attention: AttentionPass | None = extra.get(PASS)
    if attention is None:
        return query, key, value
    return attention.cross_inputs(site_of(extra), (query, key, value), extra["cond_or_uncond"])


def _same_tokens(query: Tensor, key: Tensor, value: Tensor, extra: Mapping) -> Inputs:
    """The last ``attn1_patch``: the inputs as all patches left them, with as many queries as the layer has tokens."""
    height, width = extra["activations_shape"][-2:]
    if query.shape[1] != height * width:
        raise _tokens_changed(query.shape[1], key.shape[1], height, width)
    return query, key, value


def _tokens_changed(queries: int, keys: int, height: int, width: int) -> FreeAnimateError:
    return FreeAnimateError(
        f"{PATCH_MODEL}: another patch changes the number of tokens ({queries} queries and {keys} keys for "
        f"{width}x{height}); remove token merging or tiling from the model."
    )


def _trimmed(replacement: Callable, attention: AttentionPass) -> Callable:
    """An attn1 replacement that returns as many rows as there are queries, as the layer expects.

    Under RA-SA the values are longer than the queries; PAG, for one, returns the values, and so weighs no keys.
    """

    def attend(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> Tensor:
        out = replacement(q, k, v, extra)
        if out is not v:
            attention.refuse_pending(f"an attn1 replacement ({_maker(replacement)})")
        return out[:, : q.shape[1]]

    return attend


def _weighing(attention: AttentionPass, holder: Callable | None) -> Callable:
    """An attention override that adds the pass's key bias and leaves the rest to ``holder``."""

    def override(func: Callable, q: Tensor, k: Tensor, v: Tensor, *args, **kwargs) -> Tensor:
        call = func if holder is None else lambda *a, **kw: holder(func, *a, **kw)
        bias = attention.take_bias(k.shape[-2])
        return (call if bias is None else biased(call, bias))(q, k, v, *args, **kwargs)

    return override


def options_with(model_options: dict, attention: AttentionPass) -> dict:
    """A copy of the model's options in which one evaluation carries its pass."""
    transformer = dict(model_options.get("transformer_options", {}))
    transformer[PASS] = attention
    patches = transformer.get("patches", {})
    transformer["patches"] = {**patches, "attn1_patch": [*patches.get("attn1_patch", []), _same_tokens]}
    replacements = transformer.get("patches_replace", {})
    if replacements.get("attn1"):
        cut = {site: _trimmed(replacement, attention) for site, replacement in replacements["attn1"].items()}
        transformer["patches_replace"] = {**replacements, "attn1": cut}
    if attention.weight not in (0.0, 1.0):
        holder = transformer.get("optimized_attention_override")
        transformer["optimized_attention_override"] = _weighing(attention, holder)
    return {**model_options, "transformer_options": transformer}


def _patches(model_options: Mapping) -> Iterator[object]:
    """All patches and replacements that model options carry."""
    transformer = model_options.get("transformer_options", {})
    for group in transformer.get("patches", {}).values():
        yield from group
    for group in transformer.get("patches_replace", {}).values():
        yield from group.values()


def _maker(patch: object) -> str:
    """The class or function that made a patch: the node, as a rule."""
    return getattr(patch, "__qualname__", type(patch).__qualname__).split(".")[0]


def refuse_conflicts(model_options: Mapping, node: str) -> None:
    """FreeAnimateError, by name, for patches that RA-SA and IBA cannot run with."""
    transformer = model_options.get("transformer_options", {})
    for patch in _patches(model_options):
        maker = _maker(patch).lower().replace("_", "")
        for part, name in REFUSED.items():
            if part in maker:
                raise FreeAnimateError(f"{node}: the model carries {name}; remove that node before {node}.")
    if "easycache" in transformer:
        raise FreeAnimateError(
            f"{node}: the model carries EasyCache or LazyCache, which skip evaluations that FreeAnimate reads; remove "
            f"that node before {node}."
        )
    if model_options.get("context_handler") is not None:
        raise FreeAnimateError(
            f"{node}: the model carries Context Windows, which FreeAnimate replaces; remove that node and set "
            f"frames_per_window of {PATCH_MODEL}."
        )


def refuse_other_sizes(model_options: Mapping, recorded: Mapping, node: str) -> None:
    """FreeAnimateError, by name, for patches that change the number of tokens otherwise than in the inversion.

    recorded: the model options of the inversion's evaluations.
    """
    live, then = _shrinking(model_options), _shrinking(recorded)
    if sorted(live) != sorted(then):
        name = next(iter((live | then).values()))
        raise FreeAnimateError(
            f"{node}: the model's number of tokens is not the one that was recorded, because of {name}; put that node "
            f"with the same settings before both {INVERSION} and {PATCH_MODEL}, or remove it."
        )


def _shrinking(model_options: Mapping) -> dict[str, str]:
    """Names of the nodes whose patches shrink layers, by digests of the patches and their settings."""
    patches = (patch for patch in _patches(model_options) if _maker(patch) in SHRINKS)
    return {values_digest(closed_over(patch)): SHRINKS[_maker(patch)] for patch in patches}


def refuse_motion_layers(model, node: str) -> None:
    """FreeAnimateError for layers that read across the batch, whose rows here are a window's frames, not the clip.

    They are known by the keys and modules of what hangs on the model, so that the pack need not be there.
    """
    hung: list[object] = [type(model).__module__, type(model).__name__]
    for named in (model.injections, model.additional_models, *model.wrappers.values()):
        hung += [key for key, found in named.items() if found]
    hung += [getattr(one.inject, "__module__", "") for found in model.injections.values() for one in found]
    words = {str(word).lower().replace("-", "").replace("_", "") for word in hung}
    if any(word == MOTION[0] or MOTION[1] in word for word in words) or hasattr(model, "motion_models"):
        raise FreeAnimateError(
            f"{node}: the model carries AnimateDiff, whose motion layers read across the frames of a batch, and here a "
            f"batch holds some of the frames and the reference; remove AnimateDiff before {node}."
        )
