"""What a room is made of, in decimetres: surfaces, things on the wall, furniture, light."""

from dataclasses import dataclass

from .light import Light
from .looks import Colour


@dataclass(frozen=True)
class Box:
    """A piece of furniture: middle of its ground face, size (across, up, deep), yaw and colour; decimetres."""

    place: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    rgb: Colour


@dataclass(frozen=True)
class Room:
    """The floor is y = 0, the back wall z = -``back``, the side walls x = -+``side``."""

    seed: int
    back: float
    side: float
    wall: str
    wall_name: str
    wall_tints: tuple[Colour, Colour]
    floor: str
    floor_name: str
    floor_tints: tuple[Colour, Colour]
    things: tuple[str, ...]  # on the back wall: window, shelf, picture
    light: Light
    boxes: tuple[Box, ...] = ()
