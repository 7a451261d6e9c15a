"""The table as a picture: one panel per measure, one row per method, mean and two standard errors."""

from PIL import Image, ImageDraw, ImageFont

from .measures import MEASURES, MOST_DB

COLUMNS = 4
ROW, NAMES, AXIS, GAP, TITLE = 18, 150, 230, 14, 40  # pixels
GROUND, INK, FAINT = (255, 255, 255), (30, 30, 34), (222, 222, 226)
MARK, BASE_MARK = (44, 94, 156), (200, 62, 38)


def plot(table: dict, base: str = "full") -> Image.Image:
    """A panel per measure; ``base`` has its own colour and a line through it. Equal pictures stand at the edge."""
    width, height = NAMES + AXIS + GAP, TITLE + ROW * len(table) + GAP
    rows = -(-len(MEASURES) // COLUMNS)
    picture = Image.new("RGB", (COLUMNS * width + GAP, rows * height + GAP), GROUND)
    for number, measure in enumerate(MEASURES):
        corner = GAP + number % COLUMNS * width, GAP + number // COLUMNS * height
        entries = {name: measures[measure] for name, measures in table.items()}
        _panel(ImageDraw.Draw(picture), corner, measure, entries, base)
    return picture


def _panel(draw: ImageDraw.ImageDraw, corner: tuple[int, int], measure: str, entries: dict, base: str) -> None:
    left, top = corner
    unit, up = MEASURES[measure]
    title = f"{measure} {f'({unit}), ' if unit else ''}{'higher' if up else 'lower'} is better"
    draw.text((left, top), title, INK, ImageFont.load_default(13))
    low, high = _range([e for e in entries.values() if not (unit == "dB" and e["mean"] == MOST_DB)])
    font = ImageFont.load_default(11)
    draw.text((left + NAMES, top + 18), f"{low:.3g}", INK, font)
    draw.text((left + NAMES + AXIS, top + 18), f"{high:.3g}", INK, font, anchor="ra")

    def place(value: float) -> float:
        return left + NAMES + AXIS * min(max((value - low) / (high - low), 0.0), 1.0)

    if entries[base]["mean"] is not None:
        x = place(entries[base]["mean"])
        draw.line((x, top + TITLE - 6, x, top + TITLE + ROW * len(entries)), BASE_MARK)
    for row, (name, entry) in enumerate(entries.items()):
        y = top + TITLE + ROW * row + ROW // 2
        draw.text((left, y), name, INK, font, anchor="lm")
        draw.line((left + NAMES, y, left + NAMES + AXIS, y), FAINT)
        _mark(draw, place, y, entry, BASE_MARK if name == base else MARK)


def _mark(draw: ImageDraw.ImageDraw, place, y: float, entry: dict, colour: tuple[int, int, int]) -> None:
    if entry["mean"] is None:
        return
    x, spread = place(entry["mean"]), 2 * (entry["se"] or 0.0)
    draw.line((place(entry["mean"] - spread), y, place(entry["mean"] + spread), y), colour, 2)
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)


def _range(entries: list[dict]) -> tuple[float, float]:
    """Both ends of an axis that holds every mean with its spread."""
    known = [entry for entry in entries if entry["mean"] is not None]
    ends = [e["mean"] + sign * 2 * (e["se"] or 0.0) for e in known for sign in (-1, 1)] or [0.0, 1.0]
    room = 0.04 * (max(ends) - min(ends)) or 0.5
    return min(ends) - room, max(ends) + room
