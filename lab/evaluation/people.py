"""Cases of the rendered world: somebody in still poses by class, or in motion, with all of the truth."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from freeanimate_pack.demo.people import (
    CLASSES,
    CUT_REFERENCES,
    HELD_OUT_SEEDS,
    Frame,
    Pose,
    clip,
    flow,
    motion,
    pair,
    person,
    plate,
    pose_of_class,
    posed,
    reference_pose,
    render,
    room,
    shown_by,
)
from freeanimate_pack.demo.people.clips import shared_camera
from freeanimate_pack.freeanimate_core.pose import PoseSequence

from .case import PEOPLE, Case
from .given import given

HALF_BODY = "half body"
FRONTAL = tuple(name for name in CLASSES if name != HALF_BODY)  # whose reference stands to the front, whole
OWN_POSE = "own pose"  # of the frame before a class's: the reference as it stands
CHOOSING_SEEDS = range(101, 109)  # people of the training set by whom settings are chosen; the held-out ones judge
YAWS = tuple(name for name in CLASSES if name.startswith("yaw"))
# Motion and reference of a held-out person, taken in turn.
CLIPS = (
    ("full turn", "frontal"),
    ("walk", "frontal"),
    ("turn to 60", "frontal"),
    ("arm across", "frontal"),
    ("squat", "frontal"),
    ("raised arms", "frontal"),
    ("turn to -60", "frontal"),
    ("hands on hips", "frontal"),
    ("wave", "hip"),
    ("wave", "frontal"),
)


def held_out(number: int) -> int:
    """The seed of the held-out person ``number``, counted from 0."""
    return HELD_OUT_SEEDS[number]


def training(number: int) -> int:
    """The seed of the person ``number``, counted from 0, of those by whom settings are chosen."""
    return CHOOSING_SEEDS[number]


def clip_of(seed: int) -> tuple[str, str]:
    """Motion and reference view of a person."""
    return CLIPS[(seed - HELD_OUT_SEEDS.start) % len(CLIPS)]


def still_case(seed: int, name: str, size: int, inputs: str) -> Case:
    """Two frames of ``size`` x ``size``: the reference's own pose, and one of class ``name``.

    The first is there as a clip has it, whose sizes follow from more than one turned or bent frame. The reference
    stands to the front; a half body is cut at the hip.
    """
    reference, frame = pair(seed, name, size, size)
    return _case(seed, (OWN_POSE, name), reference, [reference, frame], inputs, CLASSES.index(name))


def stills_case(seed: int, size: int, inputs: str) -> Case:
    """The reference's own pose, then a frame of every class of ``FRONTAL``; ``size`` x ``size``, none follows another.

    One camera shows them all, so they have one reference; it stands a little farther off than ``still_case``'s.
    """
    who, place = person(seed), room(seed)
    poses = [reference_pose(seed), *(pose_of_class(name, seed) for name in FRONTAL)]
    bodies = [posed(who, pose) for pose in poses]
    camera = shared_camera(who, bodies, "frontal", "waist", 1.0)
    still = plate(place, camera, size, size)
    frames = [render(body, None, camera, place, size, size, still) for body in bodies]
    case = _case(seed, (OWN_POSE, *FRONTAL), frames[0], frames, inputs, len(CLASSES) + 1)
    return replace(case, stayed=torch.zeros_like(case.stayed))


def moving_case(seed: int, frames: int, size: int, inputs: str) -> Case:
    """The middle half of a motion of twice as many ``frames``, by class of pose."""
    name, view = clip_of(seed)
    middle = slice(frames // 2, frames // 2 + frames)
    reference, whole = clip(seed, name, 2 * frames, size, size, view)
    classes = tuple(class_of(name, view, pose) for pose in motion(name, seed, 2 * frames)[middle])
    return _case(seed, classes, reference, whole[middle], inputs, len(CLASSES))


def class_of(name: str, view: str, pose: Pose) -> str:
    """The class of pose that a frame of motion ``name`` counts to: that of its yaw in a turn, else the motion's."""
    if view in CUT_REFERENCES:
        return HALF_BODY
    if "turn" in name:
        turned = abs((math.degrees(pose.yaw) + 180) % 360 - 180)
        return min(YAWS, key=lambda yaw: abs(float(yaw.split()[1]) - turned))
    return name if name in CLASSES else "mild"


def _case(seed: int, classes: tuple[str, ...], first: Frame, frames: list[Frame], inputs: str, number: int) -> Case:
    """The case of rendered pictures; ``number`` tells cases of one person apart, for their noise."""
    height, width = first.mask.shape
    exact = [PoseSequence.from_joints(_stack(f, "joints"), height, width) for f in ([first], frames)]
    picture, mask = _tensor([first], "picture"), _tensor([first], "mask")
    given_mask, pose, targets = given(inputs, picture, mask, *exact, [seed, number])
    places, stayed = _flow(frames)
    return Case(
        world=PEOPLE,
        seed=seed,
        classes=classes,
        reference=picture,
        given_mask=given_mask,
        pose=pose,
        targets=targets,
        reference_mask=mask,
        reference_labels=_tensor([first], "labels")[0].long(),
        truth=_tensor(frames, "picture"),
        masks=_tensor(frames, "mask"),
        labels=_tensor(frames, "labels").long(),
        joints=_stack(frames, "joints"),
        visible=_stack(frames, "visible"),
        room=torch.from_numpy(first.room),
        shadow=torch.from_numpy(first.shaded),
        shown=torch.from_numpy(np.stack([shown_by(first, frame) for frame in frames])),
        places=places,
        stayed=stayed,
    )


def _flow(frames: Sequence[Frame]) -> tuple[Tensor, Tensor]:
    """Places [F-1,H,W,2] of each frame's pixels in the frame before, and which [F-1,H,W] both show."""
    height, width = frames[0].mask.shape
    here = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1).astype(np.float32)
    found = [flow(after, before) for before, after in zip(frames, frames[1:])]
    places = [here + moved for moved, _ in found]
    stayed = [seen for _, seen in found]
    none = np.zeros((0, height, width))
    return (
        torch.from_numpy(np.stack(places) if places else np.zeros((*none.shape, 2), np.float32)),
        torch.from_numpy(np.stack(stayed) if stayed else none.astype(bool)),
    )


def _stack(frames: Sequence[Frame], name: str) -> np.ndarray:
    return np.stack([getattr(frame, name) for frame in frames])


def _tensor(frames: Sequence[Frame], name: str) -> Tensor:
    return torch.from_numpy(_stack(frames, name))
