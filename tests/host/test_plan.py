"""What the planner says from shapes alone, against what the real host holds, counts and has room for."""

import random
from dataclasses import replace

import hostside
import pytest
import torch
from comfy.ldm.modules import attention
from runs import Clip, animate, patch, sample
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from freeanimate_pack.demo.model.layout import SD15_DEMO
from freeanimate_pack.freeanimate_core.host import cost, memory, sampling
from freeanimate_pack.freeanimate_core.method.release import LONGEST
from freeanimate_pack.freeanimate_core.method.windows import auto_size
from lab.timing import Clock, with_peak

WIDE = replace(SD15_DEMO, model_channels=128)  # so wide that the U-Net holds most, as at full size
CLOCK = Clock("cpu", own=True)
RUNS = [("recompute", 0.0), ("recompute", 1.0), ("memory", 1.0)]
FORMULAS = {  # which torch lacks
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *args, out_shape=None, **kwargs: (
        sdpa_flop_count(q, k, v)
    )
}


@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl"])
@pytest.mark.parametrize("size", [(8, 8), (9, 14), (13, 8)])
def test_a_bank_holds_what_the_shapes_say(request, family, size):
    """Sides that do not halve evenly included."""
    tiny = request.getfixturevalue(family)
    bank = Clip(tiny, frames=2, h=size[0], w=size[1], steps=1).invert("memory")[0].bank
    shape = cost.shape_of(tiny.model, (2, 4, *size))
    layers = [tuple(t.shape[1:]) for name, t in bank.get(1, range(2)).items() if name.endswith(".self")]
    assert sorted((s.tokens, s.channels) for s in shape.sites) == sorted(layers)
    assert shape.bank_bytes(2) == sum(t.numel() * t.element_size() for t in bank.tensors())


@pytest.fixture(scope="module")
def wide():
    """A wide model, and peak bytes by cells, frames, tier and span (None: of the inversion), each measured once."""
    with torch.inference_mode():
        tiny, peaks = hostside.build(WIDE, 0, 0.05), {}

    def peak(cells: tuple[int, int], frames: int, tier: str, span: float | None) -> int:
        key = cells, frames, tier, span
        if key not in peaks:
            with torch.inference_mode():
                clip = Clip(tiny, frames=frames, h=cells[0], w=cells[1], steps=1)
                if span is None:
                    peaks[key] = with_peak(lambda: clip.invert(tier), CLOCK)[2]
                    return peaks[key]
                record = clip.invert(tier, model=tiny.model)[0]
                patched = patch(tiny.model, record, self_span=span, cross_span=span)
                peaks[key] = with_peak(lambda: sample(clip, record, patched, 4.0), CLOCK)[2]
        return peaks[key]

    with pytest.MonkeyPatch.context() as switch:  # what the host uses on a card; here it holds whole maps otherwise
        for name in ("optimized_attention", "optimized_attention_masked"):
            switch.setattr(attention, name, attention.attention_pytorch)
        yield tiny.model, peak


@pytest.mark.parametrize("cells", [(16, 16), (24, 16)])
@pytest.mark.parametrize("frames", [1, 2, 4])
@pytest.mark.parametrize("tier, span", RUNS)
def test_a_window_takes_the_bytes_that_were_estimated(wide, cells, frames, tier, span):
    model, peak = wide
    estimate = cost.shape_of(model, cells).frame_bytes(2, 1.0, span > 0, tier == "recompute")
    assert frames * estimate == pytest.approx(peak(cells, frames, tier, span), rel=0.15)


@pytest.mark.parametrize("cells, frames", [((16, 16), 2), ((24, 16), 4)])
def test_an_inversion_takes_the_bytes_that_were_estimated(wide, cells, frames):
    model, peak = wide
    rows = frames + 1  # the reference is one
    estimate = rows * cost.shape_of(model, cells).recording_bytes()
    assert estimate == pytest.approx(peak(cells, frames, "recompute", None), rel=0.15)


def test_thirty_windows_chosen_under_a_cap_fit(wide):
    model, peak = wide
    draw, sizes = random.Random(0), set()
    for _ in range(30):
        cells, (tier, span) = draw.choice([(16, 16), (24, 16)]), draw.choice(RUNS)
        one = cost.shape_of(model, cells).frame_bytes(2, 1.0, span > 0, tier == "recompute")
        cap = draw.uniform(1.3, 6.0) * one
        chosen = auto_size(6, memory.ESTIMATE_MARGIN * one, cap)
        sizes.add(chosen)
        assert peak(cells, chosen, tier, span) <= cap
    assert len(sizes) > 2


def test_time_is_the_counted_arithmetic(wide):
    """Multiply-adds of a row as torch counts them; the reference's keys cost what its own do, and their projections."""
    model, _ = wide
    shape = cost.shape_of(model, (16, 16))
    tiny = hostside.build(WIDE, 0, 0.05)
    row, controlled = (counted(tiny, control) for control in (False, True))
    longer = sum(site.attended + 2 * site.values * site.channels for site in shape.sites)
    recomputed = (3 * 4 * (controlled + longer) + row) / (2 * 4 * controlled)
    assert shape.time(4, 2, 1.0, True, False, True) == pytest.approx(recomputed, rel=0.05)
    assert shape.time(4, 2, 1.0, False, True, False) == pytest.approx((row + longer) / row, rel=0.05)
    assert shape.time(4, 2, 0.0, False, True, True) == 1.0


def counted(tiny, control: bool) -> float:
    """Multiply-adds of the host's sampling of one frame in one step at cfg 1."""
    clip = Clip(tiny, frames=1, h=16, w=16, steps=1, control=control)
    guider = sampling.cfg_guider(tiny.model, lambda sigma: 1.0, positive=clip.positive, negative=clip.negative)
    with FlopCounterMode(display=False, custom_mapping=FORMULAS) as counter:
        sampling.sample(guider, clip.preview["samples"], sampling.euler(), torch.tensor([1.0, 0.0]))
    return counter.get_total_flops() / 2


def test_the_sampler_says_its_plan(sd15, caplog):
    """One line in the log."""
    clip = Clip(sd15, frames=2, steps=2)
    with caplog.at_level("INFO", logger="freeanimate"):
        animate(clip, clip.invert()[0])
    (line,) = [r.getMessage() for r in caplog.records if "plain sampling" in r.getMessage()]
    assert "2 frames at a time" in line and "storage recompute" in line


def planned(clip: Clip, caplog, record, cfg: float = 7.5, **options) -> float:
    """Times plain sampling, as the log says before a run."""
    caplog.clear()
    with caplog.at_level("INFO", logger="freeanimate"):
        animate(clip, record, cfg, **options)
    (line,) = [r.getMessage() for r in caplog.records if "plain sampling" in r.getMessage()]
    return float(line.split("about ")[-1].split(" times")[0])


def test_the_plan_counts_what_is_evaluated(sd15, caplog):
    """Windows without a free cell, steps without replay and halves without guidance are not."""
    clip = Clip(sd15, frames=4, steps=4)
    record = clip.invert()[0]
    spans = {"self_span": 1.0, "cross_span": 1.0}
    everything = planned(clip, caplog, record, **spans)
    mask = torch.zeros(4, 8 * clip.h, 8 * clip.w)
    mask[1] = 1
    free = planned(clip, caplog, record, redraw_mask=mask, release="graded", window=2, **spans)
    halved = round(LONGEST * clip.steps) / clip.steps / 2
    assert free == pytest.approx(halved * planned(clip, caplog, record, window=2, **spans), abs=0.02)
    assert planned(clip, caplog, record, redraw_mask=0 * mask, **spans) == 0
    assert planned(clip, caplog, record, self_span=0.5, cross_span=0.5) < everything
    assert planned(clip, caplog, record, cfg=1.0, **spans) > everything  # the preview pass weighs more beside one half
