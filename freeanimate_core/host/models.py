"""Which models the method serves, their noise levels and latents, and what tells them apart."""

import comfy.model_management as management
import comfy.model_sampling
import comfy.samplers
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor

from ..errors import FreeAnimateError
from ..method.fingerprint import values_digest, weights_digest


def require_unet(model, node: str) -> None:
    """FreeAnimateError unless the model is a U-Net of the SD1.5, SD2 or SDXL family."""
    sampling = model.get_model_object("model_sampling")
    kind = type(model.model).__name__
    supported = "use an SD1.5, SD2 or SDXL checkpoint"
    if not isinstance(model.model.diffusion_model, UNetModel):
        raise FreeAnimateError(f"{node}: model is a {kind}, which is no U-Net; {supported}.")
    noise_or_v = (comfy.model_sampling.EPS, comfy.model_sampling.V_PREDICTION)
    others = (comfy.model_sampling.X0, comfy.model_sampling.EDM)
    discrete = isinstance(sampling, comfy.model_sampling.ModelSamplingDiscrete)
    if not discrete or not isinstance(sampling, noise_or_v) or isinstance(sampling, others):
        raise FreeAnimateError(f"{node}: model {kind} predicts neither noise nor v over DDPM levels; {supported}.")
    if model.model.concat_keys:
        raise FreeAnimateError(f"{node}: model {kind} is an inpainting or edit checkpoint; {supported} without them.")


def latent_channels(model) -> int:
    """Channels of the latents that the model was trained on."""
    return model.model.latent_format.latent_channels


def ddim_uniform(model, steps: int) -> tuple[Tensor, float]:
    """The host's ``ddim_uniform`` sigmas [S+1] (descending, ending in 0) and the model's smallest sigma."""
    sampling = model.get_model_object("model_sampling")
    return comfy.samplers.calculate_sigmas(sampling, "ddim_uniform", steps), float(sampling.sigma_min)


def model_digests(model) -> dict[str, str]:
    """Digests of the checkpoint's own weights, of the weight patches (LoRA) on them, and of its noise levels."""
    weights = dict(model.model.diffusion_model.state_dict(prefix="diffusion_model."))
    for name, saved in model.backup.items():
        if name in weights:
            weights[name] = saved.weight
    sampling = model.get_model_object("model_sampling")
    kinds = [kind.__name__ for kind in type(sampling).__mro__]
    return {
        "weights": weights_digest(weights),
        "patches": values_digest(model.patches),
        "sampling": values_digest(kinds, getattr(sampling, "sigmas", None)),
    }


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
