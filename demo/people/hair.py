"""Hair: where the scalp has it, how thick it lies, and the meshes that hang from it, in the base mesh's places."""

import numpy as np

from .geometry import smooth, step
from .looks import Looks
from .mesh import HAIR, Piece

MIDDLE, RADII = np.array([0.0, 7.45, 0.58]), np.array([0.82, 1.10, 1.04])
LINE = ((0.0, 7.98), (0.55, 7.9), (0.95, 7.68), (1.2, 7.3), (1.45, 7.05), (1.9, 6.92), (2.3, 6.76), (3.15, 6.62))
THICK = {"cropped": 0.05, "short": 0.17, "bob": 0.1, "long": 0.1, "bun": 0.08, "ponytail": 0.08, "curly": 0.4}


def hairline(rest: np.ndarray) -> np.ndarray:
    """How far above the hairline each place [n,3] is, decimetres; negative on the face, the ears and below."""
    x, y, z = rest.T
    round_head = np.arctan2(np.abs(x), z - 0.45)
    above = y - np.interp(round_head, *zip(*LINE))
    ear = np.maximum.reduce([np.abs(y - 7.12) - 0.42, np.abs(z - 0.38) - 0.42, 1.5 * (0.70 - np.abs(x))])
    return np.minimum(above, ear)


def thickness(looks: Looks, rest: np.ndarray) -> np.ndarray:
    """How far hair lifts the scalp [n] along its normal, decimetres."""
    above = hairline(rest)
    thick = THICK[looks.hair_style]
    if looks.hair_style == "short":  # a tousle on top, its side by the parting
        x, y, z = rest.T
        top = step(7.9, 8.4, y)
        tousle = np.sin(7 * x + 3 * looks.fringe) * np.sin(6 * z + 5 * looks.fringe)
        thick = thick * (0.75 + top * (0.7 + 0.35 * tousle + 0.4 * looks.fringe * x))
    if looks.hair_style == "curly":
        x, y, z = rest.T
        curls = np.sin(11 * x + 2 * np.sin(7 * y)) * np.sin(10 * y + 2 * np.sin(6 * z)) * np.sin(9 * z + 1)
        return (thick + 0.12 * looks.fringe + 0.14 * curls) * step(-0.02, 0.3, above)
    return thick * step(0.0, 0.35, above)


def hanging(looks: Looks, bones: tuple[str, ...], rest: np.ndarray) -> Piece | None:
    """The mesh that hangs from the scalp of the base mesh ``rest`` [n,3] in ``looks``' style; None for short hair."""
    style = looks.hair_style
    scalp = rest[(rest[:, 1] > 6.9) & (hairline(rest) > 0)]
    if style == "long":
        return _piece(_curtain(3.9 + 0.5 * looks.fringe, 1.95, scalp), bones)
    if style == "bob":
        return _piece(_curtain(6.25 + 0.25 * looks.fringe, 2.1, scalp), bones)
    if style == "bun":
        return _piece(_ball(np.array([0.0, 7.85 + 0.3 * looks.fringe, -0.55]), 0.42), bones)
    return _piece(_tail(5.2 + 0.6 * looks.fringe), bones) if style == "ponytail" else None


def _curtain(low: float, wide: float, scalp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid around the head from the crown down to the height ``low``, open in front beyond ``wide`` radians."""
    around = np.linspace(-wide, wide, 49)
    lift = 0.16 - 0.12 * (np.abs(around) / wide) ** 2
    rows = [_over_scalp(_ring(around, polar), scalp, lift) for polar in np.linspace(0.03, 1.5, 13)]
    for y in [*np.arange(rows[-1][:, 1].mean() - 0.2, low, -0.22), low]:
        down = 7.45 - y
        back = _ring(around * (1 - 0.42 * _ease(7.1, 5.7, y)), np.pi / 2)  # below the chin all of it is behind
        hung = MIDDLE + (1.12 + 0.02 * down) * RADII * back
        hung[:, 1] = y + 0.12 * (1 - np.cos(around)) * (y == low)  # a hem that rises towards the face
        hung[:, 2] -= 0.35 * _ease(6.6, 5.4, y)
        rows.append(hung)
    wave = 1 + 0.02 * np.sin(23 * around) + 0.012 * np.sin(57 * around)  # strands stand out a little
    grid = (np.stack(rows) - MIDDLE) * np.stack([wave, np.ones_like(wave), wave], axis=1) + MIDDLE
    return grid.reshape(-1, 3), _grid_triangles(len(rows), len(around))


def _ring(around: np.ndarray, polar: float) -> np.ndarray:
    """Directions [n,3] at ``around`` (0 is the back) and ``polar`` (0 is up) radians."""
    flat = np.stack([np.sin(around), np.zeros_like(around), -np.cos(around)], axis=1)
    return flat * np.sin(polar) + (0.0, np.cos(polar), 0.0)


def _over_scalp(ways: np.ndarray, scalp: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """Points [n,3] ``lift`` [n] over the ``scalp`` [m,3] in the directions ``ways`` [n,3] from the head's middle."""
    away = scalp - MIDDLE
    far = np.linalg.norm(away, axis=1)
    spots = RADII * ways
    plain = np.linalg.norm(spots, axis=1)
    near = (spots / plain[:, None]) @ (away / far[:, None]).T > 0.985
    reach = np.where(near, far, 0).max(axis=1)
    return MIDDLE + (np.maximum(reach, plain) + lift)[:, None] * spots / plain[:, None]


def _ease(high: float, low: float, at: float) -> float:
    """0 above ``high``, 1 below ``low``."""
    return smooth((high - at) / (high - low))


def _tail(low: float) -> tuple[np.ndarray, np.ndarray]:
    """A ponytail: a tube from the back of the head down to ``low``."""
    t = np.linspace(0, 1, 16)
    y = 7.75 + 0.25 * np.sin(2.2 * t) - (7.75 - low) * t**1.3
    z = -0.42 - 0.75 * np.sin(np.clip(2.2 * t, 0, 1.57)) - 0.1 * t
    radius = 0.14 + 0.16 * np.sin(np.pi * np.clip(t * 1.1, 0, 1)) ** 0.8
    radius[-1] = 0.03
    around = np.linspace(0, 2 * np.pi, 17)
    ring = np.stack([np.cos(around), np.zeros_like(around), np.sin(around)], axis=1)
    rows = [np.array([0, b, c]) + a * ring for a, b, c in zip(radius, y, z)]
    return np.concatenate(rows), _grid_triangles(len(t), len(around))


def _ball(middle: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    polar, around = np.meshgrid(np.linspace(0, np.pi, 12), np.linspace(0, 2 * np.pi, 20), indexing="ij")
    points = np.stack([np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1)
    return middle + radius * points.reshape(-1, 3), _grid_triangles(12, 20)


def _grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles [t,3] of a grid of vertices, row by row."""
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    a, b, c, d = first, first + 1, first + columns, first + columns + 1
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])


def _piece(mesh: tuple[np.ndarray, np.ndarray], bones: tuple[str, ...]) -> Piece:
    """Hair that moves with the head, and with the back the lower it hangs."""
    points, triangles = mesh
    head = step(5.0, 6.5, points[:, 1])
    weights = np.zeros((len(points), len(bones)), dtype=np.float32)
    weights[:, bones.index("head")] = head
    weights[:, bones.index("spine_03")] = 1 - head
    around = np.arctan2(points[:, 0], -(points[:, 2] - MIDDLE[2]))
    paint = np.stack([around, points[:, 1]], axis=1)
    return Piece(*(array.astype(np.float32) for array in (points, points, weights, paint)), triangles, HAIR)
