"""The demo model's training: what is trained is what the host then runs."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from freeanimate_pack.demo.drawn.words import caption
from freeanimate_pack.demo.model.layout import SD15_DEMO, build_clip, build_control_net, build_model, latent_scale
from freeanimate_pack.demo.model.loading import assemble
from freeanimate_pack.demo.model.weights import split
from lab.training import autoencoder, denoiser, hint, narrow_vae, stages
from lab.training.text import LENGTH, TextEncoder, Tokens, captions


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def stirred(module: nn.Module) -> nn.Module:
    """Every parameter moved a little, so that layers that start at zero count too."""
    draw = rng(5)
    for value in module.parameters():
        value.add_(0.02 * torch.randn(value.shape, generator=draw))
    return module


@pytest.fixture(scope="module")
def trained():
    """Drawn weights of all parts, as modules of the training, and the same in the host's classes."""
    tokens = Tokens(build_clip(SD15_DEMO, 0).tokenizer)
    text = TextEncoder(SD15_DEMO.text[0], tokens.rows, rng(1))
    control = build_control_net(SD15_DEMO, 0).control_model
    whole = stirred(denoiser.Denoiser(build_model(SD15_DEMO, 0).model.diffusion_model, control, text, rng(2)))
    pair = stirred(autoencoder.AutoEncoder(rng(3)))
    under = {"unet": whole.unet, "control": whole.control, "encoder": pair.encoder, "decoder": pair.decoder}
    tensors = {f"{part}.{key}": value for part, module in under.items() for key, value in module.state_dict().items()}
    tensors |= {
        f"text.text_model.{key.removeprefix('text_model.')}": value for key, value in text.clip.state_dict().items()
    }
    models = assemble(split({name: value.clone() for name, value in tensors.items()} | {"rows": tokens.rows}))
    return whole.eval(), pair, tokens, models


def test_the_hosts_vae_is_the_narrow_one(trained):
    _, pair, _, (_, _, vae, _) = trained
    image = torch.rand(2, 64, 48, 3, generator=rng())
    with torch.no_grad():
        latents = pair.encoder(image.movedim(-1, 1))
        shown = pair.decoder(latents).movedim(1, -1)
    scale = latent_scale(SD15_DEMO)
    assert torch.allclose(vae.encode(image) * scale, latents, atol=1e-5)
    assert (vae.decode(latents / scale) - shown.clamp(0, 1)).abs().max() <= 1e-4  # of values up to 3 before the clamp
    assert latents.std() > 0.1
    assert shown.std() > 0.01


def test_the_hosts_text_encoder_is_the_trained_one(trained):
    whole, _, tokens, (_, clip, _, _) = trained
    for text in (caption(4), "", "a red shirt"):
        own = whole.text(torch.tensor([tokens(text)]))
        given = clip.encode_from_tokens_scheduled(clip.tokenize(text), show_pbar=False)[0][0]
        assert own.shape == (1, LENGTH, SD15_DEMO.context_dim)
        assert torch.allclose(own, given, atol=1e-5)
    red, none = (whole.text(torch.tensor([tokens(text)])) for text in ("a red shirt", ""))
    assert not torch.allclose(red, none, atol=0.1)


@torch.no_grad()
def test_the_hosts_unet_and_control_predict_what_training_saw(trained):
    whole, _, tokens, (model, _, _, control) = trained
    x, t = torch.randn(2, 4, 16, 16, generator=rng(7)), torch.tensor([100.0, 900.0])
    joints = np.random.default_rng(1).uniform(20, 108, (2, 18, 3)).astype(np.float32)
    joints[..., 2] = 1
    hints = hint.pose_pictures(joints)
    features = hint_features(control.control_model, hints)
    rows = torch.tensor([tokens(caption(3)), tokens("")])
    context = whole.text(rows)
    controls = control.control_model(x=x, hint=hints, timesteps=t, context=context)
    residuals = {"output": list(controls["output"]), "middle": list(controls["middle"])}
    expected = model.model.diffusion_model(x, t, context=context, control=residuals)
    own = whole(x, t, rows, features, torch.ones(2, 1, 1, 1))
    bare = whole(x, t, rows, features, torch.zeros(2, 1, 1, 1))
    assert torch.allclose(own, expected, atol=2e-5)
    assert torch.allclose(bare, model.model.diffusion_model(x, t, context=context), atol=2e-5)
    assert not torch.allclose(own, bare, atol=1e-3)


def hint_features(net: nn.Module, hints: torch.Tensor) -> torch.Tensor:
    """What the last convolution of the hint block gets."""
    for module in list(net.input_hint_block)[:-1]:
        hints = module(hints)
    return hints


def test_the_autoencoder_starts_as_a_blurred_picture():
    smooth = torch.rand(1, 3, 6, 6, generator=rng())
    image = torch.nn.functional.interpolate(smooth, scale_factor=16, mode="bilinear")
    psnr, _ = autoencoder.quality(autoencoder.AutoEncoder(rng()), image, torch.ones(1, 1, 96, 96))
    assert psnr > 18
    assert len(narrow_vae.WIDTHS) == 4


def test_captions_leave_facts_out_but_name_none_that_is_wrong(trained, tmp_path):
    tokens = trained[2]
    rows = captions(tokens, np.array([3, 3, 5]), tmp_path / "captions.npy")
    assert rows.shape == (3, 4, LENGTH)
    assert (rows[0] == rows[1]).all()
    assert rows[0, 0].tolist() == tokens(caption(3))
    known = set(tokens(caption(3)))
    assert all(set(variant.tolist()) <= known for variant in rows[0])
    assert len({tuple(variant.tolist()) for variant in rows[0]}) > 1


@torch.inference_mode(False)
def losses(folder, monkeypatch) -> dict[str, list[float]]:
    """Losses of every stage's first steps, from scratch, on few pictures."""
    for name, value in {"CHARACTERS": 3, "POSES": 2, "HELD_OUT": 2, "CROPS": 2, "SKELETONS": 2, "LATENTS": 2}.items():
        monkeypatch.setattr(stages, name, value)
    for name in ("AUTOENCODER", "HINT", "DENOISER"):
        monkeypatch.setattr(stages, name, replace(getattr(stages, name), steps=2))
    training = stages.Training(folder, "cpu", 60.0)
    for run in (training.train_autoencoder, training.train_hint, training.train_denoiser):
        run()
    return {
        log.stem: [json.loads(line)["loss"] for line in log.read_text().splitlines()] for log in folder.glob("*.jsonl")
    }


def test_the_same_seed_gives_the_same_losses(tmp_path, monkeypatch):
    one, other = (losses(tmp_path / name, monkeypatch) for name in ("one", "other"))
    assert one.keys() == {"autoencoder", "hint", "denoiser"}
    assert all(len(values) == 2 for values in one.values())
    assert one == other
