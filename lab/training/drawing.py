"""One picture of the training's world: a rendered person, or in every fifth a drawn character."""

from typing import NamedTuple

import numpy as np

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.words import caption
from freeanimate_pack.demo.people.person import HELD_OUT_SEEDS, TRAINING_SEEDS
from freeanimate_pack.demo.people.training import training_frame

from .poses import varied_pose

SIZE = 256
FIRST_SEED = 1_000_000  # drawn characters below are never trained on: examples, tests and evaluations use them
HELD_OUT = 5_000_000  # number of the first picture of people that are never trained on
DRAWN_EVERY = 5
WHOLE, KEPT = 0.25, 0.7  # share of the drawn characters' captions that name all; share of the facts in the others


class Picture(NamedTuple):
    """image [256,256,3] and part labels [256,256] uint8, joints [18,3] float32 in pixels, and what it shows."""

    image: np.ndarray
    labels: np.ndarray
    joints: np.ndarray
    words: str


def is_drawn(number: int) -> bool:
    """Whether a picture shows a drawn character."""
    return number % DRAWN_EVERY == DRAWN_EVERY - 1


def picture(number: int) -> Picture:
    """The picture of this number, always the same; those from ``HELD_OUT`` show people of their own."""
    return _drawn(number) if is_drawn(number) else _rendered(number)


def _rendered(number: int) -> Picture:
    frame, words = training_frame(number, SIZE, SIZE, HELD_OUT_SEEDS if number >= HELD_OUT else TRAINING_SEEDS)
    return Picture(_levels(frame.picture), frame.labels, frame.joints.astype(np.float32), words)


def _drawn(number: int) -> Picture:
    seed = number - HELD_OUT if number >= HELD_OUT else FIRST_SEED + number
    pose = varied_pose(seed, np.random.default_rng([seed, 9]), SIZE, SIZE)
    images, _, labels, _ = draw_parts(seed, pose, SIZE, SIZE)
    return Picture(_levels(images[0]), labels[0], pose[0], _words(seed))


def _levels(image: np.ndarray) -> np.ndarray:
    return np.rint(image * 255).astype(np.uint8)


def _words(seed: int) -> str:
    """A drawn character's caption, with some of the facts in most."""
    facts, rng = caption(seed).split(", "), np.random.default_rng([seed, 8])
    if rng.random() < WHOLE:
        return ", ".join(facts)
    return ", ".join(fact for fact in facts if rng.random() < KEPT)
