"""The reference taken apart: one picture with alpha per part, completed where another part hides it.

The figure is a stack of flat parts. What lies in front keeps its own pixels; what lies behind is
continued under it with its nearest colours, so that a part that moves away uncovers no gap.
Axes: h, w are the reference's rows and columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange
from scipy.ndimage import distance_transform_edt, gaussian_filter, gaussian_filter1d
from torch import Tensor
from torch.nn import functional

from .bones import LEG, LIMBS, Bone, bones_of, trunk_of
from .ownership import Piece, Share, share_out, way_down
from .widths import pixel_grid

SOLID = 0.98  # from this alpha on, a pixel shows the figure alone
SOFT = 0.6  # pixels, standard deviation across seams
STEP_BACK = 4  # power of alpha for what lies under another part
INNER = 0.35  # of a bone's radius: how deep inside a limb colours are free of its outline
CELLS, ROUNDS = 4, 4  # cells in a hole's half width, over which what is usual is found, in as many rounds
ODD = 0.35  # distance of colours from which one is odd
LEVEL = 1.0  # pixels: height of a strip across a part that has one colour of its own
SMOOTH = 4.0  # strips, standard deviation over which their colours are drawn together
SEEN = 0.3  # of the pixels that a strip shows as a rule: with less its colour is taken from above and below
TRUST = 4.0  # from one seed in this many on, a cell's own mean is taken
SEAM = 0.02  # of the trunk's length: next to a part in front, colours are not to be trusted (outline, shadow)


@dataclass(frozen=True)
class Part:
    """One part of the reference: its bone, its picture with alpha and the colour that stands for it."""

    bone: Piece
    layer: Tensor  # [5,H,W] float32: colour times alpha, alpha, and how much of alpha the reference does not show
    colour: Tensor  # [3]
    box: tuple[float, float, float, float]  # x0, y0, x1, y1 of what the layer holds, in pixels
    reach: float  # farthest pixel of the layer from the bone, in pixels


def take_apart(image: Tensor, mask: Tensor, plate: Tensor, joints: np.ndarray, seen: np.ndarray) -> dict[str, Part]:
    """Parts by name of the figure in ``image`` [H,W,3] with ``mask`` [H,W], posed as joints [18,2].

    Only parts with visible joints and at least one pixel are there.
    """
    alpha = mask.numpy().astype(np.float32)
    trunk = trunk_of(joints, seen)
    colours = _unmixed(image.numpy(), alpha, plate.numpy())
    bones, shares = share_out(bones_of(joints, seen), trunk, alpha, colours)
    seam = max(SEAM * (trunk or max(bones.values(), key=lambda bone: bone.length)).length, 1.5)
    parts = {name: _part(bones[name], colours, alpha, share, seam) for name, share in shares.items()}
    return _carried_on({name: part for name, part in parts.items() if part is not None}, bones)


def _carried_on(parts: dict[str, Part], bones: Mapping[str, Piece]) -> dict[str, Part]:
    """The parts, with lower halves that lie wholly beyond the border: they go on as the upper half ends there."""
    found = dict(parts)
    for upper, lower in LIMBS.values():
        bone, above = bones.get(lower.name), parts.get(upper.name)
        if isinstance(bone, Bone) and above is not None and lower.name not in parts and _beyond(bone.a, above.layer):
            found[lower.name] = replace(above, bone=bone, reach=min(above.reach, bone.radius))
    return found


def _beyond(spot: np.ndarray, layer: Tensor) -> bool:
    """Whether a place [2] lies beyond the border of a layer [5,H,W]."""
    return not (0 <= spot[0] < layer.shape[2] and 0 <= spot[1] < layer.shape[1])


def _unmixed(image: np.ndarray, alpha: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """The figure's own colours [h,w,3]: at soft edges the plate's share is taken out."""
    share = alpha[..., None]
    own = np.where(share >= 0.5, (image - (1 - share) * plate) / np.maximum(share, 0.5), image)
    faint = (alpha < 0.5) & (alpha > 0)
    if faint.any() and (alpha >= SOLID).any():
        rows, cols = distance_transform_edt(alpha < SOLID, return_distances=False, return_indices=True)
        own[faint] = image[rows[faint], cols[faint]]
    return np.clip(own, 0, 1)


def _part(bone: Piece, colours: np.ndarray, alpha: np.ndarray, share: Share, seam: float) -> Part | None:
    """One part from its share of the figure; None when it shows nothing."""
    solid = share.own & (alpha >= SOLID * alpha.max())
    if not solid.any():
        return None
    seeds = _seeds(bone, solid, share.front, seam)
    texture = _spread(colours, solid, share.tucked)
    if share.hidden.any():
        usual = _usual(colours, seeds, share.hidden)
        level = _by_level(bone, texture, usual) if _is_garment(bone) else 0.0
        texture = (level + _spread(texture - level, usual, share.hidden)).clip(0, 1)
    cover, invented = (area[..., None] for area in _cover(share, alpha))
    layer = np.concatenate([texture * cover, cover, invented], axis=-1, dtype=np.float32)
    rows, cols = np.nonzero(cover[..., 0] > 0)
    line = replace(bone, radius=0.0, beyond=0.0, profile=None) if isinstance(bone, Bone) else bone
    return Part(
        bone=bone,
        layer=torch.from_numpy(np.ascontiguousarray(rearrange(layer, "h w c -> c h w"))),
        colour=torch.from_numpy(np.median(colours[seeds], axis=0).astype(np.float32)),
        box=(float(cols.min()), float(rows.min()), float(cols.max() + 1), float(rows.max() + 1)),
        reach=float(line.depth(cols + 0.5, rows + 0.5).max()),
    )


def _cover(share: Share, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Alpha [h,w] of a part, and how much of it lies under other parts.

    Seams inside the figure are softened, the figure's own edge is left to the mask.
    """
    shown, under = (gaussian_filter(area.astype(np.float32), SOFT, truncate=2.0) for area in (share.own, share.under))
    # At the figure's soft edge two parts over one another would cover twice: the one below steps back.
    own, below = alpha * shown, alpha**STEP_BACK * under
    cover = (own + below).clip(0, 1)
    return cover, (cover - own).clip(0)


def _spread(colours: np.ndarray, weight: np.ndarray, where: np.ndarray) -> np.ndarray:
    """``colours`` [h,w,3] with ``where`` filled by means of ``weight`` [h,w]: the farther, the wider."""
    if not where.any():
        return colours
    share = torch.from_numpy(weight.astype(np.float32))[None, None]
    known = _planes(colours) * share
    filled = colours.copy()
    filled[where] = rearrange(pulled(known, share), "1 c h w -> h w c").numpy()[where]
    return filled


def _is_garment(bone: Piece) -> bool:
    """Whether a part may have hems and belts under a hand: trunk, skirt, thigh."""
    return not isinstance(bone, Bone) or (bone.half is not None and bone.half.limb == LEG and bone.half.index == 0)


def _by_level(bone: Piece, colours: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What a part looks like at each height, [h,w,3]: the mean over ``weight`` [h,w] across it, along its axis.

    A hem or a belt goes on at its own height under a hand that hides a piece of it.
    """
    way = way_down(bone, *pixel_grid(weight.shape))
    rows = np.floor((way - way.min()) / LEVEL).astype(int)
    sums = np.stack(
        [np.bincount(rows.ravel(), item.ravel()) for item in (weight, *np.moveaxis(colours * weight[..., None], -1, 0))]
    )
    total, *channels = gaussian_filter1d(sums, SMOOTH, axis=1)
    # A strip of which next to nothing is seen shows what hides it as likely as the part.
    known = np.flatnonzero(total >= SEEN * np.median(total[total > 1e-3 * total.max()]))
    means = [np.interp(np.arange(len(total)), known, channel[known] / total[known]) for channel in channels]
    return np.stack(means, axis=-1)[rows]


def _usual(colours: np.ndarray, seeds: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Weights [h,w] of ``seeds``: 1 for the colours that are usual about ``where``, little for a badge or a button.

    What is usual is a median over places: a wide mean that, round by round, forgets what is far from it. It is
    taken on a coarse grid, whose cells are a quarter of the hole's half width.
    """
    if not where.any():
        return seeds
    cell = max(int(float(distance_transform_edt(~seeds)[where].max()) / CELLS), 1)
    picture = _planes(colours)
    share = torch.from_numpy(seeds.astype(np.float32))[None, None]
    coarse, full = (
        functional.avg_pool2d(item, cell, ceil_mode=True, count_include_pad=False)[0].numpy()
        for item in (picture * share, share)
    )
    own = coarse / np.maximum(full, 1e-6)
    weight = full
    for _ in range(ROUNDS):
        sums = (gaussian_filter(item, (0, CELLS, CELLS), truncate=3.0) for item in (own * weight, weight))
        usual = np.divide(*(np.maximum(item, 1e-6) for item in sums))
        weight = full * _likeness(own - usual)
    wide = functional.interpolate(torch.from_numpy(usual)[None], scale_factor=cell, mode="nearest")[
        ..., : seeds.shape[0], :
    ]
    return seeds * _likeness((picture - wide[..., : seeds.shape[1]])[0].numpy())[0]


def _planes(colours: np.ndarray) -> Tensor:
    """Colours [h,w,3] as a batch of one, [1,3,h,w] float32."""
    return rearrange(torch.from_numpy(colours.astype(np.float32)), "h w c -> 1 c h w")


def _likeness(off: np.ndarray) -> np.ndarray:
    """1 to 0 [1,h,w] for differences of colour [3,h,w]."""
    return 1 / (1 + (off**2).sum(axis=0, keepdims=True) / ODD**2) ** 2


def pulled(colour: Tensor, weight: Tensor) -> Tensor:
    """Colours [1,3,h,w] everywhere, from colours times weight and weight [1,1,h,w], over halved pictures.

    Push-pull as in Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph", SIGGRAPH 1996.
    """
    height, width = weight.shape[2:]
    own = colour / weight.clamp_min(1e-6)
    if bool((weight > 0.9).all()) or height * width == 1:
        return own
    halved = [functional.avg_pool2d(item, 2, ceil_mode=True, count_include_pad=False) for item in (colour, weight)]
    wide = functional.interpolate(pulled(*halved), (height, width), mode="bilinear", align_corners=False)
    share = (TRUST * weight).clamp(max=1)
    return share * own + (1 - share) * wide


def _seeds(bone: Piece, solid: np.ndarray, front: np.ndarray, seam: float) -> np.ndarray:
    """Pixels [h,w] whose colours may be spread: inside a limb, and not beside a part in front."""
    inner = solid & (bone.depth(*pixel_grid(solid.shape)) < -INNER * bone.radius) if isinstance(bone, Bone) else solid
    return _trusted(inner if inner.any() else solid, front, seam)


def _trusted(solid: np.ndarray, front: np.ndarray, seam: float) -> np.ndarray:
    """Pixels [h,w] whose colours may be spread: those beside a part in front are its outline or shadow."""
    if not front.any():
        return solid
    away = distance_transform_edt(~front)
    for distance in (seam, seam / 2, 1.5):
        seeds = solid & (away > distance)
        if seeds.sum() > 0.3 * solid.sum():
            return seeds
    return solid
