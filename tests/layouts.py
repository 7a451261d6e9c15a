"""Layouts of the model families that the tests run, beside the demo's own SD15_TINY. Needs the host on sys.path."""

import comfy.model_base
import comfy.model_patcher
import comfy.supported_models
import torch

from freeanimate_pack.demo.model.layout import SD15_TINY, Layout, TextTower, generator, initialise, wrap

SD2_TINY = Layout(  # linear projections, heads of one width, v-prediction
    family="sd2",
    model_channels=32,
    channel_mult=(1, 2, 2, 2),
    depth=(1, 1, 1, 1, 1, 1, 0, 0),
    depth_middle=1,
    depth_output=(1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0),
    context_dim=64,
    head_channels=16,
    linear_projections=True,
    v_prediction=True,
    text=(TextTower("h", 64, layers=3),),
)

SDXL_TINY = Layout(  # no attention at the top, deep transformers below it, pooled conditioning
    family="sdxl",
    model_channels=32,
    channel_mult=(1, 2, 2),
    depth=(0, 0, 2, 2, 3, 3),
    depth_middle=3,
    depth_output=(0, 0, 0, 2, 2, 2, 3, 3, 3),
    context_dim=96,
    head_channels=16,
    linear_projections=True,
    adm_channels=64 + 6 * 256,
    text=(TextTower("l", 32, layers=3), TextTower("g", 64, layers=3)),
)

TINY = {"sd15": SD15_TINY, "sd2": SD2_TINY, "sdxl": SDXL_TINY}

FLOW = {  # SD3's transformer: one block of 64 channels, the text width and pooled width of SD15_TINY
    "in_channels": 16,
    "patch_size": 2,
    "depth": 1,
    "input_size": None,
    "pos_embed_scaling_factor": None,
    "adm_in_channels": 64,
    "context_embedder_config": {"target": "torch.nn.Linear", "params": {"in_features": 64, "out_features": 64}},
}


def build_flow(seed: int) -> comfy.model_patcher.ModelPatcher:
    """A small SD3: a diffusion transformer with flow sampling and 16 latent channels."""
    config = comfy.supported_models.SD3(FLOW)
    config.set_inference_dtype(torch.float32, None)
    model = comfy.model_base.SD3(config, device="cpu")
    initialise(model.diffusion_model, generator(seed))
    return wrap(model)
