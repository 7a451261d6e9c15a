"""Small real models of each family that the pack knows, and of one that it must refuse."""

import layouts
from comfy_api.latest import io

from freeanimate_pack.demo.model.layout import build_clip, build_control_net, build_model, build_vae

FLOW = "flow"


def _model(kind: str, seed: int, out_scale: float) -> object:
    """The MODEL of a family by name."""
    return layouts.build_flow(seed) if kind == FLOW else build_model(layouts.TINY[kind], seed, out_scale)


class TinyModels(io.ComfyNode):
    """MODEL, CLIP, VAE and CONTROL_NET with weights drawn from a seed."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Family, seed and the scale of the U-Net's output."""
        return io.Schema(
            node_id="TinyModels",
            category="tests",
            inputs=[
                io.Combo.Input("layout", options=[*layouts.TINY, FLOW]),
                io.Int.Input("seed", default=0, min=0, max=1000, step=1),
                io.Float.Input("out_scale", default=0.05, min=0.0, max=1.0, step=0.01),
            ],
            outputs=[io.Model.Output(), io.Clip.Output(), io.Vae.Output(), io.ControlNet.Output()],
        )

    @classmethod
    def execute(cls, layout: str, seed: int, out_scale: float) -> io.NodeOutput:
        """Build the four."""
        family = layouts.TINY.get(layout, layouts.SD15_TINY)
        return io.NodeOutput(
            _model(layout, seed, out_scale),
            build_clip(family, seed + 1),
            build_vae(family, channels=16 if layout == FLOW else 4),
            build_control_net(family, seed + 2),
        )
