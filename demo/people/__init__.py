"""The world of rendered 3D people: a seed is a person, a room, a picture, a clip, with all of their truth.

    person(seed) -> Person            a body in its clothes (``TRAINING_SEEDS``, ``HELD_OUT_SEEDS``)
    room(seed) -> Room                a floor and three walls with texture, and their light
    pose_of_class(name, seed) -> Pose a still pose, one of ``CLASSES`` ("yaw 0" ... "half body") or of ``POSES``
    motion(name, seed, frames)        the poses of one of ``MOTIONS``
    framing(points, tall, ...)        a camera for a body; cut full | knee | hip | chest, eyes waist | head
    render(person, pose, camera, room, height, width) -> Frame
    still_frame(seed, pose, ...)      a frame of somebody in its own room
    clip(seed, motion_name, frames, height, width, view) -> (reference Frame, list of Frames)
    pair(seed, class_name, height, width, view) -> (reference Frame, Frame in that pose), one camera
    flow(frame, following)            pixels' motion and whether they are seen next, same camera
    shown_by(references, frame)       which pixels a reference, or any of several, shows too
    caption(seed)                     in words
    training_picture(seed, size) -> picture, joints, words

A ``Frame`` holds picture, mask, labels, joints, visible, material, depth, the still room and the cast shadow, and for
each pixel the triangle that it shows. All is numpy, decimetres in the world, pixels in pictures, bit for bit the same
for the same seed.
"""

from .camera import Camera, framing
from .clips import CUT_REFERENCES, GOES_DOWN, REFERENCES, clip, pair, reference_pose, still_frame
from .motions import MOTIONS, motion
from .person import HELD_OUT_SEEDS, TRAINING_SEEDS, Person, person
from .pose import Arm, Leg, Pose
from .poses import CLASSES, POSES, pose_of_class
from .render import Frame, Posed, posed, render
from .room import plate, room
from .scene import Room
from .training import training_frame, training_picture
from .truth import flow, shown_by
from .words import caption

__all__ = [
    "CLASSES",
    "CUT_REFERENCES",
    "GOES_DOWN",
    "HELD_OUT_SEEDS",
    "MOTIONS",
    "POSES",
    "REFERENCES",
    "TRAINING_SEEDS",
    "Arm",
    "Camera",
    "Frame",
    "Leg",
    "Person",
    "Pose",
    "Posed",
    "Room",
    "caption",
    "clip",
    "flow",
    "framing",
    "motion",
    "pair",
    "person",
    "plate",
    "pose_of_class",
    "posed",
    "reference_pose",
    "render",
    "room",
    "shown_by",
    "still_frame",
    "training_frame",
    "training_picture",
]
