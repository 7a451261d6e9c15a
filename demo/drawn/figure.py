"""One drawn character in one pose, and the part labels and vectors that its painters share."""

from dataclasses import dataclass

import numpy as np

from .body import Body
from .head import INK, HeadFrame
from .looks import Looks, darker
from .shapes import Colour, Rim

TORSO, RIGHT_ARM, LEFT_ARM, RIGHT_LEG, LEFT_LEG = 1, 3, 5, 7, 9  # labels; the lower half of a limb is one more
LEFT_LIMBS = (LEFT_ARM, LEFT_LEG)
FIRST_JOINT = {RIGHT_ARM: 2, LEFT_ARM: 5, RIGHT_LEG: 8, LEFT_LEG: 11}


@dataclass(frozen=True)
class Figure:
    """One character in one pose: body, looks, pixels per standing height, outline width, joints [18,3], head."""

    shape: Body
    looks: Looks
    scale: float
    line: float
    pose: np.ndarray
    head: HeadFrame | None

    @property
    def yaw(self) -> float:
        """Radians towards the viewer's right, as the face shows it."""
        return 0.0 if self.head is None else self.head.yaw

    def spots(self, *joints: int) -> list[np.ndarray] | None:
        """Positions [2] of joints, or None when one of them is missing."""
        if (self.pose[list(joints), 2] <= 0).any():
            return None
        return [self.pose[k, :2].astype(np.float64) for k in joints]

    def limb(self, label: int) -> list[np.ndarray] | None:
        """The three joints [2] of a limb from the trunk outwards, or None when one of them is missing."""
        first = FIRST_JOINT[label]
        return self.spots(first, first + 1, first + 2)

    def rim(self, colour: Colour, fade: tuple[np.ndarray, float] | None = None) -> Rim:
        """The outline of something of this colour, which may fade out about a point."""
        return Rim(darker(colour, INK), self.line, fade and (xy(fade[0]), fade[1]))


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector [2] at length 1; one of no length stays as it is."""
    return vector / max(float(np.hypot(*vector)), 1e-6)


def across(along: np.ndarray) -> np.ndarray:
    """The direction a quarter turn from ``along``: to the left side for one that points down."""
    return np.array([along[1], -along[0]])


def xy(point: np.ndarray) -> tuple[float, float]:
    """A point [2] as two plain floats, which leave float32 arrays as they are."""
    return float(point[0]), float(point[1])
