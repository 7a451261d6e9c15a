"""Replay against materialised maps, tiers and windows against one another, on the real host."""

import comfy.ldm.modules.attention as host_attention
import comfy.samplers
import hostside
import pytest
import torch
from oracle import applied, attention_map, oracle
from runs import Clip, animate

from freeanimate_pack.freeanimate_core.host.patches import PASS
from freeanimate_pack.freeanimate_core.method.passes import RecordingPass, TargetPass

FINAL = 1e-4
LAYER = 1e-5
DISTINCT = 1e-2
TIERS = ("recompute", "memory", "disk")


def plain(clip: Clip, record, cfg: float) -> torch.Tensor:
    """The stock sampler on the unpatched model, from the record's top level."""
    start = clip.tiny.model.model.process_latent_out(record.top)
    return comfy.samplers.sample(
        clip.tiny.model,
        torch.zeros_like(start),
        clip.positive,
        clip.negative,
        cfg,
        torch.device("cpu"),
        comfy.samplers.sampler_object("euler"),
        record.descending,
        latent_image=start,
    )


def distances(clip: Clip, tiers=("recompute",)) -> None:
    records = {tier: clip.invert(tier)[0] for tier in tiers}
    record = records[tiers[0]]
    truth = oracle(clip, record, 7.5)
    for tier in tiers:
        assert hostside.relative(animate(clip, records[tier]), truth) <= FINAL
    assert hostside.relative(plain(clip, record, 7.5), truth) > DISTINCT
    assert hostside.relative(oracle(clip, record, 7.5, replay=False), truth) > DISTINCT


def test_every_tier_equals_the_maps(sd15):
    distances(Clip(sd15, frames=3), TIERS)


@pytest.mark.parametrize("family", ["sd2", "sdxl"])
def test_other_families_equal_the_maps(request, family):
    distances(Clip(request.getfixturevalue(family), frames=3))


def test_one_frame_equals_the_maps(sd15):
    distances(Clip(sd15, frames=1, h=10, w=6))


@pytest.mark.parametrize("weight, recorded_weight", [(0.5, 1.0), (2.0, 0.5)])
def test_weighted_reference_equals_the_maps(sd15, weight, recorded_weight):
    clip = Clip(sd15, frames=2, steps=5)
    record = clip.invert(weight=recorded_weight)[0]
    truth = oracle(clip, record, 7.5, weight=weight, recorded_weight=recorded_weight)
    assert hostside.relative(animate(clip, record, weight=weight), truth) <= FINAL
    assert hostside.relative(oracle(clip, record, 7.5), truth) > FINAL


def test_both_halves_equal_the_maps(sd15):
    clip = Clip(sd15, frames=2, steps=5)
    record = clip.invert()[0]
    truth = oracle(clip, record, 7.5, both=True)
    assert hostside.relative(animate(clip, record, halves="both"), truth) <= FINAL
    assert hostside.relative(animate(clip, record), truth) > FINAL


@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl"])
def test_every_layer_equals_its_map(request, family):
    """At every layer, given the same inputs: the layer under our pass against the kept map times V."""
    clip = Clip(request.getfixturevalue(family), frames=3, steps=2)
    maps: dict = {}
    errors: dict = {}

    def layer(kind):
        def attend(q, k, v, extra):
            site, heads = (*extra["block"], extra["block_index"]), extra["n_heads"]
            if isinstance(extra[PASS], RecordingPass):
                maps[kind, site] = attention_map(q, k, heads)[: clip.frames]  # the last row is the reference
            out = host_attention.optimized_attention(q, k, v, heads, transformer_options=extra)
            if isinstance(extra[PASS], TargetPass):
                rows = slice(*[clip.frames * (extra["cond_or_uncond"].index(0) + i) for i in (0, 1)])
                kept = maps[kind, site]
                kept = kept.repeat(1, 1, 1, v.shape[1] // kept.shape[-1]) / (v.shape[1] // kept.shape[-1])
                error = hostside.relative(out[rows], applied(kept, v[rows], heads))
                errors[kind, site] = max(errors.get((kind, site), 0.0), error)
            return out

        return attend

    model = clip.tiny.model.clone()
    sites = [("input", i) for i in range(12)] + [("middle", 0)] + [("output", i) for i in range(12)]
    for block, number in sites:
        for index in range(4):
            model.set_model_attn1_replace(layer("self"), block, number, index)
            model.set_model_attn2_replace(layer("cross"), block, number, index)
    animate(clip, clip.invert(model=model)[0], model=model, self_span=1.0, cross_span=1.0)
    layout = clip.tiny.layout
    assert len(errors) == 2 * (sum(layout.depth) + layout.depth_middle + sum(layout.depth_output))
    assert max(errors.values()) <= LAYER


def test_tiers_and_windows_agree(sd15):
    """All tiers, with windows of 1, 3 and all frames on either side of the record."""
    clip = Clip(sd15, frames=4, h=8, w=12)
    truth = animate(clip, clip.invert("recompute", window=4)[0], window=4)
    for tier, recorded, window in [("recompute", 1, 1), ("recompute", 3, 3), ("memory", 3, 1), ("disk", 1, 3)]:
        record = clip.invert(tier, window=recorded)[0]
        assert hostside.relative(animate(clip, record, window=window), truth) <= FINAL
