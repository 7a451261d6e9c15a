"""The study: python -m lab.evaluation.preview --out DIR, started by `python dev.py evaluate preview`.

Writes preview.json, preview.md and preview_sheet.png (characters with known truth, against other warps), and,
in the drawn world, photo.gif and photo_sheet.png (a photograph, by a mask and by the pose alone).
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from einops import repeat
from PIL import Image

from ...command_line import exit_code, positive, study
from ...sheet import below, beside, contact_sheet, pictures
from ..case import PEOPLE, Case
from ..options import add_world
from . import people, photo, table
from .pairs import CLASSES, pairs_of
from .study import MEASURES, METHODS, Made, make

CHARACTERS, QUICK, SIZE = 20, 3, 256
SHEETS = 4  # characters in the contact sheet
MILLISECONDS = 120  # a frame of the GIF


def main() -> int:
    """Run the study and return the exit code."""
    options = _options()
    return exit_code("evaluate", options.out, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    start, cpu = time.monotonic(), time.process_time()
    torch.set_num_threads(1)  # seconds are those of one core
    characters = options.characters or (QUICK if options.quick else CHARACTERS)
    if options.world == PEOPLE:
        people.run(options.out, characters, options.size, options.inputs)
    elif not options.photo_only:
        _drawn(options.out, characters, options.size, options.inputs)
    if options.world != PEOPLE:
        _photo(options.out)
    seconds, spent = time.monotonic() - start, time.process_time() - cpu
    print(f"[evaluate] {options.out / 'preview.md'} after {seconds:.0f} s, {spent:.0f} s of CPU", flush=True)


def _drawn(out: Path, characters: int, size: int, inputs: str) -> None:
    """Table and sheet of the drawn characters."""
    values = {name: {method: {measure: [] for measure in MEASURES} for method in METHODS} for name in CLASSES}
    sheets = []
    for seed in range(characters):
        both = [(pairs, make(pairs)) for pairs in pairs_of(seed, size, inputs)]
        for index, name in enumerate(CLASSES):
            for method, measures in values[name].items():
                for measure, column in measures.items():
                    column.append([made[method].values[measure][index] for _, made in both])
        if seed < SHEETS:
            sheets.append(beside([_sheet(*each) for each in both]))
        print(f"[evaluate] character {seed}", flush=True)
    made = table.summary(values)
    table.write(out, made, {"characters": characters, "pairs": 2 * len(CLASSES), "size": size, "inputs": inputs})
    below(sheets).save(out / "preview_sheet.png")
    for line in table.losses(made):
        print(f"[evaluate] {line}", flush=True)


def _sheet(pairs: Case, made: dict[str, Made]) -> Image.Image:
    """Reference, truth and every method's frames of one reference, a column per class."""
    rows = {"reference": pairs.reference, "truth": pairs.truth} | {name: item.frames for name, item in made.items()}
    return contact_sheet({label: pictures(frames) for label, frames in rows.items()})


def _photo(out: Path) -> None:
    """GIF and sheet of the photograph."""
    by_mask, by_pose = photo.preview(photo.outline()), photo.preview(None)
    frames = pictures(by_mask.frames)
    frames[0].save(out / "photo.gif", save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0)
    rows = {
        "reference": pictures(photo.picture()),
        "by mask": frames,
        "holes": pictures(repeat(by_mask.hole_mask, "f h w -> f h w rgb", rgb=3)),
        "by pose": pictures(by_pose.frames),
        "plate": pictures(by_mask.background),
    }
    contact_sheet(rows).save(out / "photo_sheet.png")


def _options() -> argparse.Namespace:
    parser = study("evaluate preview", hosted=False)
    parser.add_argument("--characters", type=positive, help=f"how many ({CHARACTERS})")
    parser.add_argument("--size", type=positive, default=SIZE, help=f"side of the pictures in pixels ({SIZE})")
    add_world(parser)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} characters")
    parser.add_argument("--photo-only", action="store_true", help="the photograph alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
