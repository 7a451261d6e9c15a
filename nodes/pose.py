"""Align Pose."""

from comfy_api.latest import io

from ..freeanimate_core.errors import ALIGN_POSE
from ..freeanimate_core.pose import ALIGN_MODES, align, draw_poses, overlay, parse_poses, write_poses
from .sockets import CATEGORY, PREFIX, PoseKeypoint


class FreeAnimateAlignPose(io.ComfyNode):
    """Fits a driving clip's poses to the reference's body and draws them for the ControlNet."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}AlignPose",
            display_name=ALIGN_POSE,
            category=CATEGORY,
            description="Scales and moves the poses of a driving clip onto the body of the reference, and draws them "
            "for an openpose ControlNet. Look at the overlay before the long work.",
            search_aliases=["retarget", "rescale pose", "openpose", "DWPose", "POSE_KEYPOINT"],
            inputs=[
                PoseKeypoint.Input(
                    "driving_pose",
                    tooltip="Poses of the driving clip, one dictionary per frame with one person in each (of several "
                    "the largest is taken), in pixels or as fractions of the canvas (0-1).",
                ),
                PoseKeypoint.Input("reference_pose", tooltip="Pose of the reference image: exactly one frame."),
                io.Combo.Input(
                    "mode",
                    options=list(ALIGN_MODES),
                    default="affine",
                    tooltip="affine: one scale and one offset for the clip, which jumps and bobs do not change. "
                    "affine (StableAnimator): as published there; vertical motion shrinks the body. "
                    "none: poses as they are, brought to the reference's size when the aspect is the same.",
                ),
                io.Image.Input(
                    "reference",
                    optional=True,
                    tooltip="The reference image, one picture: only the ground of the overlay; grey when empty.",
                ),
            ],
            outputs=[
                PoseKeypoint.Output("pose", tooltip="Aligned poses in pixels of the reference's canvas, F frames."),
                io.Image.Output(
                    "pose_image",
                    tooltip="Skeletons on black, F pictures of the canvas size, for an openpose ControlNet.",
                ),
                io.Image.Output(
                    "overlay",
                    tooltip="Aligned skeletons over the reference, whose own skeleton is white: the fit, F pictures.",
                ),
            ],
        )

    @classmethod
    def execute(cls, driving_pose, reference_pose, mode, reference=None) -> io.NodeOutput:
        standing = parse_poses(reference_pose, f"{ALIGN_POSE}: reference_pose")
        poses = align(parse_poses(driving_pose, f"{ALIGN_POSE}: driving_pose"), standing, mode)
        return io.NodeOutput(write_poses(poses), draw_poses(poses), overlay(poses, standing, reference))
