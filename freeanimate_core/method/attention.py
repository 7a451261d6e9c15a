"""RA-SA and IBA as functions of the inputs of one attention layer.

An attention layer projects three inputs: softmax(W_Q q (W_K k)^T / sqrt d) W_V v. A recorded
map is replayed exactly by giving the recorded stream as q and k and the live one as v, so no
map is ever built. Axes: [b, n, c] batch rows, tokens, channels.
"""

import math
from collections.abc import Callable

import torch
from einops import rearrange, repeat
from torch import Tensor

Inputs = tuple[Tensor, Tensor, Tensor]


def anchored(own: Tensor, reference: Tensor) -> Tensor:
    """``[own; reference]`` along the tokens: own [b,n,c], reference [1,m,c] -> [b,n+m,c]."""
    return torch.cat([own, repeat(reference.to(own), "1 m c -> b m c", b=len(own))], dim=1)


def reference_anchored(query: Tensor, key: Tensor, value: Tensor, reference: Tensor | None) -> Inputs:
    """RA-SA (FreeAnimate, arXiv 2606.06885, Reference-Anchored Self-Attention): every frame reads the reference.

    Q = W_Q z_i, K = W_K [z_i; z_a], V = W_V [z_i; z_a]. query, key, value [b,n,c];
    reference [1,m,c] or None for weight 0, which leaves the layer as it was.
    """
    if reference is None:
        return query, key, value
    keys = anchored(key, reference)
    values = keys if value is key else anchored(value, reference)
    return query, keys, values


def inversion_boosted(inputs: Inputs, query: Tensor, key: Tensor, chunks: list[int], replay: frozenset[int]) -> Inputs:
    """IBA (FreeAnimate, arXiv 2606.06885): SELF = s_pre V and CROSS = c_pre V, the recorded map with live values.

    inputs: live (query, key, value) inputs, whose rows come in chunks, one per conditioning.
    query [b,n,c], key [b,m,c]: recorded ones, which take the place of the live ones in every
    chunk of ``replay``.
    """
    live_query, live_key, value = inputs
    return _replaced(query, live_query, chunks, replay), _replaced(key, live_key, chunks, replay), value


def _replaced(recorded: Tensor, live: Tensor, chunks: list[int], replay: frozenset[int]) -> Tensor:
    recorded = recorded.to(live)
    rows = rearrange(live, "(chunk b) n c -> chunk b n c", chunk=len(chunks))
    mixed = [recorded if chunk in replay else own for chunk, own in zip(chunks, rows)]
    return rearrange(mixed, "chunk b n c -> (chunk b) n c")


def reference_bias(tokens: int, reference_tokens: int, weight: float, like: Tensor) -> Tensor:
    """Additive key bias of RA-SA with weight w: 0 on own keys, ln w on the reference's.

    softmax([Q K_i^T, Q K_a^T + ln w]): w = 1 is the paper, w -> 0 the plain layer.
    Returns [1, 1, tokens + reference_tokens] with the dtype and device of ``like``.
    """
    bias = torch.zeros(1, 1, tokens + reference_tokens, dtype=like.dtype, device=like.device)
    bias[..., tokens:] = math.log(weight)
    return bias


def biased(attention: Callable[..., Tensor], bias: Tensor) -> Callable[..., Tensor]:
    """The attention function with ``bias`` added to its mask; called as attention(q, k, v, heads, ...)."""

    def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor | None = None, **kwargs) -> Tensor:
        return attention(q, k, v, heads, mask=bias if mask is None else mask + bias, **kwargs)

    return attend


def repeated_text(text: Tensor, like: Tensor) -> Tensor:
    """Recorded text [1 or b, L, c] at the length and batch of live text ``like`` [b, L', c].

    The host repeats the shorter prompt when it batches two; repeating changes no softmax.
    """
    text = repeat(text.to(like), "b l c -> b (times l) c", times=like.shape[1] // text.shape[1])
    return text.expand(len(like), -1, -1)
