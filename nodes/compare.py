"""Compare Videos."""

from comfy_api.latest import io, ui

from ..freeanimate_core.compare.clips import gathered
from ..freeanimate_core.compare.measuring import measured
from ..freeanimate_core.compare.plot import plotted
from ..freeanimate_core.compare.side_by_side import side_by_side
from ..freeanimate_core.compare.table import written
from ..freeanimate_core.errors import COMPARE
from ..freeanimate_core.host import screen
from .sockets import CATEGORY, PREFIX

LETTERS = "abcd"


def _video(letter: str, optional: bool) -> io.Image.Input:
    return io.Image.Input(
        f"video_{letter}",
        optional=optional,
        tooltip="Frames of a video; all videos have one length and one size."
        + (" Empty: left out." if optional else ""),
    )


def _label(letter: str) -> io.String.Input:
    return io.String.Input(
        f"label_{letter}",
        optional=True,
        default=letter.upper(),
        tooltip=f"What video_{letter} is called in the picture, the table and the plot. Empty: video_{letter}.",
    )


class FreeAnimateCompare(io.ComfyNode):
    """Holds videos against one another, and against the true frames where they are known."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}Compare",
            display_name=COMPARE,
            category=CATEGORY,
            description="Shows two to four videos beside one another and measures them: how near they are to the "
            "true frames (L1, PSNR, SSIM), how steady they are (warping error, flicker) and how still the background "
            "stands. Without the true frames, what needs them is left out.",
            search_aliases=[
                "side by side",
                "measure video",
                "metrics",
                "PSNR",
                "SSIM",
                "L1",
                "warping error",
                "flicker",
                "evaluate animation",
                "dance",
                "pose transfer",
            ],
            inputs=[
                *(_video(letter, optional=False) for letter in LETTERS[:2]),
                *(_video(letter, optional=True) for letter in LETTERS[2:]),
                io.Image.Input(
                    "truth",
                    optional=True,
                    tooltip="The true frames, such as the real video that gave the poses, as many and as large as "
                    "the videos. Empty: not compared with them.",
                ),
                io.Mask.Input(
                    "person_mask",
                    optional=True,
                    tooltip="The person in each frame (0-1), or one mask for all: the background is measured outside "
                    "of it. Empty: the whole frame.",
                ),
                *(_label(letter) for letter in LETTERS),
                io.Combo.Input(
                    "truth_place",
                    optional=True,
                    options=["last", "first"],
                    default="last",
                    tooltip="Where the true frames stand: to the right of the videos (last) or to the left.",
                ),
            ],
            outputs=[
                io.Image.Output("side_by_side", tooltip="The videos in one row, each under its label, as a batch."),
                io.String.Output(
                    "table",
                    tooltip="The measures of each video as a Markdown table, with units and what could not be "
                    "measured.",
                ),
                io.Image.Output("plot", tooltip="The same measures frame by frame, one picture of 1280x720."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        video_a,
        video_b,
        video_c=None,
        video_d=None,
        truth=None,
        person_mask=None,
        label_a="A",
        label_b="B",
        label_c="C",
        label_d="D",
        truth_place="last",
    ) -> io.NodeOutput:
        videos = dict(video_a=video_a, video_b=video_b, video_c=video_c, video_d=video_d)
        clips = gathered(videos, [label_a, label_b, label_c, label_d], truth, person_mask)
        scores = measured(clips, screen.progress_bar(len(clips.shown)))
        table = written(scores, clips)
        row = side_by_side(clips.row(truth_first=truth_place == "first"))
        return io.NodeOutput(row, table, plotted(scores, list(clips.shown)), ui=ui.PreviewText(table))
