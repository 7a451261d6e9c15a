"""Which pixels of the reference belong to which part of the figure.

A pixel belongs to the front part whose bone covers it, else to the nearest one. Limb widths come from
the mask. Axes: h, w are the reference's rows and columns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import distance_transform_edt, median_filter

from .bones import ARM, ARMS, LEG, LEGS, LIMBS, Bone, Half, Trunk, thighs_of
from .skirt import SKIRT, Skirt, skirt_of

STEPS = 13  # at which a limb's width is measured
EDGE = 0.5  # pixels that a limb gets beyond its measured width: its soft edge
THINNEST, WIDEST = 0.45, 1.6  # bounds of measured radii, of the default one
TUCK = 0.07  # of the longest bone: how far a part goes on under those in front of it, so that no gap opens beside them
CLING = 0.08  # of the trunk's length: what lies between trunk and arm is the trunk's unless this much nearer
TRUNK_SPREAD = 0.35  # how far the trunk may stand out beyond the line from shoulder to hip, of its half width
COLLAR = 0.3  # of the neck's radius: what is farther from it is not the neck's
JAW, HEAD_WIDTH = 0.7, 0.95  # how far below the face the jaw is, and how wide hair may be there, of half the head
PELVIS = 1.0  # of the thighs' radius: how far the trunk goes on about the hips
CLOSED = 2.0  # pixels: how far the left thigh goes on under the right one
TUCKED_UNDER = ("head", "torso", SKIRT)
Piece = Bone | Trunk | Skirt
Grid = tuple[np.ndarray, np.ndarray]  # pixel centres x [1,w], y [h,1]


@dataclass(frozen=True)
class Share:
    """One part's pixels, each [h,w] bool."""

    own: np.ndarray  # shown as they are
    hidden: np.ndarray  # under parts in front, where the part is believed to go on
    tucked: np.ndarray  # a narrow strip more under some parts in front
    front: np.ndarray  # of parts in front

    @property
    def under(self) -> np.ndarray:
        """All that is not seen in the reference."""
        return self.hidden | self.tucked


@dataclass(frozen=True)
class _Figure:
    """All pieces by name, their ranks from front to back, signed distances [h,w], and each pixel's rank [h,w]."""

    pieces: dict[str, Piece]
    ranks: dict[str, int]
    depths: dict[str, np.ndarray]
    owner: np.ndarray
    grid: Grid

    def belongs(self, name: str) -> np.ndarray:
        """The pixels [h,w] that a piece owns; none where the figure lacks it."""
        return self.owner == self.ranks.get(name, -1)


def share_out(
    bones: dict[str, Bone], trunk: Trunk | None, alpha: np.ndarray
) -> tuple[dict[str, Piece], dict[str, Share]]:
    """Bones with the widths that the mask ``alpha`` [h,w] shows, and each part's share of the figure."""
    skirt = skirt_of(bones, alpha)
    pieces: dict[str, Piece] = {
        **({"torso": trunk} if trunk else {}),
        **({SKIRT: skirt} if skirt else {}),
        **_all_measured(bones, alpha),
    }
    grid = pixel_grid(alpha.shape)
    depths = {name: piece.depth(*grid) for name, piece in pieces.items()}
    if trunk:
        depths["torso"] = _widened(trunk, depths, alpha, grid)
    if "neck" in bones:
        depths["head"][_beside_jaw(bones["neck"], bones["head"].radius, alpha, grid)] = np.inf
    ranks = {name: rank for rank, name in enumerate(front_order(pieces))}
    figure = _Figure(pieces, ranks, depths, _owners(pieces, ranks, depths, grid), grid)
    return pieces, {name: _share(name, piece, figure) for name, piece in pieces.items()}


def front_order(names: Iterable[str]) -> list[str]:
    """Names from front to back, as they lie in the reference: arms, head, trunk, skirt, neck, legs."""
    arms, legs = ([half.name for halves in limbs.values() for half in halves[::-1]] for limbs in (ARMS, LEGS))
    given = set(names)
    return [name for name in (*arms, "head", "torso", SKIRT, "neck", *legs) if name in given]


def pixel_grid(shape: tuple[int, ...]) -> Grid:
    """Pixel centres x [1,W], y [H,1]."""
    return np.arange(shape[1], dtype=np.float32)[None] + 0.5, np.arange(shape[0], dtype=np.float32)[:, None] + 0.5


def _halves(pieces: Mapping[str, Piece], limbs: Mapping[str, tuple[Half, Half]]) -> list[tuple[Bone, Half]]:
    """The halves of some limbs that a figure has, and the bone of each."""
    found = [pieces.get(half.name) for halves in limbs.values() for half in halves]
    return [(bone, bone.half) for bone in found if isinstance(bone, Bone) and bone.half is not None]


def _within(area: np.ndarray, reach: float) -> np.ndarray:
    """Pixels [h,w] at most ``reach`` pixels away from an area."""
    return distance_transform_edt(~area) <= reach if area.any() else np.zeros_like(area)


def _all_measured(bones: dict[str, Bone], alpha: np.ndarray) -> dict[str, Bone]:
    """Bones with their radii from the mask: the nearer edge across the limb, at steps along it."""
    return {name: bone if name == "head" else _measured(bone, alpha) for name, bone in bones.items()}


def _measured(bone: Bone, alpha: np.ndarray) -> Bone:
    """One bone with its radii; where parts touch on both sides, or the picture ends, it keeps the default one."""
    whole = 0.45 * bone.length if bone.name == "neck" else bone.length + bone.beyond
    ways = np.linspace(0, whole, STEPS)
    path = bone.a + ways[:, None] * bone.along
    across = np.array([-bone.along[1], bone.along[0]])
    widest = WIDEST * bone.radius
    widths = np.minimum(*(_way_out(path, side * across, alpha, widest) for side in (-1.0, 1.0)))
    widths = np.where(widths < widest, widths, bone.radius)
    widths = np.clip(median_filter(widths, 3, mode="nearest"), THINNEST * bone.radius, widest)
    radius = float(np.median(widths[ways <= bone.length]))
    return replace(bone, radius=radius, profile=None if bone.name == "neck" else widths + EDGE)


def _way_out(path: np.ndarray, direction: np.ndarray, alpha: np.ndarray, widest: float) -> np.ndarray:
    """Pixels [n] from points [n,2] in a direction [2] until the mask ends, at most ``widest``."""
    steps = np.arange(0.0, widest + 0.25, 0.25)
    spots = path[:, None] + steps[None, :, None] * direction
    cols = np.clip(spots[..., 0].astype(int), 0, alpha.shape[1] - 1)
    rows = np.clip(spots[..., 1].astype(int), 0, alpha.shape[0] - 1)
    outside = alpha[rows, cols] < 0.5
    return np.where(outside.any(axis=1), steps[outside.argmax(axis=1)] - 0.25, widest)


def _beside_jaw(neck: Bone, radius: float, alpha: np.ndarray, grid: Grid) -> np.ndarray:
    """Pixels [h,w] below the face and farther aside than the head is wide: a collar, a hood or a shoulder."""
    across = np.array([-neck.along[1], neck.along[0]])
    half = min(float(_way_out(neck.b[None], side * across, alpha, 2 * radius)[0]) for side in (-1.0, 1.0))
    way, aside = neck.offsets(*grid)
    return (way < neck.length - JAW * half) & (np.abs(aside) > HEAD_WIDTH * half)


def _widened(trunk: Trunk, depths: dict[str, np.ndarray], alpha: np.ndarray, grid: Grid) -> np.ndarray:
    """Depth [h,w] of the trunk, as much wider than its quadrilateral as the mask shows at the waist."""
    top, low = trunk.corners[:2].mean(0), trunk.corners[2:].mean(0)
    down = (low - top) / trunk.length
    way = ((grid[0] - top[0]) * down[0] + (grid[1] - top[1]) * down[1]) / trunk.length
    widest = TRUNK_SPREAD * 0.5 * float(np.hypot(*(trunk.corners[1] - trunk.corners[0])))
    arms = [depths[half.name] for halves in ARMS.values() for half in halves if half.name in depths]
    covered = np.min(arms, axis=0) < 0 if arms else np.zeros_like(alpha, dtype=bool)
    waist = (way > 0.5) & (way < 0.9) & (depths["torso"] > 0)
    across = (grid[0] - top[0]) * down[1] - (grid[1] - top[1]) * down[0]
    flanks = (waist & (side * across > 0) for side in (-1, 1))
    spread = np.mean([_flank(depths["torso"], flank, alpha < 0.5, covered, widest) for flank in flanks])
    return depths["torso"] - spread * np.clip(way / 0.6, 0, 1)


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


def _owners(pieces: dict[str, Piece], ranks: dict[str, int], depths: dict[str, np.ndarray], grid: Grid) -> np.ndarray:
    """The rank [h,w] of each pixel's owner: the front part whose bone covers it, else the nearest one."""
    stack = np.stack([depths[name] for name in ranks])
    nearest = stack.copy()
    for bone, half in _halves(pieces, LIMBS):
        if half.index == 0:  # what lies past a shoulder or hip is no limb's: hair, collar, shirt
            past = bone.offsets(*grid)[0] < 0
            nearest[ranks[bone.name]][past] = np.inf
            if half.limb == LEG:
                stack[ranks[bone.name]][past] = np.inf
    if "neck" in pieces:  # collars and scarves about it stay with the trunk
        nearest[ranks["neck"]][depths["neck"] > COLLAR * pieces["neck"].radius] = np.inf
    trunk, skirt = pieces.get("torso"), pieces.get(SKIRT)
    if isinstance(trunk, Trunk):
        k = ranks["torso"]
        beyond = _beyond_arms(trunk, pieces, grid)
        stack[k][beyond] = nearest[k][beyond] = np.inf
        nearest[k] -= CLING * trunk.length
    owner = nearest.argmin(axis=0)
    for k in range(len(stack))[::-1]:
        owner[stack[k] < 0] = k
    for halves in LIMBS.values():  # halves of one limb share it by distance: neither is in front
        if all(half.name in ranks for half in halves):
            upper, lower = (ranks[half.name] for half in halves)
            mine = (owner == upper) | (owner == lower)
            owner[mine] = np.where(stack[upper] <= stack[lower], upper, lower)[mine]
    if isinstance(skirt, Skirt):
        legs = [ranks[bone.name] for bone, _ in _halves(pieces, LEGS)]
        owner[np.isin(owner, legs) & skirt.level(*grid)] = ranks[SKIRT]
    return owner


def _beyond_arms(trunk: Trunk, pieces: dict[str, Piece], grid: Grid) -> np.ndarray:
    """Pixels [h,w] that an arm beside the trunk parts from it: on the arm's far side, level with the arm."""
    found = _nowhere(grid)
    for arm, half in _halves(pieces, ARMS):
        way, aside = arm.offsets(*grid)
        on = np.clip(way, 0, arm.length)
        far = aside * float(arm.offsets(*trunk.corners.mean(axis=0))[1]) < 0
        level = (way >= 0) | (half.index == 1)
        from_trunk = trunk.depth(arm.a[0] + on * arm.along[0], arm.a[1] + on * arm.along[1])
        found |= far & level & (from_trunk > -arm.radius)
    return found


def _nowhere(grid: Grid) -> np.ndarray:
    """No pixel [h,w]."""
    return np.zeros(np.broadcast_shapes(grid[0].shape, grid[1].shape), dtype=bool)


def _share(name: str, piece: Piece, figure: _Figure) -> Share:
    """What one part has of the figure."""
    owner, rank = figure.owner, figure.ranks[name]
    over = [figure.ranks[cover] for cover in TUCKED_UNDER if figure.ranks.get(cover, rank) < rank]
    own = figure.belongs(name) | _shared_joint(name, piece, figure)
    tucked = np.isin(owner, over) & _within(own, TUCK * max(bone.length for bone in figure.pieces.values()))
    hidden = (figure.depths[name] < 0) & (owner < rank) & ~own
    if isinstance(piece, Bone) and piece.half and piece.half.limb == LEG:
        right_thigh, _ = LEGS["right leg"]
        if piece.half.side == "left" and right_thigh.name in figure.pieces:
            tucked |= figure.belongs(right_thigh.name) & _within(own, CLOSED)
        if piece.half.index == 0:  # beside a trunk that turned, a thigh's round end would stand out
            hidden &= piece.offsets(*figure.grid)[0] >= 0
        hidden &= ~figure.belongs(SKIRT)  # how thick a leg is under the cloth, nobody knows
    return Share(own, hidden, tucked & ~own & ~hidden, _in_front(name, piece, figure) & ~own)


def _shared_joint(name: str, piece: Piece, figure: _Figure) -> np.ndarray:
    """Pixels [h,w] about a joint that two parts both show: neither may leave a gap there when it turns."""
    pieces, grid, half = figure.pieces, figure.grid, piece.half
    shared = _nowhere(grid)
    if name == "torso":  # the ball of the shoulder stays when the arm goes
        for upper, _ in ARMS.values():
            shared |= _ball(pieces.get(upper.name), grid)
        if SKIRT not in pieces:
            shared |= _pelvis(pieces, grid)
    if half is None:
        return shared
    if half.limb == ARM and half.index == 0:
        shared |= _ball(piece, grid) & (figure.owner >= figure.ranks[name])
    upper, lower = LIMBS[half.whole]
    mate, joined = (lower if half.index == 0 else upper), pieces.get(lower.name)
    if mate.name in pieces and isinstance(joined, Bone):  # the halves of a limb go on into one another
        near = np.hypot(grid[0] - joined.a[0], grid[1] - joined.a[1]) < 2.0 * piece.radius
        shared |= near & figure.belongs(mate.name)
    return shared


def _pelvis(pieces: dict[str, Piece], grid: Grid) -> np.ndarray:
    """The hips [h,w] below the trunk's line, a thigh's radius deep: they stay when a leg goes."""
    thighs = thighs_of(pieces)
    if len(thighs) < 2:
        return _nowhere(grid)
    hips = Bone("hips", thighs[0].a, thighs[1].a, PELVIS * min(thigh.radius for thigh in thighs))
    return hips.depth(*grid) < 0


def _ball(bone: Piece | None, grid: Grid) -> np.ndarray:
    """The disc [h,w] of a limb's root: its shoulder or hip."""
    if not isinstance(bone, Bone) or bone.profile is None:
        return _nowhere(grid)
    return np.hypot(grid[0] - bone.a[0], grid[1] - bone.a[1]) < bone.profile[0]


def _in_front(name: str, piece: Piece, figure: _Figure) -> np.ndarray:
    """Pixels [h,w] of parts in front of this one, its own other half excepted."""
    front = figure.owner < figure.ranks[name]
    for half in LIMBS[piece.half.whole] if piece.half else ():
        front &= ~figure.belongs(half.name)
    return front
