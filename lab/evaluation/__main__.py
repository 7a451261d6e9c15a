"""The evaluation: python -m lab.evaluation --host DIR --out DIR, started by `python dev.py evaluate animation`.

Writes animation.json, animation_values.json (each character's), animation.md, animation.png and
contact_sheet.png; with several values of --cfg, a folder for each. --sweep NAME runs a list of
recipes of sweeps.py instead and names its files after it. What was made before is kept in
OUT/cache. Exit code 1 when something fails, 2 when the disk is full, 130 after Ctrl-C.
"""

import argparse
import errno
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .. import hosting
from ..options import positive
from ..sheet import contact_sheet
from .cases import SIZE, make_case, motion_of
from .measures import LEAST_HOLE, MOST_DB
from .methods import BASE, METHODS, QUICK
from .plot import plot
from .recipes import Method
from .renderer import IMG2IMG_DENOISE, SCHEDULER, Models, Settings, load_models
from .results import summary, write_json, write_markdown, write_values
from .run import Results, evaluate
from .store import Store, code_digest
from .sweeps import SWEEPS

SHEETS = 2  # characters in the contact sheet


@dataclass(frozen=True)
class Size:
    """How much is run when the command line does not say."""

    characters: int
    frames: int
    steps: int


WHOLE, SHORT, SWEEP = Size(24, 12, 20), Size(3, 4, 8), Size(8, 6, 12)


def main() -> int:
    """Run the evaluation and return the exit code."""
    options = _options()
    try:
        options.out.mkdir(parents=True, exist_ok=True)  # a wrong one stops here, not after the run
        _run_all(options)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        sys.stderr.write(f"evaluate: {error}\n")
        return 2 if error.errno == errno.ENOSPC else 1
    return 0


@torch.inference_mode()
def _run_all(options: argparse.Namespace) -> None:
    """A table at each guidance that was asked for."""
    host = hosting.start(options.host)
    try:
        models = load_models(host)
    except host.weights_error as error:
        sys.exit(f"evaluate: {error}")
    start = time.monotonic()
    guidance = options.cfg or [_widget_default(host.sampler, "cfg")]
    size, methods = _size(options), _methods(options)
    seeds = range(options.first, options.first + size.characters)
    settings = Settings(size.frames, size.steps, guidance[0])
    tables = evaluate(host, models, methods, seeds, settings, guidance, Store(options.out / "cache"))
    for cfg, results in zip(guidance, tables):
        out = options.out if len(guidance) == 1 else options.out / f"cfg_{cfg:g}"
        out.mkdir(exist_ok=True)
        about = _about(host, models, methods, replace(settings, cfg=cfg), seeds, results)
        about["seconds"] = round(time.monotonic() - start, 1)  # of all guidance together
        _write(out, options.sweep or "animation", results, methods, about)
        sheet = f"{options.sweep}_sheet.png" if options.sweep else "contact_sheet.png"
        _sheet(host, results, settings, seeds[:SHEETS]).save(out / sheet)


def _write(out: Path, name: str, results: Results, methods: dict[str, Method], about: dict) -> None:
    """One table as JSON, Markdown and plot, and each character's values."""
    table, seeds = summary(results, methods), about["seeds"]
    write_json(out / f"{name}.json", table, len(seeds), about)
    write_values(out / f"{name}_values.json", results, seeds)
    shape = f"{len(seeds)} characters, {about['frames']} frames, {about['steps']} steps, guidance {about['cfg']:g}"
    write_markdown(out / f"{name}.md", table, methods, f"{name}: {shape}")
    plot(table, BASE if BASE in table else next(iter(table))).save(out / f"{name}.png")
    print(f"[evaluate] {out / name}.md after {about['seconds']:.0f} s", flush=True)


def _size(options: argparse.Namespace) -> Size:
    default = SWEEP if options.sweep else SHORT if options.quick else WHOLE
    return Size(*(getattr(options, name) or value for name, value in asdict(default).items()))


def _methods(options: argparse.Namespace) -> dict[str, Method]:
    """The methods to run; `full` is always among those of the main table, for the differences."""
    if options.sweep:
        return SWEEPS[options.sweep]
    wanted = options.methods or (QUICK if options.quick else METHODS)
    return {name: method for name, method in METHODS.items() if name in wanted or name == BASE}


def _about(
    host: hosting.Host,
    models: Models,
    methods: dict[str, Method],
    settings: Settings,
    seeds: Sequence[int],
    results: Results,
) -> dict:
    """What the table was made from and under."""
    first = next(iter(results.values()))
    return asdict(settings) | {
        "seeds": list(seeds),
        "motions": [motion_of(seed) for seed in seeds],
        "size": SIZE,
        "sampler": "euler",
        "scheduler": SCHEDULER,
        "img2img_denoise": IMG2IMG_DENOISE,
        "cases_with_holes": sum(result.measures["hole_psnr"] is not None for result in first),
        "least_hole_pixels": LEAST_HOLE,
        "psnr_of_equal_pictures": MOST_DB,
        "host_version": host.version,
        "torch_version": torch.__version__,
        "device": host.device,
        "machine": platform.machine(),
        "weights": models.digest,
        "code": code_digest(),
        "methods": {name: method.about for name, method in methods.items()},
        "recipes": {name: repr(method.how) for name, method in methods.items()},
        "left_out": [name for name in METHODS if name not in methods],
    }


def _sheet(host: hosting.Host, results: Results, settings: Settings, seeds: Sequence[int]) -> Image.Image:
    """Reference, poses and every method's frames of the first characters, side by side."""
    sheets = []
    for index, seed in enumerate(seeds):
        case = make_case(host, seed, settings.frames)
        rows = {"reference": _pictures(case.reference), "poses": _pictures(case.poses)}
        sheets.append(contact_sheet(rows | {name: _shown(found[index].frames()) for name, found in results.items()}))
    whole = Image.new("RGB", (sum(sheet.width for sheet in sheets), sheets[0].height))
    for index, sheet in enumerate(sheets):
        whole.paste(sheet, (index * sheets[0].width, 0))
    return whole


def _pictures(images: Tensor) -> list[Image.Image]:
    return _shown((255 * images).round().to(torch.uint8))


def _shown(frames: Tensor) -> list[Image.Image]:
    return [Image.fromarray(frame.numpy()) for frame in frames]


def _widget_default(node: type, name: str) -> float:
    return next(widget.default for widget in node.define_schema().inputs if widget.id == name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab.evaluation")
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--out", type=Path, required=True, help="where to write")
    parser.add_argument("--characters", type=positive, help="held-out characters (24; sweeps 8)")
    parser.add_argument(
        "--first", type=int, default=0, metavar="SEED", help="the first of them: two runs may fill one OUT/cache"
    )
    parser.add_argument("--frames", type=positive, help="frames of each (12; sweeps 6)")
    parser.add_argument("--steps", type=positive, help="steps asked of ddim_uniform (20; sweeps 12)")
    parser.add_argument("--cfg", type=float, nargs="+", help="guidance, one table each (the Animate Sampler's default)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, metavar="NAME", help="only these, and full")
    parser.add_argument("--quick", action="store_true", help="3 characters, 4 frames, 8 steps, 7 methods")
    parser.add_argument("--sweep", choices=SWEEPS, help="run this experiment instead of the main table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
