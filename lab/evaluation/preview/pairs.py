"""Characters in a reference pose and in target poses of six classes, with their true pictures.

Each class has two pairs, one for each of two references: at rest, and with the arms apart. F target
poses of one reference are one clip: a still camera, one ground.
"""

import math

import numpy as np
import torch
from torch import Tensor

from freeanimate_pack.demo.drawn.body import Posture, body
from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import on_canvas
from freeanimate_pack.demo.drawn.scenery import scenery
from freeanimate_pack.freeanimate_core.pose import PoseSequence

from ..case import DRAWN, Case
from ..flow import shown_in, true_flow
from ..given import EXACT, given

CLASSES = ("mild", "arm across torso", "raised arms", "step", "squat", "half turn")
RESTING = Posture()
APART = Posture(tilt=0.03, upper_arms=(0.75, 0.75), forearms=(0.6, 0.6), ankles=((-0.105, 0.0), (0.105, 0.0)))


def pairs_of(seed: int, size: int, inputs: str = EXACT) -> list[Case]:
    """The cases of character ``seed`` with either reference, on a canvas of ``size`` x ``size``."""
    rng = np.random.default_rng([seed, 77])
    first, second = _targets(seed, rng)
    return [_case(seed, size, RESTING, first, inputs, 0), _case(seed, size, APART, second, inputs, 1)]


def _case(seed: int, size: int, standing: Posture, targets: list[Posture], inputs: str, number: int) -> Case:
    """One reference and one target pose of each class; ``number`` tells a character's cases apart, for their noise."""
    rest, moved = (on_canvas(body(seed), postures, size, size) for postures in ([standing], targets))
    image, mask, rest_labels = _drawn(seed, rest, size)
    truth, masks, labels = _drawn(seed, moved, size)
    exact = [PoseSequence.from_joints(joints, size, size) for joints in (rest, moved)]
    given_mask, pose, poses = given(inputs, image, mask, *exact, [seed, number])
    places, stayed = true_flow(moved, labels)
    return Case(
        world=DRAWN,
        seed=seed,
        classes=CLASSES,
        reference=image,
        given_mask=given_mask,
        pose=pose,
        targets=poses,
        reference_mask=mask,
        reference_labels=rest_labels[0],
        truth=truth,
        masks=masks,
        labels=labels,
        joints=moved,
        visible=exact[1].seen,
        room=torch.from_numpy(scenery(seed, size, size)),
        shadow=torch.zeros(size, size),
        shown=shown_in(rest[0], rest_labels[0], moved, labels),
        places=places,
        stayed=stayed,
    )


def _drawn(seed: int, joints: np.ndarray, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [F,S,S,3], masks and labels [F,S,S] of the true poses."""
    pictures, masks, labels = (torch.from_numpy(values) for values in draw_parts(seed, joints, size, size)[:3])
    return pictures, masks, labels.long()


def _targets(seed: int, rng: np.random.Generator) -> tuple[list[Posture], list[Posture]]:
    """Target postures in the order of CLASSES for the two references, a little different for each character."""
    side = 1 if rng.random() < 0.5 else -1
    legs = body(seed).thigh + body(seed).shin
    first = [_mild(rng), _across(rng, side, 0.0), _raised(rng, 2.4), _lifted(rng, side), _squat(rng, 0.22 * legs)]
    second = [_mild(rng), _across(rng, -side, 0.45), _raised(rng, 1.5), _stride(rng, legs), _squat(rng, 0.38 * legs)]
    turned = _turned(rng, side, 30, 45), _turned(rng, -side, 45, 60)
    return [*first, turned[0]], [*second, turned[1]]


def _mild(rng: np.random.Generator) -> Posture:
    upper, lower = rng.uniform(0.2, 0.55, 2), rng.uniform(0.1, 0.6, 2)
    return Posture(
        lean=rng.uniform(-0.05, 0.05),
        tilt=rng.uniform(-0.1, 0.1),
        sway=rng.uniform(-0.02, 0.02),
        upper_arms=tuple(upper),
        forearms=tuple(lower),
    )


def _across(rng: np.random.Generator, side: int, lift: float) -> Posture:
    """One arm bent over the trunk, its elbow raised by ``lift`` radians."""
    bent = lift + rng.uniform(0.05, 0.2), lift - rng.uniform(1.3, 1.7) - lift
    hanging = 0.33, 0.24
    pair = (bent, hanging) if side < 0 else (hanging, bent)
    return Posture(tilt=0.05 * side, upper_arms=(pair[0][0], pair[1][0]), forearms=(pair[0][1], pair[1][1]))


def _raised(rng: np.random.Generator, upper: float) -> Posture:
    """Both arms up, or out to the sides with the hands up."""
    uppers = upper + rng.uniform(-0.2, 0.2, 2)
    return Posture(
        lean=rng.uniform(-0.04, 0.04), upper_arms=tuple(uppers), forearms=tuple(uppers + rng.uniform(0.2, 0.8, 2))
    )


def _lifted(rng: np.random.Generator, side: int) -> Posture:
    """One foot up, the opposite arm forwards."""
    lift = rng.uniform(0.06, 0.11)
    ankles = ((-0.08, lift if side < 0 else 0.0), (0.08, lift if side > 0 else 0.0))
    return Posture(sway=-0.02 * side, ankles=ankles, upper_arms=(0.25, 0.25), forearms=(0.5, 0.4))


def _stride(rng: np.random.Generator, legs: float) -> Posture:
    """A wide step aside."""
    wide = legs * rng.uniform(0.32, 0.45)
    return Posture(
        lean=rng.uniform(-0.05, 0.05),
        ankles=((-wide, 0.0), (wide, rng.uniform(0.0, 0.03))),
        upper_arms=(0.7, 0.5),
        forearms=(1.0, 0.3),
    )


def _squat(rng: np.random.Generator, crouch: float) -> Posture:
    arms = rng.uniform(0.7, 1.2)
    return Posture(
        crouch=crouch * rng.uniform(0.9, 1.1),
        knees=rng.uniform(0.7, 0.95),
        upper_arms=(arms, arms),
        forearms=(arms + 0.3, arms + 0.3),
        ankles=((-0.12, 0.0), (0.12, 0.0)),
    )


def _turned(rng: np.random.Generator, side: int, least: float, most: float) -> Posture:
    """The whole person turned aside by ``least`` to ``most`` degrees."""
    return Posture(yaw=side * math.radians(rng.uniform(least, most)), upper_arms=(0.3, 0.3), forearms=(0.2, 0.2))
