"""Detect Pose."""

from comfy_api.latest import io

from ..freeanimate_core.errors import DETECT_POSE
from ..freeanimate_core.host import files, memory, screen
from ..freeanimate_core.pictures import read_pictures
from ..freeanimate_core.pose.detect import (
    FOLDER,
    build_detector,
    choose_files,
    detect_poses,
    read_weights,
    wanted_parts,
)
from .sockets import CATEGORY, PREFIX, PoseKeypoint


class FreeAnimateDetectPose(io.ComfyNode):
    """Finds the poses of people in a clip by OpenPose."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}DetectPose",
            display_name=DETECT_POSE,
            category=CATEGORY,
            description="Finds body joints, and hands and face if wanted, in every frame by OpenPose of the package "
            f"controlnet-aux (licensed for non-commercial use). Its weights are read from models/{FOLDER}; nothing "
            "is downloaded. ComfyUI's SDPose nodes do the same.",
            search_aliases=[
                "openpose",
                "pose estimation",
                "keypoints",
                "preprocessor",
                "DWPose",
                "skeleton",
                "motion capture",
            ],
            inputs=[
                io.Image.Input("images", tooltip="Frames of the driving clip, or the reference image."),
                io.Boolean.Input(
                    "hands",
                    default=False,
                    tooltip="Find finger joints as well (hand_pose_model.pth); much slower, most of all on a CPU.",
                ),
                io.Boolean.Input(
                    "face", default=False, tooltip="Find 70 points of the face as well (facenet.pth); slower."
                ),
                io.Int.Input(
                    "resolution",
                    advanced=True,
                    default=512,
                    min=64,
                    max=2048,
                    step=8,
                    tooltip="Shorter side in pixels that frames are scaled to for the search (64-2048); the poses "
                    "are in pixels of the frames as they came.",
                ),
            ],
            outputs=[
                PoseKeypoint.Output(
                    "pose", tooltip="Everybody found, one dictionary per frame, in pixels; empty where nobody was."
                )
            ],
        )

    @classmethod
    def execute(cls, images, hands, face, resolution) -> io.NodeOutput:
        images = read_pictures(images, f"{DETECT_POSE}: images")
        chosen = choose_files(wanted_parts(hands, face), files.model_files(FOLDER))
        weights = read_weights(lambda name: files.load_weights(FOLDER, name), chosen)
        progress = screen.progress_bar(len(images))
        detector = build_detector(weights, memory.torch_device())
        return io.NodeOutput(detect_poses(images, detector, hands, face, resolution, progress))
