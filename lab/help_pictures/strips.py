"""How the help pages' pictures are laid out: labelled rows for a narrow help panel, and an animation for the README."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from einops import repeat
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

COLUMNS = 4
CELL = 132  # pixels; the editor's panel is narrow, and four cells fill it
GAP, LABEL = 6, 24
GROUND, INK = (24, 24, 28), (232, 232, 236)
QUALITY = 88


def pictures(images: Tensor, size: tuple[int, int]) -> list[Image.Image]:
    """IMAGE [F,H,W,3] or MASK [F,H,W] in 0-1 as pictures of ``size``: width and height in pixels."""
    if images.ndim == 3:
        images = repeat(images, "f h w -> f h w rgb", rgb=3)
    levels = np.rint(images.cpu().numpy().clip(0, 1) * 255).astype(np.uint8)
    return [Image.fromarray(frame).resize(size, Image.LANCZOS) for frame in levels]


def chosen(images: Tensor, columns: int = COLUMNS) -> Tensor:
    """At most ``columns`` pictures, from the middle of as many equal spans of the batch."""
    count = len(images)
    return images if count <= columns else images[[(2 * i + 1) * count // (2 * columns) for i in range(columns)]]


def strip(rows: Mapping[str, Tensor]) -> Image.Image:
    """Rows of pictures under their labels; a batch shows COLUMNS of its pictures, a wide picture fills its row."""
    cells = {label: _cells(images) for label, images in rows.items()}
    width = GAP + max(sum(picture.width + GAP for picture in row) for row in cells.values())
    sheet = Image.new("RGB", (width, sum(LABEL + row[0].height + GAP for row in cells.values())), GROUND)
    top = 0
    for label, row in cells.items():
        ImageDraw.Draw(sheet).text((GAP, top + LABEL // 2), label, INK, ImageFont.load_default(17), anchor="lm")
        for column, picture in enumerate(row):
            sheet.paste(picture, (GAP + column * (CELL + GAP), top + LABEL))
        top += LABEL + row[0].height + GAP
    return sheet


def _cells(images: Tensor) -> list[Image.Image]:
    """Square cells of a batch, or one picture as wide as COLUMNS of them."""
    height, width = images.shape[1:3]
    if width <= height:
        return pictures(chosen(images), (CELL, CELL))
    full = COLUMNS * (CELL + GAP) - GAP
    return pictures(images[len(images) // 2 :][:1], (full, round(full * height / width)))


def save_strip(rows: Mapping[str, Tensor], file: Path) -> None:
    """Write the rows as a JPEG."""
    strip(rows).save(file, quality=QUALITY, optimize=True)


def save_columns(columns: Mapping[str, Tensor], file: Path, size: int = 200) -> None:
    """Single pictures side by side under their labels, as a JPEG; size: of a picture, in pixels."""
    cells = {label: pictures(images, (size, size))[0] for label, images in columns.items()}
    _frame(cells, size).save(file, quality=QUALITY, optimize=True)


def save_animation(columns: Mapping[str, Tensor], file: Path, fps: float, size: int = 240) -> None:
    """Batches side by side under their labels, as an endless WebP; a single picture stands still."""
    count = max(map(len, columns.values()))
    shown = {
        label: pictures(images, (size, size)) * (count if len(images) == 1 else 1) for label, images in columns.items()
    }
    frames = [_frame({label: cells[i] for label, cells in shown.items()}, size) for i in range(count)]
    _write(frames, file, fps)


def _frame(cells: Mapping[str, Image.Image], size: int) -> Image.Image:
    frame = Image.new("RGB", (GAP + len(cells) * (size + GAP), LABEL + size + GAP), GROUND)
    for column, (label, picture) in enumerate(cells.items()):
        left = GAP + column * (size + GAP)
        ImageDraw.Draw(frame).text((left, LABEL // 2), label, INK, ImageFont.load_default(15), anchor="lm")
        frame.paste(picture, (left, LABEL))
    return frame


def _write(frames: Sequence[Image.Image], file: Path, fps: float) -> None:
    frames[0].save(
        file, save_all=True, append_images=frames[1:], duration=round(1000 / fps), loop=0, quality=85, method=6
    )
