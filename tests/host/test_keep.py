"""What the redraw mask keeps of the preview, in the pack's sampler and in the host's; guidance over some steps."""

import comfy.samplers
import comfy_extras.nodes_custom_sampler as custom
import hostside
import pytest
import torch
from comfy.k_diffusion.sampling import get_ancestral_step
from comfy.patcher_extension import WrappersMP
from runs import Clip, patch, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.fresh_noise import ancestral_levels
from freeanimate_pack.freeanimate_core.method.release import LONGEST, LOST, SURE

CFG = 4.0
SAME, EFFECT = 1e-4, 1e-2  # relative, of latents


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=3, h=6, w=8, steps=6)


@pytest.fixture(scope="module")
def outputs(clip):
    with torch.inference_mode():
        return clip.invert()


def mask(clip: Clip, left: float, right: float, frames: int = 1) -> torch.Tensor:
    """A mask in pixels whose two halves have one value each."""
    values = torch.full((frames, 8 * clip.h, 8 * clip.w), left)
    values[..., 4 * clip.w :] = right
    return values


def kept(clip: Clip, outputs, redraw: torch.Tensor, cfg: float = CFG, **options) -> torch.Tensor:
    record = outputs[0]
    return sample(clip, record, patch(clip.tiny.model, record, redraw_mask=redraw, **options), cfg)


def clean(clip: Clip) -> torch.Tensor:
    return clip.preview["samples"]


@pytest.mark.parametrize("cfg", [1.0, CFG])
def test_what_is_not_redrawn_is_the_preview(clip, outputs, cfg):
    assert hostside.relative(kept(clip, outputs, mask(clip, 0.0, 0.0), cfg), clean(clip)) <= SAME


def test_what_is_redrawn_everywhere_is_the_run_without_a_mask(clip, outputs):
    record = outputs[0]
    without = sample(clip, record, patch(clip.tiny.model, record), CFG)
    assert torch.equal(kept(clip, outputs, mask(clip, 1.0, 1.0)), without)
    assert hostside.relative(kept(clip, outputs, mask(clip, 1.0, 1.0), window=1), without) <= SAME
    assert hostside.relative(without, clean(clip)) > EFFECT


def test_each_half_has_its_own(clip, outputs):
    result, half = kept(clip, outputs, mask(clip, 0.0, 1.0)), clip.w // 2
    assert hostside.relative(result[..., :half], clean(clip)[..., :half]) <= SAME
    assert hostside.relative(result[..., half:], clean(clip)[..., half:]) > EFFECT


def test_each_frame_has_its_own(clip, outputs):
    redraw = mask(clip, 0.0, 0.0, frames=3)
    redraw[1] = 1.0
    for window in (0, 1, 2):
        result = kept(clip, outputs, redraw, window=window)
        assert hostside.relative(result[[0, 2]], clean(clip)[[0, 2]]) <= SAME
        assert hostside.relative(result[1], clean(clip)[1]) > EFFECT


@pytest.mark.parametrize("window", [0, 1, 2])
def test_a_graded_cell_leaves_the_preview_the_earlier_the_less_it_is_trusted(clip, outputs, window):
    changes = []
    for value in (SURE, (SURE + LOST) / 2, 1.0):
        result = kept(clip, outputs, mask(clip, 0.0, value), release="graded", window=window)
        assert hostside.relative(result[..., : clip.w // 2], clean(clip)[..., : clip.w // 2]) <= SAME
        changes.append(hostside.relative(result[..., clip.w // 2 :], clean(clip)[..., clip.w // 2 :]))
    assert changes[0] <= SAME < EFFECT < changes[1] < changes[2]


def test_only_windows_with_a_free_cell_are_evaluated_and_only_when_it_is_free(clip, outputs):
    seen, redraw = [], mask(clip, 0.0, 0.0, frames=3)
    redraw[1] = 1.0
    patched = patch(clip.tiny.model, outputs[0], redraw_mask=redraw, release="graded", window=1)

    def count(executor, x, *args, **kwargs):
        seen.append(len(x))
        return executor(x, *args, **kwargs)

    patched.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "count", count)
    sample(clip, outputs[0], patched, CFG)
    assert seen == [2] * round(LONGEST * clip.steps)  # both halves of the one frame


def test_one_pixel_redraws_its_cell(clip, outputs):
    redraw = mask(clip, 0.0, 0.0)
    redraw[0, 8, 8] = 1.0
    difference = (kept(clip, outputs, redraw) - clean(clip)).abs().amax(dim=(0, 1))
    assert (difference > EFFECT).nonzero().tolist() == [[1, 1]]


def test_a_shorter_span_lets_the_last_steps_redraw_all(clip, outputs):
    redraw = mask(clip, 0.0, 0.0)
    distances = [hostside.relative(kept(clip, outputs, redraw, keep_span=s), clean(clip)) for s in (0.0, 0.5, 1.0)]
    assert distances[0] > distances[1] > EFFECT > SAME >= distances[2]


def test_a_mask_keeps_without_reference_and_replay_too(clip, outputs):
    off = {"weight": 0.0, "self_span": 0.0, "cross_span": 0.0}
    assert hostside.relative(kept(clip, outputs, mask(clip, 0.0, 0.0), **off), clean(clip)) <= SAME
    plain = sample(clip, outputs[0], patch(clip.tiny.model, outputs[0], **off), CFG)
    assert torch.equal(kept(clip, outputs, mask(clip, 0.0, 0.0), keep_span=0.0, **off), plain)


@pytest.mark.parametrize("sampler", ["euler", "dpm_2", "heun", "dpmpp_2m"])
def test_the_hosts_samplers_keep_it(clip, outputs, sampler):
    record, noise, sigmas, *_ = outputs
    model = patch(clip.tiny.model, record, redraw_mask=mask(clip, 0.0, 0.0))
    guider = custom.CFGGuider.execute(model, clip.positive, clip.negative, CFG).args[0]
    result = custom.SamplerCustomAdvanced.execute(
        custom.DisableNoise.execute().args[0], guider, comfy.samplers.sampler_object(sampler), sigmas, noise
    ).args[0]["samples"]
    assert hostside.relative(result, clean(clip)) <= SAME


@pytest.mark.parametrize("shape", [(2, 48, 64), (1, 48, 48)])
def test_masks_of_another_shape_are_refused(clip, outputs, shape):
    with pytest.raises(
        FreeAnimateError, match=f"redraw_mask is {shape[0]} of {shape[2]}x{shape[1]}.*connect redraw_mask"
    ):
        kept(clip, outputs, torch.zeros(shape))


def rows_at(clip: Clip, record, cfg: float, start: float, end: float) -> list[int]:
    """Rows of the U-Net in each of its evaluations."""
    model, rows = patch(clip.tiny.model, record, self_span=0.0, cross_span=0.0, weight=0.0, keep_span=0.0), []

    def count(executor, x, *args, **kwargs):
        rows.append(x.shape[0])
        return executor(x, *args, **kwargs)

    model.add_wrapper(WrappersMP.DIFFUSION_MODEL, count)
    sample(clip, record, model, cfg, start=start, end=end)
    return rows


def test_guidance_outside_its_steps_is_one_and_free(clip, outputs):
    record = outputs[0]
    model = patch(clip.tiny.model, record)
    limited = sample(clip, record, model, CFG, start=0.4, end=0.7)
    whole, unguided = sample(clip, record, model, CFG), sample(clip, record, model, 1.0)
    assert torch.equal(sample(clip, record, model, CFG, start=0.5, end=0.5), unguided)
    assert min(hostside.relative(limited, other) for other in (whole, unguided)) > EFFECT
    steps = len(record.descending) - 1
    guided = round(0.7 * steps) - round(0.4 * steps)
    assert sum(rows_at(clip, record, CFG, 0.4, 0.7)) == clip.frames * (steps + guided)
    assert sum(rows_at(clip, record, CFG, 0.0, 1.0)) == clip.frames * 2 * steps


def test_guidance_that_ends_before_it_begins_is_refused(clip, outputs):
    with pytest.raises(FreeAnimateError, match="cfg_end is 0.2"):
        sample(clip, outputs[0], patch(clip.tiny.model, outputs[0]), CFG, start=0.5, end=0.2)


def test_ancestral_levels_are_the_hosts():
    for sigma, to in ((14.0, 6.0), (6.0, 2.0), (0.5, 0.0)):
        for eta in (0.0, 0.4, 1.0):
            assert ancestral_levels(sigma, to, eta) == pytest.approx(get_ancestral_step(sigma, to, eta))


def test_fresh_noise_changes_what_is_free_alone_and_in_any_window(clip, outputs):
    redraw, half = mask(clip, 0.0, 1.0), clip.w // 2
    plain, fresh, other, by_one = (
        kept(clip, outputs, redraw, release="graded", **options)
        for options in ({}, {"eta": 1.0}, {"eta": 1.0, "noise_seed": 1}, {"eta": 1.0, "window": 1})
    )
    assert hostside.relative(fresh[..., :half], clean(clip)[..., :half]) <= SAME
    assert hostside.relative(fresh[..., half:], plain[..., half:]) > EFFECT
    assert hostside.relative(fresh[..., half:], other[..., half:]) > EFFECT
    assert hostside.relative(by_one, fresh) <= SAME


def test_stock_samplers_have_the_same_fresh_noise(clip, outputs):
    record, noise, sigmas = outputs[:3]
    model = patch(clip.tiny.model, record, redraw_mask=mask(clip, 0.0, 1.0), release="graded", eta=1.0)
    guider = custom.CFGGuider.execute(model, clip.positive, clip.negative, CFG).args[0]

    def by_host(name: str) -> torch.Tensor:
        sampler = comfy.samplers.sampler_object(name)
        still = custom.DisableNoise.execute().args[0]
        return custom.SamplerCustomAdvanced.execute(still, guider, sampler, sigmas, noise).args[0]["samples"]

    assert torch.equal(by_host("euler"), sample(clip, record, model, CFG))
    with pytest.raises(FreeAnimateError, match="eta is above 0.*'heun'.*choose euler in the sampler node, or set eta"):
        by_host("heun")
