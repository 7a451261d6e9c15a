"""The preset combo on the real host: the same as its widgets, bit for bit, in every node that reads it."""

import hostside
import pytest
import torch
from runs import Clip, patch, render, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.presets import PRESETS
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.patch import FreeAnimatePatchModel
from freeanimate_pack.nodes.preview import FreeAnimatePreview
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

CFG = 4.0
OTHER = {"weight": 0.5, "self_span": 0.3, "cross_span": 0.2, "halves": "both", "keep_span": 0.4}  # of no preset
SEED = 3


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=3, h=6, w=8, steps=5)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert()[0]


@pytest.fixture
def mask() -> torch.Tensor:
    """A mask in pixels from 0 to 1."""
    return torch.linspace(0, 1, 64).expand(3, 48, 64).clone()


def by_widgets(clip, record, mask, name: str) -> torch.Tensor:
    """A preset's latents, by its values in the widgets."""
    preset = PRESETS[name]
    own = preset.patch
    model = patch(
        clip.tiny.model,
        record,
        own.reference_weight,
        own.self_span,
        own.cross_span,
        own.halves,
        keep_span=own.keep_span,
        redraw_mask=mask if preset.mask else None,
        release=own.release,
        eta=own.eta,
        noise_seed=SEED,
    )
    return sample(clip, record, model, CFG, start=preset.sampler.start, end=preset.sampler.end)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_widgets_in_the_sampler_and_in_parts(clip, record, mask, name):
    model = patch(clip.tiny.model, record, **OTHER, redraw_mask=mask, noise_seed=SEED, preset=name)
    made = sample(clip, record, model, CFG, start=0.45, end=0.55)
    assert torch.equal(made, by_widgets(clip, record, mask, name))
    _, in_parts, report = render(clip, record, model, cfg=CFG)
    assert hostside.relative(in_parts, made) <= 1e-4
    assert f"cfg 4 from {PRESETS[name].sampler.start:.0%} to {PRESETS[name].sampler.end:.0%}" in report


def test_presets_differ_and_custom_reads_the_widgets(clip, record, mask):
    made = [
        sample(clip, record, patch(clip.tiny.model, record, redraw_mask=mask, preset=name), CFG)
        for name in ("custom", *PRESETS)
    ]
    assert torch.equal(made[0], sample(clip, record, patch(clip.tiny.model, record, redraw_mask=mask), CFG))
    assert all(hostside.relative(a, b) > 1e-3 for k, a in enumerate(made) for b in made[:k])


@pytest.mark.parametrize("name", PRESETS)
def test_what_keeps_the_preview_needs_a_mask(clip, record, name):
    if not PRESETS[name].mask:
        patch(clip.tiny.model, record, preset=name)
        return
    with pytest.raises(FreeAnimateError, match="Patch Model.*connect redraw_mask of Preview Generation"):
        patch(clip.tiny.model, record, preset=name)


def test_the_nodes_say_what_they_ran_with(clip, record, mask):
    done = FreeAnimatePatchModel.execute(
        clip.tiny.model, record, 1.0, 1.0, 0.8, "cond", 0, redraw_mask=mask, preset="people"
    )
    said = "people: graded, eta 0.5, reference_weight 1, self_span 1, cross_span 0.8, keep_span 1"
    assert done.ui.as_dict()["text"] == (said,)
    done = FreeAnimateSampler.execute(done.args[0], record, clip.positive, clip.negative, CFG, 0.0, 1.0)
    assert "cfg 4 from 20% to 90% of the steps" in done.ui.as_dict()["text"][0]


@pytest.fixture(scope="module")
def character() -> tuple:
    """A rendered person, its pose and the driving poses."""
    return FreeAnimateDemoCharacter.execute(10_003, "raised arms", 3, 128, 128, "people").args


def previewed(character, **options) -> tuple:
    return node_output(character, **options).args


def node_output(character, **options):
    reference, standing, driving, _, _, person_mask = character[:6]
    return FreeAnimatePreview.execute(reference, standing, driving, person_mask, **options)


def test_preview_generation_gives_the_mask_of_the_preset(character):
    plain = previewed(character)
    people, drawn = previewed(character, keep_face=0.2, preset="people"), previewed(character, preset="drawn")
    assert torch.equal(people[6], previewed(character, keep_face=PRESETS["people"].keep_face)[6])
    assert torch.equal(drawn[6], plain[2]) and not torch.equal(drawn[6], plain[6])
    assert all(torch.equal(made[0], plain[0]) for made in (people, drawn))


def test_the_report_is_the_line_on_the_node(character):
    done = node_output(character)
    assert done.ui.as_dict()["text"] == (done.args[8],) and done.args[8]


def test_an_unknown_preset_is_refused_by_both(clip, record, mask, character):
    for run in (
        lambda: patch(clip.tiny.model, record, redraw_mask=mask, preset="anime"),
        lambda: previewed(character, preset="anime"),
    ):
        with pytest.raises(FreeAnimateError, match="preset is 'anime'; choose one of custom, people"):
            run()
