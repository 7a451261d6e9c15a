"""Load Pose and Save Pose."""

from comfy_api.latest import io

from ..freeanimate_core.errors import LOAD_POSE, SAVE_POSE, FreeAnimateError, counted
from ..freeanimate_core.host import files
from ..freeanimate_core.pose.files import checked, load_frames, save_frames
from ..freeanimate_core.pose.layouts import LARGEST_CANVAS
from .shown import shown
from .sockets import CATEGORY, PREFIX, PoseKeypoint

_FILE = f"{LOAD_POSE}: pose_file"


class FreeAnimateLoadPose(io.ComfyNode):
    """Reads poses from a JSON file of the input or the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}LoadPose",
            display_name=LOAD_POSE,
            category=CATEGORY,
            description="Reads poses that were saved as JSON, by Save Pose or by other nodes that write "
            "POSE_KEYPOINT, checks them and brings them to pixels.",
            search_aliases=["import pose", "openpose json", "POSE_KEYPOINT", "keypoints file", "motion file", "dance"],
            inputs=[
                io.Combo.Input(
                    "pose_file",
                    options=files.stored_files(".json"),
                    tooltip="A JSON file of ComfyUI's input folder, or of its output folder ([output], where Save Pose "
                    "writes). Press R to see new files.",
                ),
                _side("width"),
                _side("height"),
            ],
            outputs=[
                PoseKeypoint.Output("pose", tooltip="Everybody in the file, in pixels; empty frames stay empty."),
                io.Int.Output("frames", tooltip="Number of frames."),
                io.Int.Output("width", tooltip="Width of the poses' canvas in pixels."),
                io.Int.Output("height", tooltip="Height of the poses' canvas in pixels."),
            ],
        )

    @classmethod
    def validate_inputs(cls, pose_file) -> bool | str:
        """True, or the sentence that the host shows instead of starting."""
        try:
            files.stored_file(pose_file, _FILE)
        except FreeAnimateError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, pose_file, width=0, height=0) -> tuple[int, int]:
        """Changes when the file does, so that the node runs again."""
        state = files.stored_file(pose_file, _FILE).stat()
        return state.st_mtime_ns, state.st_size

    @classmethod
    def execute(cls, pose_file, width=0, height=0) -> io.NodeOutput:
        frames = load_frames(files.stored_file(pose_file, _FILE), _FILE, width, height)
        return io.NodeOutput(frames, len(frames), frames[0]["canvas_width"], frames[0]["canvas_height"])


def _side(name: str) -> io.Int.Input:
    """A side of the picture, for files that do not tell it."""
    return io.Int.Input(
        name,
        advanced=True,
        optional=True,  # later than the first version: older prompts stay valid
        default=0,
        min=0,
        max=LARGEST_CANVAS,
        step=1,
        tooltip=f"{name.capitalize()} in pixels (0-{LARGEST_CANVAS}) of the picture that the points were found in, for "
        "files that do not carry it, such as OpenPose's own and MMPose's; 0: as the file says.",
    )


class FreeAnimateSavePose(io.ComfyNode):
    """Writes poses as a JSON file into the output folder."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}SavePose",
            display_name=SAVE_POSE,
            category=CATEGORY,
            description="Checks poses and saves them as JSON, one POSE_KEYPOINT dictionary per frame, in pixels, as "
            "Load Pose and other pose nodes read it. No file is ever overwritten.",
            search_aliases=["export pose", "openpose json", "POSE_KEYPOINT", "keypoints file", "motion file"],
            inputs=[
                PoseKeypoint.Input(
                    "pose", tooltip="Poses of any number of people, F frames, in pixels or fractions of the canvas."
                ),
                io.String.Input(
                    "filename_prefix",
                    default="poses/FreeAnimate",
                    tooltip="Folder and start of the file's name below ComfyUI's output folder; a free number is "
                    "added. May hold %year%, %month%, %day%, %width% and the like.",
                ),
            ],
            outputs=[PoseKeypoint.Output("pose", tooltip="The poses as they came in, for the next node.")],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, pose, filename_prefix) -> io.NodeOutput:
        frames = checked(pose, f"{SAVE_POSE}: pose")
        size = frames[0]["canvas_width"], frames[0]["canvas_height"]
        where = f"{SAVE_POSE}: filename_prefix"
        folder, stem, number, subfolder = files.output_place(filename_prefix, *size, where)
        name = save_frames(frames, folder, stem, number, where)
        place = f"{subfolder}/{name}" if subfolder else name
        return io.NodeOutput(pose, ui=shown(f"{place}: {counted(len(frames), 'frame')}, {size[0]} x {size[1]}"))
