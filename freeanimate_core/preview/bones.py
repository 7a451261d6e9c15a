"""The skeleton as bones with thickness: what belongs to which part of a figure.

Positions are (x, y) in pixels; depth is the signed distance to a bone's surface, negative inside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..pose.keypoints import NECK, NOSE
from ..pose.skeleton import HIPS, SHOULDERS, trunk_length

ARM, LEG = "arm", "leg"
FACE = (NOSE, 14, 15, 16, 17)

# Radii as shares of the trunk's length where the mask does not tell: upper and lower half of a limb.
RADIUS = {ARM: (0.15, 0.13), LEG: (0.19, 0.15)}
REACH = {ARM: 0.45, LEG: 0.15}  # how far hand and foot reach beyond the last joint, of the lower half's length
FLANK = 0.12  # share of the trunk's length
HEAD_RADIUS, NECK_RADIUS = 0.40, 0.15  # shares of the trunk's length


@dataclass(frozen=True)
class Half:
    """One half of an arm or a leg: 0 the upper one, 1 the lower one, which carries the hand or the foot."""

    side: str  # right or left
    limb: str  # ARM or LEG
    index: int
    joints: tuple[int, int]  # from the trunk outwards

    @property
    def whole(self) -> str:
        """The limb's name in LIMBS: "right arm"."""
        return f"{self.side} {self.limb}"

    @property
    def name(self) -> str:
        """The part's name: "right arm 0"."""
        return f"{self.whole} {self.index}"


def _halves(side: str, limb: str, root: int) -> tuple[Half, Half]:
    return Half(side, limb, 0, (root, root + 1)), Half(side, limb, 1, (root + 1, root + 2))


# The halves of a limb by its name, right before left.
ARMS = {"right arm": _halves("right", ARM, SHOULDERS[0]), "left arm": _halves("left", ARM, SHOULDERS[1])}
LEGS = {"right leg": _halves("right", LEG, HIPS[0]), "left leg": _halves("left", LEG, HIPS[1])}
LIMBS = {**ARMS, **LEGS}
HALVES = {half.name: half for halves in LIMBS.values() for half in halves}


@dataclass(frozen=True)
class Bone:
    """A line from ``a`` to ``b`` [2] with a radius in pixels; ``beyond`` pixels more past ``b`` (hand, foot).

    ``profile`` are radii at even steps from ``a`` to the far end, hand or foot included, where known. ``half`` is
    the half of a limb that it is; the neck and the head are none.
    """

    name: str
    a: np.ndarray
    b: np.ndarray
    radius: float
    beyond: float = 0.0
    profile: np.ndarray | None = None
    half: Half | None = None

    @property
    def length(self) -> float:
        """Distance of the joints in pixels."""
        return float(np.hypot(*(self.b - self.a)))

    @property
    def along(self) -> np.ndarray:
        """Unit vector [2] from ``a`` to ``b``; down when both are one point."""
        return (self.b - self.a) / self.length if self.length > 1e-6 else np.array([0.0, 1.0])

    def offsets(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels along the bone from ``a``, and across it, each [h,w]."""
        (dx, dy), px, py = self.along, x - self.a[0], y - self.a[1]
        return px * dx + py * dy, py * dx - px * dy

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance to the bone's surface [h,w], hand or foot included."""
        u, v = self.offsets(x, y)
        whole = self.length + self.beyond
        on = np.clip(u, 0, whole)
        if self.profile is None:
            return np.hypot(u - on, v) - self.radius
        return np.hypot(u - on, v) - np.interp(on, np.linspace(0, whole, len(self.profile)), self.profile)


@dataclass(frozen=True)
class Trunk:
    """The quadrilateral of shoulders and hips, ``corners`` [4,2] = right, left shoulder, left, right hip."""

    corners: np.ndarray
    half: ClassVar[None] = None

    @property
    def length(self) -> float:
        """From the middle of the shoulders to the middle of the hips, in pixels, at least 1."""
        return max(float(np.hypot(*(self.corners[:2].mean(0) - self.corners[2:].mean(0)))), 1.0)

    @property
    def radius(self) -> float:
        """How thick the figure is believed to be about the quadrilateral's edge, in pixels."""
        return FLANK * self.length

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Signed distance to the quadrilateral [h,w]."""
        nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, dtype=np.float32)
        inside = np.zeros(nearest.shape, dtype=bool)
        for a, b in zip(self.corners, np.roll(self.corners, -1, axis=0)):
            (ex, ey), px, py = b - a, x - a[0], y - a[1]
            t = np.clip((px * ex + py * ey) / max(ex * ex + ey * ey, 1e-6), 0, 1)
            nearest = np.minimum(nearest, np.hypot(px - t * ex, py - t * ey))
            if ey != 0:
                inside ^= ((a[1] <= y) != (b[1] <= y)) & (px < py * ex / ey)
        return np.where(inside, -nearest, nearest)


def trunk_of(joints: np.ndarray, seen: np.ndarray) -> Trunk | None:
    """The trunk; hips out of the picture are put below the shoulders. None without both shoulders."""
    if not seen[list(SHOULDERS)].all():
        return None
    right, left = joints[2], joints[5]
    across = left - right
    down = 1.35 * np.array([-across[1], across[0]])
    hips = [joints[hip] if seen[hip] else shoulder + 0.85 * down for hip, shoulder in ((8, right), (11, left))]
    return Trunk(np.stack([right, left, hips[1], hips[0]]).astype(np.float64))


def thighs_of(bones: Mapping[str, object]) -> list[Bone]:
    """The upper halves of the legs that ``bones`` have, right before left."""
    found = [bones.get(thigh.name) for thigh, _ in LEGS.values()]
    return [bone for bone in found if isinstance(bone, Bone)]


def face_centre(joints: np.ndarray, seen: np.ndarray) -> np.ndarray | None:
    """Middle of what is seen of the face [2], or None."""
    points = [joints[k] for k in FACE if seen[k]]
    return np.mean(points, axis=0) if points else None


def figure_of(joints: np.ndarray, seen: np.ndarray) -> dict[str, Bone | Trunk]:
    """Bones by name, and the trunk as "torso" at the end, of a person posed as ``joints`` [18,2]."""
    trunk = trunk_of(joints, seen)
    return {**bones_of(joints, seen), **({"torso": trunk} if trunk else {})}


def bones_of(joints: np.ndarray, seen: np.ndarray) -> dict[str, Bone]:
    """Bones by name ("right arm 0" is the upper half, "neck", "head"), with the default radii."""
    unit = trunk_length(joints, seen)
    found = {}
    for name, half in HALVES.items():
        a, b = half.joints
        if seen[a] and seen[b]:
            beyond = REACH[half.limb] * float(np.hypot(*(joints[b] - joints[a]))) if half.index else 0.0
            radius = RADIUS[half.limb][half.index] * unit
            found[name] = Bone(name, joints[a], joints[b], radius, beyond, half=half)
    centre = face_centre(joints, seen)
    if centre is not None:
        found["head"] = Bone("head", centre, centre, _head_radius(joints, seen, centre, unit))
        if seen[NECK]:
            found["neck"] = Bone("neck", joints[NECK], centre, NECK_RADIUS * unit)
    return found


def _head_radius(joints: np.ndarray, seen: np.ndarray, centre: np.ndarray, unit: float) -> float:
    """Radius of the head in pixels, from the ears and the neck, whichever says more."""
    ears = 0.58 * float(np.hypot(*(joints[16] - joints[17]))) if seen[[16, 17]].all() else 0.0
    neck = 0.75 * float(np.hypot(*(joints[NECK] - centre))) if seen[NECK] else 0.0
    return max(ears, neck) or HEAD_RADIUS * unit
