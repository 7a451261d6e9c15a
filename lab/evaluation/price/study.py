"""Seconds of animations and of plain sampling, in turn. Needs the host."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from ...hosting import Host
from ...timing import Clock, ratio, spread
from ..case import PEOPLE
from ..drawing import make_case
from ..given import NOISY
from ..methods import default, redrawn
from ..models import load_models
from ..people import held_out
from ..recipes import OFF, WHOLE
from ..renderer import Renderer
from ..settings import Settings

PLAIN_STEPS = 30
CFG = 3.0


@torch.inference_mode()
def measure(host: Host, frames: int, rounds: int, asked: Sequence[int]) -> list[dict]:
    """One entry per run: plain sampling, then an animation over each number of steps that is ``asked``."""
    case = make_case(held_out(0), frames, PEOPLE, NOISY)
    renderer = Renderer(load_models(), case, Settings(frames, PLAIN_STEPS, CFG))
    clock = Clock("cpu" if host.device == "cpu" else "cuda", own=host.device == "cpu")
    runs = {f"plain sampling, {PLAIN_STEPS} steps": _plain(renderer)}
    runs |= {f"animation, {steps} steps": _animation(renderer, steps) for steps in asked}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(rounds + 1):
        for name, run in runs.items():
            begin = clock.now()
            run()
            if round_:  # the first warms up
                seconds[name].append(clock.now() - begin)
                print(f"[evaluate] round {round_}, {name}: {seconds[name][-1]:.2f} s", flush=True)
    floors = next(iter(seconds.values()))
    return [
        {"name": name, "seconds": statistics.median(v), "spread": spread(v) or 0.0, "ratio": ratio(v, floors)}
        for name, v in seconds.items()
    ]


def _plain(renderer: Renderer) -> Callable[[], object]:
    recipe = redrawn(start="noise", patch=OFF, guided=WHOLE, steps=PLAIN_STEPS, cfg=CFG)
    return lambda: renderer.latents(recipe)


def _animation(renderer: Renderer, steps: int) -> Callable[[], object]:
    return lambda: renderer.afresh().latents(replace(default(), steps=steps, cfg=CFG))
