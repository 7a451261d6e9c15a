"""Which models the method serves, their noise levels and latents."""

import comfy.model_management as management
import comfy.model_sampling
import comfy.samplers
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor

from ..errors import INVERSION, FreeAnimateError
from .patches import refuse_motion_layers

FEW_STEPS = ("LCM", "ModelSamplingDiscreteDistilled")  # what the host samples such models with


def require_unet(model, node: str) -> None:
    """FreeAnimateError unless the model is a U-Net of the SD1.5, SD2 or SDXL family that predicts noise or v."""
    sampling = model.get_model_object("model_sampling")
    kind = type(model.model).__name__
    supported = "use an SD1.5, SD2 or SDXL checkpoint"
    if not isinstance(model.model.diffusion_model, UNetModel):
        raise FreeAnimateError(f"{node}: model is a {kind}, which is no U-Net; {supported}.")
    if any(part.__name__ in FEW_STEPS for part in type(sampling).__mro__):
        raise FreeAnimateError(
            f"{node}: model samples as an LCM (ModelSamplingDiscrete 'lcm'), which jumps to the clean picture and has "
            "no way back to noise; remove that node and the LoRA that it is for, or use the checkpoint that the model "
            "was distilled from. Models and LoRAs for a few steps (LCM, Turbo, Lightning, Hyper) can be used neither "
            f"for {INVERSION} nor after it, since the sampler must have the inverted model; set fewer steps instead."
        )
    discrete = isinstance(sampling, comfy.model_sampling.ModelSamplingDiscrete)
    if not discrete or _formula(type(sampling)) not in FORMULAS:
        raise FreeAnimateError(f"{node}: model {kind} predicts neither noise nor v over DDPM levels; {supported}.")
    if model.get_model_object("concat_keys"):
        raise FreeAnimateError(f"{node}: model {kind} is an inpainting or edit checkpoint; {supported} without them.")
    refuse_motion_layers(model, node)


def _formula(kind: type) -> tuple:
    """The functions that make a prediction of a model's output, and its input of latents: what tells predictions apart.

    A subclass with a formula of its own is another model, whatever it is derived from.
    """
    return tuple(getattr(kind, name, None) for name in ("calculate_input", "calculate_denoised", "noise_scaling"))


FORMULAS = [_formula(kind) for kind in (comfy.model_sampling.EPS, comfy.model_sampling.V_PREDICTION)]


def latent_channels(model) -> int:
    """Channels of the latents that the model was trained on."""
    return model.model.latent_format.latent_channels


def ddim_uniform(model, steps: int) -> tuple[Tensor, float]:
    """The host's ``ddim_uniform`` sigmas [S+1] (descending, ending in 0) and the model's smallest sigma."""
    sampling = model.get_model_object("model_sampling")
    return comfy.samplers.calculate_sigmas(sampling, "ddim_uniform", steps), float(sampling.sigma_min)


def to_model_space(model, samples: Tensor) -> Tensor:
    """Latents as the model sees them, fp32, from LATENT samples [F,C,h,w]; zeros stay, as in the host."""
    samples = samples.float()
    return model.model.process_latent_in(samples) if torch.count_nonzero(samples) else samples


def to_latent(model, latents: Tensor) -> dict:
    """A LATENT of latents [F,C,h,w] in model space."""
    samples = model.model.process_latent_out(latents)
    return {"samples": samples.to(management.intermediate_device(), management.intermediate_dtype())}


def cell_size(vae) -> int:
    """Pixels, each way, of one cell of the VAE's latents."""
    return vae.spacial_compression_encode()


def decode(vae, samples: Tensor) -> Tensor:
    """Images [F,H,W,3], float32 0-1 on the CPU, of LATENT samples [F,C,h,w]."""
    return vae.decode(samples).to("cpu", torch.float32).clamp(0, 1)
