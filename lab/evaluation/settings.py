"""What all methods of a run have in common."""

from dataclasses import dataclass

from .case import DRAWN
from .given import EXACT


@dataclass(frozen=True)
class Settings:
    """A recipe may ask for other steps or guidance.

    frames: of a clip, or the number of stills. stills: classes of pose of which each person stands still once, or
    none for a clip. spoil: how the preview is spoiled (spoil.py), or "". words: the kind that stands for the true
    ones, a key of ``Case.prompts``.
    """

    frames: int
    steps: int
    cfg: float
    noise_seed: int = 0
    world: str = DRAWN
    inputs: str = EXACT
    stills: tuple[str, ...] = ()
    spoil: str = ""
    words: str = "true"
