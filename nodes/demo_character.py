"""Demo Character: input for a run, with known truth."""

import torch
from comfy_api.latest import io

from ..demo.drawn.character import draw_character
from ..demo.drawn.motion import MOTIONS, motion, rest_pose
from ..demo.drawn.words import caption
from ..demo.model import SIDE
from ..freeanimate_core.pose import PoseSequence, draw_poses, write_poses
from .sockets import CATEGORY, PREFIX, PoseKeypoint


class FreeAnimateDemoCharacter(io.ComfyNode):
    """Draws a character in its reference pose and in a motion."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}DemoCharacter",
            display_name="Demo Character",
            category=f"{CATEGORY}/demo",
            description="Draws a cartoon person: a reference image with its pose, a motion, and the true frames that "
            "an animation of the reference should come to.",
            search_aliases=["example input", "cartoon", "test figure", "puppet", "dance", "sample clip"],
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
                    options=list(MOTIONS),
                    default="wave",
                    tooltip="wave: raises the right arm and waves.\n"
                    "side step: steps to its left and back.\n"
                    "walk: walks in place towards the viewer.\n"
                    "dance: arms, hips and trunk swing from side to side.\n"
                    "squat: goes down with knees and arms out, and up again.\n"
                    "turn: turns to one side, through the front to the other, and back.",
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
    def execute(cls, seed, motion, frames, width, height) -> io.NodeOutput:
        return io.NodeOutput(*_character(seed, motion, frames, width, height))


def _character(seed: int, name: str, frames: int, width: int, height: int) -> tuple:
    """The node's outputs in their order."""
    standing, moving = rest_pose(seed, height, width), motion(name, seed, frames, height, width)
    reference, mask = draw_character(seed, standing, height, width)
    truth, masks = draw_character(seed, moving, height, width)
    poses = PoseSequence.from_joints(moving, height, width)
    return (
        torch.from_numpy(reference),
        write_poses(PoseSequence.from_joints(standing, height, width)),
        write_poses(poses),
        draw_poses(poses),
        torch.from_numpy(truth),
        torch.from_numpy(mask),
        torch.from_numpy(masks),
        caption(seed),
    )
