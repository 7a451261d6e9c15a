"""The study in the rendered world: every class of pose on held-out people, and whether the preview knows its errors."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from einops import repeat
from PIL import Image
from torch import Tensor

from freeanimate_pack.demo.people import CLASSES
from freeanimate_pack.freeanimate_core.preview.background import paint_out

from ...sheet import below, contact_sheet, pictures
from ..case import PEOPLE, Case
from ..measures import MOST_DB
from ..people import held_out, still_case
from . import scores, table
from .reliability import curve
from .study import METHODS
from .trust import Cells, cells_of
from .trust import summary as trust_of

SHEETS = 2  # people in the contact sheet
HALF = 8  # classes in a row of it
OURS = "ours"
# Name to (unit, whether higher is better), in the order of the table.
MEASURES = {
    "person_psnr": ("dB", True),
    "seen_psnr": ("dB", True),
    "mask_iou": ("", True),
    "part_error": ("px", False),
    "unseen_recall": ("", True),
    "unseen_precision": ("", True),
    "plate_psnr": ("dB", True),
    "seconds": ("s", False),
}
Values = dict[str, dict[str, dict[str, list[float | None]]]]  # class, method, measure: a value for each person


@dataclass(frozen=True)
class LastFrame:
    """What one method makes of a case's last frame: picture [S,S,3], mask [S,S] and, where it has them, its maps."""

    frame: Tensor
    mask: Tensor
    holes: Tensor | None
    redraw: Tensor | None
    seconds: float  # of a frame


def run(out: Path, people: int, size: int, inputs: str) -> None:
    """Measure and write preview.json, preview.md, preview_sheet.png and reliability.png."""
    values: Values = {name: {method: {m: [] for m in MEASURES} for method in METHODS} for name in CLASSES}
    cells, sheets = [], []
    for number in range(people):
        columns = []
        for name in CLASSES:
            case = still_case(held_out(number), name, size, inputs)
            plate = paint_out(case.reference[0], case.given_mask[0])
            made = {method: _made(case, method, plate) for method in METHODS}
            for method, found in made.items():
                for measure, value in _measured(case, method, found, plate).items():
                    values[name][method][measure].append(value)
            cells.append(_cells(case, made[OURS]))
            columns.append(_column(case, made))
        if number < SHEETS:
            sheets += [_sheet(columns[k : k + HALF]) for k in range(0, len(columns), HALF)]
        print(f"[evaluate] person {number + 1}/{people}", flush=True)
    about = {"world": PEOPLE, "inputs": inputs, "people": people, "first_seed": held_out(0), "size": size}
    table.write_people(out, table.of_people(values), trust_of(cells), about)
    below(sheets).save(out / "preview_sheet.png")
    curve(cells).save(out / "reliability.png")


def _asked(case: Case, method: str) -> Case:
    """Baselines go frame by frame, so that the last one is enough for them."""
    return case if method == OURS else case.only([len(case.truth) - 1])


def _made(case: Case, method: str, plate: Tensor) -> LastFrame:
    asked, start = _asked(case, method), time.process_time()
    found = METHODS[method](case.reference[0], case.given_mask[0], plate, case.pose, asked.targets)
    seconds = (time.process_time() - start) / len(found.frames)
    maps = (None if each is None else each[-1] for each in (found.holes, found.redraw))
    return LastFrame(found.frames[-1], found.masks[-1], *maps, seconds)


def _measured(case: Case, method: str, made: LastFrame, plate: Tensor) -> dict[str, float | None]:
    """All MEASURES of one frame; equal pictures have MOST_DB."""
    truth, mask, shown = case.truth[-1], case.masks[-1], case.shown[-1]
    unseen = (mask > 0.5) & ~shown
    flagged = None if made.holes is None else (made.holes > 0.5) & (made.mask > 0.5)
    found = {
        "person_psnr": scores.person_psnr(made.frame, made.mask, truth, mask),
        "seen_psnr": scores.area_psnr(made.frame, truth, (mask > 0.5) & shown),
        "mask_iou": scores.overlap(mask, made.mask),
        "part_error": scores.part_error(case.labels[-1], labels_by_place(case, method)),
        "unseen_recall": None if flagged is None else scores.recall(flagged, unseen),
        "unseen_precision": None if flagged is None else scores.precision(flagged, unseen),
        "plate_psnr": scores.plate_psnr(plate, case.room, case.reference_mask[0], case.shadow),
        "seconds": made.seconds,
    }
    decibels = {name for name, (unit, _) in MEASURES.items() if unit == "dB"}
    return {name: min(v, MOST_DB) if v is not None and name in decibels else v for name, v in found.items()}


def labels_by_place(case: Case, method: str) -> Tensor:
    """Where a method puts each part in the last frame, [S,S] long, 0 the ground.

    It is asked to move a picture of places, in which every pixel's colour is its own x and y over black, by the same
    mask and poses; the colour that arrives at a pixel says which pixel of the reference is shown there, and the
    reference's labels of which part that is. One pass tells all parts, and soft edges divide out.
    """
    mask = case.given_mask[0]
    height, width = mask.shape
    x, y = (torch.arange(width) + 0.5) / width, (torch.arange(height) + 0.5) / height
    places = torch.stack([*torch.meshgrid(x, y, indexing="xy"), torch.ones_like(mask)], dim=-1) * mask[..., None]
    targets = _asked(case, method).targets
    moved = METHODS[method](places, mask, torch.zeros_like(places), case.pose, targets).frames[-1]
    there = moved[..., 2] > 0.5
    place = moved[..., :2] / moved[..., 2:].clamp_min(1e-6) * torch.tensor([width, height])
    column, row = (place[..., k].long().clamp(0, most - 1) for k, most in ((0, width), (1, height)))
    return torch.where(there, case.reference_labels[row, column], 0)


def _cells(case: Case, made: LastFrame) -> Cells:
    figures = torch.maximum(case.masks[-1], made.mask) > 0.5
    return cells_of(case.classes[-1], made.redraw, made.frame, case.truth[-1], figures)


def _column(case: Case, made: Mapping[str, LastFrame]) -> dict[str, Tensor]:
    """The rows of one class in the contact sheet, pictures [S,S,3]."""
    unseen = ((case.masks[-1] > 0.5) & ~case.shown[-1]).float()
    maps = {"ours says unseen": made[OURS].holes, "unseen": unseen, "ours says wrong": made[OURS].redraw}
    return {
        "reference": case.reference[0],
        "truth": case.truth[-1],
        **{name: item.frame for name, item in made.items()},
        **{name: repeat(values, "h w -> h w rgb", rgb=3) for name, values in maps.items()},
    }


def _sheet(columns: list[dict[str, Tensor]]) -> Image.Image:
    """Some classes side by side."""
    return contact_sheet({row: pictures(torch.stack([c[row] for c in columns])) for row in columns[0]})
