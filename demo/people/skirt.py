"""Skirts that hang from the hips and go round the legs: no thigh shows through in a wide step."""

import numpy as np

from .mesh import evened
from .person import Person

LIMBS = (  # bones from a joint to the next, and how thick the leg is at both, decimetres
    ("thigh_r", "calf_r", 0.95, 0.72),
    ("thigh_l", "calf_l", 0.95, 0.72),
    ("calf_r", "foot_r", 0.72, 0.5),
    ("calf_l", "foot_l", 0.72, 0.5),
)


def hung(person: Person, points: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Points [n,3] with the skirt's vertices evened out over both legs and out of them; bones [b,3,4]."""
    if not len(person.skirt):
        return points
    cloth = points[person.skirt].astype(np.float64)
    for rounds in (40, 4):
        cloth = _pushed_out(person, _evened(person, cloth, rounds), bones)
    points = points.copy()
    points[person.skirt] = cloth
    return points


def _evened(person: Person, cloth: np.ndarray, rounds: int) -> np.ndarray:
    """The waist keeps its place."""
    share = np.clip((1.75 - person.rest[person.skirt, 1]) / 0.8, 0, 1)[:, None]
    return cloth + share * (evened(cloth, person.skirt_edges, rounds) - cloth)


def _pushed_out(person: Person, cloth: np.ndarray, bones: np.ndarray) -> np.ndarray:
    for upper, lower, thick, thin in LIMBS:
        a, b = (_head(person, bones, name) for name in (upper, lower))
        line = b - a
        along = np.clip(((cloth - a) @ line) / (line @ line), 0.12, 1.0)
        away = cloth - (a + along[:, None] * line)
        far = np.linalg.norm(away, axis=1)
        room = (thick + along * (thin - thick)) * (0.92 + 0.5 * (person.shape.weight - 0.3))
        cloth = cloth + np.maximum(room / np.maximum(far, 1e-3) - 1, 0)[:, None] * away
    return cloth


def _head(person: Person, bones: np.ndarray, name: str) -> np.ndarray:
    matrix = bones[person.skeleton.bones.index(name)].astype(np.float64)
    return matrix[:, :3] @ person.skeleton.head[name] + matrix[:, 3]
