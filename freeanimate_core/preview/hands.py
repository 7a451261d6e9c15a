"""Hands that lie on the body: which pixels about a wrist are the hand's and which the garment's, by colour.

Axes: h, w are the reference's rows and columns; owners are ranks [h,w] from front to back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_opening, label
from scipy.spatial import cKDTree

from .bones import ARM, Bone
from .skirt import SKIRT
from .widths import pixel_grid

CLOTH = ("torso", SKIRT, "right leg 0", "left leg 0", "right leg 1", "left leg 1")
FROM = 0.75  # of the forearm: from here on it is decided by colour
CORE = 0.5  # of the radius: what is nearer to the forearm's line, and the hand's first half, is surely the arm's
DOUBT, AROUND = 2.2, 6.0  # of the radius: how far beyond the arm's edge pixels are in doubt; are looked at as garment
NEIGHBOURS = 5  # sure pixels that decide about one in doubt
PLACE = 0.08  # what a hand's length counts, of the way from black to full red
CLEAR = 0.5  # of the distance from one kind: as near must a pixel be to the other to change hands
BLOCK = np.ones((3, 3), dtype=bool)  # pixels: what is thinner is an outline or a soft edge, and stays
WORTH = 0.3  # of a hand's pixels: with fewer that change hands, the bones were right and colours see outlines
MOST = 4000  # sure pixels at most of either kind: more tell nothing new
LEAST = 12  # sure pixels of either kind, below which nothing is decided
# Distances of colours: a hand that is farther than these from the sleeve and from the face, and nearer than the last
# to some of the garment, is inside of it.
POCKET, SKIN, ALIKE = 0.12, 0.18, 0.03


@dataclass(frozen=True)
class Claim:
    """Owners [h,w], the ranks that they mean, and the figure's colours [h,w,3]."""

    owner: np.ndarray
    ranks: Mapping[str, int]
    colours: np.ndarray


def hands_told_apart(
    claim: Claim, arms: Mapping[str, Bone], skin: np.ndarray | None, solid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Owners [h,w] after each hand has kept what looks like it and left the garment its own.

    Also the ranks [h,w] of the garments beneath fingers that bones did not tell from them, -1 elsewhere.

    ``skin`` is the face's colour [3], ``solid`` [h,w] bool what of the figure is no soft edge.
    """
    owner = claim.owner.copy()
    for name, bone in arms.items():
        if bone.half is not None and bone.half.limb == ARM and bone.half.index == 1:
            _tell_apart(owner, claim, name, bone, skin, solid)
    hands = [claim.ranks[name] for name in arms]
    return owner, np.where((owner != claim.owner) & np.isin(owner, hands), claim.owner, -1)


def _tell_apart(
    owner: np.ndarray, claim: Claim, name: str, bone: Bone, skin: np.ndarray | None, solid: np.ndarray
) -> None:
    """Write one hand's pixels and its garment's into the owners."""
    rank = claim.ranks[name]
    grid = pixel_grid(owner.shape)
    way, aside = bone.offsets(*grid)
    depth = bone.depth(*grid)
    cloth = np.isin(owner, [claim.ranks[part] for part in CLOTH if part in claim.ranks])
    late = (way > FROM * bone.length) & (depth < DOUBT * bone.radius)
    inner = np.abs(aside) < CORE * bone.radius
    core = inner & (way > 0.4 * bone.length) & (way < bone.length + 0.5 * bone.beyond) & (owner == rank) & solid
    garment = cloth & ~late & (depth < AROUND * bone.radius) & (way > 0.5 * bone.length) & solid
    if core.sum() < LEAST or garment.sum() < LEAST:
        return
    hand = core & (way > bone.length)
    sleeve = core & (way < FROM * bone.length)
    span = max(bone.beyond, bone.radius)
    if _pocketed(claim.colours, hand, garment, sleeve, skin):
        above = np.median(claim.colours[sleeve], axis=0)
        core = sleeve & (np.linalg.norm(claim.colours - above, axis=-1) < 2 * POCKET)
    doubt = late & (cloth | (owner == rank)) & ~core
    if not doubt.any() or core.sum() < LEAST:
        return
    asked = _features(claim.colours, np.argwhere(doubt), span)
    spots = _thinned(np.argwhere(garment))
    to_hand, _ = _distance(_features(claim.colours, _thinned(np.argwhere(core)), span), asked)
    to_cloth, nearest = _distance(_features(claim.colours, spots, span), asked)
    given, taken = np.zeros_like(doubt), np.zeros_like(doubt)
    given[doubt] = to_hand < CLEAR * to_cloth
    taken[doubt] = to_cloth < CLEAR * to_hand
    pieces, _ = label(core | binary_opening((given & cloth) | (doubt & (owner == rank)), BLOCK))
    given &= cloth & (way > bone.length) & np.isin(pieces, np.setdiff1d(pieces[core], [0]))
    taken = binary_opening(taken & (owner == rank), BLOCK)
    given = binary_opening(given, BLOCK)
    if given.sum() + taken.sum() < WORTH * (late & (owner == rank)).sum():
        return
    of_cloth = np.zeros_like(owner)
    of_cloth[doubt] = owner[tuple(spots[nearest].T)]
    owner[taken] = of_cloth[taken]
    owner[given] = rank


def _distance(sure: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance [n] of features [n,5] from their nearest among sure ones [m,5], and the nearest one's index [n]."""
    distance, index = cKDTree(sure).query(asked, k=NEIGHBOURS)
    return distance.mean(axis=1), index[:, 0]


def _pocketed(
    colours: np.ndarray, hand: np.ndarray, garment: np.ndarray, sleeve: np.ndarray, skin: np.ndarray | None
) -> bool:
    """Whether what should be the hand is the garment that it is inside of: no skin, no sleeve, but found beside it."""
    if skin is None or min(hand.sum(), sleeve.sum()) < LEAST:
        return False
    seen, above = (np.median(colours[area], axis=0) for area in (hand, sleeve))
    if np.linalg.norm(seen - skin) < SKIN or np.linalg.norm(seen - above) < POCKET:
        return False
    tree = cKDTree(colours[tuple(_thinned(np.argwhere(garment)).T)])
    return bool(np.median(tree.query(colours[hand])[0]) < ALIKE)


def _thinned(spots: np.ndarray) -> np.ndarray:
    """At most ``MOST`` of places [n,2], evenly."""
    return spots[:: max(len(spots) // MOST, 1)]


def _features(colours: np.ndarray, spots: np.ndarray, span: float) -> np.ndarray:
    """Colour and weighted place [n,5] of pixels [n,2] (row, column)."""
    return np.concatenate([colours[tuple(spots.T)], PLACE * spots / span], axis=1)
