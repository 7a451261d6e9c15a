"""Small, real models: the host's own U-Net, ControlNet, text encoder and TAESD classes with drawn weights.

Nothing here is trained. The weights come from an explicit generator, so that a seed names a model,
and are scaled so that attention is neither uniform nor saturated and the noise prediction is small
and smooth: DDIM then inverts, and what the method does to attention is visible in the result.
Sizes are free; the block layout, projections, heads and hint block are those of the real families.
"""

import math
from dataclasses import dataclass, replace

import comfy.cldm.cldm
import comfy.controlnet
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import comfy.sd1_clip
import comfy.sdxl_clip
import comfy.supported_models
import comfy.supported_models_base
import comfy.text_encoders.sd2_clip
import torch
from torch import Tensor

from .colour_vae import colour_taesd

QUERY_KEY_GAIN = 1.35  # attention logits of standard deviation near 1.8 on normalised inputs
CONTROL_GAIN = 0.3  # of the convolutions that are zero before a real ControlNet is trained
HINT_GAIN = 1.7  # keeps a hint's contrast through eight SiLU convolutions


@dataclass(frozen=True)
class TextTower:
    """One CLIP text encoder: its host name (l, g or h), token width, layers, heads and pooled width."""

    name: str
    width: int
    layers: int = 2
    heads: int = 4
    pooled: int = 64

    def config(self) -> dict[str, int]:
        """The host's configuration entries that differ from the full-size encoder."""
        return {
            "hidden_size": self.width,
            "intermediate_size": 4 * self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "projection_dim": self.pooled,
        }


@dataclass(frozen=True)
class Layout:
    """A model family's block layout at a chosen width.

    `depth`, `depth_middle` and `depth_output` count transformer blocks per residual block, as the host's
    detection writes them. Exactly one of `num_heads` and `head_channels` is positive. `adm_channels` is
    the width of the pooled conditioning (SDXL: pooled text + 6 * 256), None where a family has none.
    `latent_channels` is the family's unless it says otherwise: latents then have a format and a scale of their own.
    """

    family: str
    model_channels: int
    channel_mult: tuple[int, ...]
    depth: tuple[int, ...]
    depth_middle: int
    depth_output: tuple[int, ...]
    context_dim: int
    text: tuple[TextTower, ...]
    res_blocks: int = 2
    num_heads: int = -1
    head_channels: int = -1
    linear_projections: bool = False
    adm_channels: int | None = None
    v_prediction: bool = False
    latent_channels: int = 4

    def unet_config(self) -> dict[str, object]:
        """The host's U-Net configuration in full."""
        return {
            "use_checkpoint": False,
            "image_size": 32,
            "in_channels": self.latent_channels,
            "out_channels": self.latent_channels,
            "use_spatial_transformer": True,
            "legacy": False,
            "num_classes": None if self.adm_channels is None else "sequential",
            "adm_in_channels": self.adm_channels,
            "model_channels": self.model_channels,
            "num_res_blocks": [self.res_blocks] * len(self.channel_mult),
            "channel_mult": list(self.channel_mult),
            "transformer_depth": list(self.depth),
            "transformer_depth_middle": self.depth_middle,
            "transformer_depth_output": list(self.depth_output),
            "use_linear_in_transformer": self.linear_projections,
            "context_dim": self.context_dim,
            "use_temporal_attention": False,
            "use_temporal_resblock": False,
        }

    def heads(self) -> dict[str, int]:
        """Head count and head width, one of them -1."""
        return {"num_heads": self.num_heads, "num_head_channels": self.head_channels}


SD15_TINY = Layout(
    family="sd15",
    model_channels=32,
    channel_mult=(1, 2, 2, 2),
    depth=(1, 1, 1, 1, 1, 1, 0, 0),
    depth_middle=1,
    depth_output=(1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0),
    context_dim=64,
    num_heads=8,
    text=(TextTower("l", 64),),
)

SD15_DEMO = replace(  # a stand-in for tests, small enough for two CPU cores
    SD15_TINY,
    model_channels=64,
    channel_mult=(1, 1, 2),
    res_blocks=1,
    depth=(1, 1, 1),
    depth_output=(1, 1, 1, 1, 1, 1),
    num_heads=4,
)

SD15_PEOPLE = replace(  # for rendered people of 256x256 pixels, whose detail four channels cannot hold
    SD15_DEMO,
    channel_mult=(1, 2, 2),
    latent_channels=16,
)

CONFIGS = {
    "sd15": comfy.supported_models.SD15,
    "sd2": comfy.supported_models.SD20,
    "sdxl": comfy.supported_models.SDXL,
}
TEXT = {
    "sd15": (comfy.sd1_clip.SD1Tokenizer, comfy.sd1_clip.SD1ClipModel),
    "sd2": (comfy.text_encoders.sd2_clip.SD2Tokenizer, comfy.text_encoders.sd2_clip.SD2ClipModel),
    "sdxl": (comfy.sdxl_clip.SDXLTokenizer, comfy.sdxl_clip.SDXLClipModel),
}


def generator(seed: int) -> torch.Generator:
    """A CPU generator with this seed: the only source of randomness here."""
    return torch.Generator("cpu").manual_seed(seed)


def _gain(name: str) -> float:
    """The factor on 1/sqrt(fan in) for one named weight."""
    if any(layer in name for layer in ("to_q", "to_k", "q_proj", "k_proj")):
        return QUERY_KEY_GAIN
    if "zero_convs" in name or "middle_block_out" in name:
        return CONTROL_GAIN
    return HINT_GAIN if "input_hint_block" in name else 1.0


def initialise(module: torch.nn.Module, rng: torch.Generator) -> torch.nn.Module:
    """Fill every parameter in place: norms 1, biases near 0, tables of unit spread, others by fan in."""
    with torch.no_grad():
        for name, value in module.named_parameters():
            if value.ndim == 0:
                continue
            if value.ndim == 1:
                value.fill_(1.0) if name.endswith("weight") else value.normal_(0.0, 0.02, generator=rng)
            elif "embedding.weight" in name:
                value.normal_(0.0, 0.5, generator=rng)
            else:
                value.normal_(0.0, _gain(name) / math.sqrt(value[0].numel()), generator=rng)
    return module


def host_config(layout: Layout, dtype: torch.dtype = torch.float32) -> comfy.supported_models_base.BASE:
    """The host's model configuration of a layout's family at the layout's size, computing in ``dtype``."""
    config = CONFIGS[layout.family](layout.unet_config())
    config.unet_config.update(layout.heads())
    if layout.latent_channels != config.latent_format.latent_channels:
        config.latent_format = own_latent_format(layout.latent_channels)
    config.set_inference_dtype(dtype, None)
    return config


def own_latent_format(channels: int) -> comfy.latent_formats.LatentFormat:
    """The host's plainest format, for latents that are of mean 0 and deviation 1 as the autoencoder gives them."""
    own = comfy.latent_formats.LatentFormat()
    own.latent_channels = channels
    return own


def build_model(
    layout: Layout, seed: int, out_scale: float = 0.05, dtype: torch.dtype = torch.float32
) -> comfy.model_patcher.ModelPatcher:
    """A MODEL of this layout; `out_scale` multiplies the U-Net's last convolution (0: predicts nothing)."""
    kind = comfy.model_base.ModelType.V_PREDICTION if layout.v_prediction else comfy.model_base.ModelType.EPS
    base = comfy.model_base.SDXL if layout.family == "sdxl" else comfy.model_base.BaseModel
    model = base(host_config(layout, dtype), model_type=kind, device="cpu")
    initialise(model.diffusion_model, generator(seed))
    with torch.no_grad():
        model.diffusion_model.out[2].weight.mul_(out_scale)
        model.diffusion_model.out[2].bias.mul_(out_scale)
    return wrap(model)


def wrap(model: comfy.model_base.BaseModel) -> comfy.model_patcher.ModelPatcher:
    """Put a host model into the patcher class that the host itself uses on this machine."""
    management = comfy.model_management
    return comfy.model_patcher.CoreModelPatcher(
        model.eval(), load_device=management.get_torch_device(), offload_device=management.unet_offload_device()
    )


def build_control_net(layout: Layout, seed: int, dtype: torch.dtype = torch.float32) -> comfy.controlnet.ControlNet:
    """A cldm ControlNet of this layout whose outputs are not zero, so that its hint has an effect."""
    config = host_config(layout, dtype).unet_config
    for key in ("out_channels", "transformer_depth_output", "use_temporal_attention", "use_temporal_resblock"):
        config.pop(key)
    net = comfy.cldm.cldm.ControlNet(hint_channels=3, device="cpu", operations=comfy.ops.disable_weight_init, **config)
    initialise(net, generator(seed)).requires_grad_(False).eval()
    return comfy.controlnet.ControlNet(
        net, load_device=comfy.model_management.get_torch_device(), manual_cast_dtype=None
    )


def build_clip(layout: Layout, seed: int) -> comfy.sd.CLIP:
    """A CLIP with this layout's text towers, the host's tokenizer and its full vocabulary."""
    target = comfy.supported_models_base.ClipTarget(*TEXT[layout.family])
    options = {f"clip_{tower.name}_model_config": tower.config() for tower in layout.text}
    clip = comfy.sd.CLIP(target, model_options=options | {"dtype": torch.float32})
    initialise(clip.cond_stage_model, generator(seed))
    return clip


def build_vae(layout: Layout, channels: int | None = None) -> comfy.sd.VAE:
    """A VAE of TAESD layout by colour initialisation: decode(encode(image)) is the image, smoothed."""
    return vae_of(colour_taesd(channels or layout.latent_channels, latent_scale(layout)))


def latent_scale(layout: Layout) -> float:
    """The factor between a VAE's latents and the model's of this layout."""
    return host_config(layout).latent_format.scale_factor


def vae_of(weights: dict[str, Tensor]) -> comfy.sd.VAE:
    """The host's VAE of a TAESD state dict, in fp32."""
    vae = comfy.sd.VAE(sd=weights, dtype=torch.float32)
    vae.throw_exception_if_invalid()
    return vae
