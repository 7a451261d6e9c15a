"""The demo model as all recipes use it. Needs the host."""

import hashlib
from dataclasses import dataclass

import torch

from freeanimate_pack.nodes.demo_model import FreeAnimateDemoModel


@dataclass(frozen=True)
class Models:
    """The demo model as the host holds it, and a digest of all its weights."""

    model: object
    clip: object
    vae: object
    control_net: object
    digest: str


def load_models() -> Models:
    """The outputs of Load Demo Model."""
    model, clip, vae, control_net = FreeAnimateDemoModel.execute().args
    modules = (model.model.diffusion_model, clip.cond_stage_model, vae.first_stage_model, control_net.control_model)
    digest = hashlib.sha256()
    for module in modules:
        for name, weight in sorted(module.state_dict().items()):
            digest.update(name.encode() + weight.detach().to("cpu", torch.float32).numpy().tobytes())
    return Models(model, clip, vae, control_net, digest.hexdigest())
