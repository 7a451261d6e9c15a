"""The body of a drawn character: its proportions from a seed, and where a pose puts the 18 joints.

Joints are OpenPose-18: 0 nose, 1 neck, 2-4 right shoulder, elbow, wrist, 5-7 left, 8-10 right hip,
knee, ankle, 11-13 left, 14/15 right/left eye, 16/17 right/left ear. The character looks at the
viewer, so its right side has the smaller x. Turned by a yaw it looks towards larger x where that is
positive, so that its left side is the far one.
"""

import math
from dataclasses import dataclass, field

import numpy as np

RIGHT, LEFT = -1.0, 1.0
FAR_EAR_HIDDEN = math.radians(40)  # yaw from which the far ear is out of sight
EYE = math.asin(0.40)  # where on the round of the head an eye is, radians from the front


@dataclass(frozen=True)
class Body:
    """Lengths and half widths as fractions of the standing height, and thickness of the limbs."""

    youth: float  # 0 an adult, 1 a small child
    head: float  # half height of the head
    head_wide: float  # half width of the head
    neck: float  # neck joint to chin
    torso: float  # neck joint to the line of the hips
    shoulder: float
    hip: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float
    sole: float  # ankle joint to the ground
    arm_thick: float
    leg_thick: float


def body(seed: int) -> Body:
    """Proportions of character ``seed``, from child to adult; the parts of the height add up to 1."""
    rng = np.random.default_rng([seed, 1])
    child, build, broad = rng.random(), rng.random(), rng.random()

    def mix(adult: float, young: float) -> float:
        return (adult + child**1.5 * (young - adult)) * rng.uniform(0.97, 1.03)

    head, neck, torso = mix(0.086, 0.122), mix(0.042, 0.03), mix(0.295, 0.285)
    thigh, shin, sole = mix(0.235, 0.18), mix(0.225, 0.17), mix(0.045, 0.045)
    whole = 2 * head + neck + torso + thigh + shin + sole
    head, neck, torso, thigh, shin, sole = (v / whole for v in (head, neck, torso, thigh, shin, sole))
    return Body(
        youth=child,
        head=head,
        head_wide=head * rng.uniform(0.82, 0.95),
        neck=neck,
        torso=torso,
        shoulder=mix(0.108, 0.098) * (0.92 + 0.16 * broad),
        hip=mix(0.062, 0.056) * (0.94 + 0.14 * build),
        upper_arm=mix(0.165, 0.13),
        forearm=mix(0.15, 0.118),
        thigh=thigh,
        shin=shin,
        sole=sole,
        arm_thick=mix(0.0265, 0.028) * (0.9 + 0.3 * build),
        leg_thick=mix(0.040, 0.042) * (0.9 + 0.3 * build),
    )


@dataclass(frozen=True)
class Posture:
    """One pose: arm angles in radians from straight down, outwards positive; lengths as body fractions.

    ``ankles`` are (x, lift) from the middle of the stance and the ground, right then left, before the yaw.
    """

    lean: float = 0.0  # of the torso, towards the left side positive
    tilt: float = 0.0  # of the head against the torso
    yaw: float = 0.0  # of the whole person about its vertical axis, radians
    sway: float = 0.0  # of the hips, towards the left side
    crouch: float = 0.0  # how much lower the hips are than the legs allow
    knees: float = 0.35  # share of a knee's bend that goes outwards; the rest goes forwards
    upper_arms: tuple[float, float] = (0.33, 0.33)
    forearms: tuple[float, float] = (0.24, 0.24)
    forwards: tuple[float, float] = (0.0, 0.0)  # how far each arm is raised towards the front, radians
    ankles: tuple[tuple[float, float], tuple[float, float]] = field(default=((-0.088, 0.0), (0.088, 0.0)))


def joints_of(shape: Body, posture: Posture) -> np.ndarray:
    """Joints [18,3] x, y, confidence in units of the standing height: origin on the ground, y up is negative."""
    spots = np.zeros((18, 2))
    narrow = math.cos(posture.yaw)
    feet = _feet(posture)
    hips = _hips(shape, posture, feet)
    up = np.array([np.sin(posture.lean), -np.cos(posture.lean)])
    side = narrow * np.array([np.cos(posture.lean), np.sin(posture.lean)])
    spots[1] = hips + shape.torso * up
    for sign, arm, leg, k in ((RIGHT, 2, 8, 0), (LEFT, 5, 11, 1)):
        spots[arm] = spots[1] + sign * shape.shoulder * side - 0.012 * up
        spots[arm + 1] = spots[arm] + shape.upper_arm * _reach(sign, posture.upper_arms[k], k, posture)
        spots[arm + 2] = spots[arm + 1] + shape.forearm * _reach(sign, posture.forearms[k], k, posture)
        spots[leg] = hips + sign * shape.hip * side
        spots[leg + 2] = (feet[k][0], -shape.sole - feet[k][1])
        spots[leg + 1] = _knee(shape, spots[leg], spots[leg + 2], sign, posture)
    turned = _turned(posture.lean + posture.tilt)
    spots[[0, 14, 15, 16, 17]] = spots[1] + face_offsets(shape, posture.yaw) @ turned
    seen = np.ones((18, 1))
    if abs(posture.yaw) > FAR_EAR_HIDDEN:
        seen[17 if posture.yaw > 0 else 16] = 0
    return np.concatenate([spots, seen], axis=1)


def face_offsets(shape: Body, yaw: float | np.ndarray = 0.0) -> np.ndarray:
    """Nose, right and left eye, right and left ear from the neck joint, upright, [...,5,2] body fractions.

    They lie on the round of the head, so a yaw (radians, any shape [...]) slides them sideways.
    """
    yaw = np.asarray(yaw, dtype=np.float64)
    centre = -(shape.neck + shape.head)
    eye_y, ear_y = centre + 0.02 * shape.head, centre + 0.12 * shape.head
    ear = 0.98 * np.cos(yaw)
    across = np.stack([np.sin(yaw), np.sin(yaw - EYE), np.sin(yaw + EYE), -ear, ear], axis=-1)
    down = np.broadcast_to((centre + 0.30 * shape.head, eye_y, eye_y, ear_y, ear_y), across.shape)
    return np.stack([shape.head_wide * across, down], axis=-1)


def _feet(posture: Posture) -> list[tuple[float, float]]:
    """Each ankle's x and lift, after the yaw."""
    middle = (posture.ankles[0][0] + posture.ankles[1][0]) / 2
    return [(middle + (x - middle) * math.cos(posture.yaw), lift) for x, lift in posture.ankles]


def _hips(shape: Body, posture: Posture, feet: list[tuple[float, float]]) -> np.ndarray:
    """Middle of the hips [2]: between the feet, as high as the planted legs reach less the crouch."""
    x = (feet[0][0] + feet[1][0]) / 2 + posture.sway
    reach = 0.995 * (shape.thigh + shape.shin)
    height = reach
    for sign, (foot, lift) in zip((RIGHT, LEFT), feet):
        across = foot - x - sign * shape.hip * math.cos(posture.yaw)
        height = min(height, lift + math.sqrt(max(reach**2 - across**2, 0.0)))
    return np.array([x, -shape.sole - height + posture.crouch])


def _knee(shape: Body, hip: np.ndarray, ankle: np.ndarray, sign: float, posture: Posture) -> np.ndarray:
    """Knee [2] of a leg: seen from the front a bent one mostly points at the viewer, hence looks shorter."""
    line = ankle - hip
    length = np.hypot(*line)
    share = shape.thigh / (shape.thigh + shape.shin)
    bend = np.sqrt(max((shape.thigh + shape.shin) ** 2 - length**2, 0.0)) * share * (1 - share)
    across = np.array([line[1], -line[0]]) / max(length, 1e-6)
    forwards = math.sqrt(1 - posture.knees**2)
    seen = posture.knees * sign * math.cos(posture.yaw) + forwards * math.sin(posture.yaw)
    return hip + share * line + seen * bend * across


def _reach(sign: float, angle: float, arm: int, posture: Posture) -> np.ndarray:
    """Vector [2], at most 1 long, of an arm at ``angle`` outwards on side ``sign``, as the viewer sees it."""
    flat, front = math.cos(posture.forwards[arm]), math.sin(posture.forwards[arm])
    out = sign * math.sin(angle) * flat
    return np.array([out * math.cos(posture.yaw) + front * math.sin(posture.yaw), math.cos(angle) * flat])


def _turned(angle: float) -> np.ndarray:
    """Matrix [2,2] that turns row vectors clockwise on the screen by ``angle``."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])
