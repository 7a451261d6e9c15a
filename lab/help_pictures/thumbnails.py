"""The templates' thumbnails: what each makes, shown on rendered people and the demo's model. Needs the host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from freeanimate_pack.freeanimate_core.compare.side_by_side import side_by_side

from .scenes import Loaded, Prepared, animated, decoded, load, patch, prepare, sampled
from .strips import chosen, pictures

CELL, GAP, GROUND = 192, 6, "white"  # pixels of a picture and between two
QUALITY = 72  # of a JPEG; cards are small
ABLATIONS = {  # reference_weight, self_span, cross_span
    "RA-SA and IBA": (1.0, 1.0, 0.8),
    "RA-SA alone": (1.0, 0.0, 0.0),
    "IBA alone": (0.0, 1.0, 0.8),
    "neither": (0.0, 0.0, 0.0),
}


@dataclass(frozen=True)
class Clip:
    """One person's clip: what came before the model, and the frames."""

    prepared: Prepared
    frames: Tensor


def clip(seed: int, motion: str) -> Clip:
    """A person animated by the people preset."""
    prepared = prepare(seed, motion)
    return Clip(prepared, animated(prepared, load(prepared))[1])


def thumbnails(prepared: Prepared, loaded: Loaded, result: Tensor) -> dict[str, list[Tensor]]:
    """Rows of pictures by the name of the template; ``result`` are the frames of ``prepared``."""
    own, other = Clip(prepared, result), clip(10_018, "raised arms")
    walking, squatting = clip(10_030, "walk"), clip(10_007, "squat")
    first = [chosen(prepared.poses), chosen(result)]
    return {
        "01 try it now": first,
        "01 opened up": first,
        "try it now.app": first,
        "02 animate a character": with_reference(other),
        "03 SDXL": with_reference(squatting),
        "04 previews from another tool": [chosen(squatting.prepared.preview[0]), chosen(squatting.frames)],
        "05 long clip": list(chosen(walking.frames, 8).split(4)),
        "06 use the patched model with SamplerCustomAdvanced and a LoRA": with_reference(walking),
        "07 compare with and without RA-SA and IBA": list(compared(prepared, loaded).split(1)),
        "08 check on your own video": [chosen(checked(own), 1)],
    }


def with_reference(made: Clip) -> list[Tensor]:
    """The reference beside three poses, above the frames; the first of these is the reference's neighbour."""
    poses = chosen(made.prepared.poses)
    return [torch.cat([made.prepared.reference, poses[1:]]), chosen(made.frames)]


def compared(prepared: Prepared, loaded: Loaded) -> Tensor:
    """Two frames of the model with and without the method's halves, and of the truth."""
    made = {
        label: chosen(decoded(loaded, sampled(loaded, patch(loaded, *values))), 2)
        for label, values in ABLATIONS.items()
    }
    return side_by_side(made | {"truth": chosen(prepared.truth, 2)})


def checked(made: Clip) -> Tensor:
    """Preview, result and truth side by side."""
    return side_by_side({"preview": made.prepared.preview[0], "result": made.frames, "truth": made.prepared.truth})


def save_thumbnails(rows: Mapping[str, Sequence[Tensor]], folder: Path) -> None:
    """A JPEG for each template."""
    for name, pictured in rows.items():
        grid(pictured).save(folder / f"{name}.jpg", quality=QUALITY, optimize=True)


def grid(rows: Sequence[Tensor]) -> Image.Image:
    """Rows of pictures, each row as wide as the first: of four cells, or one wide picture."""
    width = 4 * (CELL + GAP) - GAP
    shown = [pictures(row, size_in(row, width)) for row in rows]
    sheet = Image.new("RGB", (width, sum(row[0].height + GAP for row in shown) - GAP), GROUND)
    top = 0
    for row in shown:
        for column, picture in enumerate(row):
            sheet.paste(picture, (column * (picture.width + GAP), top))
        top += row[0].height + GAP
    return sheet


def size_in(row: Tensor, width: int) -> tuple[int, int]:
    """Width and height of each picture of a row, in pixels."""
    count, rows, columns = row.shape[:3]
    own = (width + GAP) // count - GAP
    return own, round(own * rows / columns)
