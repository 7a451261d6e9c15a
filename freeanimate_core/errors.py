"""The one exception of the pack, the names by which its messages call the nodes, how they quote and count.

Whatever a user typed, a message is plain ASCII: the host logs it, and its worker ends for good when its console
(cp1252 on Windows) or UTF-8 (half of a surrogate pair) cannot hold a character.
"""

import logging
import re

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
PASTE = "Paste Preview"
COMPARE = "Compare Videos"
INSPECT = "Inspect Attention"
DEMO_CHARACTER = "Demo Character"
LONGEST_QUOTE = 60  # characters


class FreeAnimateError(ValueError):
    """Input that FreeAnimate refuses.

    The message is for the person at the graph: what came, what is supported, and what to
    change, by the node's display name and the widget's label.
    """

    # The editor shows module and name of an error, and the module of a custom node is its path on this machine
    __module__ = "freeanimate"

    def __init__(self, message: str):
        super().__init__(printable(message))


class _Printable(logging.Filter):
    """Every line of the pack's log in plain ASCII."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), ()
        return True


logging.getLogger("freeanimate").addFilter(_Printable())


def printable(text: str) -> str:
    r"""The text in ASCII, with escapes such as \u732b for all else, control characters included."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", lambda match: f"\\x{ord(match[0]):02x}", plain)


def quoted(text: str) -> str:
    """What a user typed, in quotes and ASCII; of a long text the beginning."""
    return ascii(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}...")


def reason(error: Exception) -> str:
    """Why the system refused, without the path, which may hold anything and which the sentence names better."""
    return getattr(error, "strerror", None) or str(error)


def counted(number: int, noun: str) -> str:
    """``"1 frame"``, ``"2 frames"``: a number with a noun whose plural takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
