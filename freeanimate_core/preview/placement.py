"""Where the parts of the reference are put in each frame: from joints to maps, for the whole clip.

Everything here is tiny (F frames x joints), so it is done once and the frames are then independent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..pose.keypoints import NECK, NOSE
from .bones import HALVES, HIPS, SHOULDERS, face_centre, trunk_of
from .depth import Depth, Override, aside_of, depth_of
from .head import Heads, place_heads
from .skirt import CORNERS, SKIRT
from .steady import steadied
from .turning import turned_points
from .warp import affine, as_complex, as_matrix, inverted, similarity
from .yaw import trunk_yaw

FLAT = ("torso", "head")  # parts with one map for the whole of them
STIFFNESS = 0.02  # of the trunk's affine map against a similarity
THINNEST = 0.35  # how narrow a turned trunk may get, of its size in the reference


@dataclass(frozen=True)
class Placement:
    """Placement of the parts. Maps are [F,2,3], NaN where a frame does not show the part."""

    joints: np.ndarray  # [F,18,2] pixels
    seen: np.ndarray  # [F,18] bool
    torso: np.ndarray  # reference to target
    heads: Heads  # reference to target
    face: np.ndarray  # [F,2] the face's centre in the target
    size: float  # pixels of the target per pixel of the reference, across limbs
    depth: Depth
    yaw: np.ndarray  # [F] radians of the trunk against the reference, positive towards the picture's right

    def shows(self, names: Iterable[str]) -> np.ndarray:
        """Whether each frame has any of the parts by name, [F] bool."""
        shown = np.zeros(len(self.joints), dtype=bool)
        for name in names:
            shown |= np.isfinite(self.forward(name)).all(axis=(1, 2)) if name in FLAT else self._bone_seen(name)
        return shown

    def _bone_seen(self, name: str) -> np.ndarray:
        if name == "neck":
            return self.seen[:, NECK] & np.isfinite(self.face).all(axis=1)
        joints = CORNERS if name == SKIRT else HALVES[name].joints
        return np.all(self.seen[:, joints], axis=1)

    def forward(self, name: str) -> np.ndarray:
        """Reference-to-target maps [F,2,3] of "torso" or "head"."""
        return self.torso if name == "torso" else self.heads.maps

    def back(self, name: str, frames: slice) -> np.ndarray:
        """Target-to-reference maps [f,2,3] of "torso" or "head" in some frames."""
        maps = self.forward(name)[frames]
        shown = np.isfinite(maps).all(axis=(1, 2))
        out = np.full_like(maps, np.nan)
        for frame in np.flatnonzero(shown):
            out[frame] = inverted(maps[frame], THINNEST * self.size)
        return out


def place(
    ref: np.ndarray,
    ref_seen: np.ndarray,
    joints: np.ndarray,
    seen: np.ndarray,
    overrides: Sequence[Override] = (),
) -> Placement:
    """Placement of a reference posed as ``ref`` [18,2] in frames ``joints`` [F,18,2], all in pixels."""
    joints = steadied(ref, ref_seen, joints, seen)
    size = _size(ref, ref_seen, joints, seen)
    both = seen & ref_seen
    torso = np.stack([_torso(ref, frame, shown) for frame, shown in zip(joints, both)])
    slopes = np.array([_turn(matrix) for matrix in torso])
    heads = place_heads(ref, ref_seen, joints, both, size, slopes)
    yaw = trunk_yaw(ref, ref_seen, joints, seen, size, heads.yaw)
    heads = place_heads(ref, ref_seen, joints, both, size, slopes, yaw)
    centre = face_centre(ref, ref_seen)
    face = np.full((len(joints), 2), np.nan) if centre is None else heads.maps[:, :, :2] @ centre + heads.maps[:, :, 2]
    depth = depth_of(aside_of(ref, ref_seen, joints, seen, size), overrides)
    torso = np.stack([_torso(_turned(ref, ref_seen, t), frame, shown) for t, frame, shown in zip(yaw, joints, both)])
    return Placement(joints, seen, torso, heads, face, size, depth, yaw)


def _turned(ref: np.ndarray, ref_seen: np.ndarray, yaw: float) -> np.ndarray:
    """The reference's joints [18,2] with shoulders and hips where a turn by ``yaw`` radians shows them."""
    trunk = trunk_of(ref, ref_seen)
    if trunk is None or yaw == 0:
        return ref
    turned, corners = ref.copy(), [*SHOULDERS, *HIPS]
    turned[corners] = turned_points(trunk, ref[corners], yaw)
    return turned


def _size(ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray) -> float:
    """Size of the target person against the reference: per bone the nearly longest, over bones the median."""
    pairs = [*(half.joints for half in HALVES.values()), SHOULDERS, (NECK, HIPS[0]), (NECK, NOSE)]
    ratios = []
    for a, b in pairs:
        shown = seen[:, a] & seen[:, b]
        length = np.hypot(*(ref[a] - ref[b]))
        if ref_seen[a] and ref_seen[b] and length > 1 and shown.any():
            ratios.append(np.quantile(np.hypot(*(joints[shown, a] - joints[shown, b]).T), 0.9) / length)
    return float(np.clip(np.median(ratios), 0.05, 20.0)) if ratios else 1.0


def _torso(ref: np.ndarray, frame: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Map of the trunk [2,3]: affine over shoulders and hips, a similarity over what is left of them."""
    ids = [k for k in (*SHOULDERS, *HIPS) if shown[k]]
    fit = similarity(as_complex(ref[ids]), as_complex(frame[ids]), np.ones(len(ids)))
    if fit is None:
        return np.full((2, 3), np.nan)
    prior = as_matrix(*fit)
    return affine(ref[ids], frame[ids], prior, STIFFNESS) if len(ids) == 4 else prior


def _turn(matrix: np.ndarray) -> complex:
    """Rotation of a map [2,3] as a complex number of length 1; none where the map is unknown."""
    turn = complex(matrix[0, 0] + matrix[1, 1], matrix[1, 0] - matrix[0, 1])
    return turn / abs(turn) if np.isfinite(turn) and abs(turn) > 1e-6 else 1.0 + 0.0j
