"""Cameras: where a picture is taken from, level and with the picture's frame shifted, so that walls stay upright."""

import math
from dataclasses import dataclass

import numpy as np

CUTS = {"full": 2.0, "knee": 0.73, "hip": 0.53, "chest": 0.35}  # how much of the height is shown, from the top
EYES = {"waist": 0.56, "head": 0.92}  # height of the camera, shares of the height


@dataclass(frozen=True)
class Camera:
    """A level camera. ``focal`` and ``shift`` are in picture heights; distances in decimetres."""

    position: tuple[float, float, float]
    heading: float  # radians; 0 looks along -z
    focal: float
    shift: tuple[float, float]  # where the middle of the picture lies, to the right and up, from straight ahead

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Points [n,3] in the camera's frame: right, up, distance ahead."""
        c, s = math.cos(self.heading), math.sin(self.heading)
        x, y, z = (points[:, k] - self.position[k] for k in range(3))
        return np.stack([c * x - s * z, y, -s * x - c * z], axis=1)

    def project(self, points: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [n,2] x, y (the middle of the first pixel is 0.5) and nearness [n] of points [n,3]."""
        right, up, ahead = self.seen(points).T
        near = 1 / np.maximum(ahead, 0.1)
        x = 0.5 * width + height * (self.focal * right * near - self.shift[0])
        y = 0.5 * height - height * (self.focal * up * near - self.shift[1])
        return np.stack([x, y], axis=1), near

    def rays(self, places: np.ndarray, height: int, width: int) -> np.ndarray:
        """Directions [m,3] in the world through ``places`` [m,2] in pixels, one decimetre ahead."""
        right = ((places[:, 0] - 0.5 * width) / height + self.shift[0]) / self.focal
        up = ((0.5 * height - places[:, 1]) / height + self.shift[1]) / self.focal
        c, s = math.cos(self.heading), math.sin(self.heading)
        return np.stack([c * right - s, up, -s * right - c], axis=1)


def framing(
    points: np.ndarray,
    tall: float,
    *,
    aspect: float = 1.0,
    cut: str = "full",
    eyes: str = "waist",
    heading: float = 0.0,
    far: float = 42.0,
    margin: float = 0.03,
) -> Camera:
    """A camera that shows ``points`` [n,3] of somebody ``tall``, down to the ``cut``; ``aspect`` is width / height."""
    position = (far * math.sin(heading), EYES[eyes] * tall, far * math.cos(heading))
    low = points[:, 1].max() - CUTS[cut] * tall
    right, up, ahead = Camera(position, heading, 1.0, (0.0, 0.0)).seen(points[points[:, 1] >= low]).T
    x, y = right / ahead, up / ahead
    if cut != "full":
        high = float(y.max() - (low - position[1]) / far)
        size = high * (1 + margin)
        return Camera(position, heading, 1 / size, (float(np.median(x)) / size, (y.max() - high + 0.5 * size) / size))
    size = max(y.max() - y.min(), (x.max() - x.min()) / aspect) * (1 + 2 * margin)
    middle, centre = 0.5 * (x.max() + x.min()), y.min() + (0.5 - margin) * size  # feet near the lower edge
    return Camera(position, heading, float(1 / size), (float(middle / size), float(centre / size)))
