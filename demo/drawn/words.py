"""What a drawn character's picture shows, in words: one fixed template, the same facts at the same places."""

from .body import body
from .looks import COLOURS, HAIR_COLOURS, HAIR_STYLES, LEGWEAR, PATTERNS, SKINS, SLEEVES, looks
from .scenery import ground_tints

AGES = ("adult", "teenager", "child")  # thirds of a body's youth
TEMPLATE = (
    "{age} with {style} {hair} hair, {skin} skin, {hat_colour} {hat}, {shirt} shirt with {second} {pattern}, "
    "{sleeve} sleeves, {legs} {legwear}, {shoes} shoes, before {wall} wall and {floor} floor"
)


def caption(seed: int) -> str:
    """The words of character ``seed``: lower case, with commas, always 29 words."""
    look, (wall, floor) = looks(seed), ground_tints(seed)
    age = AGES[min(int(3 * body(seed).youth), 2)]
    plain, bare = look.pattern == "plain", look.hat == "none"
    return TEMPLATE.format(
        age=_with_article(age),
        style=look.hair_style,
        hair=look.hair.name,
        skin=look.skin.name,
        hat_colour="no" if bare else look.hat_colour.name,
        hat="hat" if bare else look.hat,
        shirt=look.shirt.name,
        second="no" if plain else look.shirt_second.name,
        pattern="pattern" if plain else look.pattern,
        sleeve=look.sleeve,
        legs=look.legs.name,
        legwear=look.legwear,
        shoes=look.shoes.name,
        wall=_with_article(wall.name),
        floor=_with_article(floor.name),
    )


def _with_article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _vocabulary() -> tuple[str, ...]:
    fixed = [word.strip(",") for word in TEMPLATE.split() if not word.startswith("{")]
    chosen = [*COLOURS, *HAIR_COLOURS, *HAIR_STYLES, *SKINS, *PATTERNS[1:], *SLEEVES, *LEGWEAR, *AGES]
    return tuple(sorted({*fixed, *chosen, "a", "an", "no", "hat", "cap", "pattern"}))


VOCABULARY: tuple[str, ...] = _vocabulary()
