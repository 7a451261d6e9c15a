"""Animate Long Clip."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_WINDOW, LongClipConfig, SamplerConfig
from ..freeanimate_core.errors import LONG_CLIP
from ..freeanimate_core.runs.long_clip import Inputs, run_long_clip
from .shown import shown
from .sockets import CATEGORY, PREFIX
from .widgets import GUIDANCE, clip_range, guidance, patched_run

DEFAULTS = LongClipConfig()


class FreeAnimateLongClip(io.ComfyNode):
    """Animate Sampler and VAE Decode for clips of any length: part by part, resumable, in ranges."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}LongClip",
            display_name=LONG_CLIP,
            category=CATEGORY,
            description="Denoises and decodes the inverted frames part by part, with the Animate Sampler's result. "
            "Finished parts wait in a folder, so that a stopped run goes on where it was. Memory is that of one part, "
            "but for the latents and pictures of the frames rendered.",
            search_aliases=["animate", "long video", "dance", "pose transfer", "resume", "render range", "batch"],
            inputs=[
                *patched_run(),
                io.Vae.Input("vae", tooltip="The checkpoint's VAE, which decodes the frames."),
                *guidance(),
                io.Int.Input(
                    "frames_per_part",
                    default=DEFAULTS.frames_per_part,
                    min=1,
                    max=MAX_WINDOW,
                    tooltip="Frames taken through all steps before the next ones (1-4096). Fewer need less memory.",
                ),
                *clip_range("First frame to render, counted from 0; best a multiple of frames_per_part.", "render"),
                io.String.Input(
                    "run_name",
                    default=DEFAULTS.run_name,
                    tooltip="Folder below output/freeanimate that keeps finished parts, so that a stopped run goes "
                    "on. Empty: nothing is written.",
                ),
                io.String.Input(
                    "again",
                    default=DEFAULTS.again,
                    tooltip="Frames, counted from 0, whose parts are made again, as in '12, 40-47'. Empty: none.",
                ),
            ],
            outputs=[
                io.Image.Output("images", tooltip="The frames rendered, decoded; float32, which is what fills RAM."),
                io.Latent.Output("latent", tooltip="Their latents, as the Animate Sampler gives them."),
                io.String.Output("report", tooltip="Parts made and parts read from the folder, frames, seconds."),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls,
        model,
        inversion,
        positive,
        negative,
        vae,
        cfg,
        cfg_start=GUIDANCE.start,
        cfg_end=GUIDANCE.end,
        frames_per_part=DEFAULTS.frames_per_part,
        first_frame=DEFAULTS.first_frame,
        frames=DEFAULTS.frames,
        run_name=DEFAULTS.run_name,
        again=DEFAULTS.again,
    ) -> io.NodeOutput:
        scale = SamplerConfig(cfg, cfg_start, cfg_end, LONG_CLIP)
        config = LongClipConfig(frames_per_part, first_frame, frames, run_name, again)
        done = run_long_clip(Inputs(model, inversion, positive, negative, vae, scale), config)
        return io.NodeOutput(done.images, done.latent, done.report, ui=shown(done.report))
