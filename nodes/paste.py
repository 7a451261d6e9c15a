"""Paste Preview."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_FEATHER, MAX_FRAMES
from ..freeanimate_core.errors import PASTE
from ..freeanimate_core.runs.paste import paste_preview
from .shown import shown
from .sockets import CATEGORY, PREFIX


class FreeAnimatePastePreview(io.ComfyNode):
    """Puts the preview's own pixels back where the patched model kept it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}PastePreview",
            display_name=PASTE,
            category=CATEGORY,
            description="After the VAE's decoder: wherever Patch Model kept the preview to the end, its own pixels "
            "come back, so that background and trusted figure lose nothing to the VAE.",
            search_aliases=["composite", "keep pixels", "still background", "undo VAE loss"],
            inputs=[
                io.Image.Input("images", tooltip="The decoded frames: of VAE Decode, or of Animate Long Clip."),
                io.Image.Input("preview", tooltip="The preview frames that were encoded and inverted, all of them."),
                io.Model.Input("model", tooltip="The patched model that made the images; it knows what was kept."),
                io.Int.Input(
                    "feather",
                    default=4,
                    min=0,
                    max=MAX_FEATHER,
                    tooltip="Over how many pixels the two are mixed, inside of what was redrawn (0-64); 0: a hard "
                    "edge.",
                ),
                io.Int.Input(
                    "first_frame",
                    optional=True,
                    advanced=True,
                    default=0,
                    min=0,
                    max=MAX_FRAMES,
                    tooltip="The preview frame that images begin with, counted from 0: first_frame of Animate Long "
                    "Clip. 0: the first.",
                ),
            ],
            outputs=[io.Image.Output("frames", tooltip="The finished frames.")],
        )

    @classmethod
    def execute(cls, images, preview, model, feather, first_frame=0) -> io.NodeOutput:
        frames, report = paste_preview(model, images, preview, first_frame, feather)
        return io.NodeOutput(frames, ui=shown(report))
