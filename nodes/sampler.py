"""Animate Sampler."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_CFG, SamplerConfig
from ..freeanimate_core.errors import SAMPLER
from ..freeanimate_core.run_sampling import animate
from .sockets import CATEGORY, PREFIX, Inversion

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
                io.Float.Input(
                    "cfg",
                    default=DEFAULTS.cfg,
                    min=0.0,
                    max=MAX_CFG,
                    step=0.1,
                    round=0.01,
                    tooltip="Guidance scale (0-100): 1 follows the inversion most closely and is twice as fast, "
                    "higher follows the prompt more and costs true colours; 0 is the negative prompt alone.",
                ),
                io.Float.Input(
                    "cfg_start",
                    optional=True,  # later than the first version: older prompts stay valid
                    default=DEFAULTS.start,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Fraction of the steps after which guidance begins (0-1); 0 from the first. Steps without "
                    "guidance are at cfg 1 and twice as fast.",
                ),
                io.Float.Input(
                    "cfg_end",
                    optional=True,
                    default=DEFAULTS.end,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="Fraction of the steps after which guidance ends (0-1, not below cfg_start); 0 means no "
                    "guidance at all, 1 to the last step.",
                ),
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
