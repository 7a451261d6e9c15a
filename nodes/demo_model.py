"""Load Demo Model: everything a run needs, without a download."""

from comfy_api.latest import io

from ..demo.model.loading import load_demo_model
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
                "A small SD1.5-shaped model, text encoder, VAE and pose ControlNet that come with this node pack and "
                "need no download. They draw the people of Demo Character, rendered or drawn, at 256x256 pixels and "
                "know the words of its caption; nothing else. For other pictures load an SD1.5 checkpoint and an "
                "openpose ControlNet."
            ),
            search_aliases=["tiny model", "test model", "example checkpoint", "no download", "CPU"],
            inputs=[],
            outputs=[
                io.Model.Output(tooltip="U-Net of the SD1.5 layout, 6.9 million parameters, fp32."),
                io.Clip.Output(tooltip="Text encoder that knows the words of the captions; others mean nothing."),
                io.Vae.Output(tooltip="Autoencoder of 8x8 pixels per latent cell of 16 channels."),
                io.ControlNet.Output(tooltip="ControlNet for openpose pictures, of the same layout."),
            ],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        """Build the four anew: the host caches them with the node."""
        return io.NodeOutput(*load_demo_model())
