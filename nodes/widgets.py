"""Widgets that several nodes share, so that they mean the same everywhere."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_WINDOW


def frames_per_window() -> io.Int.Input:
    """How many frames are evaluated at a time."""
    return io.Int.Input(
        "frames_per_window",
        default=0,
        min=0,
        max=MAX_WINDOW,
        tooltip="Frames evaluated at a time (1-4096); 0 chooses by free memory. The result is the same.",
    )
