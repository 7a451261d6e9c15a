"""Refine Preview."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_CFG, MAX_GROW, MAX_STEPS, RefineConfig
from ..freeanimate_core.errors import REFINE
from ..freeanimate_core.runs.refine import Scene, run_refine
from .sockets import CATEGORY, PREFIX
from .widgets import frames_per_window, reference_weight


class FreeAnimateRefinePreview(io.ComfyNode):
    """Redraws the figure and the holes of the preview with the model, over one still background."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}RefinePreview",
            display_name=REFINE,
            category=CATEGORY,
            description="Redraws the preview's figure, its holes and the painted part of the background with your "
            "model, while every frame reads the reference. The rest stays as it is, pixel for pixel.",
            search_aliases=["img2img", "inpaint preview", "fix seams", "fill holes"],
            inputs=[
                io.Model.Input("model", tooltip="SD1.5, SD2 or SDXL model; load LoRAs before it."),
                io.Vae.Input("vae", tooltip="The VAE of that checkpoint."),
                io.Conditioning.Input(
                    "positive",
                    tooltip="One prompt with its openpose ControlNet applied: one pose image per preview frame.",
                ),
                io.Conditioning.Input("negative", tooltip="Negative prompt with the same ControlNet; unread at cfg 1."),
                io.Image.Input("preview", tooltip="Preview frames, sides multiples of 8 pixels."),
                io.Mask.Input("person_mask", tooltip="The person in each preview frame, 0-1, as many as frames."),
                io.Mask.Input("hole_mask", tooltip="What Preview Generation invented, 0-1, as many as frames."),
                io.Image.Input("background", tooltip="The one background of the preview, one picture."),
                io.Image.Input("reference", tooltip="The reference image of the preview, one picture."),
                io.Float.Input(
                    "denoise",
                    default=RefineConfig.denoise,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    tooltip="How much is redrawn (0-1): 0 leaves the preview, 0.35 mends seams, 0.6 redraws limbs.",
                ),
                io.Int.Input(
                    "steps",
                    default=RefineConfig.steps,
                    min=1,
                    max=MAX_STEPS,
                    tooltip="Sampling steps (1-1000) within the denoised share.",
                ),
                io.Float.Input(
                    "cfg",
                    default=RefineConfig.cfg,
                    min=0.0,
                    max=MAX_CFG,
                    step=0.1,
                    round=0.01,
                    tooltip="Guidance scale (0-100): 1 is twice as fast, 0 is the negative prompt alone.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Seed of the noise, which is the same for all frames; 0 is a seed like any other.",
                ),
                reference_weight(RefineConfig.reference_weight, "frames'", advanced=True),
                io.Int.Input(
                    "grow",
                    advanced=True,
                    default=RefineConfig.grow,
                    min=0,
                    max=MAX_GROW,
                    tooltip="Pixels (0-256) by which the redrawn area reaches beyond figure and holes; 0 redraws them "
                    "alone.",
                ),
                frames_per_window(),
                io.Mask.Input(
                    "plate_mask",
                    optional=True,
                    tooltip="plate_mask of Preview Generation: that part of the background is redrawn once for all "
                    "frames. Empty: with the person.",
                ),
                io.Float.Input(
                    "plate_denoise",
                    advanced=True,
                    default=RefineConfig.plate_denoise,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    optional=True,
                    tooltip="How much of plate_mask is redrawn (0-1): 0 keeps the background, 1 ignores what was "
                    "painted there.",
                ),
                io.Conditioning.Input(
                    "plate_positive",
                    optional=True,
                    tooltip="Needed with plate_mask: a prompt of the empty scene ('a brick wall, a wooden floor'), "
                    "because words of a person would draw one into the background.",
                ),
            ],
            outputs=[
                io.Image.Output("refined_preview", display_name="preview", tooltip="The refined frames, 0-1."),
                io.Image.Output("background", tooltip="The one background of the refined frames, one picture."),
            ],
        )

    @classmethod
    def execute(
        cls,
        model,
        vae,
        positive,
        negative,
        preview,
        person_mask,
        hole_mask,
        background,
        reference,
        denoise,
        steps,
        cfg,
        seed,
        reference_weight,
        grow,
        frames_per_window,
        plate_mask=None,
        plate_denoise=RefineConfig.plate_denoise,
        plate_positive=None,
    ) -> io.NodeOutput:
        config = RefineConfig(denoise, steps, cfg, reference_weight, grow, seed, frames_per_window, plate_denoise)
        scene = Scene(preview, person_mask, hole_mask, background, reference, plate_mask)
        made = run_refine(model, vae, positive, negative, scene, config, plate_positive)
        return io.NodeOutput(made.frames, made.background)
