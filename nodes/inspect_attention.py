"""Inspect Attention."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_FRAMES, MAX_LAYER, SECTIONS, InspectConfig
from ..freeanimate_core.errors import INSPECT
from ..freeanimate_core.runs.inspect_attention import run_inspect
from .shown import shown
from .sockets import CATEGORY, PREFIX, Inversion

DEFAULTS = InspectConfig()


class FreeAnimateInspectAttention(io.ComfyNode):
    """Shows where one point of a preview frame looks, in the frame and in the reference."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}InspectAttention",
            display_name=INSPECT,
            category=CATEGORY,
            description="Picks a point of a preview frame and shows where the model's self-attention looks from there "
            "while the inversion runs: in the frame itself and in the reference, as heat maps over both.",
            search_aliases=[
                "attention map",
                "heat map",
                "RA-SA",
                "visualize attention",
                "debug animate",
                "pose transfer",
            ],
            inputs=[
                io.Model.Input("model", tooltip="The same model that the inversion was made with."),
                Inversion.Input("inversion", tooltip="The inversion of DDIM Inversion (Attention Capture)."),
                io.Image.Input(
                    "preview", tooltip="The preview frames that were encoded for the inversion, to draw over."
                ),
                io.Image.Input("reference", tooltip="The reference image that was encoded for it, one picture."),
                io.Int.Input(
                    "frame",
                    default=DEFAULTS.frame,
                    min=0,
                    max=MAX_FRAMES,
                    tooltip="The preview frame that the point is in, counted from 0.",
                ),
                io.Float.Input(
                    "step",
                    default=DEFAULTS.step,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="At which noise level, as a position among the sampling steps (0-1): 0 is the first and "
                    "noisiest step, 1 the last.",
                ),
                io.Combo.Input(
                    "part",
                    options=list(SECTIONS),
                    default=DEFAULTS.section,
                    tooltip="Part of the U-Net, in its order: fine shows details, coarse whole limbs.",
                ),
                io.Int.Input(
                    "layer",
                    default=DEFAULTS.layer,
                    min=0,
                    max=MAX_LAYER,
                    tooltip="Which self-attention layer of that part (0-100), counted from 0.",
                ),
                io.Float.Input(
                    "x",
                    default=DEFAULTS.x,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The point's place (0-1): 0 is the left edge, 1 the right.",
                ),
                io.Float.Input(
                    "y",
                    default=DEFAULTS.y,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="The point's place (0-1): 0 is the top edge, 1 the bottom.",
                ),
            ],
            outputs=[
                io.Image.Output(
                    "heat_map",
                    tooltip="Frame and reference side by side in grey, attention in colour on one scale for both (by "
                    "square root), the point ringed.",
                ),
                io.String.Output(
                    "text", tooltip="Which share of the attention goes to the reference, and the strongest places."
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, model, inversion, preview, reference, frame, step, part, layer, x, y) -> io.NodeOutput:
        seen = run_inspect(model, inversion, preview, reference, InspectConfig(frame, step, part, layer, x, y))
        return io.NodeOutput(seen.picture, seen.text, ui=shown(seen.text))
