"""Clips: a reference picture and the frames of a motion of the same person in the same room."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .camera import Camera, framing
from .motions import motion
from .person import Person, person
from .pose import Pose
from .poses import hands_in_pockets, hands_on_hips, measures, pose_of_class, reference_stance
from .render import Frame, Posed, posed, render
from .room import plate, room
from .training import with_seat

REFERENCES = ("frontal", "three-quarter", "hands on hips", "hands in pockets", "knee", "hip", "chest")
CUT_REFERENCES = ("knee", "hip", "chest")
GOES_DOWN = ("squat", "sit down")  # motions that leave a picture cut above the feet
THREE_QUARTER = 0.65  # radians


def reference_pose(seed: int, view: str = "frontal") -> Pose:
    """How identity ``seed`` stands in its reference ``view``, one of ``REFERENCES``."""
    if view not in REFERENCES:
        raise KeyError(view)
    rng = np.random.default_rng([seed, 8])
    if view == "hands on hips":
        return hands_on_hips(measures(person(seed)), rng)
    if view == "hands in pockets":
        return hands_in_pockets(measures(person(seed)), rng)
    pose = reference_stance(seed)
    return replace(pose, yaw=THREE_QUARTER * (1 if rng.random() < 0.5 else -1)) if view == "three-quarter" else pose


def clip(
    seed: int,
    motion_name: str,
    frames: int,
    height: int = 256,
    width: int = 256,
    view: str = "frontal",
    eyes: str = "waist",
    told: Callable[[int], None] = lambda done: None,
) -> tuple[Frame, list[Frame]]:
    """The reference ``view`` and ``frames`` frames of a motion, all by one camera at the height of ``eyes``.

    ``motion_name`` is one of ``motions.MOTIONS``; ``CUT_REFERENCES`` cut the frames as well, so they go with no motion
    that ``GOES_DOWN``: ValueError. ``told`` gets the number of frames that are rendered.
    """
    if view in CUT_REFERENCES and motion_name in GOES_DOWN:
        raise ValueError(f"{motion_name} leaves a picture cut at the {view}")
    who = person(seed)
    moving = [posed(who, pose) for pose in motion(motion_name, seed, frames)]
    first = posed(who, reference_pose(seed, view))
    camera = shared_camera(who, [first, *moving], view, eyes, width / height)
    place = room(seed)
    place = with_seat(place, moving[-1]) if motion_name == "sit down" else place
    still = plate(place, camera, height, width)
    rendered = []
    for done, body in enumerate((first, *moving)):
        rendered.append(render(body, None, camera, place, height, width, still))
        told(done)
    return rendered[0], rendered[1:]


def pair(
    seed: int, class_name: str, height: int = 256, width: int = 256, view: str = "frontal", eyes: str = "waist"
) -> tuple[Frame, Frame]:
    """The reference ``view`` and one frame in the pose of class ``class_name``, by one camera in one room.

    "half body" is seen down to the hip; ``CUT_REFERENCES`` cut any class.
    """
    who, place = person(seed), room(seed)
    bodies = [posed(who, reference_pose(seed, view)), posed(who, pose_of_class(class_name, seed))]
    camera = shared_camera(who, bodies, "hip" if class_name == "half body" else view, eyes, width / height)
    still = plate(place, camera, height, width)
    first, second = (render(body, None, camera, place, height, width, still) for body in bodies)
    return first, second


def shared_camera(who: Person, bodies: list[Posed], view: str, eyes: str, aspect: float) -> Camera:
    """A camera that shows all of the bodies, or the first down to the cut that ``view`` names."""
    cut = view if view in CUT_REFERENCES else "full"
    points = bodies[0].points if cut != "full" else np.concatenate([body.points for body in bodies])
    return framing(points, who.tall, aspect=aspect, cut=cut, eyes=eyes, margin=0.03 if cut == "full" else 0.08)


def still_frame(
    seed: int, pose: Pose, height: int = 256, width: int = 256, cut: str = "full", eyes: str = "waist"
) -> Frame:
    """Identity ``seed`` in any pose in its own room, framed for that pose."""
    body = posed(person(seed), pose)
    camera = framing(body.points, body.person.tall, aspect=width / height, cut=cut, eyes=eyes)
    return render(body, None, camera, room(seed), height, width)
