"""DDIM Inversion (Attention Capture)."""

from comfy_api.latest import io

from ..freeanimate_core.config import MAX_CORRECTION, MAX_STEPS, MAX_WINDOW, STORAGE, InversionConfig
from ..freeanimate_core.errors import INVERSION
from ..freeanimate_core.runs.inversion import run_inversion
from .shown import shown
from .sockets import CATEGORY, PREFIX, Inversion
from .widgets import clip_range, frames_per_window, reference_weight

DEFAULTS = InversionConfig()


class FreeAnimateInversion(io.ComfyNode):
    """Runs preview and reference back to noise and records what the replay needs."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id=f"{PREFIX}Inversion",
            display_name=INVERSION,
            category=CATEGORY,
            description="Runs the preview frames and the reference back to noise through your model and stores what "
            "its attention looked at.",
            search_aliases=[
                "DDIM-INV",
                "DDIM inversion",
                "preview-guided denoising",
                "unsampler",
                "stored attention",
                "FateZero",
            ],
            inputs=[
                io.Model.Input("model", tooltip="SD1.5, SD2 or SDXL model; load LoRAs before it."),
                io.Conditioning.Input(
                    "positive",
                    tooltip="One prompt with its openpose ControlNet applied: one pose image per preview frame.",
                ),
                io.Latent.Input("preview_latent", tooltip="VAE-encoded preview frames, one latent per frame."),
                io.Latent.Input("reference_latent", tooltip="VAE-encoded reference image: one latent, same size."),
                io.Int.Input(
                    "steps",
                    default=DEFAULTS.steps,
                    min=1,
                    max=MAX_STEPS,
                    tooltip="Steps (1-1000); the scheduler rounds them, and the levels output has the true number. "
                    "KSampler (Advanced) wants the number that stands here.",
                ),
                reference_weight(DEFAULTS.reference_weight, "preview's", advanced=True),
                io.Combo.Input(
                    "storage",
                    options=list(STORAGE),
                    default=DEFAULTS.storage,
                    tooltip="Where recorded attention waits: RAM, disk, or nowhere (recompute, about 1.5x time in "
                    "the sampler). All give the same video.",
                ),
                frames_per_window(),
                io.Int.Input(
                    "frames_to_check",
                    advanced=True,
                    default=DEFAULTS.check,
                    min=0,
                    max=MAX_WINDOW,
                    tooltip="How many of the first frames are denoised again to measure the inversion (psnr output); "
                    "0 skips the check.",
                ),
                io.Conditioning.Input(
                    "reference_positive",
                    optional=True,
                    tooltip="Prompt for the reference, with its own pose applied if wanted; empty: the positive "
                    "prompt without its ControlNet.",
                ),
                io.Int.Input(
                    "correction",
                    default=DEFAULTS.correction,
                    min=0,
                    max=MAX_CORRECTION,
                    optional=True,
                    advanced=True,
                    tooltip="Evaluations per step (0-50) that bring the inversion closer to the sampler's way back: "
                    "0 is plain DDIM inversion, 1 comes back better in the same time.",
                ),
                *clip_range(
                    "First frame to invert, counted from 0, for machines that share a clip. Connect the whole clip all "
                    "the same.",
                    "invert",
                    optional=True,
                    advanced=True,
                ),
            ],
            outputs=_outputs(),
        )

    @classmethod
    def execute(
        cls,
        model,
        positive,
        preview_latent,
        reference_latent,
        steps,
        reference_weight,
        storage,
        frames_per_window,
        frames_to_check,
        reference_positive=None,
        correction=DEFAULTS.correction,
        first_frame=DEFAULTS.first_frame,
        frames=DEFAULTS.frames,
    ) -> io.NodeOutput:
        config = InversionConfig(
            steps,
            reference_weight,
            storage,
            frames_per_window,
            frames_to_check,
            correction=correction,
            first_frame=first_frame,
            frames=frames,
        )
        outcome = run_inversion(model, positive, preview_latent, reference_latent, config, reference_positive)
        record = outcome.record
        levels = len(record.descending) - 1
        return io.NodeOutput(
            record, outcome.noise, record.descending.clone(), levels, outcome.psnr, ui=shown(outcome.summary)
        )


def _outputs() -> list[io.Output]:
    return [
        Inversion.Output("inversion", tooltip="Latents at every noise level, and the stored attention."),
        io.Latent.Output("noise", tooltip="The inverted frames, where sampling starts (no noise to be added)."),
        io.Sigmas.Output("sigmas", tooltip="Noise levels for the sampler, from the top down to 0."),
        io.Int.Output("levels", tooltip="True number of sampling steps in sigmas."),
        io.Float.Output(
            "psnr",
            tooltip="Reconstruction of the checked frames in latent space, dB, higher is better; 0 when "
            "nothing is checked.",
        ),
    ]
