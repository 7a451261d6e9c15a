"""What is known of the attention layers by shape, against what the real host passes through them."""

import pytest
import torch
from freeanimate_pack.freeanimate_core.layers import attention_sites, recorded_bytes
from runs import Clip


@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl"])
@pytest.mark.parametrize("size", [(8, 8), (9, 14), (13, 8)])
def test_a_bank_holds_what_the_shapes_say(request, family, size):
    """Sides that do not halve evenly included."""
    tiny = request.getfixturevalue(family)
    clip = Clip(tiny, frames=2, h=size[0], w=size[1], steps=1)
    bank = clip.invert("memory")[0].bank
    sites = attention_sites(tiny.model.model.diffusion_model, *size)
    level = bank.get(1, range(2))
    assert sorted((s.tokens, s.channels) for s in sites) == sorted(
        tuple(t.shape[1:]) for name, t in level.items() if name.endswith(".self")
    )
    held = sum(t.numel() * t.element_size() for t in bank.tensors())
    assert recorded_bytes(sites, 2, torch.float32.itemsize) == held
