"""What the widgets ask for, validated once, with the widget's name in the message."""

import math
from dataclasses import dataclass

from .errors import INSPECT, INVERSION, LONG_CLIP, PATCH_MODEL, REFINE, SAMPLER, FreeAnimateError

STORAGE = ("auto", "recompute", "memory", "disk")
HALVES = ("cond", "both")
RELEASES = ("blend", "graded")
LABELS = ("source", "target")
MAX_STEPS = 1000
MAX_WEIGHT = 10.0
MAX_WINDOW = 4096
MAX_CORRECTION = 50
MAX_FRAMES = 100_000
MAX_CFG = 100.0
MAX_GROW = 256
MAX_SEED = 2**53 - 1  # what JSON and the editor keep exactly
MAX_FEATHER = 64
MAX_LAYER = 100
SECTIONS = ("down fine", "down medium", "down coarse", "middle", "up coarse", "up medium", "up fine")


def _within(node: str, label: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise FreeAnimateError(f"{node}: {label} is {value}; set it between {low} and {high}.")


def _one_of(node: str, label: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise FreeAnimateError(f"{node}: {label} is '{value}'; choose one of {', '.join(allowed)}.")


@dataclass(frozen=True)
class InversionConfig:
    """Settings of one DDIM inversion.

    steps: requested steps of the host's ``ddim_uniform`` schedule.
    reference_weight: weight w of the reference's keys in RA-SA, 0 = reference unread.
    storage: tier of the attention bank. window: frames at a time, 0 = chosen from free memory.
    check: frames re-denoised at guidance 1 for the reconstruction PSNR, 0 = none.
    label: level that the model is asked at on the way up; ``target`` is FateZero's, for comparison.
    correction: evaluations per level that make each step the inverse of the sampler's, 0 = DDIM's own steps.
    first_frame, frames: what of the clip is inverted, 0 = to its end.
    """

    steps: int = 20
    reference_weight: float = 1.0
    storage: str = "auto"
    window: int = 0
    check: int = 1
    label: str = "source"
    correction: int = 0
    first_frame: int = 0
    frames: int = 0

    def __post_init__(self):
        _within(INVERSION, "steps", self.steps, 1, MAX_STEPS)
        _within(INVERSION, "reference_weight", self.reference_weight, 0.0, MAX_WEIGHT)
        _one_of(INVERSION, "storage", self.storage, STORAGE)
        _within(INVERSION, "frames_per_window", self.window, 0, MAX_WINDOW)
        _within(INVERSION, "frames_to_check", self.check, 0, MAX_WINDOW)
        _one_of(INVERSION, "label", self.label, LABELS)
        _within(INVERSION, "correction", self.correction, 0, MAX_CORRECTION)
        _within(INVERSION, "first_frame", self.first_frame, 0, MAX_FRAMES)
        _within(INVERSION, "frames", self.frames, 0, MAX_FRAMES)
        if self.correction:
            _one_of(INVERSION, "label", self.label, LABELS[:1])  # the step's own level is solved for


@dataclass(frozen=True)
class PatchConfig:
    """What the patched model reads while it denoises.

    reference_weight: weight w of the reference's keys in the target's self-attention.
    self_span, cross_span: fraction of the steps, from the first, that replays the recorded map.
    halves: ``cond`` replays in the conditional half only, ``both`` the self maps in both halves.
    window: frames at a time, 0 = chosen from free memory. keep_span: fraction of the steps in which
    the frames follow the inversion wherever nothing is to be redrawn; acts with a mask only.
    release: ``blend`` mixes both within ``keep_span`` by the mask's value, ``graded`` frees a cell
    the earlier the higher that is. eta: how much noise each step replaces where frames leave the
    inversion, 0 = none, 1 = as an ancestral sampler; noise_seed: of that.
    """

    reference_weight: float = 1.0
    self_span: float = 1.0
    cross_span: float = 0.8
    halves: str = "cond"
    window: int = 0
    keep_span: float = 1.0
    release: str = RELEASES[0]
    eta: float = 0.0
    noise_seed: int = 0

    def __post_init__(self):
        _within(PATCH_MODEL, "reference_weight", self.reference_weight, 0.0, MAX_WEIGHT)
        _within(PATCH_MODEL, "self_span", self.self_span, 0.0, 1.0)
        _within(PATCH_MODEL, "cross_span", self.cross_span, 0.0, 1.0)
        _one_of(PATCH_MODEL, "halves", self.halves, HALVES)
        _within(PATCH_MODEL, "frames_per_window", self.window, 0, MAX_WINDOW)
        _within(PATCH_MODEL, "keep_span", self.keep_span, 0.0, 1.0)
        _one_of(PATCH_MODEL, "release", self.release, RELEASES)
        _within(PATCH_MODEL, "eta", self.eta, 0.0, 1.0)
        _within(PATCH_MODEL, "noise_seed", self.noise_seed, 0, MAX_SEED)

    @property
    def off(self) -> bool:
        """True when the target would read neither the reference nor the record."""
        return not any((self.reference_weight, self.self_span, self.cross_span, self.keep_span))


@dataclass(frozen=True)
class SamplerConfig:
    """Guidance of the pack's own samplers.

    cfg: scale from the fraction ``start`` of the steps to the fraction ``end``; 1 in the other steps.
    node: whose widgets these are.
    """

    cfg: float = 3.0
    start: float = 0.2
    end: float = 0.9
    node: str = SAMPLER

    def __post_init__(self):
        _within(self.node, "cfg", self.cfg, 0.0, MAX_CFG)
        _within(self.node, "cfg_start", self.start, 0.0, 1.0)
        _within(self.node, "cfg_end", self.end, self.start, 1.0)


@dataclass(frozen=True)
class LongClipConfig:
    """What a run of the Animate Long Clip node renders and where it keeps it.

    frames_per_part: frames taken through all steps before the next ones. first_frame, frames: the
    frames rendered, 0 = to the end of the clip. run_name: folder of the finished parts, empty = none.
    again: frames whose parts are made anew, as ``frame_ranges`` reads them.
    """

    frames_per_part: int = 16
    first_frame: int = 0
    frames: int = 0
    run_name: str = ""
    again: str = ""

    def __post_init__(self):
        _within(LONG_CLIP, "frames_per_part", self.frames_per_part, 1, MAX_WINDOW)
        _within(LONG_CLIP, "first_frame", self.first_frame, 0, MAX_FRAMES)
        _within(LONG_CLIP, "frames", self.frames, 0, MAX_FRAMES)


@dataclass(frozen=True)
class RefineConfig:
    """Settings of one refinement of preview frames.

    denoise: share of the noise levels that is drawn anew, 0 = frames untouched. steps: taken within
    that share. cfg: guidance scale. reference_weight: w of the reference's keys, 0 = unread. grow:
    pixels by which figure, holes and painted background are widened. seed: of the one noise of all
    frames. window: frames at a time, 0 = chosen from free memory. plate_denoise: the share of levels
    for a background that is drawn apart, 0 = it stays.
    """

    denoise: float = 0.35
    steps: int = 12
    cfg: float = 3.0
    reference_weight: float = 1.0
    grow: int = 8
    seed: int = 0
    window: int = 0
    plate_denoise: float = 0.6

    def __post_init__(self):
        _within(REFINE, "denoise", self.denoise, 0.0, 1.0)
        _within(REFINE, "plate_denoise", self.plate_denoise, 0.0, 1.0)
        _within(REFINE, "steps", self.steps, 1, MAX_STEPS)
        _within(REFINE, "cfg", self.cfg, 0.0, MAX_CFG)
        _within(REFINE, "reference_weight", self.reference_weight, 0.0, MAX_WEIGHT)
        _within(REFINE, "grow", self.grow, 0, MAX_GROW)
        _within(REFINE, "frames_per_window", self.window, 0, MAX_WINDOW)


@dataclass(frozen=True)
class InspectConfig:
    """What is looked at.

    frame: counted from 0. step: 0 is the first, noisiest step of denoising, 1 the last. section: of the
    U-Net, one of SECTIONS. layer: which of that section's self-attention layers, from 0. x, y: the point,
    0-1 from the left and from the top.
    """

    frame: int = 0
    step: float = 0.5
    section: str = "up medium"
    layer: int = 0
    x: float = 0.5
    y: float = 0.3

    def __post_init__(self):
        _within(INSPECT, "frame", self.frame, 0, MAX_FRAMES)
        _within(INSPECT, "step", self.step, 0.0, 1.0)
        _one_of(INSPECT, "part", self.section, SECTIONS)
        _within(INSPECT, "layer", self.layer, 0, MAX_LAYER)
        _within(INSPECT, "x", self.x, 0.0, 1.0)
        _within(INSPECT, "y", self.y, 0.0, 1.0)
