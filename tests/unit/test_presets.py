"""The table of presets: every set is valid, and the README says what it holds."""

import re
from pathlib import Path

from freeanimate_pack.freeanimate_core.presets import PRESETS

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="ascii")


def test_the_readme_tells_the_presets():
    found = re.search(r"^\| preset \|.*\n\|[ -|]+\n((?:\|.*\n)*)", README, re.MULTILINE).group(1).splitlines()
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
