"""Alignment: a driving pose sequence scaled and moved onto the reference's body, and repaired.

Every mode is a function (driving, reference, ground) -> Fitted on the reference's canvas, listed in
``ALIGN_MODES`` under the name that the node shows. Later modes are appended.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ALIGN_POSE, FreeAnimateError
from .affine import affine, affine_stableanimator, keep
from .bone_length import bone_length
from .border import hold_cut
from .fitted import Fitted
from .keypoints import PoseSequence
from .lead_in import with_lead_in
from .observe import observed
from .repair import Repaired, fill_gaps
from .smooth import smooth

ALIGN_MODES: dict[str, Callable[[PoseSequence, PoseSequence, bool], Fitted]] = {
    "none": keep,
    "affine": affine,
    "affine (StableAnimator)": affine_stableanimator,
    "bone length": bone_length,
}
OWN = ("affine", "bone length")  # which are not somebody else's, and may be mended


@dataclass(frozen=True)
class AlignSettings:
    """The widgets of Align Pose."""

    mode: str = "affine"
    smoothing: float = 0.0  # 0-1, of the One-Euro filter; 0 is off
    fill_gaps: int = 5  # longest gap in frames that is filled; 0 fills none
    lead_in: int = 0  # frames from the reference's pose to the clip's first
    ground: bool = True  # hold the ankles to the reference's ground line (affine, bone length)
    hold_cut: bool = True  # keep what the lower border cuts of the reference at that border (affine, bone length)

    def __post_init__(self) -> None:
        """Raise FreeAnimateError for values that the widgets do not have."""
        if self.mode not in ALIGN_MODES:
            known = ", ".join(ALIGN_MODES)
            raise FreeAnimateError(f"{ALIGN_POSE}: mode '{self.mode}' is unknown; choose one of {known}.")
        if not 0 <= self.smoothing <= 1:
            raise FreeAnimateError(f"{ALIGN_POSE}: smoothing is {self.smoothing}; set it to 0 (off) to 1.")
        for name in ("fill_gaps", "lead_in"):
            if getattr(self, name) < 0:
                raise FreeAnimateError(f"{ALIGN_POSE}: {name} is {getattr(self, name)}; set it to 0 frames or more.")


@dataclass(frozen=True)
class Aligned:
    """Poses on the reference's canvas, lead-in included, and one line that says what was done."""

    poses: PoseSequence
    report: str


def align(
    driving: PoseSequence,
    reference: PoseSequence,
    settings: AlignSettings | None = None,
    followed: tuple[str, ...] = (),
) -> Aligned:
    """``driving`` (F frames) fitted to the one frame of ``reference``: F + lead_in frames.

    In order: fitted by the mode, a cut figure held at the border, gaps filled, smoothed, lead-in put before. The
    report also tells ``followed``, what following the person met. Frames of ``driving`` may be empty (confidence 0
    throughout). Raises FreeAnimateError when the reference has not one frame, when a gap is longer
    than ``fill_gaps``, when the two poses share too few joints, or when the lead-in has no common canvas.
    """
    settings = settings or AlignSettings()
    if len(reference) != 1:
        raise FreeAnimateError(
            f"{ALIGN_POSE}: reference_pose holds {len(reference)} frames, but one is expected; "
            "connect the pose of the reference image."
        )
    fitted = ALIGN_MODES[settings.mode](driving, reference, settings.ground)
    if settings.hold_cut and settings.mode in OWN:
        fitted = hold_cut(fitted, reference)
    repaired = fill_gaps(fitted.poses, settings.fill_gaps)  # afterwards: what is made up must not be measured
    smoothed = smooth(repaired.poses, settings.smoothing)
    poses = with_lead_in(smoothed, reference, settings.lead_in)
    seen = observed(driving, reference) if settings.mode != "none" else ()
    notes = (*fitted.notes, *followed, *_repair_notes(repaired), *_other_notes(settings), *seen)
    return Aligned(poses, f"{settings.mode}: {'; '.join(notes)}.")


def _repair_notes(repaired: Repaired) -> list[str]:
    """What was filled, and what is still missing."""
    notes = []
    if repaired.frames:
        notes.append(f"frames without a person filled: {repaired.frames}")
    if repaired.joints:
        notes.append(f"missing joints filled: {repaired.joints}")
    if repaired.missing:
        notes.append(f"joints missing in some frames: {repaired.missing}")
    return notes


def _other_notes(settings: AlignSettings) -> list[str]:
    notes = [f"smoothed at {settings.smoothing:g}"] if settings.smoothing else []
    return notes + ([f"lead-in frames: {settings.lead_in}"] if settings.lead_in else [])
