"""The parts laid over the background plate, back to front, for a chunk of frames.

Axes: f frames of the chunk, h, w pixels (of the canvas, or of the window that a part can touch).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ..pose.keypoints import NECK
from .bodies import Bodies, dressed
from .bones import ARM, ARMS, LIMBS, Bone
from .head import slid
from .parts import Part
from .placement import FLAT, Placement
from .skirt import SKIRT, Skirt, skirt_map
from .warp import NOWHERE, Placed, affine_map, bone_along, bone_distance, bone_map, drawn_back, sampled

GIRTH = 1.3  # of a limb's radius: how far about its line it goes on beyond the picture's border
CORE = 0.5  # of a limb's radius: what must be covered; the rest of its edge is the mask's business
JOINT_BLEND = 0.75  # pixels to each side over which two halves of a limb pass into one another


@dataclass
class Layers:
    """Colours times alpha [f,3,H,W], alpha [f,H,W] and its invented share [f,H,W] of what has been laid so far."""

    colour: Tensor
    alpha: Tensor
    invented: Tensor

    @classmethod
    def empty(cls, frames: int, height: int, width: int, device: torch.device | str) -> "Layers":
        """Nothing yet."""
        colour, alpha, invented = torch.zeros(frames, 5, height, width, device=device).split((3, 1, 1), dim=1)
        return cls(colour, alpha[:, 0], invented[:, 0])

    def over(self, window: tuple[slice, slice], patch: Tensor) -> None:
        """Lay a patch [f,5,h,w] (colour times alpha, alpha, its invented share) over what is there, in its window.

        The operator "over" on premultiplied colours: Porter and Duff, SIGGRAPH 1984.
        """
        rows, cols = window
        through = 1 - patch[:, 3]
        self.colour[:, :, rows, cols] = patch[:, :3] + through[:, None] * self.colour[:, :, rows, cols]
        self.alpha[:, rows, cols] = patch[:, 3] + through * self.alpha[:, rows, cols]
        self.invented[:, rows, cols] = patch[:, 4] + through * self.invented[:, rows, cols]


@dataclass(frozen=True)
class Patch:
    """A part in a chunk: its window (rows, cols) and its picture [f,5,h,w] there, 0 in frames without it."""

    window: tuple[slice, slice]
    picture: Tensor


@dataclass(frozen=True)
class Composer:
    """What all chunks share: the parts on the device, their placement and the plate [H,W,3]."""

    parts: dict[str, Part]
    placement: Placement
    plate: Tensor

    def chunk(self, frames: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Frames [f,H,W,3], person and hole masks [f,H,W]."""
        height, width = self.plate.shape[:2]
        count = len(self.placement.joints[frames])
        cores, layers = (Layers.empty(count, height, width, self.plate.device) for _ in range(2))
        patches = {limb: self._limb(limb, frames, cores) for limb in (*LIMBS, "neck")}
        patches |= {name: self._flat(name, frames) for name in FLAT} | {SKIRT: self._skirt(frames)}
        for name, there in self.placement.depth.layers():
            patch = patches[name]
            if patch is not None and there[frames].any():
                self._lay(layers, patch, there[frames])
        return _finished(layers, cores, self.plate)

    def _lay(self, layers: Layers, patch: Patch, there: np.ndarray) -> None:
        """A patch over what there is, in the frames [f] bool that have it at this depth."""
        share = 1.0 if there.all() else self._tensor(there)[:, None, None, None]
        layers.over(patch.window, patch.picture * share)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.plate.device)

    def _flat(self, name: str, frames: slice) -> Patch | None:
        """Torso or head: one map for the whole part."""
        part, back = self.parts.get(name), self.placement.back(name, frames)
        shown = np.isfinite(back).all(axis=(1, 2))
        if part is None or not shown.any():
            return None
        forward = self.placement.forward(name)[frames][shown]
        solid = self.bodies.solids.get(name)
        x0, y0, x1, y1 = part.box
        corners = np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]]) if solid is None else solid.corners
        window = self._window(forward[:, :, :2] @ corners.T + forward[:, :, 2:])
        if window is None:
            return None
        places = before = affine_map(self._tensor(np.nan_to_num(back)), *self._pixels(window))
        if name == "head" and self.placement.heads.ball is not None:
            before = slid(self.placement.heads.ball, self._tensor(self.placement.heads.slide[frames]), *places)
        picture = self.bodies.flat(name, frames, *places, before)
        return Patch(window, picture * self._tensor(shown)[:, None, None, None])

    @cached_property
    def bodies(self) -> Bodies:
        """The parts as bodies that turn."""
        return Bodies(self.parts, self.placement)

    def _limb(self, limb: str, frames: slice, cores: Layers) -> Patch | None:
        """A limb of two halves, or the neck: bone maps that meet at the joint. Lays its core as well."""
        bones = self._bones(limb, frames)
        if not any(seen.any() for *_, seen in bones):
            return None
        window = self._window(self._extent(bones))
        if window is None:
            return None
        x, y = self._pixels(window)
        size = self.placement.size
        pictures = []
        for part, bone, seen in bones:
            fade = self._root_fade(part, bone, x, y) * seen[:, None, None]
            within = bone_distance(bone, x, y, size) < min(part.reach, GIRTH * bone.radius) * size
            pictures.append(fade[:, None] * self._half(part, bone, frames, *bone_map(bone, x, y, size), within))
            cores.over(window, _core(part, replace(bone, beyond=0.0), seen, x, y, size))
        if len(bones) == 1:
            return Patch(window, pictures[0])
        (_, upper, upper_seen), (_, lower, lower_seen) = bones
        share = _lower_share((upper, upper_seen), (lower, lower_seen), x, y, size)
        both = (upper_seen & lower_seen)[:, None, None]
        before = both * _folded(upper, lower, x, y, size) if limb in ARMS else torch.zeros_like(share)
        return Patch(window, _joined(pictures[0], pictures[1], share, before))

    def _half(self, part: Part, bone: Placed, frames: slice, sx: Tensor, sy: Tensor, within: Tensor) -> Tensor:
        """A limb's half [f,5,h,w] at places sx, sy [f,h,w], turned where the body is; ``within`` as in _continued."""
        picture = self._continued(part, bone, sx, sy, within)
        twist = self.bodies.twists(part, bone, frames)
        rows = np.flatnonzero(twist)
        if len(rows):
            solid, seen = self.bodies.limb(part, self._tensor(twist[rows]), sx[rows], sy[rows])
            picture[rows] = dressed(solid, seen, self._continued(part, bone, *seen.outline, within[rows]))
        return picture

    def _skirt(self, frames: slice) -> Patch | None:
        """The cloth about both thighs, in frames that show hips and knees."""
        part, place = self.parts.get(SKIRT), self.placement
        shown = place.shows([SKIRT])[frames]
        if part is None or not isinstance(part.bone, Skirt) or not shown.any():
            return None
        corners = place.joints[frames][:, part.bone.joints]
        solid, yaw = self.bodies.solids.get(SKIRT), place.yaw[frames]
        out = part.bone.radius + max(part.reach, 0)
        reach = (max(out, 0.0 if solid is None else solid.reach) + part.bone.overhang) * place.size
        spots = rearrange(corners[shown], "f joint xy -> f xy joint")
        window = self._window(np.concatenate([spots - reach, spots + reach], axis=2))
        if window is None:
            return None
        places = skirt_map(part.bone, self._tensor(corners), *self._pixels(window), place.size, self._tensor(yaw))
        return Patch(window, self.bodies.skirt(yaw, *places) * self._tensor(shown)[:, None, None, None])

    def _bones(self, limb: str, frames: slice) -> list[tuple[Part, Placed, Tensor]]:
        """The parts of a limb that the reference has, each placed, and the frames [f] bool that show it."""
        place = self.placement
        joints, seen = place.joints[frames], place.seen[frames]
        if limb == "neck":
            known = np.isfinite(place.face[frames]).all(axis=1) & seen[:, NECK]
            ends = {"neck": (joints[:, NECK], np.nan_to_num(place.face[frames]), known)}
        else:
            ends = {}
            for half in LIMBS[limb]:
                first, last = half.joints
                ends[half.name] = joints[:, first], joints[:, last], seen[:, first] & seen[:, last]
        found = []
        for name, (a, b, known) in ends.items():
            part = self.parts.get(name)
            if part is not None and isinstance(part.bone, Bone):
                shown = torch.as_tensor(known, device=self.plate.device)
                found.append((part, self._placed(part.bone, a, b), shown))
        if len(found) < 2:
            return found
        (upper_part, upper, upper_shown), (lower_part, lower, lower_shown) = found
        return [
            (upper_part, replace(upper, mate=lower), upper_shown),
            (lower_part, replace(lower, mate=upper, lower=True), lower_shown),
        ]

    def _placed(self, bone: Bone, a: np.ndarray, b: np.ndarray) -> Placed:
        return Placed(
            self._tensor(bone.a), self._tensor(bone.b), self._tensor(a), self._tensor(b), bone.beyond, bone.radius
        )

    def _root_fade(self, part: Part, bone: Placed, x: Tensor, y: Tensor) -> Tensor:
        """1, and for an upper arm a ramp to 0 past the shoulder, where it lies over the trunk."""
        half = part.bone.half
        if half is None or half.limb != ARM or half.index != 0:
            return torch.ones(1, 1, 1, device=x.device)
        return (1 + bone_along(bone, x, y) / (bone.radius * self.placement.size)).clamp(0, 1)

    def _extent(self, bones: list[tuple[Part, Placed, Tensor]]) -> np.ndarray:
        """Points [n,2,k] (x, y) that enclose a limb in all frames that show it."""
        corners = []
        for part, bone, seen in bones:
            reach = self.bodies.reach(part) * self.placement.size
            for end in (bone.ta, bone.tb):
                spots = end[seen].cpu().numpy()[:, :, None]
                corners += [spots - reach, spots + reach]
        return np.concatenate(corners)

    def _window(self, points: np.ndarray) -> tuple[slice, slice] | None:
        """Rows and columns of the canvas that enclose points [n,2,k] (x, y), or None off the canvas."""
        height, width = self.plate.shape[:2]
        (x0, y0), (x1, y1) = (np.nan_to_num(f(f(points, axis=2), axis=0)) for f in (np.min, np.max))
        left, right = (int(np.clip(v, 0, width)) for v in (np.floor(x0) - 1, np.ceil(x1) + 1))
        top, bottom = (int(np.clip(v, 0, height)) for v in (np.floor(y0) - 1, np.ceil(y1) + 1))
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None

    def _pixels(self, window: tuple[slice, slice]) -> tuple[Tensor, Tensor]:
        """Pixel centres x [1,w], y [h,1] of a window."""
        rows, cols = window
        x = torch.arange(cols.start, cols.stop, device=self.plate.device) + 0.5
        y = torch.arange(rows.start, rows.stop, device=self.plate.device) + 0.5
        return x[None], y[:, None]

    def _continued(self, part: Part, bone: Placed, sx: Tensor, sy: Tensor, within: Tensor) -> Tensor:
        """As ``sampled``; what the picture's border cuts goes on beyond it, invented, ``within`` [f,h,w] a limb."""
        height, width = part.layer.shape[1:]
        beyond = within & (sx > NOWHERE) & ((sx < 0) | (sx > width) | (sy < 0) | (sy > height))
        if not beyond.any():
            return sampled(part.layer, sx, sy)
        back = drawn_back(bone, sx, sy, width, height)
        picture = sampled(part.layer, *(torch.where(beyond, edge, at) for edge, at in zip(back, (sx, sy))))
        invented = torch.where(beyond, picture[:, 3], picture[:, 4])
        return torch.cat([picture[:, :4], invented[:, None]], dim=1)


def _lower_share(
    upper: tuple[Placed, Tensor], lower: tuple[Placed, Tensor], x: Tensor, y: Tensor, size: float
) -> Tensor:
    """How much the lower half of a limb shows [f,h,w]: where it is the nearer one, with a narrow passage.

    Each half comes with the frames [f] bool that show it.
    """
    above, below = (
        torch.where(seen[:, None, None], bone_distance(bone, x, y, size), 1e6) for bone, seen in (upper, lower)
    )
    return (0.5 + (above - below) / (2 * JOINT_BLEND)).clamp(0, 1)


def _folded(upper: Placed, lower: Placed, x: Tensor, y: Tensor, size: float) -> Tensor:
    """1 where the lower half [f,h,w], a radius past the joint, lies beside the upper one: there it is in front."""
    radius = max(lower.radius * size, 1.0)
    past = (bone_along(lower, x, y) / radius - 1).clamp(0, 1)
    length = torch.linalg.vector_norm(upper.tb - upper.ta, dim=-1)[:, None, None]
    return past * (length - bone_along(upper, x, y)).clamp(0, 1)


def _joined(upper: Tensor, lower: Tensor, share: Tensor, before: Tensor) -> Tensor:
    """Two halves [f,5,h,w] side by side by the lower one's ``share`` [f,h,w]; over one another where ``before``."""
    share, before = share[:, None], before[:, None]
    front = lower * torch.maximum(share, before)
    behind = upper * (1 - share * (1 - before))
    return front + behind * (1 - before * front[:, 3:4])


def _core(part: Part, bone: Placed, seen: Tensor, x: Tensor, y: Tensor, size: float) -> Tensor:
    """The inside of a bone's capsule in the part's colour, as a patch [f,5,h,w]."""
    alpha = (CORE * bone.radius * size - bone_distance(bone, x, y, size) + 0.5).clamp(0, 1) * seen[:, None, None]
    colour = torch.cat([part.colour, part.colour.new_ones(2)])
    return alpha[:, None] * colour[None, :, None, None]


def _finished(layers: Layers, cores: Layers, plate: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Frames [f,H,W,3], person masks and hole masks [f,H,W]: layers over cores over the plate."""
    through = 1 - layers.alpha
    filled = cores.alpha * through
    person = layers.alpha + filled
    # Along a seam that is as in the reference, both parts show by half and what is invented is no hole
    holes = (2 * layers.invented - 1).clamp_min(0) + filled
    colour = layers.colour + through[:, None] * cores.colour
    frames = rearrange(colour, "f c h w -> f h w c") + (1 - person)[..., None] * plate
    return frames.clamp(0, 1), person.clamp(0, 1), holes.clamp(0, 1)
