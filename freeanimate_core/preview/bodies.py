"""The parts of a figure as bodies that turn with it: trunk, head, neck and limbs, each with a breadth and a depth.

Which way a part is turned is the trunk's yaw, for the head its own; of a limb that does not hang, the share of it
that turns the limb about its own line. Axes: f frames, h, w pixels, n heights of a solid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from .bones import ARM, LEG, Bone, Trunk
from .head import Ball
from .parts import Part
from .placement import Placement
from .skirt import SKIRT, Skirt
from .turning import LIMB_EDGE, Depths, Seen, Solid, measured, solid_of, turned
from .warp import Placed, sampled

# Depths to the front and to the back, as shares of half the breadth, at shares of the way down: of a limb's half from
# joint to joint, of the neck upwards, of the head in half breadths about the ears, of a skirt.
LIMB_DOWN = (0.0, 1.0)
ARM_DEPTHS = (1.0, 1.0), (1.0, 1.0)
LEG_DEPTHS = ((1.15, 0.95), (0.85, 1.1)), ((0.9, 0.85), (1.2, 1.2))
NECK_DEPTHS = (0.7, 0.7), (1.0, 1.0)
HEAD_DOWN, HEAD_DEPTHS = (-1.3, -0.5, 0.2, 0.9), ((0.65, 0.85, 1.2, 1.2), (1.25, 1.3, 1.25, 1.0))
SKIRT_DOWN, SKIRT_DEPTHS = (0.0, 1.0), ((0.9, 0.7), (0.7, 0.7))
LIMB_USUAL = 5  # heights over which a limb's plain colour is a median: sleeve and hand, trousers and shoe stay apart
# A foot from the ankle down, in lengths of the shin: how far toes and heel are from its line; the share of the way
# down at which they are reached.
TOES, HEEL, INSTEP = 0.43, 0.12, 0.6
FLAT_FOOT = 0.68  # height of a foot from the side or from behind, of that from the front, where its toes point down
HEAD_TURNS = np.radians((30.0, 50.0))  # from the one a head turns as a body, from the other wholly
CROWN = 0.12  # of the head's height from its top: hair, whoever wears it
NAPE = (0.2, 0.5)  # of the way to the chin: above the one hair covers a head from behind, below the other its rim does
FAINT = 0.01  # alpha of what has no colour of its own
RIM = 0.75  # of half the breadth: what is farther out is the rim
BELOW, HANGING = (1.0, 1.2), 0.25  # ways to the chin: below that, depth to the front of half the breadth: hair, no face


@dataclass(frozen=True)
class Bodies:
    """What turns of a clip: its parts by name, their placement, and the head of the reference."""

    parts: Mapping[str, Part]
    placement: Placement

    @cached_property
    def solids(self) -> dict[str, Solid]:
        """By part; empty in a clip in which nobody turns."""
        if not self.placement.yaw.any() and not self._head_shares.any():
            return {}
        made = {name: self._solid(name, part) for name, part in self.parts.items()}
        return {name: solid for name, solid in made.items() if solid is not None}

    def _solid(self, name: str, part: Part) -> Solid | None:
        if name == "head":
            ball = self.placement.heads.ball
            return None if ball is None else head_solid(ball, part.layer)
        if isinstance(part.bone, Trunk):
            return solid_of(part.bone, part.layer)
        if isinstance(part.bone, Skirt):
            return skirt_solid(part.bone, part.layer)
        return limb_solid(part.bone, part.layer)

    @cached_property
    def _head_shares(self) -> np.ndarray:
        """How far each frame's head [F] turns as a body, 0-1; the rest of its turn slides the face."""
        return np.interp(np.abs(self.placement.heads.yaw), HEAD_TURNS, (0, 1))

    def flat(self, name: str, frames: slice, x: Tensor, y: Tensor, before: tuple[Tensor, Tensor]) -> Tensor:
        """The layer [f,5,h,w] of trunk or head at places x, y [f,h,w]; ``before`` are those of one that only slides."""
        picture = sampled(self.parts[name].layer, *before)
        solid = self.solids.get(name)
        yaw = (self.placement.heads.yaw if name == "head" else self.placement.yaw)[frames]
        share = self._head_shares[frames] if name == "head" else (yaw != 0).astype(float)
        rows = np.flatnonzero(share)
        if solid is None or not len(rows):
            return picture
        seen = turned(solid, x.new_tensor(yaw[rows]), x[rows], y[rows])
        if name == "head":
            seen = _partly(seen, (before[0][rows], before[1][rows]), x.new_tensor(share[rows])[:, None, None])
        picture[rows] = dressed(solid, seen, sampled(self.parts[name].layer, *seen.outline))
        return picture

    def skirt(self, yaw: np.ndarray, x: Tensor, y: Tensor) -> Tensor:
        """The layer [f,5,h,w] of the skirt at places x, y [f,h,w], turned by ``yaw`` [f]."""
        picture = sampled(self.parts[SKIRT].layer, x, y)
        rows = np.flatnonzero(yaw)
        if len(rows):
            seen = turned(self.solids[SKIRT], x.new_tensor(yaw[rows]), x[rows], y[rows])
            picture[rows] = dressed(self.solids[SKIRT], seen, sampled(self.parts[SKIRT].layer, *seen.outline))
        return picture

    def twists(self, part: Part, bone: Placed, frames: slice) -> np.ndarray:
        """Turns [f] of a limb's half or the neck about its own line, radians; exactly 0 without a turn of the trunk."""
        yaw = self.placement.yaw[frames]
        if self._of(part) is None:
            return np.zeros_like(yaw)
        length = float(torch.linalg.vector_norm(bone.b - bone.a)) * self.placement.size
        upright = ((bone.tb - bone.ta)[:, 1].cpu().numpy() / max(length, 1.0)).clip(-1, 1)
        return np.where(yaw == 0, 0.0, np.arctan2(np.sin(yaw) * upright, np.cos(yaw)))

    def limb(self, part: Part, twist: Tensor, x: Tensor, y: Tensor) -> tuple[Solid, Seen]:
        """The solid of a limb's half or the neck, and what is seen of it at places x, y [f,h,w] by a ``twist`` [f]."""
        solid = self._of(part)
        if solid is None or not isinstance(part.bone, Bone):
            raise ValueError("only a part with twists turns as a limb")
        return solid, turned(solid, twist, *planted(part.bone, twist, x, y))

    def reach(self, part: Part) -> float:
        """How far a limb's half or the neck comes from its bone, however it is turned, in pixels of the reference."""
        solid = self._of(part)
        return part.reach if solid is None else max(part.reach, solid.reach)

    def _of(self, part: Part) -> Solid | None:
        return self.solids.get(part.bone.name) if isinstance(part.bone, Bone) else None


def planted(bone: Bone, twist: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Places x, y [f,h,w] about a shin that is turned by ``twist`` [f]: what is past the ankle is a foot, less high."""
    if bone.half is None or bone.half.limb != LEG or bone.half.index == 0:
        return x, y
    (dx, dy), cos = bone.along, torch.cos(twist).clamp_min(0)[:, None, None]
    past = ((x - bone.a[0]) * dx + (y - bone.a[1]) * dy - bone.length).clamp_min(0)
    more = past * (1 / (FLAT_FOOT + (1 - FLAT_FOOT) * cos) - 1)
    return x + more * dx, y + more * dy


def dressed(solid: Solid, seen: Seen, outline: Tensor) -> Tensor:
    """The layer [f,5,h,w] of a turned part from what its flat layer has at the outline's places."""
    alpha = outline[:, 3:4]
    colours = torch.lerp(sampled(solid.texture, *_inside(seen.colours, solid)), seen.plain, seen.unseen[:, None])
    if solid.rimmed:
        colours = torch.lerp(colours, outline[:, :3] / alpha.clamp_min(FAINT), seen.rim[:, None])
    invented = torch.maximum(outline[:, 4:], alpha * seen.unseen[:, None])
    return torch.cat([colours * alpha, alpha, invented], dim=1)


def _inside(places: tuple[Tensor, Tensor], solid: Solid) -> tuple[Tensor, Tensor]:
    """Places x, y [f,h,w] drawn into the picture."""
    height, width = solid.texture.shape[1:]
    return places[0].clamp(0.5, width - 0.5), places[1].clamp(0.5, height - 0.5)


def limb_solid(bone: Bone, layer: Tensor) -> Solid | None:
    """The solid of a limb's half, hand or foot included, or of the neck, from its ``layer`` [5,H,W]."""
    half = bone.half
    depths = NECK_DEPTHS if half is None else ARM_DEPTHS if half.limb == ARM else LEG_DEPTHS[half.index]
    solid = measured(
        bone.a, bone.along, layer, Depths.of(bone.length, LIMB_DOWN, *depths), usual=LIMB_USUAL, edge=LIMB_EDGE
    )
    if solid is None:
        return None
    solid = replace(solid, edge=1.0, rimmed=True)
    if half is None or half.limb != LEG or half.index == 0:
        return solid
    past = np.clip((solid.heights - bone.length) / max(INSTEP * (solid.bottom - bone.length), 1.0), 0, 1)
    front, back = (
        edge + past * np.maximum(bone.length * end - edge, 0) for edge, end in ((solid.front, TOES), (solid.back, HEEL))
    )
    return replace(solid, front=front, back=back)


def skirt_solid(skirt: Skirt, layer: Tensor) -> Solid | None:
    """The solid of a skirt from its ``layer`` [5,H,W], about the line from the hips' middle down."""
    hips, knees = skirt.corners[0::2].mean(axis=0), skirt.corners[1::2].mean(axis=0)
    down = (knees - hips) / max(float(np.hypot(*(knees - hips))), 1.0)
    return measured(hips, down, layer, Depths.of(skirt.length, SKIRT_DOWN, *SKIRT_DEPTHS), straight=True)


def head_solid(ball: Ball, layer: Tensor) -> Solid | None:
    """The solid of a head from its ``layer`` [5,H,W]: a face before the ears, hair behind them."""
    across = ball.half / abs(ball.half)
    origin, down = (np.array([place.real, place.imag]) for place in (ball.centre, 1j * across))
    solid = measured(origin, down, layer, Depths.of(abs(ball.half), HEAD_DOWN, *HEAD_DEPTHS), usual=1)
    if solid is None:
        return None
    way = solid.heights / abs(ball.half) / ball.chin
    below = np.clip((way - BELOW[0]) / (BELOW[1] - BELOW[0]), 0, 1)
    front = solid.front * (1 - below * (1 - HANGING))
    hair = solid.plain.new_tensor(np.interp(way, NAPE, (1, 0)))[:, None]
    rim, crown = _rim(solid, layer)
    return replace(solid, front=front, plain=hair * crown + (1 - hair) * rim)


def _rim(solid: Solid, layer: Tensor) -> tuple[Tensor, Tensor]:
    """Colours of a head's rim at each height [n,3], and of its crown [3]."""
    shown = layer[3] > 0.5
    rows, cols = torch.nonzero(shown, as_tuple=True)
    spots = torch.stack([cols, rows], dim=-1).cpu().numpy() + 0.5 - solid.origin
    aside, way = spots @ solid.across, spots @ solid.down
    colours = solid.texture[:, rows, cols].T.cpu().numpy()
    wide, middle = (np.interp(way, solid.heights, edge) for edge in (solid.right, solid.middle))
    outer = np.abs(aside - middle) > RIM * wide
    step = (solid.bottom - solid.top) / len(solid.heights)
    near = [outer & (np.abs(way - height) <= 2 * step) for height in solid.heights]
    crown = np.median(colours[way <= solid.top + CROWN * (solid.bottom - solid.top) + 1], axis=0)
    rim = [np.median(colours[pick], axis=0) if pick.any() else crown for pick in near]
    return solid.plain.new_tensor(np.array(rim)), solid.plain.new_tensor(crown)


def _partly(seen: Seen, before: tuple[Tensor, Tensor], share: Tensor) -> Seen:
    """What is seen of a part that turns as a body by a ``share`` [f,1,1], and for the rest as it did ``before``."""
    outline, colours = (
        (torch.lerp(before[0], places[0], share), torch.lerp(before[1], places[1], share))
        for places in (seen.outline, seen.colours)
    )
    return replace(seen, outline=outline, colours=colours, unseen=seen.unseen * share)
