"""How wide the parts of the figure are, by the mask, without the arms that lie beside or before them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.ndimage import median_filter

from .bones import ARM, Bone, Trunk

Grid = tuple[np.ndarray, np.ndarray]  # pixel centres x [1,w], y [h,1]
STEPS = 13  # at which a limb's width is measured
EDGE = 0.5  # pixels that a limb gets beyond its measured width: its soft edge
THINNEST, WIDEST = 0.45, 1.6  # bounds of measured radii, of the default one
TRUNK_SPREAD = 0.35  # how far the trunk may stand out beyond the line from shoulder to hip, of its half width
BESIDE = 0.2  # of an arm's radius: how far beyond its measured edge it still hides an edge


def pixel_grid(shape: tuple[int, ...]) -> Grid:
    """Pixel centres x [1,W], y [H,1]."""
    return np.arange(shape[1], dtype=np.float32)[None] + 0.5, np.arange(shape[0], dtype=np.float32)[:, None] + 0.5


def all_measured(bones: dict[str, Bone], alpha: np.ndarray) -> tuple[dict[str, Bone], np.ndarray]:
    """Bones with their radii from the mask [h,w], and the pixels [h,w] bool that arms hide.

    Arms first: where one of them comes before a leg's edge, the leg's width is taken from above and below.
    """
    bare = np.zeros(alpha.shape, dtype=bool)
    arms = {name: _measured(bone, alpha, bare) for name, bone in bones.items() if _is_arm(bone)}
    grid = pixel_grid(alpha.shape)
    hidden = np.any([arm.depth(*grid) < BESIDE * arm.radius for arm in arms.values()], axis=0) if arms else bare
    rest = {
        name: bone if name == "head" else _measured(bone, alpha, bare if name == "neck" else hidden)
        for name, bone in bones.items()
        if name not in arms
    }
    return {name: (arms | rest)[name] for name in bones}, hidden


def way_out(path: np.ndarray, direction: np.ndarray, alpha: np.ndarray, widest: float) -> np.ndarray:
    """Pixels [n] from points [n,2] in a direction [2] until the mask ends, at most ``widest``."""
    steps, (rows, cols) = _rays(path, direction, alpha, widest)
    outside = alpha[rows, cols] < 0.5
    return np.where(outside.any(axis=1), steps[outside.argmax(axis=1)] - 0.25, widest)


def interpolated(values: np.ndarray, default: float) -> np.ndarray:
    """``values`` [n] with NaN filled from their neighbours; ``default`` where nothing is known."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.full(len(values), default)
    return np.interp(np.arange(len(values)), known, values[known])


def trunk_depth(
    trunk: Trunk, depth: np.ndarray, arms: Mapping[str, np.ndarray], alpha: np.ndarray, grid: Grid
) -> np.ndarray:
    """Depth [h,w] of the trunk, as much wider than its quadrilateral's ``depth`` as the mask shows at the waist."""
    top, low = trunk.corners[:2].mean(0), trunk.corners[2:].mean(0)
    down = (low - top) / trunk.length
    way = ((grid[0] - top[0]) * down[0] + (grid[1] - top[1]) * down[1]) / trunk.length
    widest = TRUNK_SPREAD * 0.5 * float(np.hypot(*(trunk.corners[1] - trunk.corners[0])))
    covered = np.min(list(arms.values()), axis=0) < 0 if arms else np.zeros_like(alpha, dtype=bool)
    waist = (way > 0.5) & (way < 0.9) & (depth > 0)
    across = (grid[0] - top[0]) * down[1] - (grid[1] - top[1]) * down[0]
    flanks = (waist & (side * across > 0) for side in (-1, 1))
    spread = np.mean([_flank(depth, flank, alpha < 0.5, covered, widest) for flank in flanks])
    return depth - spread * np.clip(way / 0.6, 0, 1)


def _is_arm(bone: Bone) -> bool:
    return bone.half is not None and bone.half.limb == ARM


def _measured(bone: Bone, alpha: np.ndarray, hidden: np.ndarray) -> Bone:
    """One bone with its radii: the nearer edge across it, at steps along it.

    Where parts touch on both sides, or the picture ends, it keeps the default one.
    """
    whole = 0.45 * bone.length if bone.name == "neck" else bone.length + bone.beyond
    ways = np.linspace(0, whole, STEPS)
    path = bone.a + ways[:, None] * bone.along
    across = np.array([-bone.along[1], bone.along[0]])
    widest = WIDEST * bone.radius
    sides = np.array([_edge(path, side * across, alpha, hidden, widest) for side in (-1.0, 1.0)])
    widths = np.fmin(*sides)
    open_ = ~(widths < widest)
    widths[open_] = np.where(np.isnan(sides).any(axis=0), np.nan, bone.radius)[open_]
    widths = interpolated(widths, bone.radius)
    widths = np.clip(median_filter(widths, 3, mode="nearest"), THINNEST * bone.radius, widest)
    radius = float(np.median(widths[ways <= bone.length]))
    return replace(bone, radius=radius, profile=None if bone.name == "neck" else widths + EDGE)


def _edge(path: np.ndarray, direction: np.ndarray, alpha: np.ndarray, hidden: np.ndarray, widest: float) -> np.ndarray:
    """As ``way_out``; NaN where something ``hidden`` [h,w] comes before the mask's end."""
    ways = way_out(path, direction, alpha, widest)
    steps, (rows, cols) = _rays(path, direction, alpha, widest)
    before = hidden[rows, cols] & (steps[None] <= ways[:, None])
    return np.where(before.any(axis=1), np.nan, ways)


def _rays(
    path: np.ndarray, direction: np.ndarray, alpha: np.ndarray, widest: float
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Steps [s] in pixels along rays from points [n,2], and the rows and columns [n,s] that they meet."""
    steps = np.arange(0.0, widest + 0.25, 0.25)
    spots = path[:, None] + steps[None, :, None] * direction
    cols = np.clip(spots[..., 0].astype(int), 0, alpha.shape[1] - 1)
    rows = np.clip(spots[..., 1].astype(int), 0, alpha.shape[0] - 1)
    return steps, (rows, cols)


def _flank(depth: np.ndarray, waist: np.ndarray, ground: np.ndarray, covered: np.ndarray, widest: float) -> float:
    """How far the figure reaches beyond the trunk's line on one side, in pixels, at most ``widest``."""
    rows = np.flatnonzero(waist.any(axis=1))
    edge, arm = (
        np.array([depth[row][area[row] & waist[row]].min(initial=widest) for row in rows]) for area in (ground, covered)
    )
    clear = edge < arm
    if clear.sum() >= 3:
        return float(np.median(edge[clear]))
    # An arm hides the edge in every row: the trunk reaches at least to it.
    return float(arm.max(initial=0.0))
