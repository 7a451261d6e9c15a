"""Settings that belong together, one set for each kind of picture, and why.

Measured in lab/EXPERIMENTS.md; a widget's own default may differ, because saved workflows keep theirs. A preset stands
in for the widgets that it holds; ``custom`` reads them.
"""

from dataclasses import dataclass, replace

from .config import PatchConfig, SamplerConfig
from .errors import FreeAnimateError

CUSTOM = "custom"


@dataclass(frozen=True)
class Preset:
    """What Preview Generation, Patch Model and the samplers are set to.

    sampler: when guidance acts; its cfg is what suits the preset, and the widget's own value is what runs. mask: the
    output of Preview Generation that is to be redrawn; empty: none, all is. keep_face: of Preview Generation. paste:
    whether Paste Preview finds anything to put back. reason: why, in a sentence.
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
        "Photographs and rendered people: what turned, moved or was invented is redrawn, the more steps the less it "
        "is trusted; all else stays the preview's own pixels.",
    ),
    "drawn": Preset(
        PatchConfig(),
        SamplerConfig(),
        "hole_mask",
        0.0,
        True,
        "Flat colours and clean outlines survive the preview, so that only its holes (what the picture does not "
        "show) are redrawn.",
    ),
    "paper": Preset(
        PatchConfig(),
        SamplerConfig(7.5, 0.0, 1.0),
        "",
        0.0,
        False,
        "The published form: everything is redrawn, led by the recorded attention alone.",
    ),
}
NAMES = (CUSTOM, *PRESETS)


def preset_named(name: str, node: str) -> Preset | None:
    """The preset that ``node``'s widget names, None for ``custom``; FreeAnimateError for any other name."""
    if name not in NAMES:
        raise FreeAnimateError(f"{node}: preset is '{name}'; choose one of {', '.join(NAMES)}.")
    return PRESETS.get(name)


def patch_settings(preset: Preset | None, config: PatchConfig) -> PatchConfig:
    """What Patch Model runs with: the preset's settings, and of the widgets those that no preset holds."""
    if preset is None:
        return config
    return replace(preset.patch, window=config.window, noise_seed=config.noise_seed)


def guidance_settings(preset: Preset | None, config: SamplerConfig) -> SamplerConfig:
    """What a sampler runs with: the widget's cfg in the steps that the preset guides."""
    return config if preset is None else replace(config, start=preset.sampler.start, end=preset.sampler.end)


def patch_words(name: str, config: PatchConfig) -> str:
    """What Patch Model runs with, for its line on the node."""
    spans = f"self_span {config.self_span:g}, cross_span {config.cross_span:g}, keep_span {config.keep_span:g}"
    return f"{name}: {config.release}, eta {config.eta:g}, reference_weight {config.reference_weight:g}, {spans}"


def guidance_words(config: SamplerConfig) -> str:
    """When a sampler guides, for its line on the node."""
    return f"cfg {config.cfg:g} from {config.start:.0%} to {config.end:.0%} of the steps"
