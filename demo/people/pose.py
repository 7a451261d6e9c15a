"""A pose in a person's own terms, and the bones that take it."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from .geometry import LEFT, RIGHT, about, frame, reach, turn, unit
from .skeleton import Skeleton

SPINE = ("spine_01", "spine_02", "spine_03")
WRIST_BEND = 1.2  # radians
FINGERS = ("index", "middle", "ring", "pinky")


@dataclass(frozen=True)
class Arm:
    """Where a wrist is from its shoulder in the trunk's frame, in arm lengths: (outwards, up, forwards)."""

    wrist: tuple[float, float, float] = (0.22, -0.93, 0.10)
    elbow: tuple[float, float, float] = (0.35, -0.2, -1.0)  # the side to which the elbow points
    twist: float = 0.0  # of the hand about the forearm, radians, thumb outwards positive
    bend: float = 0.0  # of the hand towards the palm
    curl: float = 0.3  # of the fingers
    aim: tuple[float, float, float] = (0.0, 0.0, 0.0)  # where the hand points (outwards, up, forwards); 0: on


@dataclass(frozen=True)
class Leg:
    """Where an ankle is: (outwards, lift, forwards) from below the hips, in leg lengths."""

    ankle: tuple[float, float, float] = (0.13, 0.0, 0.0)
    out: float = 0.15  # toes outwards, radians
    point: float = 0.0  # toes down
    knee: float = 0.15  # outwards per forwards


@dataclass(frozen=True)
class Pose:
    """All of a pose. Angles in radians; yaw turns the person to its left, so that it looks towards larger x."""

    yaw: float = 0.0
    drop: float = 0.005  # of the hips, in leg lengths
    sway: tuple[float, float] = (0.0, 0.0)  # of the hips to the left and forwards, in leg lengths
    hips: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of the pelvis: forwards, twist to the left, tilt to the left
    trunk: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of the trunk against the pelvis, likewise
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of the head against the trunk, likewise
    shrug: tuple[float, float] = (0.0, 0.0)  # of the right and left shoulder upwards
    right_arm: Arm = field(default=Arm())
    left_arm: Arm = field(default=Arm())
    right_leg: Leg = field(default=Leg())
    left_leg: Leg = field(default=Leg())


def mixed(first, second, share: float):
    """What lies between two poses (or arms, legs), number by number; ``share`` 0 is the first."""
    values = {}
    for entry in fields(first):
        a, b = getattr(first, entry.name), getattr(second, entry.name)
        if isinstance(a, tuple):
            values[entry.name] = tuple(x + share * (y - x) for x, y in zip(a, b))
        else:
            values[entry.name] = mixed(a, b, share) if isinstance(a, (Arm, Leg)) else a + share * (b - a)
    return replace(first, **values)


def mirrored(pose: Pose) -> Pose:
    """The pose with left and right exchanged."""

    def flip(angles: tuple[float, float, float]) -> tuple[float, float, float]:
        return angles[0], -angles[1], -angles[2]

    return replace(
        pose,
        yaw=-pose.yaw,
        sway=(-pose.sway[0], pose.sway[1]),
        hips=flip(pose.hips),
        trunk=flip(pose.trunk),
        head=flip(pose.head),
        shrug=pose.shrug[::-1],
        right_arm=pose.left_arm,
        left_arm=pose.right_arm,
        right_leg=pose.left_leg,
        left_leg=pose.right_leg,
    )


def _angles(angles: tuple[float, float, float]) -> np.ndarray:
    """Forwards, to the left, tilted to the left."""
    return turn("y", angles[1]) @ turn("z", -angles[2]) @ turn("x", angles[0])


class _Posing:
    """The bones of one skeleton while they are being turned, parents first."""

    def __init__(self, skeleton: Skeleton):
        self.skeleton = skeleton
        self.turns = {}
        self.spots = {}

    def put(self, bone: str, rotation: np.ndarray, at: np.ndarray | None = None) -> None:
        """Give a bone its rotation in the world; its head hangs from its parent unless ``at`` says where it is."""
        self.turns[bone] = rotation
        self.spots[bone] = self.hanging(bone) if at is None else at

    def hanging(self, bone: str) -> np.ndarray:
        """Where the parent carries the bone's head."""
        parent = self.skeleton.parent[bone]
        away = self.skeleton.head[bone] - self.skeleton.head[parent]
        return self.spots[parent] + self.turns[parent] @ away

    def transforms(self) -> np.ndarray:
        """Matrices [b,3,4] from rest to pose."""
        rows = []
        for bone in self.skeleton.bones:
            if bone not in self.turns:
                self.put(bone, self.turns[self.skeleton.parent[bone]])
            rotation = self.turns[bone]
            moved = self.spots[bone] - rotation @ self.skeleton.head[bone]
            rows.append(np.concatenate([rotation, moved[:, None]], axis=1))
        return np.stack(rows).astype(np.float32)


def bone_transforms(skeleton: Skeleton, pose: Pose) -> np.ndarray:
    """Matrices [b,3,4] that carry the rest skeleton into the pose, standing on the floor y = 0 near the origin."""
    posing = _Posing(skeleton)
    facing = turn("y", pose.yaw)
    ankles = [_ankle(skeleton, facing, leg, side) for leg, side in ((pose.right_leg, RIGHT), (pose.left_leg, LEFT))]
    pelvis = facing @ _angles(pose.hips)
    posing.put("pelvis", pelvis, _pelvis(skeleton, pose, facing, pelvis, ankles))
    _trunk(posing, pose, pelvis)
    for leg, side, ankle in ((pose.right_leg, RIGHT, ankles[0]), (pose.left_leg, LEFT, ankles[1])):
        _leg(posing, leg, side, ankle, facing)
    for arm, side, shrug in ((pose.right_arm, RIGHT, pose.shrug[0]), (pose.left_arm, LEFT, pose.shrug[1])):
        _arm(posing, arm, side, shrug)
    return posing.transforms()


def _ankle(skeleton: Skeleton, facing: np.ndarray, leg: Leg, side: float) -> np.ndarray:
    out, lift, ahead = (skeleton.leg * value for value in leg.ankle)
    lift += skeleton.ball * max(np.sin(leg.point), 0.0)  # on tiptoe the ankle is higher
    return facing @ np.array([side * out, skeleton.sole + lift, ahead])


def _pelvis(skeleton: Skeleton, pose: Pose, facing: np.ndarray, pelvis: np.ndarray, ankles: list) -> np.ndarray:
    """Where the pelvis is: as high as both legs reach, less the drop."""
    at = facing @ np.array([pose.sway[0] * skeleton.leg, 0.0, pose.sway[1] * skeleton.leg])
    tops = []
    for bone, ankle in zip(("thigh_r", "thigh_l"), ankles):
        hip = pelvis @ (skeleton.head[bone] - skeleton.head["pelvis"])
        across = ((at + hip - ankle)[[0, 2]] ** 2).sum()
        tops.append(ankle[1] + np.sqrt(max((0.996 * skeleton.leg) ** 2 - across, 0.0)) - hip[1])
    at[1] = min(tops) - pose.drop * skeleton.leg
    return at


def _trunk(posing: _Posing, pose: Pose, pelvis: np.ndarray) -> None:
    share = _angles(tuple(angle / 3 for angle in pose.trunk))
    rotation = pelvis
    for bone in SPINE:
        rotation = rotation @ share
        posing.put(bone, rotation)
    for bone, part in (("neck_01", 0.4), ("head", 0.6)):
        rotation = rotation @ _angles(tuple(part * angle for angle in pose.head))
        posing.put(bone, rotation)


def _leg(posing: _Posing, leg: Leg, side: float, ankle: np.ndarray, facing: np.ndarray) -> None:
    skeleton, end = posing.skeleton, "_r" if side < 0 else "_l"
    thigh, calf, foot = (name + end for name in ("thigh", "calf", "foot"))
    hip = posing.hanging(thigh)
    pole = facing @ np.array([side * (leg.knee + np.sin(leg.out)), 0.0, 1.0])
    knee, found, hinge = reach(hip, ankle, skeleton.lengths[thigh], pole)
    at_rest = np.cross(skeleton.head[foot] - skeleton.head[thigh], (0.0, 0.0, 1.0))
    for bone, lower, a, b in ((thigh, calf, hip, knee), (calf, foot, knee, found)):
        rest = frame(skeleton.head[lower] - skeleton.head[bone], at_rest)
        posing.put(bone, frame(b - a, hinge) @ rest.T, a)
    flat = facing @ turn("y", side * leg.out) @ turn("x", leg.point) @ turn("y", -side * skeleton.toes_out)
    posing.put(foot, flat, found)
    posing.put("ball" + end, flat @ turn("x", -min(max(leg.point, 0.0), 0.6)))


def _arm(posing: _Posing, arm: Arm, side: float, shrug: float) -> None:
    skeleton, end = posing.skeleton, "_r" if side < 0 else "_l"
    upper, lower, hand = (name + end for name in ("upperarm", "lowerarm", "hand"))
    trunk = posing.turns["spine_03"]
    raised = max(arm.wrist[1] + 0.1, 0.0) * 0.45  # shoulders go up with raised arms
    posing.put("clavicle" + end, trunk @ turn("z", side * (shrug + raised)))
    shoulder = posing.hanging(upper)
    flip = np.array([side, 1.0, 1.0])
    target = shoulder + trunk @ (skeleton.arm * flip * arm.wrist)
    elbow, wrist, hinge = reach(shoulder, target, skeleton.lengths[upper], trunk @ (flip * arm.elbow))
    for bone, child, a, b in ((upper, lower, shoulder, elbow), (lower, hand, elbow, wrist)):
        rest = frame(skeleton.head[child] - skeleton.head[bone], skeleton.elbow_hinge[end])
        turned = frame(b - a, hinge) @ rest.T
        if bone == lower:
            turned = about(unit(b - a), 0.5 * side * arm.twist) @ turned
        posing.put(bone, turned, a)
    ahead = unit(wrist - elbow)
    palm = _pointed(ahead, trunk @ (flip * arm.aim)) @ about(ahead, 0.5 * side * arm.twist) @ posing.turns[lower]
    posing.put(hand, palm @ about(skeleton.knuckles[end], arm.bend), wrist)
    _curl(posing, end, arm.curl)


def _pointed(ahead: np.ndarray, aim: np.ndarray) -> np.ndarray:
    """The smallest turn from ``ahead`` towards ``aim``, as far as a wrist bends; ``aim``'s length is its share."""
    share = min(float(np.linalg.norm(aim)), 1.0)
    axis = np.cross(ahead, unit(aim))
    sine = float(np.linalg.norm(axis))
    if share < 1e-3 or sine < 1e-3:
        return np.eye(3)
    return about(axis / sine, share * min(float(np.arctan2(sine, ahead @ unit(aim))), WRIST_BEND))


def _curl(posing: _Posing, end: str, curl: float) -> None:
    axis = posing.skeleton.knuckles[end]
    for finger in FINGERS:
        rotation = posing.turns["hand" + end]
        for joint in ("_01", "_02", "_03"):
            rotation = rotation @ about(axis, curl)
            posing.put(finger + joint + end, rotation)
    rotation = posing.turns["hand" + end]
    for joint in ("_01", "_02", "_03"):
        rotation = rotation @ about(axis, 0.25 * curl)
        posing.put("thumb" + joint + end, rotation)
