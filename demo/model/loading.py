"""The demo's model: the trained weights in the host's own classes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .layout import SD15_PEOPLE, build_clip, build_control_net, build_model, latent_scale, vae_of
from .weights import load_weights, taesd

TOKENS = "clip_l.transformer.text_model.embeddings.token_embedding.weight"
SEED = 0  # of the drawn weights that the trained ones replace


def load_demo_model() -> tuple[object, object, object, object]:
    """Build (MODEL, CLIP, VAE, CONTROL_NET) for the demo, anew at each call, in fp32 on the host's devices.

    Raises DemoWeightsError when the weights are missing or are not those of the card.
    """
    return assemble(load_weights())


def assemble(components: dict[str, dict[str, Tensor]]) -> tuple[object, object, object, object]:
    """(MODEL, CLIP, VAE, CONTROL_NET) of the state dicts that ``load_weights`` gives."""
    model, control = build_model(SD15_PEOPLE, SEED), build_control_net(SD15_PEOPLE, SEED)
    model.model.diffusion_model.load_state_dict(components["unet"])
    _show_own_colours(model.model.latent_format, components["colours"]["colours"].tolist())
    control.control_model.load_state_dict(components["control"])
    vae = vae_of(taesd(components["encoder"], components["decoder"], latent_scale(SD15_PEOPLE)))
    return model, _clip(components), vae, control


def _show_own_colours(latent_format: object, colours: Sequence[Sequence[float]]) -> None:
    """Live previews in the colours of this VAE: the latent format is the model's own object, in others' colours."""
    *latent_format.latent_rgb_factors, latent_format.latent_rgb_factors_bias = colours
    latent_format.taesd_decoder_name = None  # where TAESD is chosen: SD1.5's would decode other colours


def _clip(components: dict[str, dict[str, Tensor]]) -> object:
    """A CLIP whose table has a row for the words of the training's captions; all others say nothing."""
    clip = build_clip(SD15_PEOPLE, SEED)
    state = clip.cond_stage_model.state_dict()
    table = torch.zeros_like(state[TOKENS], device="cpu")  # as the file's rows, wherever the host holds the CLIP
    text = dict(components["text"])
    table[components["rows"]["rows"].long()] = text.pop("text_model.embeddings.token_embedding.weight")
    state |= {f"clip_l.transformer.{key}": value for key, value in text.items()} | {TOKENS: table}
    clip.cond_stage_model.load_state_dict(state)
    return clip
