"""Pieces of a person's surface, and cutting them along smooth lines."""

from dataclasses import dataclass, replace

import numpy as np

SKIN, HAIR, TOP, LEGS, SHOES, EYES = range(6)  # materials


@dataclass(frozen=True)
class Piece:
    """A surface. ``rest`` are places on the base mesh, alike for everybody: colours are painted in them."""

    rest: np.ndarray  # [n,3] float32
    points: np.ndarray  # [n,3] of this identity, unposed
    weights: np.ndarray  # [n,b] of the bones
    paint: np.ndarray  # [n,2] across and along the cloth or the hair; of skin: lips, nothing
    triangles: np.ndarray  # [t,3]
    material: int

    def moved(self, offset: np.ndarray) -> "Piece":
        """The piece with its points [n,3] moved."""
        return replace(self, points=(self.points + offset).astype(np.float32))

    def with_triangles(self, triangles: np.ndarray) -> "Piece":
        """Only these triangles and the vertices that they use."""
        needed = np.zeros(len(self.points), dtype=bool)
        needed[triangles] = True
        used = np.flatnonzero(needed)
        places = np.zeros(len(self.points), dtype=np.int64)
        places[used] = np.arange(len(used))
        arrays = (array[used] for array in (self.rest, self.points, self.weights, self.paint))
        return Piece(*arrays, places[triangles], self.material)


def cut(piece: Piece, field: np.ndarray) -> Piece:
    """The part where ``field`` [n] >= 0; triangles on the border are cut where it crosses 0, so hems are smooth."""
    inside = field >= 0
    corners = inside[piece.triangles]
    count = corners.sum(axis=1)
    one = _turned(piece.triangles[count == 1], corners[count == 1])
    two = _turned(piece.triangles[count == 2], ~corners[count == 2])
    edges = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [0, 1]], two[:, [0, 2]]])
    count_all = len(piece.points)
    codes, places = np.unique(edges.min(axis=1) * count_all + edges.max(axis=1), return_inverse=True)
    wider = _with_middles(piece, np.stack([codes // count_all, codes % count_all], axis=1), field)
    places = places + count_all
    a, b, c, d = np.split(places, np.cumsum([len(one), len(one), len(two)]))
    added = [
        np.stack([one[:, 0], a, b], axis=1),
        np.stack([c, two[:, 1], two[:, 2]], axis=1),
        np.stack([c, two[:, 2], d], axis=1),
    ]
    return wider.with_triangles(np.concatenate([piece.triangles[count == 3], *added]))


def _turned(triangles: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Triangles whose one marked corner comes first."""
    first = marked.argmax(axis=1)[:, None]
    return np.take_along_axis(triangles, (first + np.arange(3)) % 3, axis=1)


def _with_middles(piece: Piece, pairs: np.ndarray, field: np.ndarray) -> Piece:
    """The piece and one more vertex on each edge of ``pairs`` [p,2], where the field is 0."""
    first, second = field[pairs[:, 0]], field[pairs[:, 1]]
    share = (first / np.where(first == second, 1, first - second))[:, None].astype(np.float32)

    def longer(array: np.ndarray) -> np.ndarray:
        a, b = array[pairs[:, 0]], array[pairs[:, 1]]
        return np.concatenate([array, a + share * (b - a)])

    arrays = (longer(array) for array in (piece.rest, piece.points, piece.weights, piece.paint))
    return Piece(*arrays, piece.triangles, piece.material)


def neighbours(triangles: np.ndarray, count: int) -> np.ndarray:
    """The two ends [2,e] of every edge among ``count`` vertices, both ways."""
    a, b, c = triangles.T
    both = np.unique(np.concatenate([x * count + y for x, y in ((a, b), (b, c), (c, a), (b, a), (c, b), (a, c))]))
    return np.stack([both // count, both % count])


def evened(points: np.ndarray, edges: np.ndarray, rounds: int) -> np.ndarray:
    """Points [n,3] without their small forms, by Taubin's pairs of steps, which do not shrink."""
    first, second = edges
    degree = np.maximum(np.bincount(first, minlength=len(points)), 1)[:, None]
    points = points.astype(np.float64)
    for turn in range(2 * rounds):
        mean = np.stack([np.bincount(first, points[second, k], len(points)) for k in range(3)], axis=1) / degree
        points = points + (-0.64 if turn % 2 else 0.6) * (mean - points)
    return points
