"""Animate Sampler."""

from comfy_api.latest import io

from ..freeanimate_core.config import SamplerConfig
from ..freeanimate_core.errors import SAMPLER
from ..freeanimate_core.runs.sampler import animate
from .shown import shown
from .sockets import CATEGORY, PREFIX
from .widgets import GUIDANCE, guidance, patched_run


class FreeAnimateSampler(io.ComfyNode):
    """Denoises the inverted frames: the host's euler over the record's own noise levels."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}Sampler",
            display_name=SAMPLER,
            category=CATEGORY,
            description="Denoises the inverted frames with the patched model and your pose ControlNet.",
            search_aliases=[
                "animate",
                "dance",
                "pose transfer",
                "character animation",
                "image to video",
                "preview-guided denoising",
                "DDIM",
            ],
            inputs=[
                *patched_run(),
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
        cfg_start=GUIDANCE.start,
        cfg_end=GUIDANCE.end,
    ) -> io.NodeOutput:
        config = SamplerConfig(cfg, cfg_start, cfg_end)
        latent, done = animate(model, inversion, positive, negative, config)
        return io.NodeOutput(latent, ui=shown(done))
