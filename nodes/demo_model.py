"""Load Demo Model: everything a run needs, without a download."""

from comfy_api.latest import io

from ..demo.model import load_demo_model
from .sockets import CATEGORY, PREFIX


class FreeAnimateDemoModel(io.ComfyNode):
    """Hand out the pack's own small model."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """No inputs; the four sockets of an SD1.5 checkpoint with an openpose ControlNet."""
        return io.Schema(
            node_id=f"{PREFIX}DemoModel",
            display_name="Load Demo Model",
            category=f"{CATEGORY}/demo",
            description=(
                "A small SD1.5-shaped model, text encoder, VAE and pose ControlNet that need no download. "
                "The weights are an untrained stand-in: they let the whole pipeline run and show its preview, "
                "but they cannot repair or invent anything. Use it at guidance (cfg) 1. "
                "For pictures load an SD1.5 checkpoint and an openpose ControlNet instead."
            ),
            search_aliases=["tiny model", "test model", "stand-in"],
            is_experimental=True,
            inputs=[],
            outputs=[
                io.Model.Output(tooltip="U-Net of the SD1.5 layout, about 1.8 million untrained parameters, fp32."),
                io.Clip.Output(tooltip="Text encoder with the CLIP vocabulary; its words mean nothing yet."),
                io.Vae.Output(tooltip="Autoencoder of 8x8 pixels per latent cell: gives the picture back, smoothed."),
                io.ControlNet.Output(tooltip="Pose ControlNet of the same layout; reacts to its hint, untrained."),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        """Build the four anew: the host caches them with the node."""
        return io.NodeOutput(*load_demo_model())
