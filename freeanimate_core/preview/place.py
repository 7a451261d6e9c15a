"""Where the parts of the reference are put in each frame: from joints to maps, for the whole clip.

Everything here is tiny (F frames x joints), so it is done once and the frames are then independent.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .bones import ARMS, FACE, HIPS, LIMBS, NECK, SHOULDERS, face_centre
from .warp import affine, as_matrix, inverted, similarity

FLAT = ("torso", "head")  # parts with one map for the whole of them
_STIFFNESS = 0.02  # of the trunk's affine map against a similarity
_THINNEST = 0.35  # how narrow a turned trunk may get, of its size in the reference
_HEAD_SWING = 0.08  # a head keeps its size in a clip, give or take
_TURNED = 0.55  # shoulders narrower than this share are those of a turned person


@dataclass(frozen=True)
class Placement:
    """Placement of the parts. Maps are [F,2,3], NaN where a frame does not show the part."""

    joints: np.ndarray  # [F,18,2] pixels
    seen: np.ndarray  # [F,18] bool
    torso: np.ndarray  # reference to target
    head: np.ndarray  # reference to target
    face: np.ndarray  # [F,2] the face's centre in the target
    size: float  # pixels of the target per pixel of the reference, across limbs
    far: dict[str, np.ndarray]  # per arm [F] bool: behind the trunk

    def shows(self, names: Iterable[str]) -> np.ndarray:
        """Whether each frame has any of the parts by name, [F] bool."""
        shown = np.zeros(len(self.joints), dtype=bool)
        for name in names:
            shown |= np.isfinite(self.forward(name)).all(axis=(1, 2)) if name in FLAT else self._bone_seen(name)
        return shown

    def _bone_seen(self, name: str) -> np.ndarray:
        if name == "neck":
            return self.seen[:, NECK] & np.isfinite(self.face).all(axis=1)
        limb, _, half = name.rpartition(" ")
        first = LIMBS[limb][int(half)]
        return self.seen[:, first] & self.seen[:, first + 1]

    def forward(self, name: str) -> np.ndarray:
        """Reference-to-target maps [F,2,3] of "torso" or "head"."""
        return self.torso if name == "torso" else self.head

    def back(self, name: str, frames: slice) -> np.ndarray:
        """Target-to-reference maps [f,2,3] of "torso" or "head" in some frames."""
        maps = self.forward(name)[frames]
        shown = np.isfinite(maps).all(axis=(1, 2))
        out = np.full_like(maps, np.nan)
        for frame in np.flatnonzero(shown):
            out[frame] = inverted(maps[frame], _THINNEST * self.size)
        return out


def place(ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray) -> Placement:
    """Placement of a reference posed as ``ref`` [18,2] in frames ``joints`` [F,18,2], all in pixels."""
    size = _size(ref, ref_seen, joints, seen)
    both = seen & ref_seen
    torso = np.stack([_torso(ref, frame, shown) for frame, shown in zip(joints, both)])
    head = _heads(ref, joints, both, torso, size)
    centre = face_centre(ref, ref_seen)
    face = np.full((len(joints), 2), np.nan) if centre is None else head[:, :, :2] @ centre + head[:, :, 2]
    return Placement(joints, seen, torso, head, face, size, _far_arms(ref, ref_seen, joints, seen, size))


def _size(ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray) -> float:
    """Size of the target person against the reference: per bone the nearly longest, over bones the median."""
    pairs = [pair for root, mid, end in LIMBS.values() for pair in ((root, mid), (mid, end))] + [
        SHOULDERS,
        (NECK, HIPS[0]),
        (NECK, 0),
    ]
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
    fit = similarity(_complex(ref[ids]), _complex(frame[ids]), np.ones(len(ids)))
    if fit is None:
        return np.full((2, 3), np.nan)
    prior = as_matrix(*fit)
    return affine(ref[ids], frame[ids], prior, _STIFFNESS) if len(ids) == 4 else prior


def _heads(ref: np.ndarray, joints: np.ndarray, both: np.ndarray, torso: np.ndarray, size: float) -> np.ndarray:
    """Maps of the head [F,2,3]: similarities, so that a face is never sheared, of nearly one size in a clip."""
    ids = list(FACE)
    fits = [
        similarity(_complex(ref[ids]), _complex(frame[ids]), shown[ids].astype(float))
        for frame, shown in zip(joints, both)
    ]
    scales = [abs(fit[0]) for fit in fits if fit is not None]
    usual = float(np.median(scales)) if scales else size
    return np.stack(
        [_head(ref, frame, shown, fit, usual, trunk) for frame, shown, fit, trunk in zip(joints, both, fits, torso)]
    )


def _head(
    ref: np.ndarray, frame: np.ndarray, shown: np.ndarray, fit: tuple | None, usual: float, trunk: np.ndarray
) -> np.ndarray:
    """One head's map: turned as the face is, else as the trunk is, held by the mean of what is seen."""
    ids = [k for k in FACE if shown[k]] or ([NECK] if shown[NECK] else [])
    if not ids:
        return np.full((2, 3), np.nan)
    turn = fit[0] if fit is not None else _turn(trunk)
    scale = (
        float(np.clip(abs(turn), usual * (1 - _HEAD_SWING), usual * (1 + _HEAD_SWING))) if fit is not None else usual
    )
    m = turn / abs(turn) * scale
    return as_matrix(m, complex(_complex(frame[ids]).mean() - m * _complex(ref[ids]).mean()))


def _turn(matrix: np.ndarray) -> complex:
    """Rotation of a map [2,3] as a complex number; none where the map is unknown."""
    turn = complex(matrix[0, 0] + matrix[1, 1], matrix[1, 0] - matrix[0, 1])
    return turn if np.isfinite(turn) and abs(turn) > 1e-6 else 1.0 + 0.0j


def _far_arms(
    ref: np.ndarray, ref_seen: np.ndarray, joints: np.ndarray, seen: np.ndarray, size: float
) -> dict[str, np.ndarray]:
    """Which arm is behind the trunk: of a person turned aside, the one on the side the face looks to.

    Facing the picture's left is turning to one's right, which takes the right shoulder away.
    """
    far = {arm: np.zeros(len(joints), dtype=bool) for arm in ARMS}
    right, left = SHOULDERS
    width = (ref[left] - ref[right])[0]
    if not (ref_seen[right] and ref_seen[left] and width > 1):
        return far
    known = seen[:, [right, left, NECK, 0]].all(axis=1)
    turned = known & ((joints[:, left, 0] - joints[:, right, 0]) < _TURNED * width * size)
    looks_left = joints[:, 0, 0] < joints[:, NECK, 0]
    far["right arm"], far["left arm"] = turned & looks_left, turned & ~looks_left
    return far


def _complex(points: np.ndarray) -> np.ndarray:
    return points[:, 0] + 1j * points[:, 1]
