"""How far each piece of a preview can be trusted: the probability that it is wrong, in cells of a latent.

A warped picture goes wrong where a part has turned (what was seen of it slides, what was not comes into view) or
moved, the more so the more colours vary there (the smallest displacement shows), at the figure's rim, and where
something was invented or an arm lay that has gone. What stays as it is in the reference stays right. A logistic sum
of these terms, each a mean over the figure's pixels of a cell, was fitted to rendered people, whose truth is known,
with exact and with noisy poses and masks; wrong there is a mean difference above 0.06. Light that falls anew and
cloth that folds anew are in the fit, so that even a cell of which all is known is not certain.
Axes: f frames of a chunk, F of the clip, p parts, h, w pixels of the canvas, u, v cells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn import functional

from ..pose.keypoints import NECK, NOSE
from .bones import ARM, HALVES, LEG, Bone, Trunk
from .ownership import Piece
from .placement import Placement
from .skirt import CORNERS, SKIRT, Skirt

CELL = 8  # pixels, each way: what a latent cell is drawn from
LEAST = 1 / CELL**2  # of a cell: with less of the figure it is not the figure's
FIT = 25.0  # pixels of the trunk's length from which, times 2, 4 and 8, pictures are looked at in cells of so many
AROUND = 3  # pixels of those pictures: the neighbourhood in which colours vary
BROAD = 1.2  # a trunk's capsule, of the mean half distance of shoulders and of hips
SLIDES = 10.0  # how fast a part that turns shows other places: thickness in trunk's lengths times the sine, squared
GONE = 0.1  # of the trunk's length: an arm that has moved so far on the trunk leaves behind what lay under it
FACING = np.radians(45.0)  # a head turned further against the reference shows another face than that
STIRRED = 0.05  # of the trunk's length: from such a movement within the figure on, small errors show
# The logistic sum: log-odds at rest, then per unit of each term. Colours are 0-1, shares 0-1.
AT_REST = -1.86
VARIED = 3.5  # range of colours
TURNED_VARIED = 13.2  # range of colours times how far the part has turned
STIRRED_VARIED = 6.7  # range of colours times how far it has moved
STIRRED_RIM = 0.1  # share of the cell that is not the figure times how far the part has moved
INVENTED = 1.5  # hole mask
INVENTED_TERM = 4  # its place in the sum
LEFT_BEHIND = 2.0  # where an arm lay that has gone; the fit says 1: photographs keep more of hands and shadows there


@dataclass(frozen=True)
class Capsules:
    """Lines from ``a`` to ``b`` [F,p,2] with a ``radius`` [p], in pixels of the frames; NaN in frames without one."""

    a: np.ndarray
    b: np.ndarray
    radius: np.ndarray

    @classmethod
    def of(cls, ends: np.ndarray, radius: np.ndarray) -> "Capsules":
        """Of ``ends`` [F,p,2,2]."""
        return cls(ends[:, :, 0], ends[:, :, 1], radius)

    def off(self, frames: slice, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Distances [f,p,u,v] of the middles of ``cells`` [f,u,v] from the lines, in radii, and the radii [p,1,1]."""
        device = cells.device
        y, x = ((torch.arange(count, device=device) + 0.5) * CELL for count in cells.shape[1:])
        a, b, radius = (
            torch.as_tensor(values, dtype=torch.float32, device=device)
            for values in (self.a[frames], self.b[frames], self.radius)
        )
        thick = rearrange(radius, "p -> p 1 1").clamp_min(1)
        px, py = (at - rearrange(a[..., k], "f p -> f p 1 1") for k, at in enumerate((x[None], y[:, None])))
        dx, dy = (rearrange((b - a)[..., k], "f p -> f p 1 1") for k in (0, 1))
        along = ((px * dx + py * dy) / (dx**2 + dy**2).clamp_min(1e-6)).clamp(0, 1)
        off = torch.hypot(px - along * dx, py - along * dy) / thick
        return off.nan_to_num(nan=torch.inf), thick


@dataclass(frozen=True)
class Trust:
    """The parts of a clip, and how much each has turned and moved; NaN in frames without it.

    ``turned`` and ``stirred`` [F,p], 0-1: 0 for a part as it is in the reference. ``beds`` [p] bool are the parts on
    which arms lie: trunk, skirt and legs. ``imprints`` are the arms of the reference as they would be, had they moved
    with the trunk; ``gone`` [F,q], 0-1, says how far they have not. ``trunk`` is its length in pixels of the frames.
    ``faces`` [F,p] bool is the head where a frame shows the reference's face.
    """

    parts: Capsules
    turned: np.ndarray
    stirred: np.ndarray
    beds: np.ndarray
    imprints: Capsules
    gone: np.ndarray
    trunk: float
    faces: np.ndarray

    @classmethod
    def of(cls, pieces: Mapping[str, Piece], placement: Placement, faced: bool = False) -> "Trust":
        """From the reference's ``pieces`` by name and where they are put; ``faced``: whether it shows a face."""
        trunk = _trunk_length(pieces) * placement.size
        radius = np.array([_girth(piece) for piece in pieces.values()]) * placement.size
        ends = np.stack([_placed(name, piece, placement) for name, piece in pieces.items()], axis=1)
        angles = [_angle(name, piece, ends[:, k], placement) for k, (name, piece) in enumerate(pieces.items())]
        sine = np.sin(np.minimum(np.stack(angles, axis=1), np.pi / 2))
        turned = 1 - np.exp(-((SLIDES * radius / trunk * sine) ** 2))
        before = placement.size * np.stack([_ends(piece) for piece in pieces.values()])
        stirred = _grown(_moved(ends - before), STIRRED * trunk)
        arms = [k for k, piece in enumerate(pieces.values()) if _limb(piece) == ARM]
        held = _imprinted([list(pieces.values())[k] for k in arms], placement)
        away = np.linalg.norm(held[:, :, :2] - ends[:, arms], axis=-1).mean(axis=-1)
        gone = np.nan_to_num(_grown(away, GONE * trunk), nan=1)  # an arm that is not shown is not there
        beds = np.array([isinstance(piece, Trunk | Skirt) or _limb(piece) == LEG for piece in pieces.values()])
        imprints = Capsules.of(held[:, :, ::2], radius[arms])
        shows = faced & placement.seen[:, NOSE] & (np.abs(placement.heads.yaw) < FACING)
        faces = shows[:, None] & np.array([name == "head" for name in pieces])
        return cls(Capsules.of(ends, radius), turned, stirred, beds, imprints, gone, trunk, faces)

    def redraw(self, frames: slice, picture: Tensor, person: Tensor, holes: Tensor, keep_face: float = 0.0) -> Tensor:
        """The probability [f,h,w], 0-1, that frames [f,h,w,3] are wrong, constant over cells and 0 off the figure.

        ``person`` and ``holes`` [f,h,w] are their masks, 0-1; ``frames`` says which ones of the clip they are.
        ``keep_face`` 0-1 takes that share of it off a face that the reference shows.
        """
        terms, share = self.terms(frames, picture, person, holes)
        weights = terms.new_tensor([VARIED, TURNED_VARIED, STIRRED_VARIED, STIRRED_RIM, INVENTED, LEFT_BEHIND])
        odds = AT_REST + torch.einsum("fkuv,k->fuv", terms, weights)
        cells = torch.where(share >= LEAST, torch.sigmoid(odds), 0.0)
        if keep_face:
            invented = terms[:, INVENTED_TERM]
            cells = cells * (1 - keep_face * (1 - invented) * self._in_faces(frames, share))
        height, width = person.shape[1:]
        return repeat(cells, "f u v -> f (u m) (v n)", m=CELL, n=CELL)[:, :height, :width]

    def terms(self, frames: slice, picture: Tensor, person: Tensor, holes: Tensor) -> tuple[Tensor, Tensor]:
        """The sum's terms [f,6,u,v] in their order, and the figure's share [f,u,v] of each cell."""
        step = max(k for k in (1, 2, 4, 8) if k == 1 or self.trunk >= FIT * k)
        colours = _pooled(rearrange(picture, "f h w c -> f c h w"), step)
        figure, invented = (_pooled(mask[:, None], step) for mask in (person, holes))
        # What is invented is part of the figure, and weighted as such already.
        weighted = torch.cat([_range(colours).mean(dim=1, keepdim=True) * figure, invented, figure], dim=1)
        varied, invented, share = _pooled(weighted, CELL // step).unbind(dim=1)
        varied, invented = (sums / share.clamp_min(LEAST) for sums in (varied, invented))
        turned, stirred, left = self.at_cells(frames, share)
        terms = [varied, turned * varied, stirred * varied, stirred * (1 - share), invented, left]
        return torch.stack(terms, dim=1), share

    def at_cells(self, frames: slice, cells: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``turned`` and ``stirred`` of the part in each of ``cells`` [f,u,v], and whether an arm was there, 0-1."""
        part = self._parts_at(frames, cells)
        turned, stirred = (_of_parts(way[frames], part) for way in (self.turned, self.stirred))
        gone = torch.as_tensor(self.gone[frames], dtype=torch.float32, device=cells.device).nan_to_num()
        if not gone.shape[1]:
            return turned, stirred, torch.zeros_like(turned)
        apart, radius = self.imprints.off(frames, cells)
        left = (gone[..., None, None] * (apart < 1 + CELL / 2 / radius)).amax(dim=1)
        return turned, stirred, left * torch.as_tensor(self.beds, device=cells.device)[part]

    def _in_faces(self, frames: slice, cells: Tensor) -> Tensor:
        """Which of ``cells`` [f,u,v] lie on a face of ``faces``, 0 or 1."""
        off, _ = self.parts.off(frames, cells)
        faces = torch.as_tensor(self.faces[frames], device=cells.device)
        return ((off < 1) & rearrange(faces, "f p -> f p 1 1")).any(dim=1).to(cells)

    def _parts_at(self, frames: slice, cells: Tensor) -> Tensor:
        """The part [f,u,v] in each of ``cells``: of those about its middle the thinnest, without one the nearest."""
        off, thick = self.parts.off(frames, cells)
        return torch.where(off < 1, -1 / thick, off).argmin(dim=1)


def _of_parts(values: np.ndarray, part: Tensor) -> Tensor:
    """Of ``values`` [f,p] that of the ``part`` [f,u,v] in each cell; 0 for NaN."""
    known = torch.as_tensor(values, dtype=torch.float32, device=part.device).nan_to_num()
    return torch.gather(known, 1, part.flatten(1)).reshape(part.shape)


def _limb(piece: Piece) -> str | None:
    """ARM or LEG, or None for what is neither."""
    return piece.half.limb if isinstance(piece, Bone) and piece.half is not None else None


def _trunk_length(pieces: Mapping[str, Piece]) -> float:
    """The trunk's length in pixels of the reference; without a trunk the longest part stands for it."""
    trunk = pieces.get("torso")
    return trunk.length if trunk is not None else max(1.0, *(_length(piece) for piece in pieces.values()))


def _length(piece: Piece) -> float:
    return float(np.hypot(*np.subtract(*_ends(piece))))


def _ends(piece: Piece) -> np.ndarray:
    """Ends [2,2] of a part's capsule in the reference, in pixels."""
    if isinstance(piece, Bone):
        return np.stack([piece.a, piece.b])
    if isinstance(piece, Trunk):
        return piece.corners.reshape(2, 2, 2).mean(axis=1)
    return piece.corners.reshape(2, 2, 2).mean(axis=0)


def _girth(piece: Piece) -> float:
    """Radius of a part's capsule in the reference, in pixels."""
    if not isinstance(piece, Trunk):
        return piece.radius
    (right, left), (left_hip, right_hip) = piece.corners.reshape(2, 2, 2)
    return BROAD * float(np.hypot(*(left - right)) + np.hypot(*(left_hip - right_hip))) / 4


def _placed(name: str, piece: Piece, placement: Placement) -> np.ndarray:
    """Ends [F,2,2] of a part's capsule in the frames, NaN where they do not show it."""
    joints = np.where(placement.seen[..., None], placement.joints, np.nan)
    if name in ("torso", "head"):
        maps = placement.forward(name)
        return np.einsum("fij,ej->fei", maps[:, :, :2], _ends(piece)) + maps[:, None, :, 2]
    if name == "neck":
        return np.stack([joints[:, NECK], placement.face], axis=1)
    if name == SKIRT:
        return rearrange(joints[:, CORNERS], "f (leg end) xy -> f leg end xy", end=2).mean(axis=1)
    return joints[:, HALVES[name].joints]


def _angle(name: str, piece: Piece, ends: np.ndarray, placement: Placement) -> np.ndarray:
    """How far [F] a part has turned against the reference, in radians, of its ends [F,2,2] in the frames.

    A limb turns with the trunk, by leaning towards the viewer or away, and in the picture's plane, which shows
    other sides of it by half.
    """
    if name in ("head", "neck"):
        return np.abs(placement.heads.yaw)
    yaw = np.minimum(np.abs(placement.yaw), np.pi / 2)
    if name == SKIRT:
        return yaw
    way, was = ends[:, 1] - ends[:, 0], np.subtract(*_ends(piece)[::-1])
    flat = np.clip(np.hypot(*way.T) / max(_length(piece) * placement.size, 1.0), 0, 1)
    if isinstance(piece, Trunk):
        return np.maximum(yaw, np.arccos(flat))
    swung = np.angle((way[:, 0] + 1j * way[:, 1]) * complex(was[0], -was[1]))
    return np.hypot(np.arccos(np.cos(yaw) * flat), swung / np.sqrt(2))


def _moved(off: np.ndarray) -> np.ndarray:
    """How far [F,p] parts have moved by their ends' way [F,p,2,2] from the reference, beyond what all ends do."""
    moved = np.full(off.shape[:2], np.nan)
    for frame, ways in enumerate(off):
        known = np.isfinite(ways).all(axis=(1, 2))
        if known.any():
            own = ways[known] - np.median(ways[known].reshape(-1, 2), axis=0)
            moved[frame, known] = np.hypot(own[..., 0], own[..., 1]).mean(axis=1)
    return moved


def _imprinted(arms: Sequence[Piece], placement: Placement) -> np.ndarray:
    """Joints and the hand's tip [F,q,3,2] of the reference's arms, moved as the trunk is; NaN without one."""
    maps = placement.forward("torso")
    tips = [arm.b + arm.along * arm.beyond for arm in arms if isinstance(arm, Bone)]
    points = np.stack([[*_ends(arm), tip] for arm, tip in zip(arms, tips)]) if arms else np.zeros((0, 3, 2))
    return np.einsum("fij,qej->fqei", maps[:, :, :2], points) + maps[:, None, None, :, 2]


def _grown(values: np.ndarray, scale: float) -> np.ndarray:
    """0 for nothing, towards 1 from ``scale`` on."""
    return 1 - np.exp(-((values / scale) ** 2))


def _pooled(values: Tensor, cell: int) -> Tensor:
    """Means [f,k,u,v] over cells of a side; those at the border may be smaller."""
    return functional.avg_pool2d(values, cell, ceil_mode=True, count_include_pad=False) if cell > 1 else values


def _range(values: Tensor) -> Tensor:
    """The largest less the smallest value [f,k,u,v] of AROUND x AROUND pixels; beyond the border lies its own pixel."""
    edge = AROUND // 2
    padded = functional.pad(values, (edge, edge, edge, edge), mode="replicate")
    return _running(torch.maximum, padded) - _running(torch.minimum, padded)


def _running(choose: Callable[[Tensor, Tensor], Tensor], values: Tensor) -> Tensor:
    """The chosen one of AROUND x AROUND neighbours, of windows that double: many times faster than pooling on a CPU."""
    for dim in (3, 2):
        width = 1
        while width < AROUND:
            by = min(width, AROUND - width)
            count = values.shape[dim] - by
            values = choose(values.narrow(dim, 0, count), values.narrow(dim, by, count))
            width += by
    return values
