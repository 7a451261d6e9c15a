"""Where one point of one frame looks: a single row of one layer's attention map, and the row as pictures.

Axes: n tokens of the frame, m of the reference, laid out in rows of a grid (height, width).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import Module

from ..config import InspectConfig
from ..errors import INSPECT, FreeAnimateError

SIDES = {"down": "input", "middle": "middle", "up": "output"}
STRONGEST = 3  # places that the text names, in each of the two pictures


@dataclass(frozen=True)
class Row:
    """Attention of one query, mean over ``heads``: own [h,w] and reference [h,w] sum to 1 together."""

    own: Tensor
    reference: Tensor
    heads: int

    @property
    def reference_share(self) -> float:
        """Share of the attention that goes to the reference, 0-1."""
        return self.reference.sum().item()


def layers_of(section: str, tokens: dict[str, int]) -> list[str]:
    """The sites of a section of the U-Net, in their order, out of all sites with their numbers of tokens.

    A site is named "block.number.index". fine, medium and coarse are the largest, the middle and
    the smallest grid of tokens on that side of the U-Net.
    """
    side, _, fineness = section.partition(" ")
    sites = [site for site in tokens if site.split(".")[0] == SIDES[side]]
    grids = sorted({tokens[site] for site in sites}, reverse=True)
    chosen = {"fine": 0, "medium": len(grids) // 2, "coarse": -1}.get(fineness, 0)
    return [site for site in sites if tokens[site] == grids[chosen]]


def chosen_layer(config: InspectConfig, tokens: dict[str, int]) -> str:
    """The site that a config names; FreeAnimateError where the model has no such layer."""
    sites = layers_of(config.section, tokens)
    if config.layer >= len(sites):
        has = f"{len(sites)} of them; set layer to at most {len(sites) - 1}" if sites else "none; choose another part"
        raise FreeAnimateError(
            f"{INSPECT}: layer is {config.layer} and part '{config.section}' of this model has {has}."
        )
    return sites[config.layer]


def self_attention(unet: Module, site: str) -> Module:
    """The self-attention of the host's transformer block at a site."""
    block, number, index = site.split(".")
    layers = unet.middle_block if block == "middle" else getattr(unet, f"{block}_blocks")[int(number)]
    return next(layer for layer in layers if hasattr(layer, "transformer_blocks")).transformer_blocks[int(index)].attn1


def grid_of(tokens: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of a layer's tokens; a latent of height x width is halved, rounding up, at each downsampling."""
    while height * width > tokens:
        height, width = -(-height // 2), -(-width // 2)
    return height, width


def attention_row(
    to_q: Callable[[Tensor], Tensor],
    to_k: Callable[[Tensor], Tensor],
    heads: int,
    own: Tensor,
    reference: Tensor | None,
    token: int,
    weight: float,
) -> Tensor:
    """One row [n+m] of a self-attention layer's map under RA-SA, mean over the heads; no map is built.

    softmax([q K_i^T, q K_a^T + ln w]) for the query of ``token``; to_q, to_k: the layer's projections.
    own [1,n,c], reference [1,m,c]: its inputs; reference None for weight w = 0.
    """
    keys = to_k(own) if reference is None else to_k(torch.cat([own, reference], dim=1))
    query = rearrange(to_q(own[:, token : token + 1]).float(), "1 1 (head c) -> head 1 c", head=heads)
    keys = rearrange(keys.float(), "1 n (head c) -> head c n", head=heads)
    logits = (query @ keys)[:, 0] / query.shape[-1] ** 0.5
    if reference is not None:
        logits[:, own.shape[1] :] += math.log(weight)
    return logits.softmax(-1).mean(0)


def cell_at(x: float, y: float, grid: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the grid's cell at a point, 0-1."""
    rows, columns = grid
    return min(int(y * rows), rows - 1), min(int(x * columns), columns - 1)


def strongest(heat: Tensor) -> list[tuple[float, float, float]]:
    """x, y (0-1, the cell's centre) and value of the strongest cells of a map [h,w]."""
    values, places = heat.flatten().topk(min(STRONGEST, heat.numel()))
    rows, columns = heat.shape
    return [
        ((place % columns + 0.5) / columns, (place // columns + 0.5) / rows, value)
        for value, place in zip(values.tolist(), places.tolist())
    ]


def in_words(row: Row, config: InspectConfig, where: str) -> str:
    """What the row says, for the node's text; where: the step and the layer in words."""
    share = row.reference_share
    lines = [
        where,
        f"Frame {config.frame} at ({config.x:.2f}, {config.y:.2f}), mean of {row.heads} heads: "
        f"{share:.1%} of its attention goes to the reference, {1 - share:.1%} to the frame itself.",
    ]
    for name, heat in (("reference", row.reference), ("frame", row.own)):
        if heat.sum() > 0:
            places = ", ".join(f"({x:.2f}, {y:.2f}) {value:.1%}" for x, y, value in strongest(heat))
            lines.append(f"Strongest in the {name}: {places}.")
    return "\n".join(lines)
