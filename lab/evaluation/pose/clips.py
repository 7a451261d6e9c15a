"""Driving clips with known truth: a drawn body's motion, seen by another camera, damaged in one way at a time.

Axes: F frames, 18 joints as x, y, confidence in pixels. The truth is on the reference's canvas.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from freeanimate_pack.demo.drawn.body import Body, body, face_offsets
from freeanimate_pack.demo.drawn.motion import MOTIONS, motion, rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.pose.skeleton import PARENTS, with_middles

HEIGHT, WIDTH, FRAMES = 256, 192, 24
NAMES = list(MOTIONS)
ABOVE_SHOULDERS = (0, 1, 2, 5, 14, 15, 16, 17)
LOWER_LEGS = (9, 10, 12, 13)
SHORTENED = 0.4  # what is left of limbs that point at the viewer


@dataclass(frozen=True)
class DrivingClip:
    """One case: what Align Pose gets, and what should come out."""

    kind: str
    name: str
    driving: PoseSequence
    reference: PoseSequence
    truth: np.ndarray  # [F,18,3]
    ratios: dict[str, float]  # true length of each bone, reference over driving

    @property
    def alike(self) -> bool:
        """Whether one scale fits all bones."""
        return len(set(self.ratios.values())) == 1


def all_clips() -> list[DrivingClip]:
    """Every clip, the kinds in the order of the table."""
    makers = (_same, _scaled, _moved, _other_aspect, _jumps, _bobs, _foreshortened, _missing, _gaps, _half_body)
    return [clip for maker in (*makers, _proportions) for clip in maker()]


def _same() -> Iterator[DrivingClip]:
    for seed, name in enumerate(NAMES):
        yield _clip("same body", name, seed, name)


def _scaled() -> Iterator[DrivingClip]:
    for seed, scale in enumerate((0.5, 0.7, 1.4, 2.0)):
        clip = _clip("scale", f"driving body x {1 / scale:.2f}", seed, NAMES[seed])
        yield _seen_by(clip, 1 / scale, (0, 0), round(HEIGHT / scale), round(WIDTH / scale))


def _moved() -> Iterator[DrivingClip]:
    for seed, offset in enumerate(((40, 0), (-30, 25), (0, -40))):
        yield _seen_by(_clip("offset", f"by {offset} px", seed, NAMES[seed + 3]), 1.0, offset, HEIGHT, WIDTH)


def _other_aspect() -> Iterator[DrivingClip]:
    for seed, (height, width) in enumerate(((216, 384), (400, 225), (300, 300))):
        clip = _clip("aspect", f"driving {width} x {height}", seed, NAMES[seed])
        yield _seen_by(clip, height / HEIGHT, ((width - WIDTH * height / HEIGHT) / 2, 0), height, width)


def _jumps() -> Iterator[DrivingClip]:
    beat = np.abs(np.sin(np.linspace(0, 2 * np.pi, FRAMES)))
    for seed, height in enumerate((0.03, 0.1, 0.2)):
        for name in ("wave", "dance"):
            yield _raised(_clip("jump", f"{name}, {height} H", seed, name), height * beat)


def _bobs() -> Iterator[DrivingClip]:
    beat = 0.5 - 0.5 * np.cos(np.linspace(0, 4 * np.pi, FRAMES))
    for seed, height in enumerate((0.03, 0.1, 0.2)):
        for name in ("wave", "turn"):
            clip = _raised(_clip("bob", f"{name}, {height} H", seed, name), height * beat)
            yield _without(clip, [joint for joint in range(18) if joint not in ABOVE_SHOULDERS])


def _foreshortened() -> Iterator[DrivingClip]:
    for seed, name in enumerate(NAMES):
        clip = _clip("foreshortened first frame", name, seed, name)
        truth = clip.truth.copy()
        truth[:1] = _scaled_bones(truth[:1], {bone: SHORTENED for bone in ("upper arms", "forearms", "thighs")})
        yield _seen_by(replace(clip, truth=truth), 0.83, (9, 5), HEIGHT, WIDTH)


def _missing() -> Iterator[DrivingClip]:
    rng = np.random.default_rng(0)
    for count in (1, 2, 3, 4):
        for name in ("walk", "squat"):
            clip = _seen_by(_clip("missing joints", f"{name}, {count}", count, name), 1.2, (0, 0), 320, 240)
            joints = rng.permutation(18)[: 2 * count]
            clip = replace(clip, reference=_hidden(clip.reference, joints[count:]))
            yield replace(clip, driving=_hidden(clip.driving, joints[:count]))


def _gaps() -> Iterator[DrivingClip]:
    rng = np.random.default_rng(1)
    for seed, name in enumerate(NAMES):
        clip = _clip("gaps", name, seed, name)
        joints = clip.driving.joints.copy()
        for joint in rng.permutation(18)[:6]:
            first = rng.integers(1, FRAMES - 6)
            joints[first : first + rng.integers(1, 6), joint] = 0
        joints[FRAMES // 2] = 0
        yield replace(clip, driving=replace(clip.driving, joints=joints))


def _half_body() -> Iterator[DrivingClip]:
    for seed, name in enumerate(NAMES):
        clip = _seen_by(_clip("half body", name, seed, name), 1.5, (-20, 10), HEIGHT, 2 * WIDTH)
        yield _without(clip, LOWER_LEGS)


def _proportions() -> Iterator[DrivingClip]:
    """Child driven by adult and the other way round: the youngest and the oldest of 40 bodies."""
    by_age = sorted(range(40), key=lambda seed: body(seed).youth)
    for index, name in enumerate(NAMES):
        adult, child = by_age[index], by_age[-1 - index]
        for driver, target in ((adult, child), (child, adult)):
            clip = _clip("child and adult", f"{name}, seed {driver} drives {target}", target, name)
            old, new = _lengths(body(driver)), _lengths(body(target))
            poses = PoseSequence.from_joints(motion(name, driver, FRAMES, HEIGHT, WIDTH), HEIGHT, WIDTH)
            yield replace(clip, driving=poses, ratios={bone: new[bone] / old[bone] for bone in old})


def _clip(kind: str, name: str, seed: int, motion_name: str) -> DrivingClip:
    """Body ``seed`` driven by itself under the same camera."""
    truth = motion(motion_name, seed, FRAMES, HEIGHT, WIDTH).astype(np.float64)
    poses = PoseSequence.from_joints(truth, HEIGHT, WIDTH)
    reference = PoseSequence.from_joints(rest_pose(seed, HEIGHT, WIDTH), HEIGHT, WIDTH)
    return DrivingClip(kind, name, poses, reference, truth, {bone: 1.0 for bone in _lengths(body(seed))})


def _seen_by(clip: DrivingClip, scale: float, offset: tuple[float, float], height: int, width: int) -> DrivingClip:
    """``clip`` whose driving camera shows the truth at ``scale`` and ``offset`` on another canvas."""
    truth = PoseSequence.from_joints(clip.truth, HEIGHT, WIDTH)
    driving = truth.moved((scale, scale), offset, height, width)
    return replace(clip, driving=driving, ratios={bone: 1 / scale for bone in clip.ratios})


def _raised(clip: DrivingClip, heights: np.ndarray) -> DrivingClip:
    """``clip`` with the body moved up by ``heights`` [F] of the canvas."""
    truth = clip.truth.copy()
    truth[..., 1] -= HEIGHT * heights[:, None]
    return _seen_by(replace(clip, truth=truth), 1.0, (0, 0), HEIGHT, WIDTH)


def _without(clip: DrivingClip, joints: list[int] | tuple[int, ...]) -> DrivingClip:
    """``clip`` with ``joints`` missing in driving and reference."""
    return replace(clip, driving=_hidden(clip.driving, joints), reference=_hidden(clip.reference, joints))


def _hidden(poses: PoseSequence, joints: list[int] | tuple[int, ...] | np.ndarray) -> PoseSequence:
    hidden = poses.joints.copy()
    hidden[:, list(joints)] = 0
    return replace(poses, joints=hidden)


def _scaled_bones(joints: np.ndarray, ratios: dict[str, float]) -> np.ndarray:
    """Joints [F,18,3] with the bones named in ``ratios`` that much as long, built down the tree."""
    old = with_middles(joints)
    new = old.copy()
    for joint, (parent, bone) in PARENTS.items():
        new[:, joint, :2] = new[:, parent, :2] + ratios.get(bone, 1.0) * (old[:, joint, :2] - old[:, parent, :2])
    return new[:, :18]


def _lengths(shape: Body) -> dict[str, float]:
    """True lengths of the bones of ``shape`` in body fractions, by the names of the pack's skeleton."""
    nose, eye, _, ear, _ = face_offsets(shape)
    return {
        "trunk": shape.torso,
        "hips": shape.hip,
        "thighs": shape.thigh,
        "shins": shape.shin,
        "shoulders": float(np.hypot(shape.shoulder, 0.012)),
        "upper arms": shape.upper_arm,
        "forearms": shape.forearm,
        "neck": float(np.hypot(*nose)),
        "eyes": float(np.hypot(*(eye - nose))),
        "ears": float(np.hypot(*(ear - eye))),
    }
