"""How passes reach the layers of the host's U-Net: two chained patches and a copy of its options.

Nothing here is installed globally: a pass travels in ``transformer_options`` of one evaluation.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from ..errors import PATCH_MODEL, FreeAnimateError
from ..method.attention import Inputs, biased
from ..method.passes import AttentionPass

PASS = "freeanimate_pass"
REFUSED = {
    "SelfAttentionGuidance": "Self-Attention Guidance (it reads square maps)",
    "TomePatchModel": "Tome Patch Model (it merges tokens)",
    "HyperTile": "HyperTile (it cuts the token grid)",
}


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
        raise FreeAnimateError(
            f"{PATCH_MODEL}: another patch changes the number of tokens ({query.shape[1]} queries and "
            f"{key.shape[1]} keys for {width}x{height}); remove token merging or tiling from the model."
        )
    return attention.self_inputs(site_of(extra), (query, key, value), extra["cond_or_uncond"])


def cross_attention_patch(query: Tensor, key: Tensor, value: Tensor, extra: Mapping) -> Inputs:
    """Chained ``attn2_patch``: the inputs as the current pass wants them."""
    attention: AttentionPass | None = extra.get(PASS)
    if attention is None:
        return query, key, value
    return attention.cross_inputs(site_of(extra), (query, key, value), extra["cond_or_uncond"])


def _trimmed(replacement: Callable) -> Callable:
    """An attn1 replacement that returns as many rows as there are queries, as the layer expects.

    Under RA-SA the values are longer than the queries; PAG, for one, returns the values.
    """

    def attend(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> Tensor:
        return replacement(q, k, v, extra)[:, : q.shape[1]]

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
    replacements = transformer.get("patches_replace", {})
    if replacements.get("attn1"):
        cut = {site: _trimmed(replacement) for site, replacement in replacements["attn1"].items()}
        transformer["patches_replace"] = {**replacements, "attn1": cut}
    if attention.weight not in (0.0, 1.0):
        holder = transformer.get("optimized_attention_override")
        transformer["optimized_attention_override"] = _weighing(attention, holder)
    return {**model_options, "transformer_options": transformer}


def refuse_conflicts(model_options: Mapping, node: str) -> None:
    """FreeAnimateError, by name, for patches that RA-SA and IBA cannot run with."""
    transformer = model_options.get("transformer_options", {})
    patches = [p for group in transformer.get("patches", {}).values() for p in group]
    patches += [p for group in transformer.get("patches_replace", {}).values() for p in group.values()]
    for patch in patches:
        owner = getattr(patch, "__qualname__", "").split(".")[0]
        if owner in REFUSED:
            raise FreeAnimateError(f"{node}: the model carries {REFUSED[owner]}; remove that node before {node}.")
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
