"""The method by its formulas: softmax maps built in full, kept, and multiplied with live values.

Written against the host's replace patches and nothing of the pack. The tests hold the pack to it;
the benchmark times it as FateZero's school does it, with the maps of all levels kept in RAM.
"""

import comfy.samplers
import torch
from comfy.ldm.modules.attention import optimized_attention
from einops import rearrange, repeat
from torch import Tensor

REFERENCE, PREVIEW, TARGET = "literal_reference", "literal_preview", "target"


def heads_of(t: Tensor, heads: int) -> Tensor:
    """[b,n,heads*d] -> [b,heads,n,d]."""
    return rearrange(t, "b n (heads d) -> b heads n d", heads=heads)


def attention_map(
    q: Tensor, k: Tensor, heads: int, weights: Tensor | None = None, dtype: torch.dtype = torch.float64
) -> Tensor:
    """softmax(q k^T / sqrt d + ln weights) [b,heads,n,m] in ``dtype``; weights [m] of the keys."""
    q, k = heads_of(q, heads).to(dtype), heads_of(k, heads).to(dtype)
    logits = (q / q.shape[-1] ** 0.5) @ k.transpose(-1, -2)
    if weights is not None:
        logits = logits + weights.to(logits).log()
    return logits.softmax(-1)


def applied(attention: Tensor, v: Tensor, heads: int) -> Tensor:
    """map [b,heads,n,m] times values [b,m,c] -> [b,n,c]."""
    return rearrange(attention @ heads_of(v, heads).to(attention), "b heads n d -> b n (heads d)").to(v)


def installed(model, attn1, attn2):
    """A clone of MODEL with every self- and cross-attention layer replaced."""
    clone = model.clone()
    sites = [("input", i) for i in range(12)] + [("middle", 0)] + [("output", i) for i in range(12)]
    for block, number in sites:
        for index in range(10):
            clone.set_model_attn1_replace(attn1, block, number, index)
            clone.set_model_attn2_replace(attn2, block, number, index)
    return clone


class Layers:
    """Replacements for every attention layer, in one of three phases; maps of one level, made in ``dtype``."""

    def __init__(
        self,
        weight: float = 1.0,
        recorded_weight: float = 1.0,
        both: bool = False,
        dtype: torch.dtype = torch.float64,
    ):
        self.weight, self.recorded_weight, self.both, self.dtype = weight, recorded_weight, both, dtype
        self.phase, self.level = "", 0
        self.replay_self = self.replay_cross = True
        self.reference: dict = {}
        self.maps: dict = {}

    def site(self, extra: dict) -> tuple:
        """What names a layer."""
        return (*extra["block"], extra["block_index"])

    def needs_preview(self) -> bool:
        """Whether the preview must be evaluated at this level for its maps."""
        return True

    def keep(self, key: tuple, attention: Tensor) -> None:
        """Remember a layer's map."""
        self.maps[key] = attention

    def kept(self, key: tuple, like: Tensor) -> Tensor | None:
        """The recorded map of a layer; None where maps are not kept."""
        return self.maps[key]

    def keeps(self, tokens: int) -> bool:
        """Whether maps are kept at layers of this many tokens."""
        return True

    def map(self, q: Tensor, k: Tensor, heads: int, keys: Tensor | None = None) -> Tensor:
        """The map of a layer under the weights [m] of its keys."""
        return attention_map(q, k, heads, keys, self.dtype)

    def live(self, q: Tensor, k: Tensor, v: Tensor, heads: int, keys: Tensor | None = None) -> Tensor:
        """Attention of rows that replay nothing."""
        return applied(self.map(q, k, heads, keys), v, heads)

    def anchored(self, site: tuple, k: Tensor, v: Tensor, weight: float) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values with the reference's beside them, and the weights of the keys."""
        k_ref, v_ref = (t.expand(k.shape[0], -1, -1) for t in self.reference[site])
        keys = torch.ones(k.shape[1] + k_ref.shape[1], device=k.device)
        keys[k.shape[1] :] = weight
        return torch.cat([k, k_ref], 1), torch.cat([v, v_ref], 1), keys

    def attn1(self, q, k, v, extra):
        """Self-attention of the current phase."""
        site, heads = self.site(extra), extra["n_heads"]
        if self.phase == REFERENCE:
            self.reference[site] = (k, v)
            return self.live(q, k, v, heads)
        weight = self.recorded_weight if self.phase == PREVIEW else self.weight
        k, v, keys = self.anchored(site, k, v, weight)
        if self.phase == PREVIEW:
            return self.recording(("self", site), q, k, v, heads, keys)
        recorded = self.kept(("self", site), q) if self.replay_self else None
        if recorded is not None:
            recorded = self.reweighted(recorded, keys)
        return self.mixed(q, k, v, extra, recorded, range(2) if self.both else (0,), keys)

    def reweighted(self, recorded: Tensor, keys: Tensor) -> Tensor:
        """A recorded map under the target's weight of the reference's keys."""
        scaled = recorded * (keys / torch.where(keys == 1, 1.0, self.recorded_weight)).to(recorded)
        return scaled / scaled.sum(-1, keepdim=True)

    def attn2(self, q, k, v, extra):
        """Cross-attention of the current phase."""
        site, heads = self.site(extra), extra["n_heads"]
        if self.phase == PREVIEW:
            return self.recording(("cross", site), q, k, v, heads)
        recorded = None
        if self.phase == TARGET and self.replay_cross:
            recorded = self.kept(("cross", site), q)
        if recorded is not None:
            times = k.shape[1] // recorded.shape[-1]
            recorded = repeat(recorded, "b heads n m -> b heads n (times m)", times=times) / times
        return self.mixed(q, k, v, extra, recorded, (0,))

    def recording(self, key: tuple, q, k, v, heads: int, keys: Tensor | None = None) -> Tensor:
        """Attention of the preview, whose map is kept."""
        if not self.keeps(q.shape[1]):
            return self.live(q, k, v, heads, keys)
        attention = self.map(q, k, heads, keys)
        self.keep(key, attention)
        return applied(attention, v, heads)

    def mixed(self, q, k, v, extra, recorded: Tensor | None, conds, keys: Tensor | None = None) -> Tensor:
        """Rows of ``conds`` by their recorded map, the others live."""
        chunks, heads = extra["cond_or_uncond"], extra["n_heads"]
        if recorded is None:
            return self.live(q, k, v, heads, keys)
        rows = zip(chunks, *(t.chunk(len(chunks)) for t in (q, k, v)))
        return torch.cat(
            [applied(recorded, v, heads) if c in conds else self.live(q, k, v, heads, keys) for c, q, k, v in rows]
        )


class KeptLayers(Layers):
    """The same with the maps of all levels in RAM, in the model's precision, where tokens <= ``most_tokens``.

    What replays nothing takes the host's fused attention: the baseline pays for its maps and for nothing else.
    """

    def __init__(self, dtype: torch.dtype, most_tokens: int):
        super().__init__(dtype=dtype)
        self.most_tokens = most_tokens
        self.recording_levels = True

    def needs_preview(self) -> bool:
        return self.recording_levels

    def keep(self, key: tuple, attention: Tensor) -> None:
        self.maps[self.level, key] = attention.to("cpu")

    def kept(self, key: tuple, like: Tensor) -> Tensor | None:
        attention = self.maps.get((self.level, key))
        return None if attention is None else attention.to(like.device)

    def keeps(self, tokens: int) -> bool:
        return tokens <= self.most_tokens

    def map(self, q: Tensor, k: Tensor, heads: int, keys: Tensor | None = None) -> Tensor:
        return attention_map(q, k, heads, dtype=self.dtype)  # the keys' weights are 1

    def live(self, q: Tensor, k: Tensor, v: Tensor, heads: int, keys: Tensor | None = None) -> Tensor:
        return optimized_attention(q, k, v, heads)

    def reweighted(self, recorded: Tensor, keys: Tensor) -> Tensor:
        return recorded

    def bytes(self) -> int:
        """Bytes of all maps kept."""
        return sum(t.numel() * t.element_size() for t in self.maps.values())


def sampled(model, conds: dict[str, list], record, run) -> Tensor:
    """Latents of ``run(guider, x, options)`` inside the host's sampling of MODEL, from the record's top level."""
    guider = comfy.samplers.CFGGuider(model)
    guider.inner_set_conds(conds)

    def function(model, x, sigmas, extra_args, callback=None, disable=None):
        return run(guider, x, extra_args["model_options"])

    start = guider.model_patcher.model.process_latent_out(record.top)
    sampler = comfy.samplers.KSAMPLER(function)
    return guider.sample(torch.zeros_like(start), start, sampler, record.descending, disable_pbar=True)


def recorded_conds(record, **live: list) -> dict[str, list]:
    """Live conditionings beside those of the record."""
    return live | {REFERENCE: record.reference_positive, PREVIEW: record.positive}


def denoise(model, positive, negative, record, cfg: float, layers: Layers, self_span=0.8, cross_span=0.8, replay=True):
    """Final latents [F,C,h,w] of FreeAnimate over the record's trajectories, maps and all.

    replay=False: RA-SA alone. record: levels, descending, trajectories and conditionings of an inversion.
    """
    descending = record.descending.tolist()
    steps = len(descending) - 1

    def run(guider, x, options):
        for i, (sigma, following) in enumerate(zip(descending, descending[1:])):
            record_level(guider, layers, record, sigma, options)
            layers.replay_self = replay and i < int(self_span * steps + 0.5)
            layers.replay_cross = replay and i < int(cross_span * steps + 0.5)
            cond, uncond = _call(guider, layers, TARGET, ["positive", "negative"], x, sigma, options)
            denoised = uncond + cfg * (cond - uncond)
            x = x + (following - sigma) * (x - denoised) / sigma
        return x

    conds = recorded_conds(record, positive=positive, negative=negative)
    return sampled(installed(model, layers.attn1, layers.attn2), conds, record, run)


def keep_maps(model, record, layers: KeptLayers) -> KeptLayers:
    """Fill ``layers`` with the maps of every level that denoising visits."""

    def run(guider, x, options):
        for sigma in record.descending.tolist()[:-1]:
            record_level(guider, layers, record, sigma, options)
        return x

    sampled(installed(model, layers.attn1, layers.attn2), recorded_conds(record), record, run)
    layers.recording_levels = False
    return layers


def record_level(guider, layers: Layers, record, sigma: float, options: dict) -> None:
    """The reference's and, for its maps, the preview's evaluation at a level."""
    layers.level = int((record.levels - sigma).abs().argmin())
    _call(guider, layers, REFERENCE, [REFERENCE], record.reference[layers.level], sigma, options)
    if layers.needs_preview():
        _call(guider, layers, PREVIEW, [PREVIEW], record.preview[layers.level], sigma, options)


def _call(guider, layers: Layers, phase: str, names: list[str], x: Tensor, sigma: float, options: dict) -> list[Tensor]:
    layers.phase = phase
    conds = [guider.conds[name] for name in names]
    x = x.to(guider.model_patcher.load_device)
    return comfy.samplers.calc_cond_batch(guider.inner_model, conds, x, x.new_full((x.shape[0],), sigma), options)
