"""What a picture of a person shows, in words as users write them."""

import numpy as np

from .looks import Looks
from .person import person
from .room import room
from .scene import Room
from .shape import Shape

PATTERNS = {
    "plain": "{first} {thing}",
    "stripes": "{first} {thing} with {second} stripes",
    "bars": "{first} {thing} with {second} bars",
    "checks": "{first} and {second} checked {thing}",
    "dots": "{first} {thing} with {second} dots",
    "camouflage": "{first} camouflage {thing}",
    "halves": "half {first}, half {second} {thing}",
    "band": "{first} {thing} with a {second} band",
}
DOING = {
    "raised arms": "with raised arms",
    "walk": "walking",
    "squat": "squatting",
    "hands on hips": "with hands on the hips",
    "hands in pockets": "with hands in the pockets",
    "crossed arms": "with crossed arms",
    "hands at face": "with hands before the face",
    "seated": "sitting",
}


def caption(seed: int, place: Room | None = None, doing: str = "") -> str:
    """All that identity ``seed`` wears, in ``place`` (the room of that seed if None): lower case, with commas."""
    of, place = person(seed), place or room(seed)
    return ", ".join([subject(of.shape, of.looks, doing), clothes(of.looks), scene(place)])


def some_caption(seed: int, place: Room, doing: str, rng: np.random.Generator) -> str:
    """As a user might put it: half say little, some name clothes, some say all."""
    of, share = person(seed), rng.random()
    if share < 0.2:
        return f"{_a(_age(of.shape))} {DOING.get(doing, 'standing')} in a room"
    if share < 0.4:
        return (
            f"{_of_top(of.looks)} on {_a(_age(of.shape))}"
            if rng.random() < 0.3
            else f"{_a(_age(of.shape))} in {_a(_of_top(of.looks))}"
        )
    if share < 0.6:
        return f"{_a(_age(of.shape))}, {clothes(of.looks)}"
    return caption(seed, place, doing)


def subject(shape: Shape, looks: Looks, doing: str = "") -> str:
    """Who it is: "a woman with long brown hair, tan skin"."""
    style = {"bun": "hair in a bun", "ponytail": "hair in a ponytail", "cropped": "cropped hair"}.get(looks.hair_style)
    hair = f"{looks.hair.name} {style}" if style else f"{looks.hair_style} {looks.hair.name} hair"
    beard = " and a beard" if looks.beard else ""
    act = f" {DOING[doing]}" if doing in DOING else ""
    return f"{_a(_age(shape))}{act}, {hair}{beard}, {looks.skin.name} skin"


def clothes(looks: Looks) -> str:
    """What they wear: "a red shirt with white stripes, long sleeves, navy trousers, black shoes"."""
    sleeves = "no" if looks.sleeve == 0 else "short" if looks.sleeve < 1 else "long"
    shoes = f"{looks.shoes.name} {'boots' if looks.boots else 'shoes'}"
    if looks.legwear == "dress":
        return f"{_a(_of_top(looks))}, {sleeves} sleeves, {shoes}"
    legs = _in_words(looks.legs, looks.legwear)
    return f"{_a(_of_top(looks))}, {sleeves} sleeves, {_a(legs) if looks.legwear == 'skirt' else legs}, {shoes}"


def scene(place: Room) -> str:
    """Where: "before a grey brick wall and a brown wood floor"."""
    wall = place.wall_name if place.wall in ("plain", "two colours") else f"{place.wall_name} {WALL[place.wall]}"
    floor = f"{place.floor_name} {FLOOR[place.floor]}"
    return f"before {_a(wall)} wall and {_a(floor)}"


def _of_top(looks: Looks) -> str:
    return _in_words(looks.top, "dress" if looks.legwear == "dress" else "shirt")


def _in_words(garment, thing: str) -> str:
    return PATTERNS[garment.pattern].format(first=garment.tint.name, second=garment.second.name, thing=thing)


def _age(shape: Shape) -> str:
    return ("older " if shape.age > 0.45 else "") + ("woman" if shape.woman else "man")


def _a(words: str) -> str:
    return f"{'an' if words[0] in 'aeio' else 'a'} {words}"


WALL = {"brick": "brick", "tiles": "tiled", "stripes": "striped", "panels": "panelled"}
FLOOR = {"tiles": "tiled floor", "wood": "wooden floor", "carpet": "carpet", "chequered": "chequered floor"}
