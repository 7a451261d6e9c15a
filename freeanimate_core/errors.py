"""The one exception of the pack, and the names by which its messages call the nodes."""

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


class FreeAnimateError(ValueError):
    """Input that FreeAnimate refuses.

    The message is for the person at the graph: what came, what is supported, and what to
    change, by the node's display name and the widget's label.
    """
