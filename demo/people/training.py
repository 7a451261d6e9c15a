"""Pictures to train on: one seed is one picture of somebody of the training identities."""

from dataclasses import replace

import numpy as np

from .camera import Camera, framing
from .looks import choice
from .person import TRAINING_SEEDS, person
from .pose import Pose, mirrored, mixed
from .poses import POSES, pose_of_class
from .render import Frame, Posed, posed, render
from .room import plate, room
from .scene import Box, Room
from .words import some_caption

STILL = tuple(name for name in POSES if not name.startswith("yaw"))
CUTS = ("full", "full", "full", "knee", "hip", "hip", "chest")


def training_picture(seed: int, size: int = 256, seeds: range = TRAINING_SEEDS) -> tuple[np.ndarray, np.ndarray, str]:
    """Picture [size,size,3] float32 0-1, joints [18,3] x, y, confidence in pixels, and a caption.

    Another seed is another identity of ``seeds``, room, pose, view and cut; the same seed the same bits.
    """
    frame, words = training_frame(seed, size, size, seeds)
    return frame.picture, frame.joints, words


def training_frame(seed: int, height: int, width: int, seeds: range = TRAINING_SEEDS) -> tuple[Frame, str]:
    """As ``training_picture``, with all of the truth."""
    rng = np.random.default_rng([seed, 9])
    who = seeds[int(rng.integers(len(seeds)))]
    name, pose = _any_pose(who, rng)
    body = posed(person(who), pose)
    place = with_seat(room(seed + 1_000_000), body) if name == "seated" else room(seed + 1_000_000)
    camera = _any_camera(body, width / height, rng)
    still = plate(place, camera, height, width, samples=1)
    frame = render(body, None, camera, place, height, width, still)
    return frame, some_caption(who, place, name, rng)


def _any_pose(who: int, rng: np.random.Generator) -> tuple[str, Pose]:
    """A named pose, often on its way to another, turned any way but mostly to the front."""
    name = choice(rng, STILL)
    pose = pose_of_class(name, who)
    if name != "seated" and rng.random() < 0.5:
        pose = mixed(pose, pose_of_class(choice(rng, [n for n in STILL if n != "seated"]), who), rng.uniform(0, 0.6))
    pose = mirrored(pose) if rng.random() < 0.5 else pose
    wide = np.pi if rng.random() < 0.35 else 0.75
    head = tuple(a + b for a, b in zip(pose.head, rng.normal(0, (0.08, 0.22, 0.07))))
    return name, replace(pose, yaw=float(rng.uniform(-wide, wide)), head=head)


def _any_camera(body: Posed, aspect: float, rng: np.random.Generator) -> Camera:
    camera = framing(
        body.points,
        body.person.tall,
        aspect=aspect,
        cut=choice(rng, CUTS),
        eyes=choice(rng, ("waist", "head")),
        heading=float(rng.uniform(-0.3, 0.3)),
        far=float(rng.uniform(28, 48)),
        margin=float(rng.uniform(0.02, 0.12)),
    )
    aside = float(rng.normal(0, 0.05))
    return replace(camera, shift=(camera.shift[0] + aside, camera.shift[1]))


def with_seat(place: Room, body: Posed) -> Room:
    """The room with a stool under the person's hips."""
    hips = body.joints[[8, 11]].mean(axis=0)
    ahead = body.facing / max(np.hypot(body.facing[0], body.facing[2]), 1e-6)
    middle = hips - 0.4 * ahead
    seat = Box(
        (float(middle[0]), 0.0, float(middle[2])),
        (3.6, float(hips[1]) - 0.95, 3.4),
        float(np.arctan2(ahead[0], ahead[2])),
        (0.42, 0.31, 0.22),
    )
    return replace(place, boxes=(*place.boxes, seat))
