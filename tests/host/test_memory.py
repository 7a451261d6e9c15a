"""Memory of a denoising run: bounded by the window, not by the clip."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def measured():
    """(frames, window, cells) -> figures of a fresh process, each measured once."""
    figures: dict = {}

    def measure(*case: int) -> dict:
        if case not in figures:
            path = os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parent.parent)))
            out = subprocess.run(
                [sys.executable, str(HERE / "peak_memory.py"), *map(str, case)],
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            figures[case] = json.loads(out.stdout.splitlines()[-1])
        return figures[case]

    return measure


def test_peak_does_not_follow_the_clip(measured):
    short, long = measured(16, 4, 8), measured(128, 4, 8)
    allowed = sum(factor * (long[k] - short[k]) for k, factor in (("record", 1), ("hints", 1), ("latents", 12)))
    assert long["peak"] - short["peak"] <= allowed
    assert short["peak"] > 0


def test_peak_follows_the_window(measured):
    """Each further frame of a window costs the same."""
    one, two, four = (measured(8, window, 16)["peak"] for window in (1, 2, 4))
    assert (four - one) == pytest.approx(3 * (two - one), rel=0.1)
    assert two > one
