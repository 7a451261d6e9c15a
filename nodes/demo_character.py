"""Demo Character: input for a run, with known truth."""

import torch
from comfy_api.latest import io

from ..demo.example import DRAWN, MOTIONS, PEOPLE, STYLES, VIEWS, Example, example, why_not
from ..demo.model import SIDE
from ..freeanimate_core.errors import DEMO_CHARACTER, FreeAnimateError
from ..freeanimate_core.host import screen
from ..freeanimate_core.pose import PoseSequence, draw_poses, write_poses
from .sockets import CATEGORY, PREFIX, PoseKeypoint


class FreeAnimateDemoCharacter(io.ComfyNode):
    """A character in its reference pose and in a motion, drawn or rendered."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}DemoCharacter",
            display_name=DEMO_CHARACTER,
            category=f"{CATEGORY}/demo",
            description="Makes a person, drawn or rendered: a reference image with its pose, a motion, and the true "
            "frames that an animation of the reference should come to.",
            search_aliases=[
                "example input",
                "cartoon",
                "rendered person",
                "3D",
                "test figure",
                "puppet",
                "dance",
                "sample clip",
            ],
            inputs=[
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    step=1,
                    control_after_generate=True,
                    tooltip="Which character: body, clothes, face and background all follow from this number; 0 is one "
                    "like any other.",
                ),
                io.Combo.Input(
                    "motion",
                    options=list(dict.fromkeys(MOTIONS[DRAWN] + MOTIONS[PEOPLE])),
                    default="wave",
                    tooltip="What the person does. Drawn people know the first six, rendered people wave, walk, "
                    "squat and the rest.",
                ),
                io.Int.Input(
                    "frames",
                    default=24,
                    min=1,
                    max=4096,
                    step=1,
                    tooltip="Number of frames (1-4096) over which the whole motion is spread.",
                ),
                io.Int.Input(
                    "width",
                    default=SIDE,
                    min=64,
                    max=4096,
                    step=8,
                    tooltip=f"Width in pixels (64-4096); the demo model draws {SIDE}.",
                ),
                io.Int.Input(
                    "height",
                    default=SIDE,
                    min=64,
                    max=4096,
                    step=8,
                    tooltip=f"Height in pixels (64-4096); the demo model draws {SIDE}.",
                ),
                io.Combo.Input(
                    "style",
                    optional=True,  # later than the first version: older prompts stay valid
                    options=list(STYLES),
                    default=DRAWN,
                    tooltip="drawn: a cartoon person; people: a rendered person in a room. The demo model knows both.",
                ),
                io.Combo.Input(
                    "view",
                    optional=True,
                    options=list(VIEWS),
                    default=VIEWS[0],
                    tooltip="How a rendered person stands in the reference, or where the picture is cut. Drawn ones "
                    "are always frontal.",
                ),
            ],
            outputs=[
                io.Image.Output("reference", tooltip="The character standing, one picture."),
                PoseKeypoint.Output("reference_pose", tooltip="Its pose there, one frame, in pixels."),
                PoseKeypoint.Output("driving_pose", tooltip="Poses of the motion, one per frame, in pixels."),
                io.Image.Output("pose_image", tooltip="The motion's skeletons on black, one picture per frame."),
                io.Image.Output("true_frames", tooltip="The character drawn in each pose: what a run should come to."),
                io.Mask.Output("person_mask", tooltip="The character in the reference, 0-1, one mask."),
                io.Mask.Output("masks", tooltip="The character in each true frame, 0-1, one mask per frame."),
                io.String.Output(
                    "caption",
                    tooltip="What the pictures show, in the words that Load Demo Model knows; for CLIP Text Encode.",
                ),
            ],
        )

    @classmethod
    def execute(cls, seed, motion, frames, width, height, style=DRAWN, view=VIEWS[0]) -> io.NodeOutput:
        if refused := why_not(style, motion, view):
            raise FreeAnimateError(f"{DEMO_CHARACTER}: {refused[0]}; choose {refused[1]}.")
        told = screen.progress_bar(frames)
        return io.NodeOutput(*_outputs(example(style, seed, motion, frames, height, width, view, told)))


def _outputs(made: Example) -> tuple:
    """The node's outputs in their order."""
    height, width = made.reference.shape[1:3]
    poses = PoseSequence.from_joints(made.moving, height, width)
    return (
        torch.from_numpy(made.reference),
        write_poses(PoseSequence.from_joints(made.standing, height, width)),
        write_poses(poses),
        draw_poses(poses),
        torch.from_numpy(made.frames),
        torch.from_numpy(made.reference_mask),
        torch.from_numpy(made.masks),
        made.caption,
    )
