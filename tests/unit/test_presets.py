"""The table of presets: every set is valid, and the README says what it holds."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from freeanimate_pack.freeanimate_core.config import PatchConfig, SamplerConfig
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.presets import (
    CUSTOM,
    NAMES,
    PRESETS,
    guidance_settings,
    guidance_words,
    patch_settings,
    patch_words,
    preset_named,
)

WIDGETS = PatchConfig(2.0, 0.1, 0.2, "both", 5, 0.3, "blend", 0.9, 77)  # no value of any preset
README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="ascii")


def test_the_readme_tells_the_presets():
    table = re.search(r"^\| preset \| redraw_mask.*\n\|[ -|]+\n((?:\|.*\n)*)", README, re.MULTILINE)
    found = table.group(1).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in found]
    assert rows == [
        [
            name,
            f"{preset.mask} of Preview Generation" if preset.mask else "empty",
            preset.patch.release,
            f"{preset.patch.eta:g}",
            f"{preset.keep_face:g}",
            f"{preset.sampler.cfg:g}, {preset.sampler.start:g} to {preset.sampler.end:g}",
            "yes" if preset.paste else "no",
        ]
        for name, preset in PRESETS.items()
    ]


def test_each_has_its_reason():
    assert all(preset.reason.endswith(".") for preset in PRESETS.values())
    assert len({preset.reason for preset in PRESETS.values()}) == len(PRESETS)


def test_custom_reads_the_widgets():
    assert preset_named(CUSTOM, "Node") is None
    assert patch_settings(None, WIDGETS) is WIDGETS
    scale = SamplerConfig(5.0, 0.3, 0.4)
    assert guidance_settings(None, scale) is scale


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_stands_in_for_all_but_what_the_machine_and_the_user_choose(name):
    preset = preset_named(name, "Node")
    made = patch_settings(preset, WIDGETS)
    own = {"window": 5, "noise_seed": 77}
    expected = {field.name: own.get(field.name, getattr(preset.patch, field.name)) for field in fields(PatchConfig)}
    assert {field.name: getattr(made, field.name) for field in fields(PatchConfig)} == expected
    scale = guidance_settings(preset, SamplerConfig(5.0, 0.3, 0.4))
    assert scale == SamplerConfig(5.0, preset.sampler.start, preset.sampler.end)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(FreeAnimateError, match=f"Node: preset is 'anime'; choose one of {', '.join(NAMES)}"):
        preset_named("anime", "Node")


def test_the_lines_say_the_values():
    people = patch_settings(PRESETS["people"], PatchConfig())
    said = "people: graded, eta 0.5, reference_weight 1, self_span 1, cross_span 0.8, keep_span 1"
    assert patch_words("people", people) == said
    assert guidance_words(SamplerConfig()) == "cfg 3 from 20% to 90% of the steps"
