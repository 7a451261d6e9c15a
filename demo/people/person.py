"""A person: one seed's body in its clothes, ready to be posed."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .data import BodyData, body_data
from .geometry import normals_of
from .hair import hanging, thickness
from .looks import Looks, looks
from .mesh import EYES, HAIR, LEGS, SKIN, Piece, neighbours
from .shape import Shape, shape, shaped
from .skeleton import HEAD, Skeleton, part_of, skeleton_of
from .wardrobe import arm_share, covered, garments

TRAINING_SEEDS = range(0, 10_000)
HELD_OUT_SEEDS = range(10_000, 20_000)  # never in a training picture
EAR = 0.9  # an ear's point lies nearer to the middle than its rim


@dataclass(frozen=True)
class Person:
    """Identity ``seed``. Vertices n, triangles t, bones b; decimetres."""

    seed: int
    shape: Shape
    looks: Looks
    skeleton: Skeleton
    rest: np.ndarray  # [n,3] places on the base mesh, where colours are painted
    points: np.ndarray  # [n,3] unposed
    weights: np.ndarray  # [n,b]
    paint: np.ndarray  # [n,2]
    triangles: np.ndarray  # [t,3]
    material: np.ndarray  # [t] uint8
    label: np.ndarray  # [t] uint8, 1-10
    face: np.ndarray  # [5,3] nose, right eye, left eye, right ear, left ear, unposed; they move with the head
    tall: float  # from the sole to the top of the head
    skirt: np.ndarray  # vertices of a skirt, which legs push out; empty if there is none
    skirt_edges: np.ndarray  # [2,e] of them, both ways


@lru_cache(maxsize=8)
def person(seed: int) -> Person:
    """The person of ``seed``; seeds are split into ``TRAINING_SEEDS`` and ``HELD_OUT_SEEDS``."""
    data, body = body_data(), shape(seed)
    look = looks(seed, body)
    points, joints = shaped(body, data)
    pieces = _dressed(look, data, points)
    merged = _joined(pieces)
    floor = float(merged.points[:, 1].min())
    skirted = look.legwear in ("skirt", "dress")
    of_skirt = np.repeat([skirted and p.material == LEGS for p in pieces], [len(p.points) for p in pieces])
    cloth = [piece for piece in pieces if skirted and piece.material == LEGS]
    return Person(
        seed=seed,
        shape=body,
        looks=look,
        skeleton=skeleton_of(data.bones, data.parents, joints, floor),
        rest=merged.rest,
        points=merged.points,
        weights=merged.weights,
        paint=merged.paint,
        triangles=merged.triangles,
        material=np.repeat([piece.material for piece in pieces], [len(p.triangles) for p in pieces]).astype(np.uint8),
        label=np.concatenate([_labels(piece, data.bones, skirted) for piece in pieces]),
        face=points[data.landmarks].astype(np.float64) * np.array([[1], [1], [1], [EAR], [EAR]]) ** (1, 0, 0),
        tall=float(merged.points[:, 1].max() - floor),
        skirt=np.flatnonzero(of_skirt),
        skirt_edges=neighbours(cloth[0].triangles, len(cloth[0].points)) if cloth else np.zeros((2, 0), dtype=int),
    )


def _dressed(look: Looks, data: BodyData, points: np.ndarray) -> list[Piece]:
    """All surfaces that can be seen: skin that no garment covers, eyes, clothes, hair."""
    bare = np.stack([data.lips, np.zeros_like(data.lips)], axis=1)
    whole = Piece(data.points, points, data.weights, bare, data.triangles["body"], SKIN)
    hidden = covered(look, data.points, arm_share(data.weights, data.bones))
    lifted = thickness(look, data.points)[:, None] * normals_of(points, whole.triangles)
    skin = whole.moved(lifted).with_triangles(whole.triangles[~hidden[whole.triangles].all(axis=1)])
    eyes = np.concatenate([data.triangles["helper-r-eye"], data.triangles["helper-l-eye"]])
    tights, skirt = (whole.with_triangles(data.triangles[name]) for name in ("helper-tights", "helper-skirt"))
    pieces = [skin, replace(whole, material=EYES).with_triangles(eyes), *garments(look, tights, skirt, data.bones)]
    hair = hanging(look, data.bones, data.points)
    return pieces if hair is None else [*pieces, _fitted(hair, data.points, points, tights)]


def _fitted(hair: Piece, rest: np.ndarray, points: np.ndarray, tights: Piece) -> Piece:
    """Hair from the base mesh on this identity's head and back."""
    head = rest[:, 1] > 6.4
    known = np.concatenate([rest[head], np.ones((head.sum(), 1))], axis=1)
    move = np.linalg.lstsq(known, points[head], rcond=None)[0]
    placed = np.concatenate([hair.rest, np.ones((len(hair.rest), 1))], axis=1) @ move
    normals = normals_of(tights.points, tights.triangles)
    low = np.flatnonzero(placed[:, 1] < points[head, 1].min() + 0.3)
    if len(low):
        gaps = _nearest(placed[low], tights.points)
        depth = ((placed[low] - tights.points[gaps]) * normals[gaps]).sum(axis=1)
        backwards = normals[gaps] * (1, 1, 0) - (0, 0, 0.3) - np.abs(normals[gaps]) * (0, 0, 1)  # never over the chest
        placed[low] += np.clip(0.32 - depth, 0, 2)[:, None] * backwards
    return replace(hair, points=placed.astype(np.float32))


def _nearest(points: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The index [n] of the nearest of ``among`` [m,3] to each of ``points`` [n,3]."""
    return ((among**2).sum(axis=1) - 2 * points @ among.T).argmin(axis=1)


def _joined(pieces: list[Piece]) -> Piece:
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    triangles = np.concatenate([piece.triangles + start for piece, start in zip(pieces, starts)])
    arrays = [np.concatenate([getattr(p, name) for p in pieces]) for name in ("rest", "points", "weights", "paint")]
    return Piece(*arrays, triangles, SKIN)


def _labels(piece: Piece, bones: tuple[str, ...], skirted: bool) -> np.ndarray:
    """Part labels [t] by the bones that move each triangle most; a skirt is the thighs'."""
    parts = np.zeros((len(bones), 11), dtype=np.float32)
    parts[np.arange(len(bones)), [part_of(bone) for bone in bones]] = 1
    shares = (piece.weights @ parts)[piece.triangles].sum(axis=1)
    labels = shares.argmax(axis=1).astype(np.uint8)
    if piece.material in (HAIR, EYES):
        return np.full_like(labels, HEAD)
    if piece.material == LEGS and skirted:
        return np.where(piece.rest[piece.triangles, 0].sum(axis=1) < 0, 7, 9).astype(np.uint8)
    return labels
