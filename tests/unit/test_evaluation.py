"""The evaluation's tables: what runs, what is paired with what, and what a kept result depends on."""

import argparse
import json
import math

import pytest
import torch

from devtools.commands import parser
from freeanimate_pack.freeanimate_core.config import PatchConfig
from freeanimate_pack.freeanimate_core.presets import PRESETS
from lab.evaluation import store
from lab.evaluation.case import PEOPLE, prompts_of
from lab.evaluation.measures import MEASURES
from lab.evaluation.methods import METHODS, QUICK
from lab.evaluation.options import refuse
from lab.evaluation.plot import plot
from lab.evaluation.recipes import OFF, Given, Inverting, Method, Recipe, in_words
from lab.evaluation.results import mean_and_error, merged, summary, write_json, write_markdown
from lab.evaluation.store import Result, Store, digest_of
from lab.evaluation.sweeps import SWEEPS

ORDER = (
    "pose_only ra_sa_from_noise reference_only preview preview_through_vae preview_blurred img2img inversion_only "
    "ra_sa iba_self iba_self_cross paper anchor_first anchor_middle joint_batch keep_only holes_alone full "
    "full_without_ra_sa full_without_iba full_without_noise full_unpasted truth_through_vae truth"
).split()


def results(**values: list[float | None]) -> dict[str, list[Result]]:
    return {name: [Result(dict.fromkeys(MEASURES, v), 0.0, None) for v in column] for name, column in values.items()}


def test_no_method_is_left_out():
    assert list(METHODS) == ORDER
    assert set(QUICK) <= set(METHODS)
    assert METHODS["full"].how == Recipe(patch=PRESETS["people"].patch, redraw="trust", paste=True)
    assert METHODS["holes_alone"].how == Recipe(patch=PRESETS["drawn"].patch)
    assert METHODS["paper"].how == Recipe(patch=PatchConfig(), redraw="all")


@pytest.mark.parametrize("methods", (METHODS, *SWEEPS.values()), ids=("methods", *SWEEPS))
def test_every_method_has_a_sentence_and_a_known_rival(methods):
    for name, method in methods.items():
        assert method.about.endswith("."), name
        assert method.against in methods, name


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(ValueError, match="start"):
        Recipe(start="nowhere")
    with pytest.raises(ValueError, match="anchor"):
        Inverting(anchor="last")
    with pytest.raises(ValueError, match="redraw is"):
        Recipe(redraw="something")
    with pytest.raises(ValueError, match="redraw all"):
        Recipe(start="noise", patch=OFF)
    with pytest.raises(ValueError, match="OFF"):
        Recipe(start="preview", patch=PatchConfig(), redraw="all")
    with pytest.raises(ValueError, match="smoothed"):
        Given("truth", False, blur=2)
    assert Recipe(start="preview", patch=OFF, redraw="all").plain
    assert not Recipe(patch=OFF).plain


def test_few_words_stand_for_the_true_ones_alone():
    mixed = Recipe(inverting=Inverting(prompt="empty"))
    found = in_words(mixed, "little")
    assert (found.prompt, found.inverting.prompt, found.inverting.reference_prompt) == ("little", "empty", "little")
    assert in_words(mixed, "true") == mixed
    assert prompts_of(3)["little"] == prompts_of(4, PEOPLE)["little"] == "a person"


def test_cases_of_one_character_are_one_result():
    one = Result(dict.fromkeys(MEASURES, 1.0), 2.0, ("a",), {"walk": {"ssim": 1.0}, "squat": {}, "yaw 0": {}})
    other = Result(dict.fromkeys(MEASURES, 5.0) | {"psnr": None}, 3.0, ("b",), {"half body": {"ssim": 5.0}})
    both = merged([one, other])
    assert (both.measures["ssim"], both.measures["psnr"], both.seconds) == (2.0, 1.0, 5.0)  # three classes, and one
    assert both.frames_files == ("a", "b") and list(both.classes) == ["walk", "squat", "yaw 0", "half body"]
    assert merged([one]) is one


@pytest.mark.parametrize(
    "asked, wanted",
    (
        ({"stills": True, "world": "drawn"}, "add --world people"),
        ({"training": True, "world": "drawn"}, "add --world people"),
        ({"classes": ["walk"]}, "add --stills"),
        ({"training": True, "first": 3, "characters": 6}, "lower --characters"),
        ({"training": True, "stills": True, "classes": ["walk"], "first": 2, "characters": 6}, ""),
    ),
)
def test_options_that_contradict_each_other_are_refused(asked, wanted, capsys):
    usual = {"world": "people", "stills": False, "training": False, "classes": None, "first": 0, "characters": None}
    options = argparse.Namespace(**usual | asked)
    if not wanted:
        return refuse(argparse.ArgumentParser(), options)
    with pytest.raises(SystemExit):
        refuse(argparse.ArgumentParser(), options)
    assert wanted in capsys.readouterr().err


def test_mean_and_standard_error():
    assert mean_and_error([1.0, 2.0, 3.0]) == (2.0, pytest.approx(1 / math.sqrt(3)))
    assert mean_and_error([4.0]) == (4.0, None)
    assert mean_and_error([]) == (None, None)


def test_differences_are_paired_by_character():
    methods = {name: Method(".", Given("truth", False)) for name in ("full", "other")}
    found = summary(results(full=[10.0, 20.0, 30.0], other=[11.0, 21.0, 31.0]), methods)
    assert found["other"]["ssim"] == {"mean": 21.0, "se": pytest.approx(10 / math.sqrt(3)), "paired_to_full": 1.0} | {
        "paired_se": 0.0
    }
    assert found["full"]["ssim"]["paired_to_full"] == 0.0


def test_characters_without_a_value_are_left_out_of_both_sides():
    methods = {name: Method(".", Given("truth", False)) for name in ("full", "other")}
    found = summary(results(full=[10.0, None, 30.0], other=[11.0, 5.0, None]), methods)["other"]["psnr"]
    assert (found["mean"], found["paired_to_full"], found["paired_se"]) == (8.0, 1.0, None)


def test_a_method_can_be_held_against_another():
    methods = {"full": Method(".", Recipe()), "a": Method(".", Recipe()), "b": Method(".", Recipe(), "a")}
    found = summary(results(full=[0.0, 0.0], a=[1.0, 2.0], b=[4.0, 5.0]), methods)
    assert found["b"]["l1"]["paired_to_full"] == 3.0


def test_the_files_hold_every_method_and_measure(tmp_path):
    table = summary(results(**{name: [1.0, 2.0] for name in METHODS}), METHODS)
    write_json(tmp_path / "a.json", table, 2, {"frames": 3})
    saved = json.loads((tmp_path / "a.json").read_text())
    assert saved["cases"] == 2
    assert set(saved["methods"]["full"]) == set(MEASURES)
    assert set(saved["methods"]["full"]["ssim"]) == {"mean", "se", "paired_to_full", "paired_se"}
    write_markdown(tmp_path / "a.md", table, METHODS, "heading")
    text = (tmp_path / "a.md").read_text()
    assert all(text.count(f"| {name} |") == 2 for name in METHODS)
    assert len({plot(table).size, plot({"full": table["full"]}).size}) == 2


def test_a_result_is_kept_until_something_else_is_asked(tmp_path):
    kept = Store(tmp_path)
    frames = torch.rand(2, 4, 4, 3, generator=torch.Generator().manual_seed(0))
    assert kept.load("key") is None
    kept.save("key", {"seed": 1}, {"ssim": 0.5, "hole_psnr": None}, 1.5, frames)
    found = Store(tmp_path).load("key")
    assert (found.measures, found.seconds) == ({"ssim": 0.5, "hole_psnr": None}, 1.5)
    assert (found.frames().float() / 255 - frames).abs().max() <= 0.5 / 255 + 1e-6
    assert kept.load("other") is None
    assert not list(tmp_path.glob("*.partial"))


def test_a_key_depends_on_code_and_not_on_its_comments(tmp_path, monkeypatch):
    source = tmp_path / "freeanimate_core" / "method" / "a.py"
    source.parent.mkdir(parents=True)
    monkeypatch.setattr(store, "REPOSITORY", tmp_path)

    def digest(text: str) -> str:
        source.write_text(text)
        return store.code_digest()

    first = digest('"""One."""\nx = 1  # one\n')
    assert digest('"""Two."""\n\nx = 1\n') == first
    assert digest('"""One."""\nx = 2  # one\n') != first
    assert digest_of("a", "bc") != digest_of("ab", "c")


def test_the_command_hands_its_arguments_on():
    options, rest = parser().parse_known_args(["evaluate", "animation", "--cfg", "3", "5", "--quick"])
    assert (options.what, options.passes_on, rest) == ("animation", True, ["--cfg", "3", "5", "--quick"])
    with pytest.raises(SystemExit):
        parser().parse_known_args(["evaluate", "everything"])
