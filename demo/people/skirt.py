"""Skirts that go round the legs: no thigh shows through in a wide step."""

import numpy as np

from .person import Person

_LIMBS = (("thigh_r", "calf_r", 0.95, 0.72), ("thigh_l", "calf_l", 0.95, 0.72), ("calf_r", "foot_r", 0.72, 0.5), ("calf_l", "foot_l", 0.72, 0.5))


def pushed_out(person: Person, points: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Points [n,3] with a skirt's vertices moved out of the legs; bones [b,3,4]."""
    if not len(person.skirt):
        return points
    points = points.copy()
    cloth = points[person.skirt].astype(np.float64)
    for upper, lower, thick, thin in _LIMBS:
        a, b = (_head(person, bones, name) for name in (upper, lower))
        line = b - a
        along = np.clip(((cloth - a) @ line) / (line @ line), 0.12, 1.0)
        away = cloth - (a + along[:, None] * line)
        far = np.linalg.norm(away, axis=1)
        room = (thick + along * (thin - thick)) * (0.92 + 0.5 * (person.shape.weight - 0.3))
        cloth += np.maximum(room / np.maximum(far, 1e-3) - 1, 0)[:, None] * away
    points[person.skirt] = cloth
    return points


def _head(person: Person, bones: np.ndarray, name: str) -> np.ndarray:
    matrix = bones[person.skeleton.bones.index(name)].astype(np.float64)
    return matrix[:, :3] @ person.skeleton.head[name] + matrix[:, 3]
