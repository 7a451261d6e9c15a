"""Who owns what no bone reaches: a limb keeps what is near it and hangs on it, the body takes the rest.

Axes: h, w are the reference's rows and columns; owners are ranks [h,w] from front to back.
"""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt, label

from .bones import Bone
from .skirt import SKIRT

NEAR = 2.2  # of a limb's radius: what is farther from its bone is not the limb's
NEAR_END = 3.5  # the same at hands and feet: fingers, shoes
SOFT = 3  # pixels: how far a limb's soft edge reaches beyond what is solid
SOLID = 0.5  # alpha from which a pixel holds the figure together
BODY = ("torso", SKIRT, "right leg 0", "left leg 0", "head", "neck")
AROUND = np.ones((3, 3), dtype=bool)


def out_of_reach(bone: Bone, depth: np.ndarray, grid: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Pixels [h,w] bool that are too far from a limb's bone, of signed ``depth`` [h,w], to be its own."""
    ends = bone.half is not None and bone.half.index == 1
    past = bone.offsets(*grid)[0] > bone.length if ends else False
    return depth > np.where(past, NEAR_END - 1, NEAR - 1) * bone.radius


def settled(
    owner: np.ndarray, far: np.ndarray, ranks: Mapping[str, int], bones: Mapping[str, Bone], alpha: np.ndarray
) -> np.ndarray:
    """Owners [h,w] after what is ``far`` [h,w] bool from all limbs, and what does not hang on its own, moved on."""
    solid = alpha >= SOLID
    stray = far | np.any([_loose(bone, owner == ranks[name], solid) for name, bone in bones.items()], axis=0)
    stray &= alpha > 0
    body = [ranks[name] for name in BODY if name in ranks]
    firm = solid & ~stray
    if not stray.any() or not firm.any():
        return owner
    settled_ = owner.copy()
    anyone, of_body = _nearest(owner, firm), _nearest(owner, firm & np.isin(owner, body))
    pieces, count = label(stray, AROUND)
    for k in range(1, count + 1):
        piece = pieces == k
        beside = np.unique(owner[binary_dilation(piece, AROUND) & firm])
        settled_[piece] = (of_body if np.isin(beside, body).any() else anyone)[piece]
    return settled_


def _loose(bone: Bone, own: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Pixels [h,w] of a limb that do not hang together with its bone through its own pixels."""
    pieces, _ = label(own & solid, AROUND)
    ways = np.arange(0.0, bone.length + bone.beyond + 0.5, 0.5)
    cols, rows = (bone.a + ways[:, None] * bone.along).astype(int).T
    inside = (cols >= 0) & (rows >= 0) & (cols < own.shape[1]) & (rows < own.shape[0])
    held = np.unique(pieces[rows[inside], cols[inside]])
    held = held[held > 0]
    if not len(held):  # nothing lies on the bone itself: the largest piece stands for the limb
        sizes = np.bincount(pieces.ravel())[1:]
        held = np.array([sizes.argmax() + 1]) if len(sizes) else held
    kept = np.isin(pieces, held)
    return own & np.where(solid, ~kept, ~binary_dilation(kept, AROUND, iterations=SOFT))


def _nearest(owner: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The owner [h,w] of the nearest pixel ``among`` [h,w] bool."""
    if not among.any():
        return owner
    rows, cols = distance_transform_edt(~among, return_distances=False, return_indices=True)
    return owner[rows, cols]
