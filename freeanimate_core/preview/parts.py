"""The reference taken apart: one picture with alpha per part, completed where another part hides it.

The figure is a stack of flat parts. What lies in front keeps its own pixels; what lies behind is
continued under it with its nearest colours, so that a part that moves away uncovers no gap.
Axes: h, w are the reference's rows and columns.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from .bones import ARMS, LEGS, LIMBS, Bone, Trunk, bones_of, trunk_of

_SOLID = 0.98  # from this alpha on, a pixel shows the figure alone
_SEAM = 0.02  # of the trunk's length: next to a part in front, colours are not to be trusted (outline, shadow)
_BAND = 1.5  # pixels along a seam that go to the part in front
_TRUNK_SPREAD = 0.35  # how far the trunk may stand out beyond the line from shoulder to hip, of its half width


@dataclass(frozen=True)
class Part:
    """One part of the reference: its bone, its picture with alpha and the colour that stands for it."""

    bone: Bone | Trunk
    layer: torch.Tensor  # [4,H,W] float32, colour times alpha, then alpha
    colour: torch.Tensor  # [3]
    box: tuple[float, float, float, float]  # x0, y0, x1, y1 of what the layer holds, in pixels
    reach: float  # farthest pixel of the layer from the bone, in pixels


def take_apart(image: torch.Tensor, mask: torch.Tensor, plate: torch.Tensor, joints: np.ndarray, seen: np.ndarray) -> dict[str, Part]:
    """Parts by name of the figure in ``image`` [H,W,3] with ``mask`` [H,W], posed as joints [18,2].

    Only parts with visible joints and at least one pixel are there.
    """
    alpha = mask.numpy().astype(np.float32)
    bones = measured(bones_of(joints, seen), alpha)
    trunk = trunk_of(joints, seen)
    everything: dict[str, Bone | Trunk] = {**({"torso": trunk} if trunk else {}), **bones}
    if not everything:
        return {}
    grid = _grid(alpha.shape)
    depths = {name: bone.depth(*grid) for name, bone in everything.items()}
    owner = _owners(everything, depths, grid)
    colours = _unmixed(image.numpy(), alpha, plate.numpy())
    shares = {name: _share(name, everything, depths, owner, grid) for name in everything}
    seam = max(_SEAM * (trunk.length if trunk else max(bone.length for bone in bones.values())), 1.5)
    parts = {}
    for name, (own, hidden) in shares.items():
        part = _part(everything[name], colours, alpha, own, hidden, _in_front(name, owner, everything), seam)
        if part is not None:
            parts[name] = part
    return parts


def front_order(names: list[str]) -> list[str]:
    """Names from front to back, as they lie in the reference: arms, head, trunk, neck, legs."""
    order = [f"{limb} {half}" for limb in ARMS for half in (1, 0)] + ["head", "torso", "neck"]
    order += [f"{limb} {half}" for limb in LEGS for half in (1, 0)]
    return [name for name in order if name in names]


def measured(bones: dict[str, Bone], alpha: np.ndarray) -> dict[str, Bone]:
    """Bones with their radius from the mask: the nearer edge across the limb, median along it."""
    return {name: bone if name == "head" else replace(bone, radius=_half_width(bone, alpha)) for name, bone in bones.items()}


def _half_width(bone: Bone, alpha: np.ndarray) -> float:
    """Half the limb's width in pixels; the default radius within a factor bounds it where parts touch."""
    across = np.array([-bone.along[1], bone.along[0]])
    spots = bone.a + np.linspace(0.3, 0.9, 13)[:, None] * (bone.b - bone.a)
    steps = np.arange(0.0, 1.6 * bone.radius + 1, 0.5)
    widths = []
    for side in (-1.0, 1.0):
        path = spots[:, None] + side * steps[None, :, None] * across
        cols = np.clip(path[..., 0].astype(int), 0, alpha.shape[1] - 1)
        rows = np.clip(path[..., 1].astype(int), 0, alpha.shape[0] - 1)
        outside = alpha[rows, cols] < 0.5
        widths.append(np.where(outside.any(axis=1), steps[outside.argmax(axis=1)], steps[-1]))
    return float(np.clip(np.median(np.minimum(*widths)), 0.45 * bone.radius, 1.5 * bone.radius))


def _grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres x [1,W], y [H,1]."""
    return np.arange(shape[1], dtype=np.float32)[None] + 0.5, np.arange(shape[0], dtype=np.float32)[:, None] + 0.5


def _owners(bones: dict[str, Bone | Trunk], depths: dict[str, np.ndarray], grid: tuple) -> np.ndarray:
    """Index [h,w] into ``front_order``: the front part whose bone covers a pixel, else the nearest one."""
    names = front_order(list(bones))
    stack = np.stack([depths[name] for name in names])
    nearest = stack.copy()
    for k, name in enumerate(names):
        if name.endswith(" 0"):  # what lies past a shoulder or hip is no limb's: hair, collar, shirt
            nearest[k][bones[name].offsets(*grid)[0] < 0] = np.inf
    owner = nearest.argmin(axis=0)
    for k in range(len(names))[::-1]:
        owner[stack[k] < 0] = k
    for limb in LIMBS:  # halves of one limb share it by distance: neither is in front
        halves = [names.index(f"{limb} {half}") for half in (0, 1) if f"{limb} {half}" in names]
        if len(halves) == 2:
            mine = (owner == halves[0]) | (owner == halves[1])
            owner[mine] = np.where(stack[halves[0]] <= stack[halves[1]], *halves)[mine]
    return owner


def _share(name: str, bones: dict, depths: dict, owner: np.ndarray, grid: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [h,w] that a part shows as they are, and pixels that it continues under parts in front."""
    names = front_order(list(bones))
    rank = names.index(name)
    own = owner == rank
    own |= _within(own, _BAND) & (owner > rank)
    if name == "torso":
        for arm in ARMS:  # the ball of the shoulder belongs to both, so that it stays when the arm goes
            own |= _ball(bones, f"{arm} 0", grid)
        return own, (owner < rank) & _trunk_model(bones["torso"], own, depths["torso"], grid)
    limb, _, half = name.rpartition(" ")
    mate = f"{limb} {1 - int(half)}" if limb else ""
    if mate in bones:  # across their joint, the halves of a limb share its pixels
        joint = bones[f"{limb} 1"].a
        near = np.hypot(grid[0] - joint[0], grid[1] - joint[1]) < 2.0 * bones[name].radius
        own |= near & (owner == names.index(mate))
    if limb in ARMS and half == "0":
        own |= _ball(bones, name, grid) & (owner >= rank)
    return own, (depths[name] < 0) & (owner < rank) & ~own


def _ball(bones: dict, name: str, grid: tuple) -> np.ndarray:
    """The disc [h,w] of a limb's root: its shoulder or hip."""
    if name not in bones:
        return np.zeros(np.broadcast_shapes(grid[0].shape, grid[1].shape), dtype=bool)
    bone = bones[name]
    return np.hypot(grid[0] - bone.a[0], grid[1] - bone.a[1]) < bone.radius


def _trunk_model(trunk: Trunk, own: np.ndarray, depth: np.ndarray, grid: tuple) -> np.ndarray:
    """Where the trunk is believed to be under the arms [h,w]: its quadrilateral, wider towards the hips."""
    top, low = trunk.corners[:2].mean(0), trunk.corners[2:].mean(0)
    down = (low - top) / trunk.length
    way = ((grid[0] - top[0]) * down[0] + (grid[1] - top[1]) * down[1]) / trunk.length
    half = 0.5 * float(np.hypot(*(trunk.corners[1] - trunk.corners[0])))
    flank = own & (way > 0.5) & (way < 0.95) & (depth > 0) & (depth < _TRUNK_SPREAD * half)
    spread = float(np.quantile(depth[flank], 0.9)) if flank.any() else 0.0
    return (depth < spread * np.clip(way / 0.6, 0, 1)) & (way > -0.1) & (way < 1.05)


def _in_front(name: str, owner: np.ndarray, bones: dict) -> np.ndarray:
    """Pixels [h,w] of parts in front of this one, its own other half excepted."""
    names = front_order(list(bones))
    front = owner < names.index(name)
    limb = name.rpartition(" ")[0]
    for half in (0, 1):
        if limb and f"{limb} {half}" in names:
            front &= owner != names.index(f"{limb} {half}")
    return front


def _unmixed(image: np.ndarray, alpha: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """The figure's own colours [h,w,3]: at soft edges the plate's share is taken out."""
    share = alpha[..., None]
    own = np.where(share >= 0.5, (image - (1 - share) * plate) / np.maximum(share, 0.5), image)
    faint = (alpha < 0.5) & (alpha > 0)
    if faint.any() and (alpha >= _SOLID).any():
        rows, cols = distance_transform_edt(alpha < _SOLID, return_distances=False, return_indices=True)
        own[faint] = image[rows[faint], cols[faint]]
    return np.clip(own, 0, 1)


def _part(bone: Bone | Trunk, colours: np.ndarray, alpha: np.ndarray, own: np.ndarray, hidden: np.ndarray, front: np.ndarray, seam: float) -> Part | None:
    """A part from its shown and hidden pixels, all [h,w]; None when it shows nothing."""
    solid = own & (alpha >= _SOLID)
    if not solid.any():
        return None
    # Colours beside a part in front are its outline or shadow: take them from further away.
    seeds = solid & (distance_transform_edt(~front) > seam) if front.any() else solid
    seeds = seeds if seeds.any() else solid
    doubtful = hidden | (own & ~front & _within(front, _BAND))
    texture = colours
    if doubtful.any():
        rows, cols = distance_transform_edt(~seeds, return_distances=False, return_indices=True)
        texture = colours.copy()
        texture[doubtful] = colours[rows[doubtful], cols[doubtful]]
    cover = np.where(own | hidden, alpha, 0.0).astype(np.float32)
    layer = np.concatenate([texture * cover[..., None], cover[..., None]], axis=-1).astype(np.float32)
    rows, cols = np.nonzero(cover > 0)
    depth = bone.depth(cols + 0.5, rows + 0.5) + bone.radius
    return Part(
        bone=bone,
        layer=torch.from_numpy(np.ascontiguousarray(layer.transpose(2, 0, 1))),
        colour=torch.from_numpy(np.median(colours[seeds], axis=0).astype(np.float32)),
        box=(float(cols.min()), float(rows.min()), float(cols.max() + 1), float(rows.max() + 1)),
        reach=float(depth.max()),
    )


def _within(area: np.ndarray, reach: float) -> np.ndarray:
    """Pixels [h,w] at most ``reach`` pixels away from an area."""
    return distance_transform_edt(~area) <= reach if area.any() else np.zeros_like(area)
