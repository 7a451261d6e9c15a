"""The study of animations: tables, values, plots and contact sheets from one run. Needs the host."""

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from PIL import Image

from freeanimate_pack.demo.model import SIDE
from freeanimate_pack.demo.model.weights import DemoWeightsError
from freeanimate_pack.demo.people import CLASSES
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

from ..hosting import Host
from ..sheet import COLUMNS, below, beside, contact_sheet, pictures, shown
from .case import PEOPLE, Previewed, motion_of
from .drawing import STILL, make_cases
from .measures import LEAST_HOLE, MOST_DB
from .methods import BASE, METHODS, QUICK
from .models import Models, load_models
from .people import CHOOSING_SEEDS, clip_of, held_out, training
from .plot import plot
from .recipes import Method
from .renderer import IMG2IMG_DENOISE, SCHEDULER
from .results import by_class, summary, write_json, write_markdown, write_values
from .run import evaluate
from .settings import Settings
from .store import Results, Store, code_digest
from .sweeps import SWEEPS

SHEETS = 2  # characters in the contact sheet


@dataclass(frozen=True)
class Size:
    """How much is run when the command line does not say."""

    characters: int
    frames: int
    steps: int


WHOLE, SHORT, SWEEP = Size(24, 12, 20), Size(3, 3, 6), Size(8, 6, 12)


@torch.inference_mode()
def run(host: Host, options: argparse.Namespace) -> None:
    """Measure and write a table at each guidance that the options ask for."""
    try:
        models = load_models()
    except DemoWeightsError as error:
        sys.exit(f"evaluate: {error}")
    start = time.monotonic()
    guidance = options.cfg or [_widget_default(FreeAnimateSampler, "cfg")]
    size, methods = _size(options), _methods(options)
    seeds = [_seed(options, number) for number in range(options.first, options.first + size.characters)]
    settings = _settings(options, size, guidance[0])
    tables = evaluate(host, models, methods, seeds, settings, guidance, Store(options.out / "cache"))
    for cfg, results in zip(guidance, tables):
        out = options.out if len(guidance) == 1 else options.out / f"cfg_{cfg:g}"
        out.mkdir(exist_ok=True)
        about = _about(host, models, methods, replace(settings, cfg=cfg), seeds, results)
        about["seconds"] = round(time.monotonic() - start, 1)  # of all guidance together
        _write(out, options.sweep or "animation", results, methods, about)
        sheet = f"{options.sweep}_sheet.png" if options.sweep else "contact_sheet.png"
        _sheet(results, settings, seeds[:SHEETS]).save(out / sheet)


def _write(out: Path, name: str, results: Results, methods: dict[str, Method], about: dict) -> None:
    """One table as JSON, Markdown and plot, and each character's values."""
    table, seeds = summary(results, methods), about["seeds"]
    write_json(out / f"{name}.json", table, len(seeds), about, by_class(results, methods))
    write_values(out / f"{name}_values.json", results, seeds)
    shape = f"{len(seeds)} characters, {about['frames']} frames, {about['steps']} steps, guidance {about['cfg']:g}"
    write_markdown(out / f"{name}.md", table, methods, f"{name}: {shape}")
    plot(table, BASE if BASE in table else next(iter(table))).save(out / f"{name}.png")
    print(f"[evaluate] {out / name}.md after {about['seconds']:.0f} s", flush=True)


def _settings(options: argparse.Namespace, size: Size, cfg: float) -> Settings:
    stills = tuple(options.classes or CLASSES) if options.stills else ()
    return Settings(
        len(stills) or size.frames,
        size.steps,
        cfg,
        world=options.world,
        inputs=options.inputs,
        stills=stills,
        spoil=options.spoil or "",
        words=options.words,
    )


def _seed(options: argparse.Namespace, number: int) -> int:
    """Of a character, counted from 0: held out, or of those by whom settings are chosen."""
    if options.world != PEOPLE:
        return number
    return training(number) if options.training else held_out(number)


def _motion(settings: Settings, seed: int) -> str:
    if settings.stills:
        return STILL
    return clip_of(seed)[0] if settings.world == PEOPLE else motion_of(seed)


def _size(options: argparse.Namespace) -> Size:
    default = SWEEP if options.sweep else SHORT if options.quick else WHOLE
    if options.training:
        default = replace(default, characters=min(default.characters, len(CHOOSING_SEEDS) - options.first))
    return Size(*(getattr(options, name) or value for name, value in asdict(default).items()))


def _methods(options: argparse.Namespace) -> dict[str, Method]:
    """The methods to run; `full` is always among those of the main table, for the differences."""
    if options.sweep:
        return SWEEPS[options.sweep]
    wanted = options.methods or (QUICK if options.quick else METHODS)
    return {name: method for name, method in METHODS.items() if name in wanted or name == BASE}


def _about(
    host: Host,
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
        "motions": [_motion(settings, seed) for seed in seeds],
        "size": SIDE,
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


def _sheet(results: Results, settings: Settings, seeds: Sequence[int]) -> Image.Image:
    """Reference, poses and every method's frames of the first characters, side by side."""
    sheets = []
    for index, seed in enumerate(seeds):
        cases = make_cases(seed, settings)
        given = {"poses": _together(cases, "poses"), "truth": _together(cases, "truth")}
        rows = given | {name: shown(found[index].frames()) for name, found in results.items()}
        reference = {"reference": pictures(cases[0].reference)}
        step = COLUMNS if settings.stills else settings.frames  # every still is shown, of a clip some frames
        starts = range(0, settings.frames, step)
        sheets.append(below([contact_sheet(reference | _cut(rows, slice(at, at + step))) for at in starts]))
    return beside(sheets)


def _together(cases: Sequence[Previewed], name: str) -> list[Image.Image]:
    return pictures(torch.cat([getattr(case, name) for case in cases]))


def _cut(rows: dict[str, list[Image.Image]], part: slice) -> dict[str, list[Image.Image]]:
    return {name: row[part] for name, row in rows.items()}


def _widget_default(node: type, name: str) -> float:
    return next(widget.default for widget in node.define_schema().inputs if widget.id == name)
