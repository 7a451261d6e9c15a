"""Inputs that several nodes share, so that they mean the same everywhere."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_CFG, MAX_FRAMES, MAX_WEIGHT, MAX_WINDOW, SamplerConfig
from ..freeanimate_core.presets import CUSTOM, NAMES
from .sockets import Inversion

GUIDANCE = SamplerConfig()


def frames_per_window() -> io.Int.Input:
    """How many frames are evaluated at a time."""
    return io.Int.Input(
        "frames_per_window",
        advanced=True,
        default=0,
        min=0,
        max=MAX_WINDOW,
        tooltip="Frames evaluated at a time (1-4096); 0 chooses by free memory. The result is the same.",
    )


def reference_weight(default: float, whose: str, advanced: bool = False) -> io.Float.Input:
    """w of RA-SA."""
    return io.Float.Input(
        "reference_weight",
        advanced=advanced,
        default=default,
        min=0.0,
        max=MAX_WEIGHT,
        step=0.01,
        tooltip=f"How strongly the {whose} self-attention reads the reference (0-10): 1 is the paper, 0 not at all.",
    )


def clip_range(first: str, verb: str, **options: bool) -> list[io.Int.Input]:
    """first_frame, with its tooltip, and frames: which part of the clip a node is to ``verb``."""
    return [
        io.Int.Input("first_frame", default=0, min=0, max=MAX_FRAMES, tooltip=first, **options),
        io.Int.Input(
            "frames",
            default=0,
            min=0,
            max=MAX_FRAMES,
            tooltip=f"Number of frames to {verb}; 0 goes to the end of the clip.",
            **options,
        ),
    ]


def preset(holds: str) -> io.Combo.Input:
    """Which settings belong together."""
    return io.Combo.Input(
        "preset",
        optional=True,  # later than the first version: older prompts stay valid, and older workflows keep their values
        options=list(NAMES),
        default=CUSTOM,
        tooltip=f"Sets {holds}: people, drawn (flat colours), paper (redraws all); custom: as the widgets say. The "
        "same in Preview Generation and Patch Model.",
    )


def reference_person() -> io.Int.Input:
    """Who of the people in the reference's pose is meant."""
    return io.Int.Input(
        "reference_person",
        optional=True,  # later than the first version: older prompts stay valid
        default=0,
        min=0,
        max=100,
        step=1,
        tooltip="Who of several people in the reference (0-100): 0 the largest, n the n-th from the left. The same "
        "in Align Pose and Preview Generation.",
    )


def patched_run() -> list[io.Input]:
    """What the pack's samplers denoise with: the patched model, its record, and the conditionings."""
    return [
        io.Model.Input("model", tooltip="The model output of Patch Model (RA-SA + IBA)."),
        Inversion.Input("inversion", tooltip="The same inversion that Patch Model got."),
        io.Conditioning.Input(
            "positive", tooltip="The prompt of the inversion with the pose ControlNet: one pose per frame."
        ),
        io.Conditioning.Input("negative", tooltip="Negative prompt with the same ControlNet; unread at cfg 1."),
    ]


def guidance() -> list[io.Float.Input]:
    """cfg, cfg_start and cfg_end of the pack's samplers."""
    return [
        io.Float.Input(
            "cfg",
            default=GUIDANCE.cfg,
            min=0.0,
            max=MAX_CFG,
            step=0.1,
            round=0.01,
            tooltip="Guidance (0-100): higher follows the prompt more and costs true colours, 1 stays nearest to the "
            "preview and is twice as fast; 0 is the negative prompt alone.",
        ),
        io.Float.Input(
            "cfg_start",
            advanced=True,
            optional=True,  # later than the first version: older prompts stay valid
            default=GUIDANCE.start,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="Share of the steps after which guidance begins (0-1); 0 from the first.",
        ),
        io.Float.Input(
            "cfg_end",
            advanced=True,
            optional=True,
            default=GUIDANCE.end,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="Share of the steps after which guidance ends (0-1, not below cfg_start); 0 no guidance, 1 to "
            "the last step.",
        ),
    ]
