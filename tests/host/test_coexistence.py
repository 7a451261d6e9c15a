"""With other nodes of the host on the same model: their effect stays, or they are refused by name."""

import comfy.ldm.modules.attention as host_attention
import comfy.samplers
import comfy.sd
import comfy_extras.nodes_custom_sampler as custom
import hostside
import nodes as host_nodes
import pytest
import torch
from comfy_extras.nodes_context_windows import ContextWindowsManualNode
from comfy_extras.nodes_easycache import EasyCacheNode
from comfy_extras.nodes_freelunch import FreeU
from comfy_extras.nodes_hypertile import HyperTile
from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete
from comfy_extras.nodes_pag import PerturbedAttentionGuidance
from comfy_extras.nodes_sag import SelfAttentionGuidance
from comfy_extras.nodes_tomesd import TomePatchModel
from oracle import oracle
from runs import Clip, animate, patch, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError

CFG = 4.0
EFFECT = 1e-3
SAME = 1e-4


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=2, h=6, w=8, steps=4)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert()[0]


@pytest.fixture(scope="module")
def ours(clip, record) -> torch.Tensor:
    with torch.inference_mode():
        return animate(clip, record, CFG)


def with_lora(model, strength: float):
    """The host's own LoRA loading of a rank-2 LoRA on a self- and a cross-attention projection."""
    rng = torch.Generator().manual_seed(7)
    weights = model.model.diffusion_model.state_dict()
    lora = {}
    for name in ("input_blocks.1.1.transformer_blocks.0.attn1.to_k", "middle_block.1.transformer_blocks.0.attn2.to_q"):
        out, into = weights[f"{name}.weight"].shape
        lora[f"diffusion_model.{name}.lora_up.weight"] = torch.randn(out, 2, generator=rng)
        lora[f"diffusion_model.{name}.lora_down.weight"] = torch.randn(2, into, generator=rng) * 0.3
    return comfy.sd.load_lora_for_models(model, None, lora, strength, 0.0)[0]


def test_lora_before_both_nodes(clip, ours):
    model = with_lora(clip.tiny.model, 1.0)
    record = clip.invert(model=model)[0]
    result = animate(clip, record, CFG, model=model)
    assert hostside.relative(result, oracle(clip, record, CFG, model=model)) <= SAME
    assert hostside.relative(result, ours) > EFFECT


def test_lora_after_the_inversion_is_stale(clip, record):
    with pytest.raises(FreeAnimateError, match="other LoRA patches"):
        patch(with_lora(clip.tiny.model, 1.0), record)
    late = with_lora(patch(clip.tiny.model, record), 1.0)
    with pytest.raises(FreeAnimateError, match="other LoRA patches"):
        sample(clip, record, late, CFG)


def test_lora_fingerprint_is_by_value(clip):
    """The same LoRA loaded again is the same model; another strength is not; loaded or not is no matter."""
    record = clip.invert(model=with_lora(clip.tiny.model, 0.5))[0]
    patch(with_lora(clip.tiny.model, 0.5), record)
    with pytest.raises(FreeAnimateError, match="other LoRA patches"):
        patch(with_lora(clip.tiny.model, 0.6), record)
    with pytest.raises(FreeAnimateError, match="other LoRA patches"):
        patch(clip.tiny.model, record)


def test_freeu(clip, ours):
    model = FreeU.execute(clip.tiny.model, 1.3, 1.4, 0.9, 0.2).args[0]
    record = clip.invert(model=model)[0]
    result = animate(clip, record, CFG, model=model)
    assert hostside.relative(result, oracle(clip, record, CFG, model=model)) <= SAME
    assert hostside.relative(result, ours) > EFFECT


def test_pag(clip, record, ours):
    """PAG's extra call runs with RA-SA and replay; scale 0 is no PAG."""
    results = [
        animate(clip, record, CFG, model=PerturbedAttentionGuidance.execute(clip.tiny.model, scale).args[0])
        for scale in (0.0, 3.0)
    ]
    assert torch.equal(results[0], ours)
    assert hostside.relative(results[1], ours) > EFFECT


def test_pag_of_what_it_perturbs(clip, record, ours):
    """PAG is linear in its scale when its extra prediction is a function of the state alone: first step."""
    short = record.descending[:2]

    def first_step(scale):
        model = PerturbedAttentionGuidance.execute(patch(clip.tiny.model, record), scale).args[0]
        guider = custom.CFGGuider.execute(model, clip.positive, clip.negative, CFG).args[0]
        start = {"samples": clip.tiny.model.model.process_latent_out(record.top)}
        noise = custom.DisableNoise.execute().args[0]
        euler = comfy.samplers.sampler_object("euler")
        return custom.SamplerCustomAdvanced.execute(noise, guider, euler, short, start).args[0]["samples"]

    none, one, two = (first_step(scale) for scale in (0.0, 1.0, 2.0))
    assert hostside.relative(two - none, 2 * (one - none)) <= SAME


def with_image_prompt(model, weight: float):
    """An attn2 replacement as IPAdapter installs it: text attention plus attention to image tokens."""
    rng = torch.Generator().manual_seed(11)
    tokens: dict[int, torch.Tensor] = {}

    def attend(q, k, v, extra):
        out = host_attention.optimized_attention(q, k, v, extra["n_heads"], transformer_options=extra)
        width = q.shape[-1]
        image = tokens.setdefault(width, torch.randn(1, 4, width, generator=rng)).expand(q.shape[0], -1, -1)
        return out + weight * host_attention.optimized_attention(q, image, image, extra["n_heads"])

    clone = model.clone()
    for block, number in [("input", 1), ("input", 2), ("middle", 0), ("output", 11)]:
        clone.set_model_attn2_replace(attend, block, number)
    return clone


def test_image_prompt(clip, record, ours):
    absent, present = (animate(clip, record, CFG, model=with_image_prompt(clip.tiny.model, w)) for w in (0.0, 1.0))
    assert torch.equal(absent, ours)
    assert hostside.relative(present, ours) > EFFECT
    after = with_image_prompt(patch(clip.tiny.model, record), 1.0)
    assert torch.equal(sample(clip, record, after, CFG), present)


def test_attention_override_of_another_pack(clip, record):
    """A weighted reference wraps whoever holds the override; both act."""
    calls = {"count": 0}

    def holder(func, *args, **kwargs):
        calls["count"] += 1
        return 0.9 * func(*args, **kwargs)

    weighted = animate(clip, record, CFG, weight=0.5)
    model = clip.tiny.model.clone()
    model.model_options["transformer_options"]["optimized_attention_override"] = holder
    held = animate(clip, record, CFG, weight=0.5, model=model)
    unweighted = animate(clip, record, CFG, model=model)
    assert calls["count"] > 0
    assert hostside.relative(held, weighted) > EFFECT
    assert hostside.relative(held, unweighted) > EFFECT


def with_context_windows(model):
    """The host's own frame windows."""
    return ContextWindowsManualNode.execute(
        model, 1, 0, "standard_static", 1, False, "pyramid", 0, False, "", False
    ).args[0]


@pytest.mark.parametrize(
    "install, name",
    [
        (lambda m: SelfAttentionGuidance.execute(m, 0.5, 2.0).args[0], "Self-Attention Guidance"),
        (lambda m: TomePatchModel.execute(m, 0.3).args[0], "Tome Patch Model"),
        (lambda m: HyperTile.execute(m, 256, 2, 0, False)[0], "HyperTile"),
        (lambda m: EasyCacheNode.execute(m, 0.2, 0.15, 0.95, False).args[0], "EasyCache"),
        (
            with_context_windows,
            "Context Windows",
        ),
    ],
    ids=["SAG", "ToMe", "HyperTile", "EasyCache", "ContextWindows"],
)
def test_refused_by_name(clip, record, install, name):
    model = install(clip.tiny.model)
    with pytest.raises(FreeAnimateError, match=name):
        clip.invert(model=model)
    with pytest.raises(FreeAnimateError, match=name):
        patch(model, record)
    late = install(patch(clip.tiny.model, record))
    with pytest.raises(FreeAnimateError, match=name):
        sample(clip, record, late, CFG)


def test_fewer_queries_of_an_unknown_pack_are_refused(clip, record):
    model = patch(clip.tiny.model, record)

    def merge(q, k, v, extra):
        return q[:, ::2], k, v

    model.model_options["transformer_options"]["patches"]["attn1_patch"].insert(0, merge)
    with pytest.raises(FreeAnimateError, match="changes the number of tokens"):
        sample(clip, record, model, CFG)


def test_patches_on_keys_act_on_recorded_rows_too(clip):
    """As the host's hypernetworks do; before or after Patch Model is no matter."""

    def scaled(q, k, v, extra):
        return q, k * 1.5, v * 0.8

    def install(model):
        model = model.clone()
        model.set_model_attn1_patch(scaled)
        return model

    record = clip.invert(model=install(clip.tiny.model))[0]
    before = animate(clip, record, CFG, model=install(clip.tiny.model))
    model = install(patch(clip.tiny.model, record))
    after = sample(clip, record, model, CFG)
    assert torch.equal(before, after)
    banked = clip.invert("memory", model=install(clip.tiny.model))[0]
    assert hostside.relative(animate(clip, banked, CFG, model=install(clip.tiny.model)), before) <= SAME


def test_tiers_agree_when_a_patch_comes_after_the_inversion(clip, record, ours):
    """What is run again runs under the inversion's own patches."""
    model = FreeU.execute(with_image_prompt(clip.tiny.model, 1.0), 1.3, 1.4, 0.9, 0.2).args[0]
    recomputed = animate(clip, record, CFG, model=model)
    stored = animate(clip, clip.invert("memory")[0], CFG, model=model)
    assert hostside.relative(stored, recomputed) <= SAME
    assert hostside.relative(recomputed, ours) > EFFECT


def test_another_noise_schedule_is_stale(clip, record):
    model = ModelSamplingDiscrete().patch(clip.tiny.model, "v_prediction", False)[0]
    with pytest.raises(FreeAnimateError, match="another ModelSampling"):
        patch(model, record)


def test_conditionings_per_frame(clip):
    """A text of its own for every frame, [F,L,c]: cut to the window on both sides."""
    frames = clip.positive[0][0].repeat(clip.frames, 1, 1)
    frames[1] = frames[1].roll(5, dims=-1)
    varied = Clip(clip.tiny, frames=2, h=6, w=8, steps=4)
    varied.positive = [[frames, clip.positive[0][1]]]
    results = [animate(varied, varied.invert(window=w, check=1)[0], CFG, window=w) for w in (1, 2)]
    assert hostside.relative(results[0], results[1]) <= SAME
    assert hostside.relative(results[0][1], animate(clip, clip.invert()[0], CFG)[1]) > EFFECT


def test_the_old_apply_node_lends_the_reference_nothing(clip, ours):
    """ControlNetApply marks its ControlNet for the uncond half; the reference's passes go without it."""
    applied = Clip(clip.tiny, frames=2, h=6, w=8, steps=4, control=False)
    without = applied.invert()[0].reference
    hint = hostside.hint(2, 6, 8)
    applied.positive = host_nodes.ControlNetApply().apply_controlnet(
        applied.positive, clip.tiny.control_net, hint, 1.0
    )[0]
    record = applied.invert()[0]
    assert torch.equal(record.reference, without)
    assert hostside.relative(animate(applied, record, CFG), ours) <= SAME


def test_a_guider_without_a_negative(clip, record):
    guider = custom.BasicGuider.execute(patch(clip.tiny.model, record), clip.positive).args[0]
    assert torch.equal(sampled(clip, record, guider), animate(clip, record, 1.0))


def test_controls_that_bind_themselves_are_refused(clip):
    """As Advanced-ControlNet's do: a copy would read the original's hints in every window."""
    text, options = clip.positive[0]
    bound = options["control"].copy().set_cond_hint(options["control"].cond_hint_original)
    bound.get_control = bound.get_control
    foreign = Clip(clip.tiny, frames=2, h=6, w=8, steps=4)
    foreign.positive = [[text, {**options, "control": bound}]]
    with pytest.raises(FreeAnimateError, match="Load ControlNet Model"):
        foreign.invert()


def sampled(clip, record, guider) -> torch.Tensor:
    start = {"samples": clip.tiny.model.model.process_latent_out(record.top)}
    noise, euler = custom.DisableNoise.execute().args[0], comfy.samplers.sampler_object("euler")
    return custom.SamplerCustomAdvanced.execute(noise, guider, euler, record.descending, start).args[0]["samples"]


def test_dual_cfg_puts_the_negative_first(clip, record, ours):
    """With both conditionings positive and nested off, DualCFG at equal scales is CFG."""
    model = patch(clip.tiny.model, record)
    guider = custom.DualCFGGuider.execute(model, clip.positive, clip.negative, clip.negative, CFG, 1.0, "regular").args[
        0
    ]
    assert hostside.relative(sampled(clip, record, guider), ours) <= SAME


def test_combined_positive_reads_the_record(clip, record, ours):
    """Two equal entries are one; two prompts run."""
    combine = host_nodes.ConditioningCombine().combine
    model = patch(clip.tiny.model, record)
    doubled = combine(clip.positive, clip.positive)[0]
    result = sample(clip, record, model, CFG, doubled)
    assert hostside.relative(result, ours) <= SAME
    other = clip.tiny.encode("a dog on a beach at night")
    other = clip.tiny.controlled(other, clip.negative, hostside.hint(clip.frames, clip.h, clip.w))[0]
    mixed = sample(clip, record, model, CFG, combine(clip.positive, other)[0])
    assert hostside.relative(mixed, ours) > EFFECT


def test_scheduled_positive_reads_the_record(clip, record, ours):
    """The prompt in two halves of the schedule is the prompt; another prompt in the second half is not."""
    ranged, combine = host_nodes.ConditioningSetTimestepRange().set_range, host_nodes.ConditioningCombine().combine
    model = patch(clip.tiny.model, record)
    other = clip.tiny.encode("a dog on a beach at night")
    results = []
    for second in (clip.positive, other):
        both = combine(ranged(clip.positive, 0.0, 0.5)[0], ranged(second, 0.5, 1.0)[0])[0]
        results.append(sample(clip, record, model, CFG, both))
    assert hostside.relative(results[0], ours) <= SAME
    assert hostside.relative(results[1], ours) > EFFECT
