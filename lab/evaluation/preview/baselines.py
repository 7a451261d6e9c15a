"""What the preview is held against: other warps of the same figure over the same plate.

Each takes (picture [S,S,3], mask [S,S], plate [S,S,3], reference pose, target poses) and returns frames
[F,S,S,3] and person masks [F,S,S]. The first two are one backward map per frame; the third moves the
figure's points forwards.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange, reduce
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import convolve, map_coordinates
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview.bones import FACE, Bone, Trunk, bones_of, trunk_of
from freeanimate_pack.freeanimate_core.preview.ownership import front_order
from freeanimate_pack.freeanimate_core.preview.warp import similarity
from freeanimate_pack.freeanimate_core.preview.widths import pixel_grid


class Frames(NamedTuple):
    """Frames [F,S,S,3], person masks [F,S,S], where a method says that it invented something, and how likely it says
    that it is wrong [F,S,S] each."""

    frames: Tensor
    masks: Tensor
    holes: Tensor | None = None
    redraw: Tensor | None = None


Warp = Callable[[Tensor, Tensor, Tensor, PoseSequence, PoseSequence], Frames]
SHARPNESS = 4  # power of the distance in the skinning weights
DENSE, FINE = 3, 2  # points per pixel of the reference and cells per pixel of the frame, along each side
CORNERS = {"torso": (2, 5, 8, 11), "head": FACE, "neck": (1, 0)}


def similarity_of_figure(
    picture: Tensor, mask: Tensor, plate: Tensor, pose: PoseSequence, targets: PoseSequence
) -> Frames:
    """One similarity per frame, by least squares over all joints that both show."""

    def back(source: np.ndarray, target: np.ndarray, points: np.ndarray) -> np.ndarray:
        m, t = similarity(_complex(target), _complex(source), np.ones(len(source)))
        moved = m * _complex(points) + t
        return np.stack([moved.real, moved.imag], axis=-1)

    return _backward(picture, mask, plate, pose, targets, back)


def thin_plate_spline(
    picture: Tensor, mask: Tensor, plate: Tensor, pose: PoseSequence, targets: PoseSequence
) -> Frames:
    """The thin-plate spline through all joints that both show; joints nearer than a pixel count once."""

    def back(source: np.ndarray, target: np.ndarray, points: np.ndarray) -> np.ndarray:
        _, once = np.unique(np.round(target), axis=0, return_index=True)
        return RBFInterpolator(target[once], source[once], kernel="thin_plate_spline")(points)

    return _backward(picture, mask, plate, pose, targets, back)


def linear_blend_skinning(
    picture: Tensor, mask: Tensor, plate: Tensor, pose: PoseSequence, targets: PoseSequence
) -> Frames:
    """Each point of the figure moved by the mean of its bones' similarities, nearer bones weighing more.

    Points are laid back to front by the bone that is nearest (arms in front), three along each pixel.
    """
    x, y, colours = _points(picture, mask)
    joints, seen = pose.joints[0, :, :2], pose.seen[0]
    bones = _bones(joints, seen)
    names = front_order(list(bones))
    near = np.stack([np.maximum(bones[n].depth(x, y) / bones[n].radius + 1, 0.1) for n in names])
    weights = near**-SHARPNESS / (near**-SHARPNESS).sum(axis=0)
    order = np.argsort(-near.argmin(axis=0), kind="stable")
    frames = []
    for target, visible in zip(targets.joints, targets.seen):
        moves = [_bone_move(name, joints, target[:, :2], seen & visible) for name in names]
        known = np.array([move is not None for move in moves])
        factors = np.array([move or (0, 0) for move in moves])
        share = weights * known[:, None] / np.maximum((weights * known[:, None]).sum(axis=0), 1e-12)
        moved = (share * (factors[:, :1] * (x + 1j * y) + factors[:, 1:])).sum(axis=0)
        frames.append(_laid(moved[order], colours[order], picture.shape[0]))
    return _over(torch.from_numpy(np.stack(frames).astype(np.float32)), plate)


def _bones(joints: np.ndarray, seen: np.ndarray) -> dict[str, Bone | Trunk]:
    trunk = trunk_of(joints, seen)
    return {**bones_of(joints, seen), **({"torso": trunk} if trunk else {})}


def _bone_move(name: str, joints: np.ndarray, target: np.ndarray, seen: np.ndarray) -> tuple[complex, complex] | None:
    """The similarity z -> m z + t of one bone, from the joints it hangs on."""
    limbs = {"right arm": 2, "left arm": 5, "right leg": 8, "left leg": 11}
    limb, _, half = name.rpartition(" ")
    ids = list(CORNERS[name]) if name in CORNERS else [limbs[limb] + int(half), limbs[limb] + int(half) + 1]
    ids = [k for k in ids if seen[k]]
    return similarity(_complex(joints[ids]), _complex(target[ids]), np.ones(len(ids))) if len(ids) > 1 else None


def _points(picture: Tensor, mask: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places x, y [n] of the figure's points in pixels and their colours [n,3]."""
    size = mask.shape[0]
    fine = (np.arange(size * DENSE) + 0.5) / DENSE
    rows, cols = (axis.ravel() for axis in np.meshgrid(fine, fine, indexing="ij"))
    inside = mask.numpy()[rows.astype(int), cols.astype(int)] > 0.5
    rows, cols = rows[inside], cols[inside]
    spots = np.stack([rows, cols]) - 0.5
    colours = [map_coordinates(picture[..., c].numpy(), spots, order=1, mode="nearest") for c in range(3)]
    return cols, rows, np.stack(colours, axis=-1)


def _laid(places: np.ndarray, colours: np.ndarray, size: int) -> np.ndarray:
    """Points [n] complex laid in order onto a canvas: colour times alpha and alpha [S,S,4]."""
    canvas = np.zeros((size * FINE, size * FINE, 4))
    rows, cols = (np.floor(v * FINE).astype(int) for v in (places.imag, places.real))
    on = (rows >= 0) & (cols >= 0) & (rows < len(canvas)) & (cols < len(canvas))
    canvas[rows[on], cols[on], :3], canvas[rows[on], cols[on], 3] = colours[on], 1
    for _ in range(2):  # pinholes of stretched parts: cells with most of their neighbours filled
        around = convolve(canvas, np.ones((3, 3, 1)), mode="constant")
        hole = (canvas[..., 3] == 0) & (around[..., 3] >= 5)
        canvas[hole] = around[hole] / around[hole][:, 3:]
    return reduce(canvas, "(h row) (w column) c -> h w c", "mean", row=FINE, column=FINE)


def _backward(
    picture: Tensor,
    mask: Tensor,
    plate: Tensor,
    pose: PoseSequence,
    targets: PoseSequence,
    back: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> Frames:
    """Frames by ``back`` (reference joints [n,2], target joints [n,2], places [m,2]) -> places in the reference."""
    size = len(mask)
    x, y = pixel_grid((size, size))
    points = np.stack([np.broadcast_to(axis, (size, size)).ravel() for axis in (x, y)], axis=-1)
    layer = rearrange(torch.cat([picture * mask[..., None], mask[..., None]], dim=-1), "h w c -> 1 c h w")
    frames = []
    for target, visible in zip(targets.joints, targets.seen):
        both = visible & pose.seen[0]
        places = back(pose.joints[0, both, :2], target[both, :2], points).reshape(1, size, size, 2)
        grid = torch.from_numpy((places / size * 2 - 1).astype(np.float32))
        frames.append(rearrange(functional.grid_sample(layer, grid, align_corners=False), "1 c h w -> h w c"))
    return _over(torch.stack(frames), plate)


def _over(layer: Tensor, plate: Tensor) -> Frames:
    """Colour times alpha and alpha [F,S,S,4] over the plate."""
    alpha = layer[..., 3].clamp(0, 1)
    return Frames(layer[..., :3] + (1 - alpha[..., None]) * plate, alpha)


def _complex(points: np.ndarray) -> np.ndarray:
    return points[..., 0] + 1j * points[..., 1]
