"""Still poses by name, and the reference poses. Each is a function of a person's measures and a random generator."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .person import Person, person
from .pose import Arm, Leg, Pose, mirrored

CLASSES = (
    "yaw 0",
    "yaw 15",
    "yaw 30",
    "yaw 45",
    "yaw 60",
    "yaw 90",
    "yaw 135",
    "yaw 180",
    "mild",
    "arm across",
    "raised arms",
    "walk",
    "squat",
    "hands on hips",
    "half body",
)


@dataclass(frozen=True)
class Measures:
    """Places on one person's front, from its left shoulder, in arm lengths (outwards, up, forwards)."""

    hip: tuple[float, float, float]  # a hand on the hip
    pocket: tuple[float, float, float]
    chest: tuple[float, float, float]  # before the other breast
    face: tuple[float, float, float]  # before the face
    lap: tuple[float, float, float]  # on the thigh, seated


def measures(of: Person) -> Measures:
    """The measures of a person, from its rest surface."""
    skeleton, y, x, z = of.skeleton, of.points[:, 1], np.abs(of.points[:, 0]), of.points[:, 2]
    shoulder = skeleton.head["upperarm_l"]
    waist, hip = skeleton.head["spine_02"][1], skeleton.head["thigh_l"][1]
    trunk = x < 1.15 * shoulder[0]

    def half(height: float) -> float:
        return float(x[trunk & (np.abs(y - height) < 0.25)].max())

    def front(height: float) -> float:
        return float(z[trunk & (x < 1.0) & (np.abs(y - height) < 0.25)].max())

    chest = shoulder[1] - 1.9
    spots = {
        "hip": (half(waist - 0.5) + 0.55, waist - 0.35, 0.15),
        "pocket": (half(hip + 0.3) + 0.2, hip + 0.95, 0.45),
        "chest": (-0.15, chest, front(chest) + 0.75),
        "face": (0.62, of.face[0][1] - 0.75, of.face[0][2] + 0.95),
        "lap": (1.25, hip + 0.95, 2.9),
    }
    return Measures(**{k: tuple(((np.array(v) - shoulder) / skeleton.arm).tolist()) for k, v in spots.items()})


def pose_of_class(name: str, seed: int) -> Pose:
    """The still pose of class ``name`` for identity ``seed``. Raises KeyError for a name not in ``POSES``.

    The classes "yaw ..." are the frontal reference's pose, turned to either side; "yaw 0" is that pose itself.
    """
    if name.startswith("yaw "):
        return _turned(seed, YAWS[name])
    make = MAKERS[name]
    return make(measures(person(seed)), np.random.default_rng([seed, 6, POSES.index(name)]))


def reference_stance(seed: int) -> Pose:
    """How identity ``seed`` stands in its frontal reference."""
    return standing(np.random.default_rng([seed, 8]), 0.5)


def standing(rng: np.random.Generator, amount: float = 1.0) -> Pose:
    """Upright with the arms down; small differences by the generator."""
    a = rng.uniform(-1, 1, 14) * amount
    right, left = (
        Arm(
            wrist=(0.24 + 0.05 * a[k], -0.92, 0.10 + 0.06 * a[k + 1]),
            elbow=(0.45 + 0.2 * a[k + 2], 0.0, -1.0),
            twist=0.2 * a[k],
            curl=0.3 + 0.15 * a[k + 1],
        )
        for k in (0, 3)
    )
    return Pose(
        sway=(0.03 * a[6], 0.0),
        hips=(0.0, 0.04 * a[7], 0.04 * a[6]),
        trunk=(0.03 + 0.03 * a[8], 0.04 * a[9], -0.05 * a[6]),
        head=(0.06 * a[10], 0.12 * a[11], 0.06 * a[12]),
        right_arm=right,
        left_arm=left,
        right_leg=Leg((0.125 + 0.03 * a[13], 0.0, 0.02 * a[7]), 0.2 + 0.1 * a[8]),
        left_leg=Leg((0.125 + 0.03 * a[9], 0.0, -0.02 * a[7]), 0.2 + 0.1 * a[10]),
    )


def _turned(seed: int, degrees: float) -> Pose:
    side = np.random.default_rng([seed, 6, int(degrees)]).choice((-1, 1))
    return replace(reference_stance(seed), yaw=math.radians(degrees) * float(side))


def _mild(at: Measures, rng: np.random.Generator) -> Pose:
    pose = standing(rng, 1.0)
    bent = Arm((0.30, -0.72, 0.35), (0.6, -0.2, -1.0), 0.2, 0.0, 0.35)
    pose = replace(pose, right_arm=bent, trunk=(0.03, 0.08, 0.06), sway=(0.05, 0.0))
    return mirrored(pose) if rng.random() < 0.5 else pose


def _arm_across(at: Measures, rng: np.random.Generator) -> Pose:
    across = Arm(
        _plus(at.chest, -0.05, -0.08 * rng.random(), 0.0), (0.9, -0.5, -0.2), 0.3, 0.0, 0.25, (-1.0, 0.0, -0.1)
    )
    pose = replace(standing(rng), right_arm=across)
    return mirrored(pose) if rng.random() < 0.5 else pose


def _raised(at: Measures, rng: np.random.Generator) -> Pose:
    arms = [
        Arm((rng.uniform(0.15, 0.6), rng.uniform(0.62, 0.9), 0.08), (1.0, 0.0, -0.2), 0.0, 0.0, 0.15) for _ in range(2)
    ]
    return replace(standing(rng), right_arm=arms[0], left_arm=arms[1])


def _walk(at: Measures, rng: np.random.Generator) -> Pose:
    pose = walking(float(rng.choice((0.0, 0.5))) + float(rng.uniform(-0.06, 0.06)))
    return replace(pose, yaw=float(rng.uniform(-0.5, 0.5)))


def walking(phase: float) -> Pose:
    """One moment of walking on the spot; ``phase`` counts double steps."""
    swing = math.cos(2 * math.pi * phase)

    def leg(shift: float) -> Leg:
        at = (phase + shift) % 1
        if at < 0.55:  # on the ground, from front to back
            ahead = 0.27 - 0.54 * at / 0.55
            return Leg((0.09, 0.0, ahead), 0.12, 0.45 * max(at / 0.55 - 0.65, 0) / 0.35)
        t = (at - 0.55) / 0.45
        eased = t * t * (3 - 2 * t)
        return Leg(
            (0.09, 0.12 * math.sin(math.pi * t), -0.27 + 0.54 * eased),
            0.12,
            0.45 * (1 - t) ** 1.5 - 0.12 * t * (t > 0.7),
        )

    def arm(ahead: float) -> Arm:
        return Arm((0.20, -0.92 + 0.08 * max(ahead, 0), 0.10 + 0.36 * ahead), (0.4, 0.0, -1.0), 0.1, 0.0, 0.4)

    return Pose(
        sway=(0.02 * math.sin(2 * math.pi * phase), 0.0),
        hips=(0.0, 0.08 * swing, 0.0),
        trunk=(0.04, -0.16 * swing, 0.0),
        head=(0.0, 0.08 * swing, 0.0),
        right_arm=arm(-swing),
        left_arm=arm(swing),
        right_leg=leg(0.0),
        left_leg=leg(0.5),
    )


def squatting(down: float, wide: float = 1.0) -> Pose:
    """From standing (0) to thighs level (1), with the arms to the front."""
    arm = Arm((0.16 + 0.06 * (1 - down), -0.92 + 0.82 * down, 0.1 + 0.8 * down), (0.7, -0.5, -0.6), 0.0, 0.0, 0.3)
    leg = Leg((0.125 + 0.09 * wide * down, 0.0, 0.0), 0.2 + 0.35 * wide * down, 0.0, 0.15)
    return Pose(
        drop=0.42 * down,
        sway=(0.0, -0.20 * down),
        hips=(0.50 * down, 0.0, 0.0),
        trunk=(0.12 * down, 0.0, 0.0),
        head=(-0.35 * down, 0.0, 0.0),
        right_arm=arm,
        left_arm=arm,
        right_leg=leg,
        left_leg=leg,
    )


def _squat(at: Measures, rng: np.random.Generator) -> Pose:
    return replace(
        squatting(float(rng.uniform(0.65, 1.0)), float(rng.uniform(0.4, 1))), yaw=float(rng.uniform(-0.4, 0.4))
    )


def hands_on_hips(at: Measures, rng: np.random.Generator) -> Pose:
    """Both hands on the hips, elbows out."""
    arm = Arm(at.hip, (1.0, 0.1, -0.55), 0.0, 0.0, 0.25, (-0.35, -0.55, 0.75))
    return replace(standing(rng), right_arm=arm, left_arm=arm)


def hands_in_pockets(at: Measures, rng: np.random.Generator) -> Pose:
    """Both hands at the pockets; the fingers are behind the cloth as far as it is wide."""
    arm = Arm(at.pocket, (1.0, 0.0, -0.9), 0.4, 0.0, 0.1, (-0.15, -1.0, 0.15))
    return replace(standing(rng), right_arm=arm, left_arm=arm)


def crossed_arms(at: Measures, rng: np.random.Generator) -> Pose:
    """Forearms crossed before the chest."""
    upper = Arm(_plus(at.chest, -0.12, -0.16, 0.16), (0.9, -0.6, 0.1), 0.2, 0.0, 0.3, (-0.8, 0.25, -0.6))
    lower = Arm(_plus(at.chest, -0.10, -0.22, 0.04), (0.9, -0.6, 0.1), 0.2, 0.0, 0.3, (-0.8, 0.1, -0.65))
    return replace(standing(rng), right_arm=upper, left_arm=lower)


def hands_at_face(at: Measures, rng: np.random.Generator) -> Pose:
    """Both hands before the face."""
    arm = Arm(at.face, (0.35, -1.0, 0.1), 0.9, 0.0, 0.12, (-0.25, 1.0, -0.15))
    return replace(standing(rng), right_arm=arm, left_arm=arm, head=(0.1, 0.0, 0.0))


def seated(at: Measures, rng: np.random.Generator) -> Pose:
    """On a stool that is half a leg high, hands on the thighs."""
    arm = Arm(at.lap, (0.8, 0.0, -0.8), 0.2, 0.0, 0.2, (-0.1, -0.1, 1.0))
    leg = Leg((0.13, 0.0, 0.40), 0.2, 0.0, 0.15)
    pose = Pose(drop=0.43, sway=(0.0, -0.05), hips=(0.05, 0.0, 0.0), trunk=(0.05, 0.0, 0.0))
    return replace(pose, right_arm=arm, left_arm=arm, right_leg=leg, left_leg=leg)


def _half_body(at: Measures, rng: np.random.Generator) -> Pose:
    pose = standing(rng)
    near = Arm((0.28, -0.62, 0.45), (0.6, -0.3, -1.0), 0.3, 0.0, 0.3)
    return replace(pose, yaw=float(rng.uniform(-0.35, 0.35)), right_arm=near)


def _plus(place: tuple[float, float, float], *more: float) -> tuple[float, float, float]:
    return tuple(a + b for a, b in zip(place, more))


MAKERS: dict[str, Callable[[Measures, np.random.Generator], Pose]] = {
    "mild": _mild,
    "arm across": _arm_across,
    "raised arms": _raised,
    "walk": _walk,
    "squat": _squat,
    "hands on hips": hands_on_hips,
    "half body": _half_body,
    "hands in pockets": hands_in_pockets,
    "crossed arms": crossed_arms,
    "hands at face": hands_at_face,
    "seated": seated,
    "standing": lambda at, rng: standing(rng),
}
YAWS = {name: float(name.split()[1]) for name in CLASSES if name.startswith("yaw ")}
POSES = (*YAWS, *MAKERS)
