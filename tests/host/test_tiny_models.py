"""The small models are real: layouts as in the families, finite, repeatable, and sensitive to what they read."""

import comfy.model_sampling
import comfy.sample
import nodes as host_nodes
import torch
from hostside import Tiny, fresh, hint, latent, relative

from freeanimate_pack.demo.model.layout import SD15_PEOPLE
from freeanimate_pack.nodes.demo_model import FreeAnimateDemoModel

FRAMES, HEIGHT, WIDTH = 2, 8, 12
SD15_SITES = [("input", n) for n in (1, 2, 4, 5, 7, 8)] + [("middle", 0)] + [("output", n) for n in range(3, 12)]


def sample(tiny: Tiny, positive: list, negative: list, model=None) -> torch.Tensor:
    """Final latents [F,c,h,w] of five euler steps at cfg 4 from one fixed noise."""
    model = model or tiny.model
    channels = model.model.latent_format.latent_channels
    start = latent(FRAMES, HEIGHT, WIDTH)
    start["samples"] = start["samples"][:, :1].expand(-1, channels, -1, -1)
    result = host_nodes.common_ksampler(model, 3, 5, 4.0, "euler", "ddim_uniform", positive, negative, start)
    return result[0]["samples"]


def attention_sites(tiny: Tiny) -> list[tuple[str, int, int]]:
    """(block, number, block index) of every self-attention in the order of the pass."""
    seen = []
    model = tiny.model.clone()
    model.set_model_attn1_patch(
        lambda n, context, value, extra: seen.append((*extra["block"], extra["block_index"])) or (n, context, value)
    )
    sample(tiny, tiny.positive(), tiny.positive(), model)
    return list(dict.fromkeys(seen))


def test_runs_finite_and_repeats(tiny_layout):
    positive, negative = tiny_layout.positive(), tiny_layout.negative()
    assert positive[0][0].shape[1] == 77
    assert negative[0][0].shape[1] == 154
    first, second = (sample(tiny_layout, positive, negative) for _ in range(2))
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


def test_same_seed_same_weights(sd15):
    again, other = fresh("sd15"), fresh("sd15", seed=9)
    weights = [t.model.model_state_dict()["diffusion_model.out.2.weight"] for t in (sd15, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_text_and_control_have_an_effect(tiny_layout):
    positive, negative = tiny_layout.positive(), tiny_layout.negative()
    plain = sample(tiny_layout, positive, negative)
    controlled = tiny_layout.controlled(positive, negative, hint(FRAMES, HEIGHT, WIDTH))
    assert relative(sample(tiny_layout, negative, positive), plain) > 1e-3
    assert relative(sample(tiny_layout, *controlled), plain) > 1e-2


def test_attention_is_neither_uniform_nor_saturated(tiny_layout):
    """Entropy of the self-attention, as a share of the uniform map's, averaged over all sites."""
    shares = []

    def measure(q, k, v, extra):
        query, key = (t.unflatten(-1, (extra["n_heads"], -1)).transpose(1, 2) for t in (q, k))
        attention = torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5, dim=-1)
        entropy = -(attention * attention.clamp_min(1e-30).log()).sum(-1).mean()
        shares.append((entropy / torch.log(torch.tensor(float(k.shape[1])))).item())
        value = v.unflatten(-1, (extra["n_heads"], -1)).transpose(1, 2)
        return (attention @ value).transpose(1, 2).flatten(2)

    model = tiny_layout.model.clone()
    for block, number, index in attention_sites(tiny_layout):
        model.set_model_attn1_replace(measure, block, number, index)
    sample(tiny_layout, tiny_layout.positive(), tiny_layout.negative(), model)
    assert 0.3 < sum(shares) / len(shares) < 0.95


def test_sd15_has_the_sites_of_the_family(sd15):
    assert [(block, number) for block, number, _ in attention_sites(sd15)] == SD15_SITES


def test_sdxl_is_deep_and_pooled(sdxl):
    assert max(index for *_, index in attention_sites(sdxl)) == 2
    assert sdxl.positive()[0][1]["pooled_output"].shape == (1, 64)


def test_sd2_predicts_v(sd2):
    assert isinstance(sd2.model.get_model_object("model_sampling"), comfy.model_sampling.V_PREDICTION)


def test_vae_gives_the_picture_back(sd15):
    """A picture without detail below 16 pixels comes back at 30 dB, its border included; noise cannot."""
    coarse = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    image = torch.nn.functional.interpolate(coarse, scale_factor=24, mode="bilinear", align_corners=True).movedim(1, -1)
    decoded = sd15.vae.decode(sd15.vae.encode(image))
    psnr = -10 * torch.log10((decoded - image).square().mean())
    assert decoded.shape == image.shape
    assert psnr > 30
    assert (decoded - image)[:, 0].abs().mean() < 0.05


def test_flow_model_samples_and_is_no_unet(flow):
    empty = {"samples": torch.zeros(1, 16, 8, 8)}
    result = host_nodes.common_ksampler(
        flow.model, 0, 2, 1.0, "euler", "simple", flow.positive(), flow.negative(), empty
    )
    assert torch.isfinite(result[0]["samples"]).all()
    assert isinstance(flow.model.get_model_object("model_sampling"), comfy.model_sampling.CONST)


def test_demo_model_node_hands_out_fresh_working_models():
    FreeAnimateDemoModel.GET_SCHEMA()
    (model, clip, vae, control_net), (other, *_) = (FreeAnimateDemoModel.execute().result for _ in range(2))
    assert model.model is not other.model
    demo = Tiny(SD15_PEOPLE, model, clip, vae, control_net)
    conditioned = demo.controlled(demo.positive(), demo.negative(), hint(FRAMES, HEIGHT, WIDTH))
    assert torch.equal(sample(demo, *conditioned), sample(demo, *conditioned, other))
