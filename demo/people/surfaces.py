"""Colours of walls and floors in decimetres of their own plane."""

import numpy as np

from .geometry import step
from .noise import cells, noise
from .scene import Room

WALLS = ("plain", "brick", "tiles", "two colours", "stripes", "panels", "plain")
FLOORS = ("tiles", "wood", "carpet", "chequered", "wood")


def wall_colours(place: Room, x: np.ndarray, y: np.ndarray, things: tuple[str, ...]) -> np.ndarray:
    """RGB [m,3] of a wall at ``x`` along it and ``y`` above the floor."""
    first, second = (np.array(tint, dtype=np.float32) for tint in place.wall_tints)
    share, shade = WALL[place.wall](place, x, y)
    colour = first + share[:, None] * (second - first)
    colour *= (shade * (0.94 + 0.12 * noise(0.35 * x, 0.35 * y, place.seed)))[:, None]
    board = (y < 1.0) & (place.wall not in ("brick", "tiles"))
    colour[board] = np.array((0.78, 0.76, 0.73)) * (0.9 + 0.1 * (y[board, None] < 0.9))
    for thing in things:
        middle, half = _place_of(place, thing)
        rows = np.flatnonzero(np.abs(x - middle) < half)
        part = colour[rows]
        THINGS[thing](place, x[rows] - middle, y[rows], part)
        colour[rows] = part
    return colour.astype(np.float32)


def _place_of(place: Room, thing: str) -> tuple[float, float]:
    """Where along the wall a thing's middle is, and half its width, in decimetres."""
    rng = np.random.default_rng([place.seed, 6, sorted(THINGS).index(thing)])
    reach, half = {"window": (9, 4.8), "shelf": (9, 5.4), "picture": (10, 2.8)}[thing]
    return float(rng.uniform(-reach, reach)), half


def floor_colours(place: Room, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """RGB [m,3] of the floor."""
    first, second = (np.array(tint, dtype=np.float32) for tint in place.floor_tints)
    share, shade = FLOOR[place.floor](place, x, z)
    colour = first + share[:, None] * (second - first)
    return (colour * (shade * (0.92 + 0.16 * noise(0.3 * x, 0.3 * z, place.seed + 1)))[:, None]).astype(np.float32)


def _joints(x: np.ndarray, y: np.ndarray, wide: float, high: float, gap: float) -> np.ndarray:
    """1 on the joints between bricks or tiles, else 0."""
    a, b = (x / wide) % 1, (y / high) % 1
    return ((a * wide < gap) | (b * high < gap)).astype(np.float32)


def _plain(place: Room, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 0.15 * noise(0.2 * x, 0.2 * y, place.seed + 2), 0.97 + 0.06 * noise(3 * x, 3 * y, place.seed + 3)


def _brick(place: Room, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    row = np.floor(y / 0.9)
    shifted = x + 1.2 * (row % 2)
    joint = _joints(shifted, y, 2.4, 0.9, 0.14)
    tone = 0.82 + 0.3 * cells(shifted / 2.4, row, place.seed + 2)
    grain = 0.92 + 0.16 * noise(2.5 * x, 4 * y, place.seed + 3)
    return joint * 0.75, np.where(joint > 0, 1.0, tone) * grain


def _tiles(place: Room, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    joint = _joints(x, y, 2.0, 2.0, 0.12)
    tone = 0.92 + 0.14 * cells(x / 2, y / 2, place.seed + 2)
    return 0.8 * joint, np.where(joint > 0, 0.9, tone)


def _two(place: Room, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edge = 8.0 + 3 * cells(np.zeros(1), np.zeros(1), place.seed).item()
    rail = (np.abs(y - edge) < 0.22) * 0.25
    return (y < edge).astype(np.float32), 1 - rail


def _stripes(place: Room, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wide = 1.6 + 2.2 * cells(np.ones(1), np.zeros(1), place.seed).item()
    return ((x / wide) % 1 < 0.5).astype(np.float32), np.ones_like(x)


def _panels(place: Room, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = (x / 6) % 1, ((y - 2) / 9) % 1
    inner = np.minimum(np.minimum(a, 1 - a) * 6, np.minimum(b, 1 - b) * 9)
    return 0.5 * (inner > 0.9), 1 - 0.16 * (np.abs(inner - 0.9) < 0.12)


def _wood(place: Room, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    plank = np.floor(x / 1.3)
    end = 14 * cells(plank, np.zeros_like(x), place.seed + 5)
    tone = cells(plank, (z + end) / 14, place.seed + 4)
    grain = noise(6 * x, 0.5 * z + 9 * tone, place.seed + 6)
    joint = ((x / 1.3) % 1 < 0.06) | (((z + end) / 14) % 1 < 0.008)
    return 0.35 * tone, (0.86 + 0.2 * tone) * (0.88 + 0.24 * grain) * np.where(joint, 0.62, 1)


def _floor_tiles(place: Room, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    joint = _joints(x, z, 4.0, 4.0, 0.12)
    return 0.7 * joint, np.where(joint > 0, 0.85, 0.92 + 0.14 * cells(x / 4, z / 4, place.seed + 4))


def _chequered(place: Room, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    odd = (np.floor(x / 3.3) + np.floor(z / 3.3)) % 2
    return odd.astype(np.float32), 0.94 + 0.1 * cells(x / 3.3, z / 3.3, place.seed + 4)


def _carpet(place: Room, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 0.3 * noise(0.7 * x, 0.7 * z, place.seed + 4), 0.88 + 0.22 * noise(7 * x, 7 * z, place.seed + 5)


def _window(place: Room, x: np.ndarray, y: np.ndarray, colour: np.ndarray) -> None:
    """Sky, hills and a white cross of a window frame."""
    a, b = x / 4.2, (y - 14.5) / 5
    outer, inner = (np.abs(a) < 1.12) & (np.abs(b) < 1.1), (np.abs(a) < 1) & (np.abs(b) < 1)
    colour[outer] = (0.86, 0.85, 0.83)
    hills = y < 12.5 + 2.2 * noise(0.5 * x, np.zeros_like(x), place.seed + 8)
    sky = np.stack([0.62 - 0.06 * b, 0.75 - 0.03 * b, 0.86 + 0.02 * b], axis=1)
    sight = np.where(hills[:, None], np.array((0.47, 0.56, 0.42)), sky)
    glass = inner & (np.abs(a) > 0.05) & (np.abs(b - 0.1) > 0.045)
    colour[glass] = sight[glass]


def _shelf(place: Room, x: np.ndarray, y: np.ndarray, colour: np.ndarray) -> None:
    """Boards with books of all colours."""
    a, b = x, y - 6
    case = (np.abs(a) < 5.2) & (b > 0) & (b < 13.4)
    row, level = np.floor(b / 3.2), b % 3.2
    book = np.floor(a / 0.55)
    tone = cells(book, row, place.seed + 9)
    tall = 1.6 + 1.1 * cells(book, row, place.seed + 10)
    hues = (
        np.stack([cells(book, row, place.seed + 11 + k) for k in range(3)], axis=1) * 0.22 + 0.12 + 0.3 * tone[:, None]
    )
    colour[case] = (0.30, 0.23, 0.17)
    books = case & (level > 0.25) & (level < tall) & (tone > 0.18) & (np.abs(a) < 4.9)
    colour[books] = (hues * (0.75 + 0.25 * (((a / 0.55) % 1) > 0.12))[:, None])[books]
    boards = case & ((level < 0.25) | (np.abs(a) > 4.9))
    colour[boards] = (0.50, 0.38, 0.27)


def _picture(place: Room, x: np.ndarray, y: np.ndarray, colour: np.ndarray) -> None:
    """A framed picture of soft shapes."""
    a, b = x / 2.4, (y - 15.5) / 1.9
    frame = (np.abs(a) < 1.1) & (np.abs(b) < 1.12)
    inside = (np.abs(a) < 0.95) & (np.abs(b) < 0.95)
    colour[frame] = (0.24, 0.19, 0.15)
    shapes = [step(0.4, 0.6, noise(2.1 * a + 5 * k, 2.1 * b, place.seed + 12 + k)) for k in range(3)]
    colour[inside] = (0.3 + 0.22 * np.stack(shapes, axis=1) + 0.25 * shapes[1][:, None])[inside]


WALL = {"plain": _plain, "brick": _brick, "tiles": _tiles, "two colours": _two, "stripes": _stripes, "panels": _panels}
FLOOR = {"tiles": _floor_tiles, "wood": _wood, "carpet": _carpet, "chequered": _chequered}
THINGS = {"window": _window, "shelf": _shelf, "picture": _picture}
