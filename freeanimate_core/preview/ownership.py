"""Which pixels of the reference belong to which part of the figure.

A pixel belongs to the front part whose bone covers it, else to the nearest one. Limb widths come from
the mask. Axes: h, w are the reference's rows and columns.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import distance_transform_edt, median_filter

from .bones import ARMS, LEGS, LIMBS, Bone, Trunk
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


def share_out(
    bones: dict[str, Bone], trunk: Trunk | None, alpha: np.ndarray
) -> tuple[dict[str, Piece], dict[str, Share]]:
    """Bones with the widths that the mask ``alpha`` [h,w] shows, and each part's share of the figure."""
    skirt = skirt_of(bones, alpha)
    everything: dict[str, Piece] = {
        **({"torso": trunk} if trunk else {}),
        **({SKIRT: skirt} if skirt else {}),
        **_all_measured(bones, alpha),
    }
    grid = pixel_grid(alpha.shape)
    depths = {name: bone.depth(*grid) for name, bone in everything.items()}
    if trunk:
        depths["torso"] = _widened(trunk, depths, alpha, grid)
    if "neck" in bones:
        depths["head"][_beside_jaw(bones["neck"], bones["head"].radius, alpha, grid)] = np.inf
    owner = _owners(everything, depths, grid)
    return everything, {name: _share(name, everything, depths, owner, grid) for name in everything}


def front_order(names: list[str]) -> list[str]:
    """Names from front to back, as they lie in the reference: arms, head, trunk, skirt, neck, legs."""
    order = [f"{limb} {half}" for limb in ARMS for half in (1, 0)] + ["head", "torso", SKIRT, "neck"]
    order += [f"{limb} {half}" for limb in LEGS for half in (1, 0)]
    return [name for name in order if name in names]


def pixel_grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres x [1,W], y [H,1]."""
    return np.arange(shape[1], dtype=np.float32)[None] + 0.5, np.arange(shape[0], dtype=np.float32)[:, None] + 0.5


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


def _beside_jaw(neck: Bone, radius: float, alpha: np.ndarray, grid: tuple) -> np.ndarray:
    """Pixels [h,w] below the face and farther aside than the head is wide: a collar, a hood or a shoulder."""
    across = np.array([-neck.along[1], neck.along[0]])
    half = min(float(_way_out(neck.b[None], side * across, alpha, 2 * radius)[0]) for side in (-1.0, 1.0))
    way, aside = neck.offsets(*grid)
    return (way < neck.length - JAW * half) & (np.abs(aside) > HEAD_WIDTH * half)


def _widened(trunk: Trunk, depths: dict[str, np.ndarray], alpha: np.ndarray, grid: tuple) -> np.ndarray:
    """Depth [h,w] of the trunk, as much wider than its quadrilateral as the mask shows at the waist."""
    top, low = trunk.corners[:2].mean(0), trunk.corners[2:].mean(0)
    down = (low - top) / trunk.length
    way = ((grid[0] - top[0]) * down[0] + (grid[1] - top[1]) * down[1]) / trunk.length
    widest = TRUNK_SPREAD * 0.5 * float(np.hypot(*(trunk.corners[1] - trunk.corners[0])))
    arms = [depths[name] for limb in ARMS for name in (f"{limb} 0", f"{limb} 1") if name in depths]
    covered = np.min(arms, axis=0) < 0 if arms else np.zeros_like(alpha, dtype=bool)
    waist = (way > 0.5) & (way < 0.9) & (depths["torso"] > 0)
    across = (grid[0] - top[0]) * down[1] - (grid[1] - top[1]) * down[0]
    spread = np.mean(
        [_flank(depths["torso"], waist & (side * across > 0), alpha < 0.5, covered, widest) for side in (-1, 1)]
    )
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


def _owners(bones: dict[str, Piece], depths: dict[str, np.ndarray], grid: tuple) -> np.ndarray:
    """Index [h,w] into ``front_order``: the front part whose bone covers a pixel, else the nearest one."""
    names = front_order(list(bones))
    stack = np.stack([depths[name] for name in names])
    nearest = stack.copy()
    for k, name in enumerate(names):
        if name.endswith(" 0"):  # what lies past a shoulder or hip is no limb's: hair, collar, shirt
            past = bones[name].offsets(*grid)[0] < 0
            nearest[k][past] = np.inf
            if name.startswith(LEGS):
                stack[k][past] = np.inf
    if "neck" in names:  # collars and scarves about it stay with the trunk
        nearest[names.index("neck")][depths["neck"] > COLLAR * bones["neck"].radius] = np.inf
    if "torso" in names:
        k = names.index("torso")
        beyond = _beyond_arms(bones, grid)
        stack[k][beyond] = nearest[k][beyond] = np.inf
        nearest[k] -= CLING * bones["torso"].length
    owner = nearest.argmin(axis=0)
    for k in range(len(names))[::-1]:
        owner[stack[k] < 0] = k
    for limb in LIMBS:  # halves of one limb share it by distance: neither is in front
        halves = [names.index(f"{limb} {half}") for half in (0, 1) if f"{limb} {half}" in names]
        if len(halves) == 2:
            mine = (owner == halves[0]) | (owner == halves[1])
            owner[mine] = np.where(stack[halves[0]] <= stack[halves[1]], *halves)[mine]
    if SKIRT in names:
        owner[np.isin(owner, _indices(names, LEGS)) & bones[SKIRT].level(*grid)] = names.index(SKIRT)
    return owner


def _beyond_arms(bones: dict[str, Piece], grid: tuple) -> np.ndarray:
    """Pixels [h,w] that an arm beside the trunk parts from it: on the arm's far side, level with the arm."""
    trunk, found = bones["torso"], np.zeros(np.broadcast_shapes(grid[0].shape, grid[1].shape), dtype=bool)
    for arm in [bones[f"{arm} {half}"] for arm in ARMS for half in (0, 1) if f"{arm} {half}" in bones]:
        way, aside = arm.offsets(*grid)
        on = np.clip(way, 0, arm.length)
        far = aside * float(arm.offsets(*trunk.corners.mean(axis=0))[1]) < 0
        level = (way >= 0) | arm.name.endswith("1")
        from_trunk = trunk.depth(arm.a[0] + on * arm.along[0], arm.a[1] + on * arm.along[1])
        found |= far & level & (from_trunk > -arm.radius)
    return found


def _indices(names: list[str], limbs: tuple[str, ...]) -> list[int]:
    return [names.index(name) for name in names if name.startswith(limbs)]


def _share(name: str, bones: dict, depths: dict, owner: np.ndarray, grid: tuple) -> Share:
    """What one part has of the figure."""
    names = front_order(list(bones))
    rank = names.index(name)
    own = owner == rank
    over = [
        names.index(cover)
        for cover in TUCKED_UNDER
        if cover in names and names.index(cover) < rank and cover[:-2] != name[:-2]
    ]
    own |= _shared_joint(name, bones, owner, grid)
    tucked = np.isin(owner, over) & _within(own, TUCK * max(bone.length for bone in bones.values()))
    if name.startswith(LEGS[1]) and f"{LEGS[0]} 0" in names:
        tucked |= (owner == names.index(f"{LEGS[0]} 0")) & _within(own, CLOSED)
    hidden = (depths[name] < 0) & (owner < rank) & ~own
    if name in [f"{leg} 0" for leg in LEGS]:  # beside a trunk that turned, a thigh's round end would stand out
        hidden &= bones[name].offsets(*grid)[0] >= 0
    if name.startswith(LEGS) and SKIRT in names:  # how thick a leg is under the cloth, nobody knows
        hidden &= owner != names.index(SKIRT)
    return Share(own, hidden, tucked & ~own & ~hidden, _in_front(name, owner, bones) & ~own)


def _shared_joint(name: str, bones: dict, owner: np.ndarray, grid: tuple) -> np.ndarray:
    """Pixels [h,w] about a joint that two parts both show: neither may leave a gap there when it turns."""
    names = front_order(list(bones))
    limb, _, half = name.rpartition(" ")
    shared = np.zeros(owner.shape, dtype=bool)
    if name == "torso":  # the ball of the shoulder stays when the arm goes
        for arm in ARMS:
            shared |= _ball(bones, f"{arm} 0", grid)
        shared |= _pelvis(bones, grid) if SKIRT not in bones else False
    if limb in ARMS and half == "0":
        shared |= _ball(bones, name, grid) & (owner >= names.index(name))
    mate = f"{limb} {1 - int(half)}" if limb else ""
    if mate in bones:  # the halves of a limb go on into one another
        joint = bones[f"{limb} 1"].a
        near = np.hypot(grid[0] - joint[0], grid[1] - joint[1]) < 2.0 * bones[name].radius
        shared |= near & (owner == names.index(mate))
    return shared


def _pelvis(bones: dict, grid: tuple) -> np.ndarray:
    """The hips [h,w] below the trunk's line, a thigh's radius deep: they stay when a leg goes."""
    thighs = [bones[f"{leg} 0"] for leg in LEGS if f"{leg} 0" in bones]
    if len(thighs) < 2:
        return np.zeros(np.broadcast_shapes(grid[0].shape, grid[1].shape), dtype=bool)
    hips = Bone("hips", thighs[0].a, thighs[1].a, PELVIS * min(thigh.radius for thigh in thighs))
    return hips.depth(*grid) < 0


def _ball(bones: dict, name: str, grid: tuple) -> np.ndarray:
    """The disc [h,w] of a limb's root: its shoulder or hip."""
    if name not in bones:
        return np.zeros(np.broadcast_shapes(grid[0].shape, grid[1].shape), dtype=bool)
    bone = bones[name]
    return np.hypot(grid[0] - bone.a[0], grid[1] - bone.a[1]) < bone.profile[0]


def _in_front(name: str, owner: np.ndarray, bones: dict) -> np.ndarray:
    """Pixels [h,w] of parts in front of this one, its own other half excepted."""
    names = front_order(list(bones))
    front = owner < names.index(name)
    limb = name.rpartition(" ")[0]
    for half in (0, 1):
        if limb and f"{limb} {half}" in names:
            front &= owner != names.index(f"{limb} {half}")
    return front
