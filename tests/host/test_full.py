"""A U-Net and a ControlNet of SD1.5's true size, random weights, through the nodes: ``dev.py test --full``."""

import resource
import sys
import time

import pytest
import torch
from runs import Clip, animate

PIXELS, FRAMES, STEPS = 256, 2, 3


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is read through the resource module")
def test_full_size_sd15_on_the_cpu(full_sd15, capsys):
    cells = PIXELS // 8
    clip = Clip(full_sd15, frames=FRAMES, h=cells, w=cells, steps=STEPS)
    begin = time.monotonic()
    record = clip.invert(window=1)[0]
    inverted = time.monotonic()
    latents = animate(clip, record, 7.5, window=1)
    done = time.monotonic()
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    with capsys.disabled():
        print(
            f"\nSD1.5 at {PIXELS}x{PIXELS}, {FRAMES} frames, {len(record.descending) - 1} levels, cfg 7.5, CPU: "
            f"inversion {inverted - begin:.1f} s, denoising {done - inverted:.1f} s, "
            f"peak memory of the process {peak / 1e9:.2f} GB"
        )
    assert latents.shape == (FRAMES, 4, cells, cells)
    assert torch.isfinite(latents).all()
