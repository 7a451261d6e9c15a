"""Rooms: a floor and three walls with texture, from a seed, and what a camera sees of them without anybody in."""

from dataclasses import dataclass

import numpy as np

from .camera import Camera
from .light import light, lit
from .looks import Colour, choice
from .raster import rasterise
from .scene import Box, Room
from .surfaces import FLOORS, WALLS, floor_colours, wall_colours

WALL_TINTS = {
    "white": ((0.86, 0.85, 0.82), (0.82, 0.80, 0.76)),
    "grey": ((0.62, 0.63, 0.64), (0.72, 0.72, 0.73), (0.5, 0.52, 0.54)),
    "beige": ((0.78, 0.71, 0.60), (0.70, 0.62, 0.52)),
    "blue": ((0.52, 0.62, 0.71), (0.40, 0.50, 0.62)),
    "green": ((0.56, 0.64, 0.54), (0.42, 0.52, 0.45)),
    "yellow": ((0.82, 0.75, 0.54),),
    "pink": ((0.80, 0.66, 0.64),),
    "brown": ((0.52, 0.42, 0.34), (0.44, 0.34, 0.28)),
    "teal": ((0.42, 0.58, 0.58),),
}
FLOOR_TINTS = {
    "brown": ((0.55, 0.40, 0.27), (0.44, 0.32, 0.23), (0.63, 0.49, 0.35)),
    "grey": ((0.56, 0.56, 0.56), (0.42, 0.43, 0.45)),
    "beige": ((0.74, 0.68, 0.58),),
    "white": ((0.80, 0.79, 0.77),),
    "red": ((0.52, 0.32, 0.28),),
}


WOODS = ((0.50, 0.37, 0.25), (0.36, 0.25, 0.18), (0.72, 0.70, 0.66), (0.62, 0.50, 0.36), (0.30, 0.36, 0.42))


@dataclass(frozen=True)
class Plate:
    """A room as a camera sees it. Pixels [H,W]."""

    lit: np.ndarray  # [H,W,3] with full light
    dark: np.ndarray  # [H,W,3] in shadow
    places: np.ndarray  # [H,W,3] in the world
    nearness: np.ndarray  # [H,W]


def room(seed: int) -> Room:
    """The room of ``seed``."""
    rng = np.random.default_rng([seed, 4])
    wall_name, wall = _tints(rng, WALL_TINTS)
    floor_name, floor = _tints(rng, FLOOR_TINTS)
    things = [thing for thing, odds in (("window", 0.4), ("shelf", 0.35), ("picture", 0.5)) if rng.random() < odds]
    back = float(rng.uniform(7, 22))
    return Room(
        seed=seed,
        back=back,
        side=float(rng.uniform(17, 34)),
        wall=choice(rng, WALLS),
        wall_name=wall_name,
        wall_tints=wall,
        floor=choice(rng, FLOORS),
        floor_name=floor_name,
        floor_tints=floor,
        things=tuple(things),
        light=light(seed),
        boxes=_furniture(back, np.random.default_rng([seed, 10])),
    )


def _furniture(back: float, rng: np.random.Generator) -> tuple[Box, ...]:
    """Up to two chests against the back wall, to one side each."""
    chests = []
    for side in (-1, 1):
        if rng.random() < 0.35:
            size = tuple(rng.uniform((5, 5, 3), (10, 9, 4.5)).tolist())
            middle = side * float(rng.uniform(6, 13))
            rgb = np.array(WOODS[rng.integers(len(WOODS))]) * rng.uniform(0.85, 1.1)
            chests.append(Box((middle, 0.0, 0.5 * size[2] - back), size, 0.0, tuple(rgb.tolist())))
    return tuple(chests)


def _tints(rng: np.random.Generator, table: dict[str, tuple[Colour, ...]]) -> tuple[str, tuple[Colour, Colour]]:
    """A name and two colours: one of the table, moved a little, and a darker, lighter or other second."""
    name = choice(rng, table)
    first = np.array(table[name][rng.integers(len(table[name]))]) + rng.uniform(-0.04, 0.04, 3)
    other = table[choice(rng, table)][0]
    second = np.array(other) if rng.random() < 0.4 else first * rng.choice((0.72, 0.85, 1.12))
    return name, tuple(tuple(np.clip(c, 0.05, 0.92).tolist()) for c in (first, second))


def plate(place: Room, camera: Camera, height: int, width: int, samples: int = 2) -> Plate:
    """The room seen by ``camera``, ``samples`` x ``samples`` looks for each pixel."""
    high, wide = height * samples, width * samples
    y, x = np.mgrid[:high, :wide]
    looks_at = np.stack([x.ravel() + 0.5, y.ravel() + 0.5], axis=1) / samples
    rays = camera.rays(looks_at, height, width).astype(np.float32)
    start = np.array(camera.position, dtype=np.float32)
    ahead, albedo, normals = _planes(place, start, rays)
    if place.boxes:
        _furnish(place, camera, (height, width, samples), rays, ahead, albedo, normals)
    points = start + ahead[:, None] * rays
    near = _near_corner(place, points)[:, None]
    bright, dark = (near * lit(albedo, normals, np.float32(shade), place.light) for shade in (0.0, 1.0))

    def small(array: np.ndarray) -> np.ndarray:
        """Pixels from looks."""
        blocks = array.reshape(height, samples, width, samples, -1).astype(np.float32)
        parts = [blocks[:, a, :, b] for a in range(samples) for b in range(samples)]
        return sum(parts) / len(parts)

    nearest = small(1 / ahead)[..., 0]
    return Plate(np.clip(small(bright), 0, 1), np.clip(small(dark), 0, 1), small(points), nearest)


def _planes(place: Room, start: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, colour and normal of the floor or wall that each ray meets first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(rays[:, 1] < 0, -start[1] / rays[:, 1], np.inf)
        back = np.where(rays[:, 2] < 0, (-place.back - start[2]) / rays[:, 2], np.inf)
        side = (np.sign(rays[:, 0]) * place.side - start[0]) / rays[:, 0]
    side = np.where(side > 0, side, np.inf)
    ahead = np.minimum(np.minimum(floor, back), side)
    which = np.where(ahead == floor, 0, np.where(ahead == back, 1, 2))
    points = start + ahead[:, None] * rays
    albedo = np.empty((len(rays), 3), dtype=np.float32)
    normals = np.zeros((len(rays), 3), dtype=np.float32)
    for kind, rows in enumerate(np.flatnonzero(which == k) for k in range(3)):
        spots = points[rows]
        if kind == 0:
            albedo[rows] = floor_colours(place, spots[:, 0], spots[:, 2])
            normals[rows, 1] = 1
        elif kind == 1:
            albedo[rows] = wall_colours(place, spots[:, 0], spots[:, 1], place.things)
            normals[rows, 2] = 1
        else:
            albedo[rows] = wall_colours(place, spots[:, 2] + 3.1, spots[:, 1], ())
            normals[rows, 0] = -np.sign(spots[:, 0])
    return ahead, albedo, normals


def _near_corner(place: Room, points: np.ndarray) -> np.ndarray:
    """A little darker [m] where floor and walls meet."""
    low, back, side = points[:, 1], points[:, 2] + place.back, place.side - np.abs(points[:, 0])
    second = np.maximum(np.minimum(low, back), np.minimum(np.maximum(low, back), side))  # the middle one of three
    return 1 - 0.22 * np.exp(-second / 1.5)


def _furnish(
    place: Room,
    camera: Camera,
    size: tuple[int, int, int],
    rays: np.ndarray,
    ahead: np.ndarray,
    albedo: np.ndarray,
    normals: np.ndarray,
) -> None:
    """Draw the boxes over the planes, in place."""
    height, width, samples = size
    points, triangles, colours = box_triangles(place.boxes)
    spots, near = camera.project(points, height, width)
    ids, nearness = rasterise(spots * samples, near, triangles, height * samples, width * samples)
    rows = np.flatnonzero((ids.ravel() >= 0) & (nearness.ravel() * ahead > 1))
    hit = ids.ravel()[rows]
    corners = points[triangles[hit]]
    up = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    ahead[rows], albedo[rows] = 1 / nearness.ravel()[rows], colours[hit]
    normals[rows] = up / np.linalg.norm(up, axis=1, keepdims=True)
    heights = camera.position[1] + ahead[rows] * rays[rows, 1]
    albedo[rows[(heights % 2.4 < 0.16) & (normals[rows, 1] < 0.5)]] *= 0.6  # gaps between drawers


def box_triangles(boxes: tuple[Box, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points [8k,3], triangles [12k,3] facing outwards and their colours [12k,3]."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (0, 1) for z in (-0.5, 0.5)])
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    halves = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    points, triangles = [], []
    for k, box in enumerate(boxes):
        c, s = np.cos(box.yaw), np.sin(box.yaw)
        turned = (corners * box.size) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
        points.append(turned + box.place)
        triangles.append(halves + 8 * k)
    colours = np.repeat([box.rgb for box in boxes], 12, axis=0).astype(np.float32)
    return np.concatenate(points), np.concatenate(triangles), colours
