"""The body of an identity: which shape targets, how strongly, from a seed."""

from dataclasses import dataclass

import numpy as np

from .data import BodyData, body_data

LEVELS = ("min", "average", "max")
FACE = (  # pairs of targets that pull against each other
    "nose-scale-horiz",
    "nose-scale-depth",
    "nose-scale-vert",
    "nose-hump",
    "chin-width",
    "chin-prominent",
    "chin-height",
    "mouth-scale-horiz",
    "mouth-upperlip-height",
    "mouth-lowerlip-height",
    "head-fat",
    "head-scale-horiz",
)
EYES = {
    "cheek-bones": ("decr", "incr"),
    "cheek-volume": ("decr", "incr"),
    "eye-scale": ("decr", "incr"),
    "eye-height2": ("decr", "incr"),
    "eye-corner2": ("down", "up"),
    "eye-trans": ("down", "up"),
}
HEADS = ("head-oval", "head-round", "head-square", "head-triangular", "head-invertedtriangular")


@dataclass(frozen=True)
class Shape:
    """A body's numbers; only adults are made."""

    woman: bool
    gender: float  # 0 female, 1 male
    muscle: float  # 0-1
    weight: float  # 0-1
    height: float  # -1 to 1
    age: float  # 0 young, 1 old
    origins: tuple[float, float, float]  # African, Asian, Caucasian shares of the face and frame
    cup: float  # -1 to 1
    ideal: float  # proportions, 0-1
    face: tuple[tuple[str, float], ...]  # targets and their strengths


def shape(seed: int) -> Shape:
    """The body of identity ``seed``."""
    rng = np.random.default_rng([seed, 1])
    woman = bool(rng.random() < 0.5)
    old = float(rng.uniform(0.35, 0.95)) if rng.random() < 0.18 else float(rng.uniform(0, 0.15))
    return Shape(
        woman=woman,
        gender=float(rng.uniform(0.0, 0.12) if woman else rng.uniform(0.86, 1.0)),
        muscle=float(np.clip(rng.normal(0.5 if woman else 0.58, 0.16), 0.1, 0.95)),
        weight=float(np.clip(rng.normal(0.5, 0.2), 0.08, 0.98)),
        height=float(np.clip(rng.normal(0, 0.4), -0.9, 0.9)),
        age=old,
        origins=tuple(rng.dirichlet((0.6, 0.6, 0.6)).tolist()),
        cup=float(rng.uniform(-0.8, 0.8)),
        ideal=float(rng.uniform(0.1, 0.9)),
        face=tuple(_face(rng)),
    )


def _face(rng: np.random.Generator) -> list[tuple[str, float]]:
    chosen = [(HEADS[rng.integers(len(HEADS))], float(rng.uniform(0.1, 0.8)))]
    for name in FACE:
        pull = float(np.clip(rng.normal(0, 0.4), -0.9, 0.9))
        chosen.append((f"{name}-{'incr' if pull > 0 else 'decr'}", abs(pull)))
    for name, ways in EYES.items():
        pull = float(np.clip(rng.normal(0, 0.4), -0.9, 0.9))
        chosen += [(f"{side}-{name}-{ways[pull > 0]}", abs(pull)) for side in "lr"]
    return chosen


def strengths(person: Shape) -> dict[str, float]:
    """How strongly each target pulls."""
    found = dict(person.face)
    middle = "averagemuscle-averageweight"
    for gender, share in (("female", 1 - person.gender), ("male", person.gender)):
        for muscle, a in zip(LEVELS, _blend(person.muscle)):
            for weight, b in zip(LEVELS, _blend(person.weight)):
                found[f"universal-{gender}-young-{muscle}muscle-{weight}weight"] = share * a * b * (1 - person.age)
        found[f"universal-{gender}-old-{middle}"] = share * person.age
        for race, part in zip(("african", "asian", "caucasian"), person.origins):
            found[f"{race}-{gender}-young"] = share * part
        end = "max" if person.height > 0 else "min"
        found[f"{gender}-young-{middle}-{end}height"] = share * abs(person.height)
        found[f"{gender}-young-{middle}-idealproportions"] = share * person.ideal
    cup = "max" if person.cup > 0 else "min"
    found[f"female-young-{middle}-{cup}cup-averagefirmness"] = (1 - person.gender) * abs(person.cup)
    return {name: value for name, value in found.items() if value > 1e-3}


def _blend(value: float) -> tuple[float, float, float]:
    """Shares of min, average and max at ``value`` 0-1."""
    return max(1 - 2 * value, 0.0), 1 - abs(2 * value - 1), max(2 * value - 1, 0.0)


def shaped(person: Shape, data: BodyData | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Points [n,3] and joints [b,2,3] of the base mesh in this shape, decimetres."""
    data = data or body_data()
    points, joints = data.points.copy(), data.joints.copy()
    for name, strength in strengths(person).items():
        rows, moves, bones = data.targets[name]
        points[rows] += strength * moves
        joints += strength * bones
    return points, joints
