"""What an animation costs: python -m lab.evaluation.price --host DIR --out DIR.

Started by `python dev.py evaluate price`. Inversion and denoising together, by the defaults of all nodes, against the
host's own sampling of as many frames (guidance, ControlNet): in turn, round after round, in CPU seconds of the process
or seconds of the card. Writes price.json and price.md.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from .. import hosting
from ..options import positive
from .cases import make_case
from .methods import redrawn
from .recipes import OFF, WHOLE, Recipe
from .renderer import Bench, Settings, load_models

PLAIN_STEPS = 30
STEPS = (20, 12, 8)
CFG = 3.0


def main() -> int:
    """Run the study and return the exit code."""
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    entries = _measure(options)
    content = {"frames": options.frames, "rounds": options.rounds, "entries": entries}
    (options.out / "price.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    lines = ["| run | s | spread | ratio to plain sampling |", "|---|---|---|---|"]
    lines += [f"| {e['name']} | {e['seconds']:.2f} | {e['spread']:.2f} | {e['ratio']:.2f} |" for e in entries]
    (options.out / "price.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


@torch.inference_mode()
def _measure(options: argparse.Namespace) -> list[dict]:
    host = hosting.start(options.host)
    from ..benchmark.measure import Clock, ratio, spread  # what it imports needs the host on sys.path

    case = make_case(host, 0, options.frames)
    bench = Bench(host, load_models(host), case, Settings(options.frames, PLAIN_STEPS, CFG))
    clock = Clock("cpu" if host.device == "cpu" else "cuda", own=host.device == "cpu")
    runs = {f"plain sampling, {PLAIN_STEPS} steps": _plain(bench)}
    runs |= {f"animation, {steps} steps": _animation(bench, steps) for steps in options.steps}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(options.rounds + 1):
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


def _plain(bench: Bench) -> Callable[[], object]:
    recipe = redrawn(start="noise", patch=OFF, guided=WHOLE, steps=PLAIN_STEPS, cfg=CFG)
    return lambda: bench.latents(recipe)


def _animation(bench: Bench, steps: int) -> Callable[[], object]:
    return lambda: bench.afresh().latents(Recipe(steps=steps, cfg=CFG))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab.evaluation.price")
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--out", type=Path, required=True, help="where to write")
    parser.add_argument("--frames", type=positive, default=6, help="frames of the clip (6)")
    parser.add_argument("--rounds", type=positive, default=5, help="timed rounds (5)")
    parser.add_argument("--steps", type=positive, nargs="+", default=STEPS, help="steps asked of ddim_uniform")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
