"""The patched MODEL under the host's own samplers; off means untouched; nothing upstream changes."""

import copy
import re

import comfy.model_management
import comfy.samplers
import comfy_extras.nodes_custom_sampler as custom
import nodes as host_nodes
import pytest
import torch
from runs import Clip, animate, patch, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.nodes.sampler import FreeAnimateSampler


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=2, steps=5)


@pytest.fixture(scope="module")
def outputs(clip):
    with torch.inference_mode():
        return clip.invert(window=1)


def animated(clip, outputs, cfg=4.0, **options) -> torch.Tensor:
    return animate(clip, outputs[0], cfg, **options)


def custom_advanced(clip, model, noise, sigmas, cfg=4.0, sampler="euler"):
    guider = custom.CFGGuider.execute(model, clip.positive, clip.negative, cfg).args[0]
    return custom.SamplerCustomAdvanced.execute(
        custom.DisableNoise.execute().args[0], guider, comfy.samplers.sampler_object(sampler), sigmas, noise
    ).args[0]["samples"]


def k_sampler(clip, model, noise, steps, cfg=4.0, sampler="euler", scheduler="ddim_uniform", add_noise="disable"):
    return host_nodes.KSamplerAdvanced().sample(
        model, add_noise, 0, steps, cfg, sampler, scheduler, clip.positive, clip.negative, noise, 0, 10000, "disable"
    )[0]["samples"]


def test_animate_sampler_is_the_hosts_euler(clip, outputs):
    record, noise, sigmas, levels, _ = outputs
    model = patch(clip.tiny.model, record)
    ours = animated(clip, outputs)
    assert torch.equal(custom_advanced(clip, model, noise, sigmas), ours)
    sampled = custom.SamplerCustom.execute(
        model, False, 0, 4.0, clip.positive, clip.negative, comfy.samplers.sampler_object("euler"), sigmas, noise
    ).args[0]["samples"]
    assert torch.equal(sampled, ours)
    assert torch.equal(k_sampler(clip, model, noise, levels), ours)


def test_k_sampler_follows_a_rounded_schedule(sd15):
    """30 steps are 31 levels: KSampler (Advanced) takes the steps that Inversion was asked for."""
    clip = Clip(sd15, frames=1, h=4, w=4, steps=30)
    record, noise, sigmas, levels, _ = clip.invert()
    assert levels == len(sigmas) - 1 == 31
    model = patch(clip.tiny.model, record)
    assert torch.equal(k_sampler(clip, model, noise, 30), animate(clip, record, 4.0))
    with pytest.raises(FreeAnimateError, match="steps 30, scheduler ddim_uniform"):
        k_sampler(clip, model, noise, 28)


def test_the_top_level_is_what_the_tooltip_says(sd15):
    """How near to pure noise ddim_uniform comes depends on how 1000 divides by the steps, not on their number alone."""
    sampling = sd15.model.get_model_object("model_sampling")
    tops = {n: float(comfy.samplers.calculate_sigmas(sampling, "ddim_uniform", n)[0]) for n in range(1, 31)}
    assert {n for n, top in tops.items() if top <= 8.4} == {1, 2, 3, 4, 5, 8, 9, 10}
    assert min(top for top in tops.values() if top > 8.4) == tops[20] == pytest.approx(11.0, abs=0.05)
    assert float(sampling.sigma_max) == pytest.approx(14.6, abs=0.05)


def test_other_starts_are_refused(clip, outputs):
    record, noise, sigmas, levels, _ = outputs
    model = patch(clip.tiny.model, record)
    with pytest.raises(FreeAnimateError, match="other latents"):
        k_sampler(clip, model, noise, levels, add_noise="enable")
    with pytest.raises(FreeAnimateError, match="other latents"):
        custom_advanced(clip, model, {"samples": noise["samples"] * 1.01}, sigmas)
    with pytest.raises(FreeAnimateError, match="sampling starts at sigma"):
        k_sampler(clip, model, noise, levels, scheduler="karras")
    with pytest.raises(FreeAnimateError, match="frames of latent size"):
        custom_advanced(clip, model, {"samples": noise["samples"][:1]}, sigmas)
    with pytest.raises(FreeAnimateError, match="other latents"):
        custom_advanced(clip, model, {"samples": noise["samples"] * float("nan")}, sigmas)


@pytest.mark.parametrize("sampler", ["euler_ancestral", "dpmpp_sde", "lcm", "ddpm"])
def test_random_samplers_are_refused(clip, outputs, sampler):
    record, noise, sigmas, levels, _ = outputs
    with pytest.raises(FreeAnimateError, match=f"'{sampler}'.*deterministic"):
        custom_advanced(clip, patch(clip.tiny.model, record), noise, sigmas, sampler=sampler)


FAULTS = {
    "has 3 pose images for 2 frames": ("negative", lambda tiny, entries: Clip(tiny, frames=3).negative),
    "is 154 tokens long": ("positive", lambda tiny, entries: [[tiny.negative()[0][0], entries[0][1]]]),
    "holds a conditioning limited to an area": (
        "negative",
        lambda tiny, entries: host_nodes.ConditioningSetArea().append(entries, 64, 64, 0, 0, 1.0)[0],
    ),
}


@pytest.mark.parametrize("says", FAULTS)
def test_a_refusal_names_nodes_that_are_in_the_graph(clip, outputs, says):
    """Patch Model is in each; the Animate Sampler only where it is the sampler."""
    record, noise, sigmas, levels, _ = outputs
    name, spoil = FAULTS[says]
    faulty = copy.copy(clip)
    setattr(faulty, name, spoil(clip.tiny, getattr(clip, name)))
    model = patch(clip.tiny.model, record)
    hosts = re.escape(f"Patch Model (RA-SA + IBA): the sampler's {name} {says}")
    with pytest.raises(FreeAnimateError, match=f"^{hosts}"):
        k_sampler(faulty, model, noise, levels)
    with pytest.raises(FreeAnimateError, match=f"^{hosts}"):
        custom_advanced(faulty, model, noise, sigmas)
    with pytest.raises(FreeAnimateError, match=f"^Animate Sampler: {name} {says}"):
        sample(faulty, record, model, 4.0, faulty.positive)


def test_a_positive_without_text_is_refused(clip, outputs):
    record, noise, sigmas, *_ = outputs
    silent = copy.copy(clip)
    silent.positive = [[None, options] for _, options in clip.positive]
    with pytest.raises(FreeAnimateError, match="the sampler's positive has no text"):
        custom_advanced(silent, patch(clip.tiny.model, record), noise, sigmas)


def test_samplers_of_higher_order_ask_between_levels(clip, outputs):
    """dpm_2 evaluates between levels: recompute interpolates, a stored tier refuses with words."""
    record, noise, sigmas, *_ = outputs
    middle = custom_advanced(clip, patch(clip.tiny.model, record), noise, sigmas, sampler="dpm_2")
    assert torch.isfinite(middle).all()
    stored = clip.invert("memory")[0]
    with pytest.raises(FreeAnimateError, match="set storage .* to 'recompute'"):
        custom_advanced(clip, patch(clip.tiny.model, stored), noise, sigmas, sampler="dpm_2")


@pytest.mark.parametrize("sampler", ["dpm_2", "uni_pc", "uni_pc_bh2"])
def test_samplers_that_skip_a_level_get_their_own_remedy(clip, outputs, sampler):
    """KSampler nodes leave out the last level but one for these, so the steps are no cure; what is named works."""
    record, noise, sigmas, levels, _ = outputs
    model = patch(clip.tiny.model, record)
    says = re.escape(f"for sampler_name '{sampler}': set it to euler, or use SamplerCustom with the sigmas output")
    with pytest.raises(FreeAnimateError, match=says) as raised:
        k_sampler(clip, model, noise, levels, sampler=sampler)
    assert "ddim_uniform" not in str(raised.value)
    assert torch.isfinite(custom_advanced(clip, model, noise, sigmas, sampler=sampler)).all()


def masked(latent: dict, value: float) -> dict:
    """SetLatentNoiseMask: everything is to be kept to ``value`` of 1."""
    frames, _, height, width = latent["samples"].shape
    return host_nodes.SetLatentNoiseMask().set_mask(latent, torch.full((frames, 8 * height, 8 * width), value))[0]


def test_a_noise_mask_on_the_noise_is_refused(clip, outputs):
    """Outside of it the host would put the inversion's noise into the picture; a mask of ones keeps nothing back."""
    record, noise, sigmas, levels, _ = outputs
    model = patch(clip.tiny.model, record)
    for run in (lambda n: k_sampler(clip, model, n, levels), lambda n: custom_advanced(clip, model, n, sigmas)):
        with pytest.raises(FreeAnimateError, match="noise mask.*remove Set Latent Noise Mask.*redraw_mask"):
            run(masked(noise, 0.0))
        assert torch.equal(run(masked(noise, 1.0)), run(noise))


@pytest.mark.parametrize("name", ["preview", "reference"])
def test_a_noise_mask_into_the_inversion_is_refused(clip, name):
    spoiled = copy.copy(clip)
    setattr(spoiled, name, masked(getattr(clip, name), 0.0))
    with pytest.raises(FreeAnimateError, match=f"{name}_latent carries a noise mask.*remove Set Latent Noise Mask"):
        spoiled.invert()


def test_an_empty_conditioning_is_refused(clip, outputs):
    record, noise, _, levels, _ = outputs
    empty = copy.copy(clip)
    empty.negative = []
    model = patch(clip.tiny.model, record)
    with pytest.raises(FreeAnimateError, match="Animate Sampler: negative is empty"):
        sample(empty, record, model, 4.0)
    with pytest.raises(FreeAnimateError, match="the sampler's negative is empty"):
        k_sampler(empty, model, noise, levels)


def test_off_is_the_stock_sampler(clip, outputs):
    record, noise, sigmas, levels, _ = outputs
    off = {"weight": 0.0, "self_span": 0.0, "cross_span": 0.0, "window": 1}
    model = patch(clip.tiny.model, record, **off)
    stock = k_sampler(clip, clip.tiny.model, noise, levels)
    assert torch.equal(k_sampler(clip, model, noise, levels), stock)
    assert torch.equal(animated(clip, outputs, **off), stock)
    again = patch(patch(clip.tiny.model, record), record, **off)
    assert torch.equal(k_sampler(clip, again, noise, levels), stock)
    assert not torch.equal(animated(clip, outputs), stock)


def test_patching_twice_is_patching_once(clip, outputs):
    record = outputs[0]
    twice = patch(patch(clip.tiny.model, record, weight=0.5, self_span=0.1), record)
    assert torch.equal(
        sample(clip, record, twice, 4.0),
        animated(clip, outputs),
    )


SETTINGS = ("model_options", "wrappers", "callbacks", "attachments", "additional_models", "patches", "object_patches")


def state_of(clip: Clip, model) -> list:
    """Everything upstream that a run could change, by value or by identity."""
    control = clip.positive[0][1]["control"]
    settings = [repr(getattr(model, name)) for name in SETTINGS]
    fields = {k: id(v) if k == "control_model" else repr(v)[:200] for k, v in vars(control).items()}
    conditioning = [[text.clone(), sorted(options)] for text, options in clip.positive + clip.negative]
    weights = {k: v.clone() for k, v in model.model.diffusion_model.state_dict().items()}
    return [settings, fields, conditioning, weights]


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


CALL = 20  # of a self-attention layer: in the middle of a U-Net evaluation


@pytest.fixture(params=["run", "exception", "interrupt"])
def disturbance(request):
    """What ends a model call: nothing, an error, or the user's interrupt."""
    calls = {"count": 0}

    def patched(n, extra):
        calls["count"] += 1
        if request.param == "exception" and calls["count"] == CALL:
            raise ArithmeticError("from another node")
        if request.param == "interrupt" and calls["count"] == CALL:
            comfy.model_management.interrupt_current_processing(True)
        return n

    errors = {
        "exception": ArithmeticError,
        "interrupt": comfy.model_management.InterruptProcessingException,
    }
    return patched, errors.get(request.param), calls


def test_upstream_is_unchanged(sd15, disturbance):
    patched, error, calls = disturbance
    clip = Clip(sd15, frames=2, h=4, w=4, steps=2)
    clean = clip.invert()[0]
    model = sd15.model.clone()
    model.set_model_attn1_output_patch(patched)
    before = state_of(clip, model)

    def run():
        record = clip.invert(model=model)[0]
        calls["count"] = 0
        animate(clip, record, 4.0, model=model)

    for step in (run, lambda: animate(clip, clean, 4.0, model=model)):
        calls["count"] = 0
        if error is None:
            step()
        else:
            with pytest.raises(error):
                step()
        assert same(state_of(clip, model), before)
    calls["count"] = 10**6
    assert torch.equal(animate(clip, clean, 4.0), animate(clip, clean, 4.0, model=model))


def test_unpatched_or_foreign_models_are_refused(clip, outputs):
    record = outputs[0]
    with pytest.raises(FreeAnimateError, match="model is not patched"):
        sample(clip, record, clip.tiny.model, 4.0)
    other = clip.invert()[0]
    with pytest.raises(FreeAnimateError, match="patched with another inversion"):
        sample(clip, record, patch(clip.tiny.model, other), 4.0)


def test_out_of_memory_halves_the_window(sd15):
    """A device that holds two rows at a time: the windows shrink to what fits; one frame too many raises."""
    clip = Clip(sd15, frames=4, h=4, w=4, steps=2)
    truth = animate(clip, clip.invert(window=1)[0], 4.0, window=1)

    def limited(rows):
        def full(n, extra):
            if n.shape[0] > rows:
                raise torch.OutOfMemoryError("no memory on the test's device")
            return n

        model = sd15.model.clone()
        model.set_model_attn1_output_patch(full)
        return model

    model = limited(2)
    record = clip.invert(model=model, window=4)[0]
    patched = patch(model, record, window=4)
    assert torch.equal(sample(clip, record, patched, 4.0), truth)
    done = FreeAnimateSampler.execute(patched, record, clip.positive, clip.negative, 4.0)
    assert "1 frame at a time" in done.ui.as_dict()["text"][0]  # what it was, not what was planned
    with pytest.raises(torch.OutOfMemoryError):
        animate(clip, record, 4.0, model=limited(1), window=4)
