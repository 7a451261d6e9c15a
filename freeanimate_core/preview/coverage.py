"""How much of the figure in each frame the reference could show: the coverage score.

Every part counts by the area of its bone's capsule on the canvas. What counts as covered is what was taken from the
reference: what turned into view says itself that it was not seen. Axes: f frames, h, w a coarse grid of the canvas.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor
from torch.nn import functional

from ..errors import counted
from .bones import Bone, Trunk, figure_of
from .ownership import Piece
from .placement import Placement

# What a whole part is short of counts this many times its area: a figure without a forearm is wrong, however small
# the forearm. At 1, frames without a forearm score as a half turn does (0.90), at 3 they score 0.80.
LOST = 3.0
GRID = 160  # cells along the longer side: areas need no more


@dataclass(frozen=True)
class Expected:
    """The reference's parts with their measured radii, and their areas on its canvas in pixels."""

    bones: dict[str, Piece]
    areas: dict[str, float]

    @classmethod
    def of(cls, bones: dict[str, Piece], height: int, width: int) -> "Expected":
        """Areas by name."""
        x, y, cell = _cells(height, width)
        areas = {name: float((bone.depth(x, y) < 0).sum()) * cell**2 for name, bone in bones.items()}
        return cls(bones, areas)


def coverage(expected: Expected, placement: Placement, shown: Tensor) -> np.ndarray:
    """Coverage [F], 0-1, of a clip of which ``shown`` [F,H,W] came from the reference.

    A part that the reference has and that is missing in some frames only counts as not covered there, by
    ``LOST`` times its area, and so does what is not covered of a part that the reference lacks. A frame
    without any part on the canvas has 1.
    """
    x, y, cell = _cells(*shown.shape[1:])
    poses = [_figure(expected, *pose, placement.size) for pose in zip(placement.joints, placement.seen)]
    lasting = {name for parts in poses for name in parts} & set(expected.areas)
    scores = np.ones(len(poses))
    for k, parts in enumerate(poses):
        grid = functional.adaptive_avg_pool2d(shown[k : k + 1], (len(y), x.shape[1]))[0].numpy()
        inside = {name: bone.depth(x, y) < 0 for name, bone in parts.items()}
        there = {name: int(area.sum()) for name, area in inside.items()}
        found = {name: float(grid[area].sum()) for name, area in inside.items()}
        gone = [area for name, area in expected.areas.items() if name in lasting and name not in parts]
        lost = sum(gone) * placement.size**2 / cell**2
        lacking = sum(there[name] - found[name] for name in parts if name not in expected.areas)
        total = sum(there.values()) + LOST * lost + (LOST - 1) * lacking
        scores[k] = sum(found.values()) / total if total > 0 else 1.0
    return scores.clip(0, 1)


def report(scores: Sequence[float], threshold: float) -> str:
    """One line on the coverage of a clip; frames below ``threshold`` are named, counted from 0."""
    low = [frame for frame, score in enumerate(scores) if score < threshold]
    line = f"Coverage {min(scores):.2f} to {max(scores):.2f} over {counted(len(scores), 'frame')}"
    if not low:
        return f"{line}; no frame is below {threshold:.2f}."
    return (
        f"{line}; below {threshold:.2f}: frames {name_frames(low)} (counted from 0). The reference does not show "
        "enough of the person for these poses: turns away from the viewer, missing joints, or limbs that the "
        "reference lacks. Look at them in the preview."
    )


def name_frames(frames: Sequence[int]) -> str:
    """Numbers as text, runs drawn together: "3, 7-9"."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _figure(expected: Expected, joints: np.ndarray, seen: np.ndarray, size: float) -> dict[str, Bone | Trunk]:
    """Bones and trunk of a frame, with the reference's radii where it shows the part."""
    found = figure_of(joints, seen)
    for name, bone in found.items():
        model = expected.bones.get(name)
        if isinstance(bone, Bone):
            radius = bone.radius if model is None else model.radius * size
            found[name] = replace(bone, radius=radius, beyond=0.0)
    return found


def _cells(height: int, width: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres x [1,w], y [h,1] of square cells over the canvas in pixels, and their side."""
    cell = max(height, width) / min(GRID, max(height, width))
    rows, cols = max(round(height / cell), 1), max(round(width / cell), 1)
    x = (np.arange(cols, dtype=np.float32)[None] + 0.5) * width / cols
    return x, (np.arange(rows, dtype=np.float32)[:, None] + 0.5) * height / rows, cell
