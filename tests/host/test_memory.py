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
    """(frames, window) -> figures of a fresh process, each measured once."""
    figures: dict = {}

    def measure(frames: int, window: int) -> dict:
        if (frames, window) not in figures:
            path = os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parent.parent)))
            out = subprocess.run(
                [sys.executable, str(HERE / "peak_memory.py"), str(frames), str(window)],
                env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            figures[frames, window] = json.loads(out.stdout.splitlines()[-1])
        return figures[frames, window]

    return measure


def test_peak_does_not_follow_the_clip(measured):
    short, long = measured(16, 4), measured(128, 4)
    allowed = sum(factor * (long[k] - short[k]) for k, factor in (("record", 1), ("hints", 1), ("latents", 12)))
    assert long["peak"] - short["peak"] <= allowed
    assert short["peak"] > 0


def test_peak_follows_the_window(measured):
    """Each further frame of a window costs the same."""
    one, two, four = (measured(16, window)["peak"] for window in (1, 2, 4))
    assert (four - one) == pytest.approx(3 * (two - one), rel=0.25)
    assert two > one
