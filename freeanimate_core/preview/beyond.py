"""Where a body goes on beyond the picture: limbs whose next joint the border cuts off.

Positions are (x, y) in pixels.
"""

import numpy as np

from .bones import ARM, LEG, LIMBS, RADIUS, Bone, Trunk

# How far from one joint the next one is at most, of the trunk's length: upper and lower half of a limb. Where the
# border is farther than that, the joint is hidden or missed, and nobody knows where the limb goes.
LENGTHS = {LEG: (1.0, 1.0), ARM: (0.65, 0.6)}


def goes_on(bones: list[Bone | Trunk], height: int, width: int) -> list[Bone]:
    """What ``bones`` lack on the way to the border of a canvas [height,width].

    Thighs go down from the hips as the trunk does, the lower half of a limb goes on as the upper one. An arm of which
    the shoulder alone is seen may be anywhere.
    """
    trunk = next((bone for bone in bones if isinstance(bone, Trunk)), None)
    if trunk is None:
        return []
    known = {bone.name: bone for bone in bones if isinstance(bone, Bone)}
    found = []
    for upper, lower in LIMBS.values():
        first = known.get(upper.name)
        if lower.name in known or (first is None and upper.limb == ARM):
            continue
        half = upper if first is None else lower
        start, way = _down(trunk, half.side) if first is None else (first.b, first.along)
        out = _to_border(start, way, height, width)
        if 0 < out <= LENGTHS[half.limb][half.index] * trunk.length:
            radius = RADIUS[half.limb][half.index] * trunk.length
            found.append(Bone(half.name, start, start + (out + radius) * way, radius, half=half))
    return found


def _down(trunk: Trunk, side: str) -> tuple[np.ndarray, np.ndarray]:
    """A hip [2], and the unit vector [2] from the shoulders to the hips."""
    down = trunk.corners[2:].mean(axis=0) - trunk.corners[:2].mean(axis=0)
    length = float(np.hypot(*down))
    return trunk.corners[3 if side == "right" else 2], down / length if length > 1e-6 else np.array([0.0, 1.0])


def _to_border(start: np.ndarray, way: np.ndarray, height: int, width: int) -> float:
    """Pixels from ``start`` [2] along ``way`` [2] to the border; 0 where it starts outside the canvas."""
    if not (0 <= start[0] < width and 0 <= start[1] < height):
        return 0.0
    sides = zip(start, way, (width, height))
    return min((((size if step > 0 else 0) - at) / step for at, step, size in sides if abs(step) > 1e-6), default=0.0)
