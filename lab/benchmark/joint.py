"""The other school: source and target rows in one batch, as TokenFlow and PnP do, with or without RA-SA.

The target's positive rows take the source rows' queries and keys at every layer; the source leaves
the batch when the span ends. With RA-SA the reference is a row of the same batch, so its keys and
values are projected once, and the result is the method's own. Needs the host.
"""

from dataclasses import dataclass

import comfy.samplers
import torch
from comfy.ldm.modules.attention import optimized_attention
from torch import Tensor

from .literal import PREVIEW, REFERENCE, installed, recorded_conds, sampled

ROWS = "joint_rows"


@dataclass(frozen=True)
class Rows:
    """How a batch is laid out: [reference?][source?][positive][negative], each but the first of ``frames`` rows."""

    frames: int
    reference: bool
    source: bool

    @property
    def first(self) -> int:
        """Where the frames' rows begin."""
        return int(self.reference)

    def from_source(self, t: Tensor) -> Tensor:
        """The frames' rows of t [b,n,c] with the source's in place of the positive ones."""
        t, f = t[self.first :], self.frames
        return torch.cat([t[:f], t[:f], t[2 * f :]]) if self.source else t


def self_attention(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> Tensor:
    """attn1 of a joint batch: the source's queries and keys, the reference's keys and values beside the own."""
    rows, heads = extra[ROWS], extra["n_heads"]
    query, key, value = rows.from_source(q), rows.from_source(k), v[rows.first :]
    if not rows.reference:
        return optimized_attention(query, key, value, heads)
    key, value = (torch.cat([t, r[:1].expand(len(t), -1, -1)], 1) for t, r in ((key, k), (value, v)))
    alone = optimized_attention(q[:1], k[:1], v[:1], heads)
    return torch.cat([alone, optimized_attention(query, key, value, heads)])


def cross_attention(q: Tensor, k: Tensor, v: Tensor, extra: dict) -> Tensor:
    """attn2 of a joint batch: the source's queries and text keys in the positive rows."""
    rows, heads = extra[ROWS], extra["n_heads"]
    query, key = (torch.cat([t[: rows.first], rows.from_source(t)]) for t in (q, k))
    return optimized_attention(query, key, v, heads)


def joint(model, positive: list, negative: list, record, cfg: float, span: float, anchored: bool) -> Tensor:
    """Final latents [F,C,h,w] over a record's trajectories; anchored: with RA-SA."""
    descending = record.descending.tolist()
    steps = len(descending) - 1

    def run(guider, x, options):
        for i, (sigma, following) in enumerate(zip(descending, descending[1:])):
            level = int((record.levels - sigma).abs().argmin())
            groups = [("positive", x), ("negative", x)]
            source = i < int(span * steps + 0.5)
            if source:
                groups.insert(0, (PREVIEW, record.preview[level].to(x)))
            if anchored:
                groups.insert(0, (REFERENCE, record.reference[level].to(x)))
            rows = Rows(len(x), anchored, source)
            cond, uncond = _evaluate(guider, groups, rows, sigma, options)[-2 * len(x) :].chunk(2)
            denoised = uncond + cfg * (cond - uncond)
            x = x + (following - sigma) * (x - denoised) / sigma
        return x

    conds = recorded_conds(record, positive=positive, negative=negative)
    return sampled(installed(model, self_attention, cross_attention), conds, record, run)


def _evaluate(guider, groups: list[tuple[str, Tensor]], rows: Rows, sigma: float, options: dict) -> Tensor:
    """Denoised predictions of all rows in one batch; the ControlNet sees all but the reference's."""
    entries = [guider.conds[name][0] for name, _ in groups]
    x = torch.cat([x for _, x in groups])
    times = x.new_full((x.shape[0],), sigma)
    conds = [
        {name: cond.process_cond(batch_size=len(x), area=None) for name, cond in entry["model_conds"].items()}
        for entry, (_, x) in zip(entries, groups)
    ]
    transformer = {**options["transformer_options"], ROWS: rows, "cond_or_uncond": list(range(len(groups)))}
    first = rows.first
    control = entries[-1]["control"].get_control(
        x[first:], times[first:], comfy.samplers.cond_cat(conds[first:]), len(groups) - first, transformer
    )
    control = {place: [_padded(t, first) for t in outputs] for place, outputs in control.items()}
    c = comfy.samplers.cond_cat(conds)
    return guider.inner_model.apply_model(x, times, **c, control=control, transformer_options=transformer)


def _padded(t: Tensor | None, rows: int) -> Tensor | None:
    """A ControlNet output with ``rows`` rows of zeros before it."""
    return t if t is None or rows == 0 else torch.cat([t.new_zeros(rows, *t.shape[1:]), t])
