"""Which model a record was made with: all that acts on the U-Net itself is part of it, and is read once."""

import gc
import weakref

import comfy.sd
import comfy_extras.nodes_custom_sampler as custom
import hostside
import pytest
import torch
from comfy.patcher_extension import PatcherInjection, WrappersMP
from comfy.weight_adapter.bypass import BypassInjectionManager
from comfy_extras.nodes_model_advanced import ModelComputeDtype, ModelSamplingDiscrete
from comfy_extras.nodes_model_downscale import PatchModelAddDownscale
from comfy_extras.nodes_pag import PerturbedAttentionGuidance
from oracle import oracle
from runs import Clip, animate, patch, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.host import digests
from freeanimate_pack.nodes.long_clip import FreeAnimateLongClip

CFG, SAME, EFFECT = 4.0, 1e-4, 1e-3
LAYERS = ("input_blocks.1.1.transformer_blocks.0.attn1.to_k", "middle_block.1.transformer_blocks.0.attn2.to_q")


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=2, h=8, w=8, steps=4)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert()[0]


def lora_of(model) -> dict:
    """A LoRA of rank 2 on a self- and a cross-attention projection."""
    rng = torch.Generator().manual_seed(7)
    weights = model.model.diffusion_model.state_dict()
    lora = {}
    for name in LAYERS:
        out, into = weights[f"{name}.weight"].shape[:2]
        lora[f"diffusion_model.{name}.lora_up.weight"] = torch.randn(out, 2, generator=rng)
        lora[f"diffusion_model.{name}.lora_down.weight"] = torch.randn(2, into, generator=rng) * 0.3
    return lora


def bypassed(model, strength: float):
    """What LoraLoaderBypassModelOnly makes."""
    return comfy.sd.load_bypass_lora_for_models(model, None, lora_of(model), strength, 0.0)[0]


def patched(model, strength: float):
    """What LoraLoaderModelOnly makes."""
    return comfy.sd.load_lora_for_models(model, None, lora_of(model), strength, 0.0)[0]


@pytest.mark.parametrize(
    "recorded, sampled",
    [(None, 1.0), (1.0, None), (1.0, 1.5)],
    ids=["sampler only", "inversion only", "another strength"],
)
def test_a_bypass_lora_on_one_side_is_refused(clip, recorded, sampled):
    models = [clip.tiny.model if s is None else bypassed(clip.tiny.model, s) for s in (recorded, sampled)]
    record = clip.invert(model=models[0])[0]
    with pytest.raises(FreeAnimateError, match="LoraLoaderBypass.*before both DDIM Inversion"):
        patch(models[1], record)


def test_a_bypass_lora_after_patch_model_is_refused(clip, record):
    late = bypassed(patch(clip.tiny.model, record), 1.0)
    with pytest.raises(FreeAnimateError, match="LoraLoaderBypass"):
        sample(clip, record, late, CFG)


def test_a_bypass_lora_before_both_is_the_lora(clip):
    """Loaded twice by two nodes it is one LoRA, and in every tier it does what the weight patch does."""
    truth_model = patched(clip.tiny.model, 1.0)
    truth = animate(clip, clip.invert(model=truth_model)[0], CFG, model=truth_model)
    for tier in ("recompute", "memory"):
        record = clip.invert(tier, model=bypassed(clip.tiny.model, 1.0))[0]
        assert hostside.relative(animate(clip, record, CFG, model=bypassed(clip.tiny.model, 1.0)), truth) <= SAME
    assert hostside.relative(animate(clip, clip.invert()[0], CFG), truth) > EFFECT


def test_an_injection_of_another_pack_is_part_of_the_model(clip, record):
    """By what its function closes over: equal settings are one model, others are not."""

    def injected(scale: float):
        def inject(patcher):
            patcher.model.diffusion_model.out[0].eps = scale

        def eject(patcher):
            patcher.model.diffusion_model.out[0].eps = 1e-5

        model = clip.tiny.model.clone()
        model.set_injections("eps", [PatcherInjection(inject, eject)])
        return model

    told = [digests.model_digests(injected(scale))["injected"] for scale in (0.1, 0.1, 0.2)]
    assert told[0] == told[1] != told[2]
    with pytest.raises(FreeAnimateError, match="other injected layers"):
        patch(injected(0.1), record)


def test_a_cast_by_the_host_does_not_change_a_bypass_lora(clip):
    """Injecting casts the adapter's weights to the layer's type, in place."""
    half = torch.nn.Linear(8, 8).half()
    adapters = [comfy.weight_adapter.LoRAAdapter(set(), (torch.randn(8, 2), torch.randn(2, 8), 1.0, None, None, None))]
    adapters.append(comfy.weight_adapter.LoRAAdapter(set(), adapters[0].weights))

    def digest(adapter, run: bool) -> str:
        manager = BypassInjectionManager()
        manager.add_adapter("0", adapter, 1.0)
        injections = manager.create_injections(torch.nn.Sequential(half))
        if run:
            injections[0].inject(None)
            injections[0].eject(None)
        model = clip.tiny.model.clone()
        model.set_injections("bypass_lora", injections)
        return digests.model_digests(model)["injected"]

    assert digest(adapters[0], run=True) == digest(adapters[1], run=False)
    assert adapters[0].weights[0].dtype == torch.float16


def test_object_patches_are_part_of_the_model(clip, record):
    other = ModelComputeDtype().patch(clip.tiny.model, "bf16")[0]
    with pytest.raises(FreeAnimateError, match="ModelComputeDtype.*before both DDIM Inversion"):
        patch(other, record)
    of_both = clip.invert(model=other)[0]
    patch(ModelComputeDtype().patch(clip.tiny.model, "bf16")[0], of_both)
    same = clip.tiny.model.clone()
    same.add_object_patch("diffusion_model", clip.tiny.model.model.diffusion_model)
    patch(same, record)


def test_digests_are_computed_once(sd15, monkeypatch):
    """Over inversion, patch and the parts of a long clip: the weights once, each LoRA once, whoever asks."""
    fresh = hostside.fresh("sd15", seed=5)
    clip = Clip(fresh, frames=4, h=4, w=4, steps=2)
    model = bypassed(patched(fresh.model, 0.7), 0.4)
    calls: dict[str, int] = {}

    def counting(name: str):
        computed = getattr(digests, name)

        def count(*args):
            calls[name] = calls.get(name, 0) + 1
            return computed(*args)

        monkeypatch.setattr(digests, name, count)

    for name in ("_weights_digest", "_patches_digest", "_as_injected"):
        counting(name)
    record = clip.invert(model=model)[0]
    ready = patch(model, record)
    for parts in (4, 1):
        inputs = {"positive": clip.positive, "negative": clip.negative, "vae": fresh.vae, "cfg": CFG}
        FreeAnimateLongClip.execute(ready, record, **inputs, frames_per_part=parts)
    assert calls == {"_weights_digest": 1, "_patches_digest": 1, "_as_injected": len(LAYERS)}
    stronger = patched(model, 0.1)
    with pytest.raises(FreeAnimateError, match="other LoRA patches"):
        patch(stronger, record)
    assert calls["_patches_digest"] == 2 and calls["_weights_digest"] == 1


def test_nothing_kept_outlives_the_model():
    fresh = hostside.fresh("sd15", seed=6)
    digests.model_digests(bypassed(fresh.model, 1.0))
    kept = weakref.ref(fresh.model.model)
    del fresh
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("sampling", ["lcm", "x0", "img_to_img", "img_to_img_flow"])
def test_what_predicts_no_noise_is_refused(clip, record, sampling):
    model = ModelSamplingDiscrete().patch(clip.tiny.model, sampling, False)[0]
    says = "samples as an LCM.*Turbo, Lightning, Hyper" if sampling == "lcm" else "predicts neither noise nor v"
    with pytest.raises(FreeAnimateError, match=says):
        clip.invert(model=model)
    with pytest.raises(FreeAnimateError, match=says):
        patch(model, record)


def test_zero_snr_is_not_refused(clip):
    model = ModelSamplingDiscrete().patch(clip.tiny.model, "v_prediction", True)[0]
    assert torch.isfinite(animate(clip, clip.invert(model=model)[0], CFG, model=model)).all()


class TemporalMix(torch.nn.Module):
    """A motion layer: every row of a batch reads all rows."""

    def __init__(self, layer: torch.nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x, *args, **kwargs):
        """The layer's result, halfway to the mean over the batch."""
        out = self.layer(x, *args, **kwargs)
        return torch.lerp(out, out.mean(0, keepdim=True).expand_as(out), 0.5)


def with_motion(model, key: str):
    """Motion layers as AnimateDiff-Evolved hangs them on a model: an injection under its key."""

    def inject_motion_models(patcher):
        blocks = patcher.model.diffusion_model.middle_block
        blocks[0] = TemporalMix(blocks[0])

    def eject_motion_models(patcher):
        blocks = patcher.model.diffusion_model.middle_block
        blocks[0] = blocks[0].layer

    clone = model.clone()
    clone.set_injections(key, [PatcherInjection(inject_motion_models, eject_motion_models)])
    if key != "ADE":  # another pack: known by where its functions come from
        inject_motion_models.__module__ = "custom_nodes.ComfyUI-AnimateDiff-Evolved.animatediff.model_injection"
    return clone


@pytest.mark.parametrize("key", ["ADE", "motion"])
def test_motion_layers_are_refused(clip, record, key):
    model = with_motion(clip.tiny.model, key)
    with pytest.raises(FreeAnimateError, match="carries AnimateDiff.*remove AnimateDiff"):
        clip.invert(model=model)
    with pytest.raises(FreeAnimateError, match="carries AnimateDiff"):
        patch(model, record)
    with pytest.raises(FreeAnimateError, match="Patch Model.*carries AnimateDiff"):
        sample(clip, record, with_motion(patch(clip.tiny.model, record), key), CFG)


def test_context_sampling_of_animatediff_is_refused_too(clip, record):
    model = clip.tiny.model.clone()
    model.add_wrapper_with_key(WrappersMP.CALC_COND_BATCH, "ADE", lambda executor, *args: executor(*args))
    with pytest.raises(FreeAnimateError, match="carries AnimateDiff"):
        patch(model, record)


def shrunk(model, factor: float = 2.0):
    """Kohya's Deep Shrink at all levels."""
    return PatchModelAddDownscale.execute(model, 3, factor, 0.0, 1.0, True, "bicubic", "bicubic").args[0]


def test_deep_shrink_on_one_side_is_refused(clip, record):
    with pytest.raises(FreeAnimateError, match="Deep Shrink.*before both DDIM Inversion"):
        patch(shrunk(clip.tiny.model), record)
    with pytest.raises(FreeAnimateError, match="Deep Shrink"):
        sample(clip, record, shrunk(patch(clip.tiny.model, record)), CFG)
    of_shrunk = clip.invert(model=shrunk(clip.tiny.model))[0]
    for other in (clip.tiny.model, shrunk(clip.tiny.model, 4.0)):
        with pytest.raises(FreeAnimateError, match="Deep Shrink"):
            patch(other, of_shrunk)


def test_deep_shrink_on_both_sides_is_the_method(clip, record):
    """The same node twice is one setting; tiers agree with one another and with the literal method."""
    results = []
    for tier in ("recompute", "memory"):
        of_shrunk = clip.invert(tier, model=shrunk(clip.tiny.model))[0]
        results.append(animate(clip, of_shrunk, CFG, model=shrunk(clip.tiny.model)))
    assert hostside.relative(results[1], results[0]) <= SAME
    assert hostside.relative(results[0], oracle(clip, of_shrunk, CFG, model=shrunk(clip.tiny.model))) <= SAME
    assert hostside.relative(results[0], animate(clip, record, CFG)) > EFFECT


@pytest.mark.parametrize("spans", [0.8, 0.0], ids=["replayed", "reference alone"])
def test_a_layer_of_another_size_than_recorded_is_named(clip, record, spans):
    """A shrinking patch that no list knows."""

    def smaller(h, extra):
        return torch.nn.functional.avg_pool2d(h, 2) if extra["block"][1] == 3 else h

    def larger(h, skip, extra):
        return torch.nn.functional.interpolate(h, skip.shape[-2:]), skip

    model = clip.tiny.model.clone()
    model.set_model_input_block_patch_after_skip(smaller)
    model.set_model_output_block_patch(larger)
    with pytest.raises(FreeAnimateError, match="tokens and the recording pass had .*before both DDIM Inversion"):
        animate(clip, record, CFG, model=model, self_span=spans, cross_span=spans)


def test_fewer_queries_behind_our_patch_are_refused(clip, record):
    """A patch behind ours, of a pack that no list knows: the queries are counted once all patches have run."""
    model = patch(clip.tiny.model, record)
    model.set_model_attn1_patch(lambda q, k, v, extra: (q[:, ::2], k, v))
    with pytest.raises(FreeAnimateError, match="changes the number of tokens"):
        sample(clip, record, model, CFG)


class TokenMergeVariant:
    """As packs name their own token merging."""

    def hang_on(self, model):
        """A patch that this class made, which its name tells."""

        def merge(q, k, v, extra):
            return q, k, v

        model = model.clone()
        model.set_model_attn1_patch(merge)
        return model


class StyleAlignedBatch(TokenMergeVariant):
    """As the pack that shares attention within a batch names its patches."""

    def hang_on(self, model):
        """A patch that this class made, which its name tells."""

        def share(q, k, v, extra):
            return q, k[:1].expand_as(k), v[:1].expand_as(v)

        model = model.clone()
        model.set_model_attn1_patch(share)
        return model


@pytest.mark.parametrize("maker, says", [(TokenMergeVariant, "token merging"), (StyleAlignedBatch, "StyleAligned")])
def test_variants_are_refused_by_name(clip, record, maker, says):
    model = maker().hang_on(clip.tiny.model)
    with pytest.raises(FreeAnimateError, match=says):
        clip.invert(model=model)
    with pytest.raises(FreeAnimateError, match=says):
        patch(model, record)


def test_a_weighted_reference_that_cannot_act_is_named(clip, record):
    """Another patch that adds keys, and a replacement that attends by itself: not dropped in silence."""

    def longer(q, k, v, extra):
        return q, torch.cat([k, k], 1), torch.cat([v, v], 1)

    def alone(q, k, v, extra):
        return comfy.ldm.modules.attention.optimized_attention(q, k, v, extra["n_heads"])

    added = clip.tiny.model.clone()
    added.set_model_attn1_patch(longer)
    replaced = clip.tiny.model.clone()
    replaced.set_model_attn1_replace(alone, "input", 1, 0)
    for model, says in ((added, "makes 256 keys of 128"), (replaced, "an attn1 replacement")):
        with pytest.raises(FreeAnimateError, match=f"reference_weight 0.5 cannot act .*{says}.* to 1 or 0"):
            animate(clip, record, CFG, model=model, weight=0.5)
        assert torch.isfinite(animate(clip, record, CFG, model=model)).all()
    pag = with_pag(clip.tiny.model)
    assert torch.isfinite(animate(clip, record, CFG, model=pag, weight=0.5)).all()


def with_pag(model):
    """PAG, whose replacement attends to nothing and so has nothing to weigh."""
    return PerturbedAttentionGuidance.execute(model, 3.0).args[0]


@pytest.mark.parametrize("before", [True, False], ids=["before both", "after Patch Model"])
@pytest.mark.parametrize("end", [1.0, 0.5], ids=["all steps", "first half"])
def test_cfg_override_is_the_hosts(clip, record, before, end):
    """The Animate Sampler's guidance under CFG Override is the host's samplers', bit for bit."""

    def overridden(model):
        return custom.CFGOverride.execute(model, 1.5, 0.0, end).args[0]

    model = patch(overridden(clip.tiny.model), record) if before else overridden(patch(clip.tiny.model, record))
    ours = sample(clip, record, model, CFG)
    guider = custom.CFGGuider.execute(model, clip.positive, clip.negative, CFG).args[0]
    start = {"samples": clip.tiny.model.model.process_latent_out(record.top)}
    noise, euler = custom.DisableNoise.execute().args[0], comfy.samplers.sampler_object("euler")
    theirs = custom.SamplerCustomAdvanced.execute(noise, guider, euler, record.descending, start).args[0]["samples"]
    assert torch.equal(ours, theirs)
    assert hostside.relative(ours, animate(clip, record, CFG)) > EFFECT
