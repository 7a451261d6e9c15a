"""Preview Generation."""

import logging

from comfy_api.latest import io

from ..freeanimate_core.errors import PREVIEW
from ..freeanimate_core.host import memory, screen
from ..freeanimate_core.pose import parse_poses
from ..freeanimate_core.presets import CUSTOM, preset_named
from ..freeanimate_core.preview import coverage_plot, generate, report
from .shown import shown
from .sockets import CATEGORY, PREFIX, PoseKeypoint
from .widgets import preset, reference_person

log = logging.getLogger("freeanimate")


class FreeAnimatePreview(io.ComfyNode):
    """Moves the reference's figure to every target pose, over one background."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}Preview",
            display_name=PREVIEW,
            category=CATEGORY,
            description="Takes the person of the reference apart into head, trunk and limbs and moves them to every "
            "pose, over one still background. The result keeps this layout, so look at it; frames of any other tool "
            "may take its place: as many as the poses, each of the reference's size, which the later nodes check.",
            search_aliases=[
                "preview-guided denoising",
                "warp",
                "puppet",
                "animate still",
                "preview frames",
                "coarse animation",
            ],
            inputs=[
                io.Image.Input("reference", tooltip="The reference image: exactly one picture, which sets the size."),
                PoseKeypoint.Input(
                    "reference_pose",
                    tooltip="Pose of the reference image, one frame. Of several people reference_person chooses one.",
                ),
                PoseKeypoint.Input(
                    "target_pose",
                    tooltip="Pose of every frame to make, from Align Pose, on a canvas of the reference's aspect.",
                ),
                io.Mask.Input(
                    "person_mask",
                    optional=True,
                    tooltip="The person in the reference (1 inside, 0 outside). Empty: the person is cut out by the "
                    "pose, which is coarser.",
                ),
                io.Image.Input(
                    "background",
                    optional=True,
                    tooltip="The scene without the person, of the reference's size. Empty: painted from the person's "
                    "surroundings.",
                ),
                io.String.Input(
                    "depth_order",
                    default="",
                    multiline=True,
                    optional=True,
                    tooltip="What is in front, one line each: '0-15: left arm behind' or 'all: right leg front' (the "
                    "person's left and right). Empty: by the pose.",
                ),
                io.Float.Input(
                    "coverage_threshold",
                    advanced=True,
                    default=0.85,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="Frames whose coverage is below this share (0-1) are named in a warning; 0: never.",
                ),
                reference_person(),
                io.Float.Input(
                    "keep_face",
                    optional=True,  # later than the first version: older prompts stay valid
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How much of redraw_mask is taken off a face that the reference shows (0-1): 0 nothing, "
                    "1 keeps the face as it is.",
                ),
                preset("keep_face and what redraw_mask holds"),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def execute(
        cls,
        reference,
        reference_pose,
        target_pose,
        person_mask=None,
        background=None,
        depth_order="",
        coverage_threshold=0.85,
        reference_person=0,
        keep_face=0.0,
        preset=CUSTOM,
    ) -> io.NodeOutput:
        standing = parse_poses(
            reference_pose, f"{PREVIEW}: reference_pose", reference_person, widget="reference_person"
        )
        poses = parse_poses(target_pose, f"{PREVIEW}: target_pose")
        settings = preset_named(preset, PREVIEW)
        made = generate(
            reference,
            standing,
            poses,
            person_mask,
            background,
            memory.torch_device(),
            screen.progress_bar(len(poses)),
            depth_order=depth_order,
            keep_face=settings.keep_face if settings else keep_face,
        )
        text = " ".join((report(made.coverage, coverage_threshold), *made.findings, *made.warnings))
        if min(made.coverage) < coverage_threshold or made.warnings:
            log.warning("%s: %s", PREVIEW, text)
        plot = coverage_plot(made.coverage, coverage_threshold)
        return io.NodeOutput(
            made.frames,
            made.person_mask,
            made.hole_mask,
            made.background,
            list(made.coverage),
            plot,
            made.hole_mask if settings and settings.mask == "hole_mask" else made.redraw_mask,
            made.plate_mask,
            text,
            ui=shown(text),
        )


def _outputs() -> list[io.Output]:
    return [
        io.Image.Output("preview", tooltip="F frames of the reference's size."),
        io.Mask.Output("person_mask", tooltip="The person in each frame, 0-1."),
        io.Mask.Output("hole_mask", tooltip="What the reference does not show and was filled with plain colour, 0-1."),
        io.Image.Output("background", tooltip="The one background of all frames, one picture."),
        io.Float.Output(
            "coverage",
            is_output_list=True,
            tooltip="One number per frame (0-1): the share of the person that the reference could show.",
        ),
        io.Image.Output("coverage_plot", tooltip="The coverage over the frames, one picture."),
        io.Mask.Output(
            "redraw_mask",
            tooltip="How likely the figure is wrong, 0-1, in cells of 8 pixels as the latent has them: where "
            "it turned, moved or was invented. 0 off the figure.",
        ),
        io.Mask.Output(
            "plate_mask",
            tooltip="What of the background was painted, 0-1, for Refine Preview.",
        ),
        io.String.Output("report", tooltip="What the node says of the frames: coverage, findings and warnings."),
    ]
