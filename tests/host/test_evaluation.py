"""The evaluation in the real host: its recipes do what they say, and the short run finds what the method claims.

The recipes run on an untrained stand-in, because what they have in common with each other does not
depend on the weights. The claims are about the demo model that the pack carries.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import hostside
import pytest
import torch
from patience import patience

from freeanimate_pack.demo.model.layout import SD15_DEMO
from freeanimate_pack.freeanimate_core.config import PatchConfig
from lab import REPOSITORY, hosting
from lab.evaluation import blur, extras
from lab.evaluation.case import PEOPLE, Previewed
from lab.evaluation.drawing import make_case, make_cases
from lab.evaluation.measures import MEASURES, measure, measure_by_class
from lab.evaluation.methods import METHODS, QUICK, RA_SA
from lab.evaluation.models import Models
from lab.evaluation.people import training
from lab.evaluation.recipes import OFF, WHOLE, Given, Inverting, Recipe
from lab.evaluation.renderer import Renderer
from lab.evaluation.results import mean_and_error
from lab.evaluation.settings import Settings
from lab.evaluation.spoil import SPOILS
from lab.evaluation.store import case_digest
from lab.evaluation.sweeps import plain

FRAMES, STEPS, CFG = 3, 3, 3.0
SAME = 1e-4  # relative, of frames


@pytest.fixture(scope="module")
def renderer():
    """One whose words "extra" are the true ones: for the host they are another conditioning, with equal values."""
    with torch.inference_mode():
        hosting.start(Path(os.environ["COMFYUI_DIR"]))
        tiny = hostside.build(SD15_DEMO, 1, 0.3)
        case = make_case(0, FRAMES, side=128)
        case = replace(case, prompts=case.prompts | {"extra": case.prompts["true"]})
        models = Models(tiny.model, tiny.clip, tiny.vae, tiny.control_net, "stand-in")
        return Renderer(models, case, Settings(FRAMES, STEPS, CFG))


def differ(renderer: Renderer, one: Recipe, other: Recipe) -> float:
    return hostside.relative(renderer.frames(one), renderer.frames(other))


def test_the_hosts_sampler_and_the_packs_give_the_same_frames(renderer):
    theirs = plain(prompt="extra")
    assert plain().same_input and not theirs.same_input
    assert differ(renderer, theirs, plain()) < SAME


def test_limited_guidance_is_the_same_in_the_hosts_sampler_and_in_the_packs(renderer):
    limited = Recipe(redraw="all")
    assert differ(renderer, replace(limited, prompt="extra"), limited) < SAME


def test_kept_frames_are_the_preview_and_redrawn_ones_the_papers(renderer):
    holes = renderer.case.holes
    for filled, alike in ((torch.zeros_like(holes), Given("preview", True)), (torch.ones_like(holes), plain())):
        case = Renderer(renderer.models, replace(renderer.case, holes=filled), renderer.settings)
        assert hostside.relative(case.frames(Recipe(guided=WHOLE)), case.frames(alike)) < SAME


def test_noise_of_the_record_is_the_ksamplers(renderer):
    unread = plain(start="noise", patch=PatchConfig(1e-6, 0.0, 0.0))
    alone = plain(start="noise", patch=OFF)
    assert differ(renderer, unread, alone) < 0.01
    assert differ(renderer, METHODS["ra_sa_from_noise"].how, alone) > 0.02


def test_frames_from_noise_share_one_noise_tensor(renderer):
    free = renderer.frames(METHODS["pose_only"].how)
    assert hostside.relative(free[1], free[0]) < 0.2  # two noises differ by more than 1
    assert not torch.equal(free[1], free[0])


SETTINGS = {
    "anchor first": plain(inverting=Inverting(anchor="first")),
    "anchor middle": plain(inverting=Inverting(anchor="middle")),
    "inversion without reference": plain(inverting=Inverting(weight=0.0)),
    "inversion without control": plain(inverting=Inverting(control=False)),
    "other words in inversion": plain(inverting=Inverting(prompt="wrong")),
    "other words": plain(prompt="wrong"),
    "off": plain(patch=OFF),
    "guidance": plain(cfg=5.0),
    "steps": plain(steps=5),
    "sampler": plain(sampler="euler_cfg_pp"),
    "redraw": Recipe(guided=WHOLE),
    "limited guidance": Recipe(redraw="all"),
    "img2img": METHODS["img2img"].how,
    "joint batch": METHODS["joint_batch"].how,
    "refined": plain(refine=0.5),
    "few words": plain(prompt="little"),
    "fresh holes": plain(start="holes"),
    "reference without words": plain(inverting=Inverting(reference_prompt="empty")),
    "reference denoised along": plain(denoised_along=True),
    "FateZero's label": plain(inverting=Inverting(label="target")),
    "fading replay": plain(extras=("fading_replay",)),
    "live in holes": plain(extras=("live_in_holes",)),
    "each half's own reference": plain(extras=("own_words",)),
    "the reference's statistics": plain(extras=("statistics_of_reference",)),
    "the preview's statistics": plain(extras=("statistics_of_preview",)),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_reaches_the_frames(renderer, setting):
    assert differ(renderer, SETTINGS[setting], plain()) > SAME


def test_layers_that_are_not_chosen_are_plain(renderer, monkeypatch):
    for name, chosen in (("all", True), ("none", False)):
        monkeypatch.setitem(extras.EXTRAS, name, extras.only_in(lambda extra, chosen=chosen: chosen))
    assert differ(renderer, plain(extras=("all",)), plain()) < SAME
    assert differ(renderer, plain(extras=("none",)), plain(patch=OFF)) < SAME
    for name in ("decoder_only", "half_size_layers"):
        assert differ(renderer, plain(extras=(name,)), plain()) > SAME
        assert differ(renderer, plain(extras=(name,)), plain(patch=OFF)) > SAME


def test_one_kind_of_pixels_leaves_nothing_to_mask(renderer):
    masked = plain(patch=RA_SA, extras=("masked_ra_sa",))
    case = renderer.case
    persons = {"preview_masks": torch.ones_like(case.preview_masks), "reference_mask": torch.ones_like(case.holes[:1])}
    alike = Renderer(renderer.models, replace(case, **persons), renderer.settings)
    nobody = {"reference_mask": 0 * case.holes[:1]}
    apart = Renderer(renderer.models, replace(case, **persons | nobody), renderer.settings)
    assert differ(alike, masked, plain(patch=RA_SA)) < SAME
    assert differ(apart, masked, plain(patch=OFF)) < SAME  # nothing of the reference may be read
    assert differ(renderer, masked, plain(patch=RA_SA)) > SAME


def test_the_references_keys_alone_depend_on_the_reference(renderer):
    alone = METHODS["reference_only"].how
    assert differ(renderer, alone, METHODS["ra_sa_from_noise"].how) > SAME


def test_each_halfs_own_reference_differs_only_where_there_is_a_negative_half(renderer):
    own = plain(extras=("own_words",))
    assert differ(renderer, replace(own, cfg=1.0), plain(cfg=1.0)) < SAME


def test_a_preview_without_holes_is_replayed_everywhere(renderer):
    holes = renderer.case.holes
    for filled, alike in ((torch.zeros_like(holes), plain()), (torch.ones_like(holes), plain(patch=RA_SA))):
        case = Renderer(renderer.models, replace(renderer.case, holes=filled), renderer.settings)
        assert differ(case, plain(extras=("live_in_holes",)), alike) < SAME
    case = Renderer(renderer.models, replace(renderer.case, holes=torch.zeros_like(holes)), renderer.settings)
    assert differ(case, plain(start="holes"), plain()) < SAME


def test_a_reference_denoised_along_leaves_its_inversion_as_guidance_grows(renderer):
    distances = []
    for cfg in (1.0, 8.0):
        recipe = plain(cfg=cfg, steps=12)
        record = renderer.records.of(recipe.inverting, 12)
        latents = renderer.records.denoised_reference(record, recipe.prompt, cfg)
        assert hostside.relative(latents[-1], record.reference[-1]) < 1e-5
        distances.append(hostside.relative(latents[-3], record.reference[-3]))
    assert 0 < distances[0] < distances[1]


def test_statistics_are_those_of_the_rival():
    rng = torch.Generator().manual_seed(0)
    one, other = (torch.randn(2, 4, 8, 8, generator=rng) * scale + scale for scale in (1.0, 3.0))
    half = torch.zeros(2, 1, 8, 8)
    half[..., :4] = 1.0
    moved = extras._to_statistics(one, half, other, half)
    assert torch.allclose(moved[..., :4].mean((-2, -1)), other[..., :4].mean((-2, -1)), atol=1e-5)
    assert torch.allclose(moved[..., :4].std((-2, -1)), other[..., :4].std((-2, -1)), atol=1e-4)
    assert torch.equal(moved[..., 4:], one[..., 4:])


def test_guidance_variants(renderer):
    full = plain(patch=OFF)
    assert differ(renderer, replace(full, guided=(0.5, 0.5)), replace(full, cfg=1.0)) < SAME
    assert differ(renderer, replace(full, extras=("rescaled_guidance",)), full) > SAME
    assert differ(renderer, replace(full, guided=(0.4, 0.6)), full) > SAME


def test_words_of_the_run_stand_for_the_true_ones(renderer):
    few = Renderer(renderer.models, renderer.case, replace(renderer.settings, words="little"))
    said = plain(prompt="little", inverting=Inverting(prompt="little", reference_prompt="little"))
    assert hostside.relative(few.frames(plain()), renderer.frames(said)) < SAME
    assert hostside.relative(few.frames(plain()), renderer.frames(plain())) > SAME


def test_the_smoothed_preview_differs_where_it_may_be_wrong(renderer):
    case, how = renderer.case, METHODS["preview_blurred"].how
    assert (how.blur, how.blur_above) == (blur.RADIUS, blur.FROM)
    likely = float(case.redraw.max()) / 2
    changed = (renderer.frames(replace(how, blur_above=likely)) != case.preview).any(-1)
    assert changed.any() and not changed[case.redraw <= likely].any()


STILLS = ("walk", "half body", "yaw 60")


@pytest.fixture(scope="module")
def stills() -> list[Previewed]:
    with torch.inference_mode():
        hosting.start(Path(os.environ["COMFYUI_DIR"]))
        return make_cases(training(0), Settings(len(STILLS), STEPS, CFG, world=PEOPLE, stills=STILLS))


def test_stills_of_one_reference_are_one_case(stills):
    assert [case.classes for case in stills] == [("walk", "yaw 60"), ("half body",)]
    for case in stills:
        assert all(len(getattr(case, name)) == len(case.classes) for name in case.framed())
        assert len(case.reference) == len(case.background) == 1 and len(case.targets) == len(case.classes)
        assert set(case.prompts) == {"true", "empty", "wrong", "extra", "little"}
        assert case.redraw.max() > 0.2


def test_a_still_is_previewed_without_the_other_stills(stills):
    alone = make_cases(training(0), Settings(1, STEPS, CFG, world=PEOPLE, stills=("yaw 60",)))
    assert torch.equal(alone[0].preview[0], stills[0].preview[1])
    assert torch.equal(alone[0].poses[0], stills[0].poses[1])
    assert torch.equal(alone[0].background, stills[0].background)


def test_stills_have_every_measure_but_those_of_motion(stills):
    case = stills[0]
    whole = measure(case, case.preview, case.preview)
    assert {name for name, value in whole.items() if value is None} <= {
        "warping_error",
        "released_warping",
        "flicker",
        "hole_psnr",
    }
    assert whole["warping_error"] is whole["released_warping"] is None
    assert set(measure_by_class(case, case.preview, case.preview)) == set(case.classes)
    true = measure(case, case.truth, case.truth)
    assert true["detail"] == pytest.approx(1.0) and true["face_psnr"] == 100.0


@pytest.mark.parametrize("kind", SPOILS)
def test_a_spoiled_preview_is_the_given_one(stills, kind):
    settings = Settings(1, STEPS, CFG, world=PEOPLE, stills=("walk",), spoil=kind)
    spoiled = make_cases(training(0), settings)[0]
    assert not torch.equal(spoiled.preview[0], stills[0].preview[0])
    assert torch.equal(spoiled.redraw[0], stills[0].redraw[0]) and torch.equal(spoiled.truth[0], stills[0].truth[0])
    assert case_digest(spoiled) != case_digest(stills[0].only([0]))


# Method, the one it must beat by more than two paired standard errors, and in what.
CLAIMS = (
    ("truth_through_vae", "paper", "person_psnr"),  # the VAE's ceiling is above what is sampled
    ("full", "truth_through_vae", "person_psnr"),  # and below a preview whose own pixels come back
    ("ra_sa", "inversion_only", "psnr"),  # RA-SA holds an inversion together under guidance,
    ("ra_sa", "ra_sa_from_noise", "psnr"),  # which keeps the preview's layout;
    ("paper", "ra_sa", "psnr"),  # replay adds to it,
    ("paper", "ra_sa", "identity_error"),  # in colours too;
    ("paper", "pose_only", "person_psnr"),  # together they beat text and pose,
    ("full", "paper", "person_psnr"),  # and what the default keeps of the preview is better still
    ("full", "pose_only", "identity_error"),
)


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    """The files of the short run at guidance 5, as `python dev.py evaluate animation --quick` makes them."""
    out = tmp_path_factory.mktemp("evaluation")
    line = [sys.executable, "-m", "lab.evaluation", "--host", os.environ["COMFYUI_DIR"], "--out", str(out)]
    subprocess.run([*line, "--quick", "--cfg", "5"], cwd=REPOSITORY, check=True, timeout=patience(900))
    return out


def test_the_short_run_holds_its_methods(short):
    table = json.loads((short / "animation.json").read_text())
    assert table["cases"] == 3
    assert set(table["methods"]) == set(QUICK)
    assert set(table["settings"]["left_out"]) == set(METHODS) - set(QUICK)
    assert {"animation.md", "animation.png", "contact_sheet.png"} < {path.name for path in short.iterdir()}


@pytest.mark.parametrize("better, worse, measure", CLAIMS)
def test_the_short_run_shows_what_the_method_claims(short, better, worse, measure):
    values = json.loads((short / "animation_values.json").read_text())["methods"]
    differences = [a - b for a, b in zip(values[better][measure], values[worse][measure])]
    mean, error = mean_and_error(differences)
    sign = 1 if MEASURES[measure][1] else -1
    assert sign * mean > 2 * error, differences
