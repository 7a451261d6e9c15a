"""The one exception of the pack, the names by which its messages call the nodes, and how they count."""

DETECT_POSE = "Detect Pose"
LOAD_POSE = "Load Pose"
SAVE_POSE = "Save Pose"
ALIGN_POSE = "Align Pose"
PREVIEW = "Preview Generation"
REFINE = "Refine Preview"
INVERSION = "DDIM Inversion (Attention Capture)"
PATCH_MODEL = "Patch Model (RA-SA + IBA)"
SAMPLER = "Animate Sampler"
LONG_CLIP = "Animate Long Clip"
COMPARE = "Compare Videos"
INSPECT = "Inspect Attention"
DEMO_CHARACTER = "Demo Character"


class FreeAnimateError(ValueError):
    """Input that FreeAnimate refuses.

    The message is for the person at the graph: what came, what is supported, and what to
    change, by the node's display name and the widget's label.
    """

    # The editor shows module and name of an error, and the module of a custom node is its path on this machine
    __module__ = "freeanimate"


def counted(number: int, noun: str) -> str:
    """``"1 frame"``, ``"2 frames"``: a number with a noun whose plural takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
