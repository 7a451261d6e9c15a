"""Align Pose."""

from comfy_api.latest import io

from ..freeanimate_core.errors import ALIGN_POSE
from ..freeanimate_core.pictures import read_picture
from ..freeanimate_core.pose import (
    ALIGN_MODES,
    AlignSettings,
    align,
    draw_poses,
    follow_person,
    overlay,
    parse_poses,
    write_poses,
)
from .sockets import CATEGORY, PREFIX, PoseKeypoint
from .widgets import reference_person


class FreeAnimateAlignPose(io.ComfyNode):
    """Fits a driving clip's poses to the reference's body and draws them for the ControlNet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}AlignPose",
            display_name=ALIGN_POSE,
            category=CATEGORY,
            description="Scales and moves the poses of a driving clip onto the body of the reference, fills gaps, and "
            "draws them for an openpose ControlNet. Look at the overlay and the report before the long work.",
            search_aliases=[
                "pose alignment",
                "retarget",
                "pose transfer",
                "rescale pose",
                "bone length",
                "smooth pose",
                "openpose",
            ],
            inputs=[
                PoseKeypoint.Input(
                    "driving_pose",
                    tooltip="Poses of the driving video, one per frame. Of several people the widget person chooses "
                    "one.",
                ),
                PoseKeypoint.Input(
                    "reference_pose",
                    tooltip="Pose of the reference image, exactly one frame. Of several people reference_person "
                    "chooses one.",
                ),
                io.Combo.Input(
                    "mode",
                    options=list(ALIGN_MODES),
                    default="affine",
                    tooltip="affine: one scale and offset for the clip; bone length: every bone gets the reference's "
                    "length; affine (StableAnimator): as published; none: poses where they are.",
                ),
                io.Image.Input(
                    "reference",
                    optional=True,
                    tooltip="The reference image, one picture: only the ground of the overlay; grey when empty.",
                ),
                *_repairs(),
                reference_person(),
                io.Boolean.Input(
                    "hold_cut",
                    advanced=True,
                    optional=True,
                    default=AlignSettings.hold_cut,
                    tooltip="Of a half body, move the clip down so that the cut at the picture's lower border never "
                    "shows.",
                ),
            ],
            outputs=[
                PoseKeypoint.Output(
                    "pose", tooltip="Aligned poses in pixels of the reference's canvas, one per frame."
                ),
                io.Image.Output(
                    "pose_image",
                    tooltip="Skeletons on black, one picture of the canvas size per frame, for an openpose ControlNet.",
                ),
                io.Image.Output(
                    "overlay",
                    tooltip="Aligned skeletons over the reference, whose own skeleton is white: the fit, per frame.",
                ),
                io.String.Output(
                    "report",
                    tooltip="One line: scale and offset, who was followed, what was filled, and what was seen but "
                    "not corrected.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        driving_pose,
        reference_pose,
        mode,
        reference=None,
        person=0,
        smoothing=0.0,
        fill_gaps=5,
        lead_in=0,
        ground=True,
        reference_person=0,
        hold_cut=AlignSettings.hold_cut,
    ) -> io.NodeOutput:
        settings = AlignSettings(mode, smoothing, fill_gaps, lead_in, ground, hold_cut)
        if reference is not None:
            reference = read_picture(reference, f"{ALIGN_POSE}: reference")
        standing = parse_poses(
            reference_pose, f"{ALIGN_POSE}: reference_pose", reference_person, widget="reference_person"
        )
        driving = follow_person(driving_pose, f"{ALIGN_POSE}: driving_pose", person)
        aligned = align(driving.poses, standing, settings, driving.notes)
        poses = aligned.poses
        return io.NodeOutput(write_poses(poses), draw_poses(poses), overlay(poses, standing, reference), aligned.report)


def _repairs() -> list[io.Input]:
    """The widgets that came after the first version; optional, so that older prompts stay valid."""
    defaults = AlignSettings()
    return [
        io.Int.Input(
            "person",
            optional=True,
            default=0,
            min=0,
            max=100,
            step=1,
            tooltip="Whose motion is taken where the clip shows several people (0-100): 0 the largest, n the n-th "
            "from the left.",
        ),
        io.Float.Input(
            "smoothing",
            optional=True,
            default=defaults.smoothing,
            min=0.0,
            max=1.0,
            step=0.01,
            tooltip="How strongly jitter is smoothed (0-1): 0 not at all; try 0.5. Fast motion is kept.",
        ),
        _frames(
            "fill_gaps",
            defaults.fill_gaps,
            "Longest gap in frames (0-1000) over which missing joints and people are filled in; 0 fills nothing.",
        ),
        _frames(
            "lead_in",
            defaults.lead_in,
            "Frames (0-1000) put before the clip, from the reference's own pose into the first one; 0 adds none.",
        ),
        io.Boolean.Input(
            "ground",
            advanced=True,
            optional=True,
            default=defaults.ground,
            tooltip="Keep the feet on the reference's ground; jumps stay jumps.",
        ),
    ]


def _frames(name: str, default: int, tooltip: str) -> io.Int.Input:
    """A number of frames."""
    return io.Int.Input(name, optional=True, default=default, min=0, max=1000, step=1, tooltip=tooltip)
