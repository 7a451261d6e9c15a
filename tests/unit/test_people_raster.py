"""The rasteriser, against triangles whose answers are known."""

import numpy as np

from demo.people.mesh import SKIN, Piece, cut
from demo.people.raster import rasterise, weights_at

SQUARE = np.array([[2.0, 2.0], [10.0, 2.0], [10.0, 10.0], [2.0, 10.0]])
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def test_a_square_covers_its_area():
    ids, near = rasterise(SQUARE, np.full(4, 0.5), HALVES, 16, 16)
    assert (ids >= 0).sum() == 64
    assert np.allclose(near[ids >= 0], 0.5)
    assert (ids[2:10, 2:10] >= 0).all()


def test_both_windings_are_drawn():
    ids, _ = rasterise(SQUARE, np.full(4, 0.5), HALVES[:, ::-1], 16, 16)
    assert (ids >= 0).sum() == 64


def test_the_nearer_triangle_wins():
    spots = np.concatenate([SQUARE, SQUARE + 4])
    nearness = np.repeat([0.2, 0.3], 4)
    ids, _ = rasterise(spots, nearness, np.concatenate([HALVES, HALVES + 4]), 16, 16)
    assert set(np.unique(ids[6:10, 6:10])) <= {2, 3}
    assert set(np.unique(ids[2:5, 2:5])) <= {0, 1}


def test_what_leaves_the_picture_is_clipped():
    ids, _ = rasterise(SQUARE - 6, np.full(4, 0.5), HALVES, 16, 16)
    assert (ids >= 0).sum() == 16
    ids, _ = rasterise(SQUARE * 100 - 300, np.full(4, 0.5), HALVES, 8, 8)
    assert (ids >= 0).all()
    ids, _ = rasterise(SQUARE + 100, np.full(4, 0.5), HALVES, 8, 8)
    assert (ids < 0).all()


def test_shares_are_those_of_space_not_of_the_screen():
    spots, nearness = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]), np.array([1.0, 0.5, 1.0])
    shares = weights_at(spots, nearness, np.array([[0, 1, 2]]), np.array([[5.0, 0.0]]))
    assert np.allclose(shares, [[2 / 3, 1 / 3, 0]])


def test_a_cut_is_straight_and_keeps_the_area():
    y, x = np.mgrid[:5, :5].astype(float)
    points = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)
    first = (np.arange(4)[:, None] * 5 + np.arange(4)).ravel()
    triangles = np.concatenate([np.stack([first, first + 1, first + 6], 1), np.stack([first, first + 6, first + 5], 1)])
    piece = Piece(points, points, np.ones((25, 1)), points[:, :2], triangles, SKIN)
    part = cut(piece, 2.3 - points[:, 1])
    a, b, c = (part.points[part.triangles[:, k]] for k in range(3))
    assert np.isclose(np.abs(np.cross(b - a, c - a)[:, 2]).sum() / 2, 4 * 2.3)
    assert np.isclose(part.points[:, 1].max(), 2.3)
