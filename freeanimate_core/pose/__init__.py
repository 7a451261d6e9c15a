"""Poses: the typed sequence, alignment to the reference's body, the picture that a ControlNet reads."""

from .align import ALIGN_MODES, AlignSettings, align
from .draw import draw_poses
from .keypoints import VISIBLE, PoseSequence, write_poses
from .overlay import overlay
from .reading import follow_person, parse_poses

__all__ = [
    "ALIGN_MODES",
    "VISIBLE",
    "AlignSettings",
    "PoseSequence",
    "align",
    "draw_poses",
    "follow_person",
    "overlay",
    "parse_poses",
    "write_poses",
]
