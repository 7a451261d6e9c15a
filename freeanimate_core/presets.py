"""Settings that belong together, one set for each kind of picture, and why.

Measured in lab/EXPERIMENTS.md; a widget's own default may differ, because saved workflows keep theirs.
"""

from dataclasses import dataclass

from .config import PatchConfig, SamplerConfig


@dataclass(frozen=True)
class Preset:
    """What Patch Model and the samplers are set to.

    mask: the output of Preview Generation that goes into ``redraw_mask``; empty: none. keep_face: of Preview
    Generation. paste: whether Paste Preview stands behind the decoder. reason: why, in a sentence.
    """

    patch: PatchConfig
    sampler: SamplerConfig
    mask: str
    keep_face: float
    paste: bool
    reason: str


PRESETS = {
    "people": Preset(
        PatchConfig(release="graded", eta=0.5),
        SamplerConfig(),
        "redraw_mask",
        0.7,
        True,
        "Photographs and rendered people: what turned, moved or was invented is drawn anew, the longer the less it is "
        "trusted; all else stays the preview's own pixels.",
    ),
    "drawn": Preset(
        PatchConfig(),
        SamplerConfig(),
        "hole_mask",
        0.0,
        True,
        "Flat colours and clean outlines survive the preview, so that its holes alone are drawn anew.",
    ),
    "paper": Preset(
        PatchConfig(),
        SamplerConfig(7.5, 0.0, 1.0),
        "",
        0.0,
        False,
        "The published form: everything is drawn anew, led by the recorded attention alone.",
    ),
}
