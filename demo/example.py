"""One example with known truth, drawn or rendered: what the Demo Character node hands out."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import people
from .drawn import motion as drawn_motion
from .drawn import words as drawn_words
from .drawn.character import draw_character

DRAWN, PEOPLE = "drawn", "people"
STYLES = (DRAWN, PEOPLE)
MOTIONS = {DRAWN: tuple(drawn_motion.MOTIONS), PEOPLE: tuple(people.MOTIONS)}
VIEWS = people.REFERENCES  # of a rendered person; drawn ones stand and face the viewer


@dataclass(frozen=True)
class Example:
    """A reference picture, a motion of the same character, and words for both.

    reference [1,H,W,3], frames [F,H,W,3], reference_mask [1,H,W], masks [F,H,W]: float32 0-1. standing [1,18,3],
    moving [F,18,3]: joints x, y, confidence in pixels.
    """

    reference: np.ndarray
    reference_mask: np.ndarray
    standing: np.ndarray
    frames: np.ndarray
    masks: np.ndarray
    moving: np.ndarray
    caption: str


def why_not(style: str, motion: str, view: str) -> tuple[str, str] | None:
    """What keeps a style from showing a motion in a view, and what to choose instead; None if nothing does."""
    if motion not in MOTIONS[style]:
        return f"motion '{motion}' is none of style {style}", f"one of {', '.join(MOTIONS[style])}, or the other style"
    if style == PEOPLE and view in people.CUT_REFERENCES and motion in people.GOES_DOWN:
        return f"motion '{motion}' leaves a picture that view cuts at the {view}", "another view, such as frontal"
    return None


def example(
    style: str, seed: int, motion: str, frames: int, height: int, width: int, view: str, told: Callable[[int], None]
) -> Example:
    """Character ``seed`` of a style in a motion; ``told`` gets the number of pictures that are done."""
    made = _drawn if style == DRAWN else _rendered
    return made(seed, motion, frames, height, width, view, told)


def _drawn(
    seed: int, motion: str, frames: int, height: int, width: int, view: str, told: Callable[[int], None]
) -> Example:
    standing = drawn_motion.rest_pose(seed, height, width)
    moving = drawn_motion.motion(motion, seed, frames, height, width)
    reference, truth = (draw_character(seed, joints, height, width) for joints in (standing, moving))
    told(frames)
    return Example(*reference, standing, *truth, moving, drawn_words.caption(seed))


def _rendered(
    seed: int, motion: str, frames: int, height: int, width: int, view: str, told: Callable[[int], None]
) -> Example:
    reference, made = people.clip(seed, motion, frames, height, width, view, told=told)

    def stacked(name: str) -> np.ndarray:
        return np.stack([getattr(frame, name) for frame in made]).astype(np.float32)

    first = (getattr(reference, name)[None].astype(np.float32) for name in ("picture", "mask", "joints"))
    return Example(*first, stacked("picture"), stacked("mask"), stacked("joints"), people.caption(seed))
