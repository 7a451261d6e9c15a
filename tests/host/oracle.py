"""The method by its formulas: softmax maps built in full, kept, and multiplied with live values.

Written against the host's replace patches and nothing of the pack, for one batch of all frames.
"""

import comfy.samplers
import torch
from torch import Tensor

REFERENCE, PREVIEW = "oracle_reference", "oracle_preview"


def heads_of(t: Tensor, heads: int) -> Tensor:
    """[b,n,heads*d] -> [b,heads,n,d]."""
    b, n, c = t.shape
    return t.reshape(b, n, heads, c // heads).transpose(1, 2)


def attention_map(q: Tensor, k: Tensor, heads: int, weights: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt d + ln weights) [b,heads,n,m]; weights [m] of the keys."""
    q, k = heads_of(q, heads).double(), heads_of(k, heads).double()
    logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if weights is not None:
        logits = logits + weights.double().log()
    return logits.softmax(-1)


def applied(attention: Tensor, v: Tensor, heads: int) -> Tensor:
    """map [b,heads,n,m] times values [b,m,c] -> [b,n,c]."""
    out = attention @ heads_of(v, heads).double()
    return out.transpose(1, 2).reshape(v.shape[0], attention.shape[2], -1).to(v)


class Layers:
    """Replacements for every attention layer, in one of three phases."""

    def __init__(self, weight: float = 1.0, recorded_weight: float = 1.0, both: bool = False):
        self.weight, self.recorded_weight, self.both = weight, recorded_weight, both
        self.phase = ""
        self.replay_self = self.replay_cross = True
        self.reference: dict = {}
        self.maps: dict = {}

    def site(self, extra: dict) -> tuple:
        return (*extra["block"], extra["block_index"])

    def anchored(self, site: tuple, k: Tensor, v: Tensor, weight: float) -> tuple[Tensor, Tensor, Tensor]:
        k_ref, v_ref = (t.expand(k.shape[0], -1, -1) for t in self.reference[site])
        keys = torch.ones(k.shape[1] + k_ref.shape[1])
        keys[k.shape[1] :] = weight
        return torch.cat([k, k_ref], 1), torch.cat([v, v_ref], 1), keys

    def attn1(self, q, k, v, extra):
        site, heads = self.site(extra), extra["n_heads"]
        if self.phase == REFERENCE:
            self.reference[site] = (k, v)
            return applied(attention_map(q, k, heads), v, heads)
        weight = self.recorded_weight if self.phase == PREVIEW else self.weight
        k, v, keys = self.anchored(site, k, v, weight)
        live = attention_map(q, k, heads, keys)
        if self.phase == PREVIEW:
            self.maps["self", site] = live
            return applied(live, v, heads)
        if self.replay_self:
            recorded = self.reweighted(self.maps["self", site], keys)
            live = self.in_rows(live, recorded, extra, range(2) if self.both else (0,))
        return applied(live, v, heads)

    def reweighted(self, recorded: Tensor, keys: Tensor) -> Tensor:
        """A recorded map under the target's weight of the reference's keys."""
        scaled = recorded * (keys / torch.where(keys == 1, 1.0, self.recorded_weight)).double()
        return scaled / scaled.sum(-1, keepdim=True)

    def attn2(self, q, k, v, extra):
        site, heads = self.site(extra), extra["n_heads"]
        live = attention_map(q, k, heads)
        if self.phase == PREVIEW:
            self.maps["cross", site] = live
        elif self.phase == "target" and self.replay_cross:
            recorded = self.maps["cross", site]
            times = live.shape[-1] // recorded.shape[-1]
            live = self.in_rows(live, recorded.repeat(1, 1, 1, times) / times, extra, (0,))
        return applied(live, v, heads)

    def in_rows(self, live: Tensor, recorded: Tensor, extra: dict, conds) -> Tensor:
        chunks = extra["cond_or_uncond"]
        parts = zip(chunks, live.chunk(len(chunks)))
        return torch.cat([recorded if c in conds else part for c, part in parts])

    def install(self, model):
        clone = model.clone()
        sites = [("input", i) for i in range(12)] + [("middle", 0)] + [("output", i) for i in range(12)]
        for block, number in sites:
            for index in range(4):
                clone.set_model_attn1_replace(self.attn1, block, number, index)
                clone.set_model_attn2_replace(self.attn2, block, number, index)
        return clone


def oracle(clip, record, cfg: float, self_span=0.8, cross_span=0.8, replay=True, model=None, **weights):
    """Final latents of FreeAnimate over the record's trajectories, maps and all.

    replay=False: RA-SA alone. model: with patches that leave the attention slots free.
    """
    layers = Layers(**weights)
    guider = comfy.samplers.CFGGuider(layers.install(model or clip.tiny.model))
    guider.inner_set_conds(
        {
            "positive": clip.positive,
            "negative": clip.negative,
            REFERENCE: record.reference_positive,
            PREVIEW: record.positive,
        }
    )
    descending = record.descending.tolist()
    steps = len(descending) - 1

    def run(model, x, sigmas, extra_args, callback=None, disable=None):
        base = guider.inner_model

        def call(phase, names, x, sigma):
            layers.phase = phase
            conds = [guider.conds[name] for name in names]
            return comfy.samplers.calc_cond_batch(
                base, conds, x, x.new_full((x.shape[0],), sigma), extra_args["model_options"]
            )

        for i, (sigma, following) in enumerate(zip(descending, descending[1:])):
            level = int((record.levels - sigma).abs().argmin())
            call(REFERENCE, [REFERENCE], record.reference[level], sigma)
            call(PREVIEW, [PREVIEW], record.preview[level], sigma)
            layers.replay_self = replay and i < round(self_span * steps)
            layers.replay_cross = replay and i < round(cross_span * steps)
            cond, uncond = call("target", ["positive", "negative"], x, sigma)
            denoised = uncond + cfg * (cond - uncond)
            x = x + (following - sigma) * (x - denoised) / sigma
        return x

    start = guider.model_patcher.model.process_latent_out(record.top)
    return guider.sample(torch.zeros_like(start), start, comfy.samplers.KSAMPLER(run), record.descending)
