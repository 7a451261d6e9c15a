"""Peak memory of one denoising run in a fresh process: ``peak_memory.py FRAMES WINDOW CELLS`` prints bytes as JSON."""

import json
import sys

import hostside
import torch
from runs import Clip, patch, sample
from torch.profiler import ProfilerActivity, profile

from freeanimate_pack.demo.model.layout import SD15_DEMO
from lab.timing import peak_of

STEPS = 2


def main(frames: int, window: int, cells: int) -> None:
    with torch.inference_mode():
        clip = Clip(hostside.build(SD15_DEMO, 0, 0.05), frames=frames, h=cells, w=cells, steps=STEPS)
        record = clip.invert(window=window)[0]
        model = patch(clip.tiny.model, record, self_span=1.0, cross_span=1.0, window=window)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as prof:
            sample(clip, record, model, 4.0)
    hints = clip.positive[0][1]["control"].cond_hint_original
    json.dump(
        {
            "peak": peak_of(prof.profiler.kineto_results.events()),
            "record": sum(t.numel() * t.element_size() for t in record),
            "hints": hints.numel() * hints.element_size(),
            "latents": record.top.numel() * record.top.element_size(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
