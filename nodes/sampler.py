"""Animate Sampler."""

from comfy_api.latest import io

from ..freeanimate_core.config import SamplerConfig
from ..freeanimate_core.errors import SAMPLER
from ..freeanimate_core.run_sampling import animate
from .sockets import CATEGORY, PREFIX, Inversion
from .widgets import guidance

DEFAULTS = SamplerConfig()


class FreeAnimateSampler(io.ComfyNode):
    """Denoises the inverted frames: the host's euler over the record's own noise levels."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}Sampler",
            display_name=SAMPLER,
            category=CATEGORY,
            description="Denoises the inverted frames with the patched model and your pose ControlNet.",
            search_aliases=["animate", "FreeAnimate sampler", "DDIM"],
            inputs=[
                io.Model.Input("model", tooltip="The model output of Patch Model (RA-SA + IBA)."),
                Inversion.Input("inversion", tooltip="The same record that the model was patched with."),
                io.Conditioning.Input(
                    "positive", tooltip="The prompt of the inversion with the pose ControlNet: one pose per frame."
                ),
                io.Conditioning.Input("negative", tooltip="Negative prompt with the same ControlNet; unread at cfg 1."),
                *guidance(),
            ],
            outputs=[io.Latent.Output("latent", tooltip="The animated frames, for VAE Decode.")],
        )

    @classmethod
    def execute(
        cls,
        model,
        inversion,
        positive,
        negative,
        cfg,
        cfg_start=DEFAULTS.start,
        cfg_end=DEFAULTS.end,
    ) -> io.NodeOutput:
        return io.NodeOutput(animate(model, inversion, positive, negative, SamplerConfig(cfg, cfg_start, cfg_end)))
