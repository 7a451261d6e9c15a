"""Where a body goes on beyond the picture: limbs whose next joint is not seen, drawn on to the border."""

from dataclasses import replace

import numpy as np

from .bones import ARM, LEG, LIMBS, RADIUS, Bone, Trunk

LENGTHS = {LEG: (1.0, 1.0), ARM: (0.65, 0.6)}  # of the trunk's length: upper and lower half of a limb


def goes_on(bones: list[Bone | Trunk], height: int, width: int) -> list[Bone | Trunk]:
    """``bones`` and what is missing of them on the way to the border of a canvas [height,width]."""
    trunk = next((bone for bone in bones if isinstance(bone, Trunk)), None)
    if trunk is None:
        return bones
    named = {bone.name: bone for bone in bones if isinstance(bone, Bone)}
    more = []
    for name, (upper, lower) in LIMBS.items():
        first = named.get(upper.name)
        if lower.name in named:
            continue
        half = lower if first is not None else upper
        if first is None and half.limb == ARM:
            continue
        start, way = (first.b, first.along) if first is not None else _down(trunk, half.side)
        reach = LENGTHS[half.limb][half.index] * trunk.length
        if half.index == 0:
            reach *= 1.0
        out = _to_border(start, way, height, width)
        if 0 < out <= reach:
            radius = RADIUS[half.limb][half.index] * trunk.length
            more.append(Bone(half.name, start, start + (out + radius) * way, radius, half=half))
    return [*bones, *more]


def _down(trunk: Trunk, side: str) -> tuple[np.ndarray, np.ndarray]:
    """A hip [2] and the trunk's way down [2]."""
    hip = trunk.corners[3] if side == "right" else trunk.corners[2]
    down = trunk.corners[2:].mean(0) - trunk.corners[:2].mean(0)
    norm = float(np.hypot(*down))
    return hip, down / norm if norm > 1e-6 else np.array([0.0, 1.0])


def _to_border(start, way, height, width) -> float:
    """Pixels from ``start`` along ``way`` to the border; 0 or less outside the canvas."""
    if not (0 <= start[0] < width and 0 <= start[1] < height):
        return 0.0
    ends = [(limit - s) / w for s, w, limit in ((start[0], way[0], width if way[0] > 0 else 0), (start[1], way[1], height if way[1] > 0 else 0)) if abs(w) > 1e-6]
    return min(ends)
