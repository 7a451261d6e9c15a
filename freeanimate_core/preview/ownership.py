"""Which pixels of the reference belong to which part of the figure.

A pixel belongs to the front part whose bone covers it, else to the nearest one. Limb widths come from
the mask. Axes: h, w are the reference's rows and columns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from .bones import ARM, ARMS, LEG, LEGS, LIMBS, Bone, Half, Trunk, thighs_of
from .claims import NEAR, SOLID, out_of_reach, settled
from .hands import Claim, hands_told_apart
from .skirt import SKIRT, Skirt, skirt_of
from .widths import Grid, all_measured, pixel_grid, trunk_depth, way_out

TUCK = 0.07  # of the longest bone: how far a part goes on under those in front of it, so that no gap opens beside them
CLING = 0.08  # of the trunk's length: what lies between trunk and arm is the trunk's unless this much nearer
COLLAR = 0.3  # of the neck's radius: what is farther from it is not the neck's
JAW, HEAD_WIDTH = 0.7, 0.95  # how far below the face the jaw is, and how wide hair may be there, of half the head
BENEATH = 0.3  # of a part's radius: how far beyond its edge it is believed to go on under fingers
PELVIS = 1.0  # of the thighs' radius: how far the trunk goes on about the hips
CLOSED = 2.0  # pixels: how far the left thigh goes on under the right one
TUCKED_UNDER = ("head", "torso", SKIRT)
Piece = Bone | Trunk | Skirt


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
    """All pieces by name, their ranks from front to back, signed distances [h,w], each pixel's rank [h,w].

    ``beneath`` [h,w] are the ranks of garments under fingers, -1 elsewhere.
    """

    pieces: dict[str, Piece]
    ranks: dict[str, int]
    depths: dict[str, np.ndarray]
    owner: np.ndarray
    beneath: np.ndarray
    grid: Grid

    def belongs(self, name: str) -> np.ndarray:
        """The pixels [h,w] that a piece owns; none where the figure lacks it."""
        return self.owner == self.ranks.get(name, -1)


def share_out(
    bones: dict[str, Bone], trunk: Trunk | None, alpha: np.ndarray, colours: np.ndarray
) -> tuple[dict[str, Piece], dict[str, Share]]:
    """Bones with the widths that the mask ``alpha`` [h,w] shows, and each part's share of the figure.

    ``colours`` [h,w,3] are the figure's.
    """
    measured, hidden = all_measured(bones, alpha)
    skirt = skirt_of(bones, alpha, hidden)
    pieces: dict[str, Piece] = {
        **({"torso": trunk} if trunk else {}),
        **({SKIRT: skirt} if skirt else {}),
        **measured,
    }
    grid = pixel_grid(alpha.shape)
    depths = {name: piece.depth(*grid) for name, piece in pieces.items()}
    if trunk:
        arms = {bone.name: depths[bone.name] for bone, _ in _halves(pieces, ARMS)}
        depths["torso"] = trunk_depth(trunk, depths["torso"], arms, alpha, grid)
    if "neck" in bones:
        depths["head"][_beside_jaw(bones["neck"], bones["head"].radius, alpha, grid)] = np.inf
    ranks = {name: rank for rank, name in enumerate(front_order(pieces))}
    figure = _Figure(pieces, ranks, depths, *_owners(pieces, ranks, depths, alpha, colours), grid)
    return pieces, {name: _share(name, piece, figure) for name, piece in pieces.items()}


def front_order(names: Iterable[str]) -> list[str]:
    """Names from front to back, as they lie in the reference: arms, head, trunk, skirt, neck, legs."""
    arms, legs = ([half.name for halves in limbs.values() for half in halves[::-1]] for limbs in (ARMS, LEGS))
    given = set(names)
    return [name for name in (*arms, "head", "torso", SKIRT, "neck", *legs) if name in given]


def way_down(piece: Piece, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pixels [h,w] along a piece: from a bone's first joint, the middle of the shoulders or that of the hips."""
    if isinstance(piece, Skirt):
        return piece.axes.turned(torch.as_tensor(x), torch.as_tensor(y))[1][0].numpy()
    if isinstance(piece, Bone):
        return piece.offsets(x, y)[0]
    top, low = piece.corners[:2].mean(0), piece.corners[2:].mean(0)
    return ((x - top[0]) * (low - top)[0] + (y - top[1]) * (low - top)[1]) / piece.length


def _halves(pieces: Mapping[str, Piece], limbs: Mapping[str, tuple[Half, Half]]) -> list[tuple[Bone, Half]]:
    """The halves of some limbs that a figure has, and the bone of each."""
    found = [pieces.get(half.name) for halves in limbs.values() for half in halves]
    return [(bone, bone.half) for bone in found if isinstance(bone, Bone) and bone.half is not None]


def _within(area: np.ndarray, reach: float) -> np.ndarray:
    """Pixels [h,w] at most ``reach`` pixels away from an area."""
    return distance_transform_edt(~area) <= reach if area.any() else np.zeros_like(area)


def _beside_jaw(neck: Bone, radius: float, alpha: np.ndarray, grid: Grid) -> np.ndarray:
    """Pixels [h,w] below the face and farther aside than the head is wide: a collar, a hood or a shoulder."""
    across = np.array([-neck.along[1], neck.along[0]])
    half = min(float(way_out(neck.b[None], side * across, alpha, 2 * radius)[0]) for side in (-1.0, 1.0))
    way, aside = neck.offsets(*grid)
    return (way < neck.length - JAW * half) & (np.abs(aside) > HEAD_WIDTH * half)


def _owners(
    pieces: dict[str, Piece],
    ranks: dict[str, int],
    depths: dict[str, np.ndarray],
    alpha: np.ndarray,
    colours: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The rank [h,w] of each pixel's owner: the front part whose bone covers it, else the nearest one in reach.

    Also the rank of the garment beneath fingers, -1 elsewhere.
    """
    grid = pixel_grid(alpha.shape)
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
    limbs = {bone.name: bone for bone, _ in _halves(pieces, LIMBS)}
    wished = nearest.argmin(axis=0)
    for name, bone in limbs.items():
        nearest[ranks[name]][out_of_reach(bone, depths[name], grid)] = np.inf
    owner = nearest.argmin(axis=0)
    of_limbs = [ranks[name] for name in limbs]
    far = np.isin(wished, of_limbs) & (~np.isin(owner, of_limbs) | ~np.isfinite(nearest.min(axis=0)))
    for k in range(len(stack))[::-1]:
        owner[stack[k] < 0] = k
        far &= stack[k] >= 0
    for halves in LIMBS.values():  # halves of one limb share it by distance: neither is in front
        if all(half.name in ranks for half in halves):
            upper, lower = (ranks[half.name] for half in halves)
            mine = (owner == upper) | (owner == lower)
            owner[mine] = np.where(stack[upper] <= stack[lower], upper, lower)[mine]
    if isinstance(skirt, Skirt):
        legs = [ranks[bone.name] for bone, _ in _halves(pieces, LEGS)]
        owner[np.isin(owner, legs) & skirt.level(*grid)] = ranks[SKIRT]
    solid = alpha >= SOLID
    skin = _skin(owner == ranks.get("head", -1), depths, colours, solid)
    owner, beneath = hands_told_apart(Claim(owner, ranks, colours), limbs, skin, solid)
    return settled(owner, far, ranks, limbs, alpha), beneath


def _skin(head: np.ndarray, depths: dict[str, np.ndarray], colours: np.ndarray, solid: np.ndarray) -> np.ndarray | None:
    """The face's colour [3], from the middle of the head's pixels [h,w] bool; None without a face."""
    if not head.any():
        return None
    depth = depths["head"]
    face = head & solid & (depth < 0.5 * depth.min())
    return np.median(colours[face], axis=0) if face.any() else None


def _beyond_arms(trunk: Trunk, pieces: dict[str, Piece], grid: Grid) -> np.ndarray:
    """Pixels [h,w] that an arm beside the trunk parts from it: on the arm's far side, level with the arm."""
    found = _nowhere(grid)
    for arm, half in _halves(pieces, ARMS):
        way, aside = arm.offsets(*grid)
        on = np.clip(way, 0, arm.length)
        far = aside * float(arm.offsets(*trunk.corners.mean(axis=0))[1]) < 0
        level = way >= (-NEAR * arm.radius if half.index == 1 else 0)
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
    beneath = (figure.beneath == rank) & (figure.depths[name] < BENEATH * piece.radius)
    hidden = ((figure.depths[name] < 0) | beneath) & (owner < rank) & ~own
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
