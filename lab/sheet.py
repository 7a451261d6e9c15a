"""The contact sheet: rows of pictures under each other, each with its label; and sheets put together."""

from collections.abc import Mapping, Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

COLUMNS = 8
CELL = 160  # pixels, the longer side of a picture in the sheet
GAP = 6
GROUND, INK = (24, 24, 28), (232, 232, 236)


def evenly(count: int, columns: int = COLUMNS) -> list[int]:
    """At most `columns` indices spread evenly over `count` frames, the first and the last among them."""
    columns = min(columns, count)
    return [round(i * (count - 1) / max(columns - 1, 1)) for i in range(columns)]


def contact_sheet(rows: Mapping[str, Sequence[Image.Image]]) -> Image.Image:
    """Draw one labelled row per entry; rows with many pictures show COLUMNS of them, numbered from 0."""
    chosen = {label: [(i, pictures[i]) for i in evenly(len(pictures))] for label, pictures in rows.items()}
    cell = _cell_size(next(iter(rows.values()))[0])
    font = ImageFont.load_default(15)
    margin = round(max(font.getlength(label) for label in rows)) + 3 * GAP
    width = margin + max(map(len, chosen.values())) * (cell[0] + GAP)
    sheet = Image.new("RGB", (width, GAP + len(rows) * (cell[1] + GAP)), GROUND)
    for row, (label, pictures) in enumerate(chosen.items()):
        top = GAP + row * (cell[1] + GAP)
        ImageDraw.Draw(sheet).text((GAP, top + cell[1] // 2), label, INK, font, anchor="lm")
        for column, (index, picture) in enumerate(pictures):
            number = str(index) if len(rows[label]) > 1 else ""
            shown = _numbered(picture.resize(cell, Image.LANCZOS), number)
            sheet.paste(shown, (margin + column * (cell[0] + GAP), top))
    return sheet


def _cell_size(picture: Image.Image) -> tuple[int, int]:
    scale = CELL / max(picture.size)
    return round(picture.width * scale), round(picture.height * scale)


def _numbered(picture: Image.Image, number: str) -> Image.Image:
    picture = picture.convert("RGB")
    corner = (4, picture.height - 4)
    ImageDraw.Draw(picture).text(
        corner, number, INK, ImageFont.load_default(12), anchor="ls", stroke_width=2, stroke_fill=GROUND
    )
    return picture


def pictures(images: Tensor) -> list[Image.Image]:
    """IMAGE [F,H,W,3] in 0-1 as pictures."""
    return shown((255 * images.clamp(0, 1)).round().to("cpu", torch.uint8))


def shown(levels: Tensor) -> list[Image.Image]:
    """Levels [F,H,W,3] uint8 as pictures."""
    return [Image.fromarray(picture.numpy()) for picture in levels]


def beside(sheets: Sequence[Image.Image]) -> Image.Image:
    """Sheets from left to right."""
    whole = Image.new("RGB", (sum(sheet.width for sheet in sheets), max(sheet.height for sheet in sheets)))
    for index, sheet in enumerate(sheets):
        whole.paste(sheet, (sum(earlier.width for earlier in sheets[:index]), 0))
    return whole


def below(sheets: Sequence[Image.Image]) -> Image.Image:
    """Sheets from top to bottom."""
    whole = Image.new("RGB", (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets)))
    for index, sheet in enumerate(sheets):
        whole.paste(sheet, (0, sum(earlier.height for earlier in sheets[:index])))
    return whole
