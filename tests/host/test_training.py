"""The demo model's training: what is trained is what the host then runs."""

import json
from dataclasses import replace

import latent_preview
import nodes as host_nodes
import numpy as np
import pytest
import torch
from comfy.cli_args import args
from torch import nn

from freeanimate_pack.demo.drawn.words import caption
from freeanimate_pack.demo.model.layout import SD15_PEOPLE, build_clip, build_control_net, build_model, latent_scale
from freeanimate_pack.demo.model.loading import assemble
from freeanimate_pack.demo.model.weights import load_weights, save_weights
from lab.training import autoencoder, denoiser, drawing, export, hint, narrow_vae, stages, training_pictures
from lab.training.text import LENGTH, TextEncoder, Tokens, captions, vocabulary


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
def trained(tmp_path_factory):
    """Drawn weights of all parts, as modules of the training, and the same in the host's classes by way of the disk."""
    tokens = Tokens(build_clip(SD15_PEOPLE, 0).tokenizer)
    text = TextEncoder(SD15_PEOPLE.text[0], tokens.rows, rng(1))
    control = build_control_net(SD15_PEOPLE, 0).control_model
    whole = halved(denoiser.Denoiser(build_model(SD15_PEOPLE, 0).model.diffusion_model, control, text, rng(2)))
    pair = halved(autoencoder.AutoEncoder(rng(3)))
    folder = tmp_path_factory.mktemp("weights")
    tables = {"rows": tokens.rows.to(torch.int32), "colours": torch.rand(17, 3, generator=rng(4))}
    save_weights(export.state_of(pair.state_dict(), whole.state_dict()), tables, {}, folder)
    models = assemble(load_weights(folder / "demo_model.safetensors", folder / "card.json"))
    return whole.eval(), pair, tokens, models


@torch.no_grad()
def halved(module: nn.Module) -> nn.Module:
    """``stirred``, with weights that half precision can hold, as they are stored."""
    for value in stirred(module).parameters():
        value.copy_(value.half().float())
    return module


def test_the_hosts_vae_is_the_narrow_one(trained):
    _, pair, _, (_, _, vae, _) = trained
    image = torch.rand(2, 64, 48, 3, generator=rng())
    with torch.no_grad():
        latents = pair.encoder(image.movedim(-1, 1))
        shown = pair.decoder(latents).movedim(1, -1)
    scale = latent_scale(SD15_PEOPLE)
    assert torch.allclose(vae.encode(image) * scale, latents, atol=1e-5)
    assert (vae.decode(latents / scale) - shown.clamp(0, 1)).abs().max() <= 1e-4  # of values up to 3 before the clamp
    assert latents.std() > 0.1
    assert shown.std() > 0.01


def test_the_hosts_text_encoder_is_the_trained_one(trained):
    whole, _, tokens, (_, clip, _, _) = trained
    for text in (caption(4), "", "a red shirt"):
        own = whole.text(torch.tensor([tokens(text)]))
        given = clip.encode_from_tokens_scheduled(clip.tokenize(text), show_pbar=False)[0][0]
        assert own.shape == (1, LENGTH, SD15_PEOPLE.context_dim)
        assert torch.allclose(own, given, atol=1e-5)
    red, none = (whole.text(torch.tensor([tokens(text)])) for text in ("a red shirt", ""))
    assert not torch.allclose(red, none, atol=0.1)


@torch.no_grad()
def test_the_hosts_unet_and_control_predict_what_training_saw(trained):
    whole, _, tokens, (model, _, _, control) = trained
    x, t = torch.randn(2, 16, 32, 32, generator=rng(7)), torch.tensor([100.0, 900.0])
    joints = np.random.default_rng(1).uniform(40, 216, (2, 18, 3)).astype(np.float32)
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
    found = autoencoder.quality(autoencoder.AutoEncoder(rng()), image, torch.ones(1, 1, 96, 96))
    assert found.psnr > 18
    assert len(narrow_vae.WIDTHS) == 4


def test_sixteen_channels_are_drawn_from_noise_and_previewed(trained, monkeypatch):
    """One step of the host's sampler at 256 pixels, from an empty latent of four channels as the host's node gives."""
    model, clip, vae, control = trained[3]
    words = [clip.encode_from_tokens_scheduled(clip.tokenize(text), show_pbar=False) for text in ("a red shirt", "")]
    hints = torch.rand(1, 256, 256, 3, generator=rng(8))
    positive, negative = host_nodes.ControlNetApplyAdvanced().apply_controlnet(*words, control, hints, 1.0, 0.0, 1.0)
    empty = host_nodes.EmptyLatentImage().generate(256, 256)[0]
    latent = host_nodes.common_ksampler(model, 0, 1, 3.0, "euler", "ddim_uniform", positive, negative, empty)[0]
    assert latent["samples"].shape == (1, 16, 32, 32)
    assert vae.decode(latent["samples"]).shape == (1, 256, 256, 3)
    monkeypatch.setattr(args, "preview_method", latent_preview.LatentPreviewMethod.Auto)
    shown = latent_preview.get_previewer(model.load_device, model.model.latent_format)
    assert shown.decode_latent_to_preview(latent["samples"]).size == (32, 32)


def test_the_shipped_weights_have_sixteen_channels():
    model, _, vae, _ = assemble(load_weights())
    assert model.model.latent_format.latent_channels == vae.latent_channels == 16


def test_every_caption_is_of_the_vocabulary(trained, tmp_path):
    tokens = trained[2]
    texts = [caption(3), "a woman in a red shirt", *(drawing.picture(n).words for n in range(5))]
    assert {word.strip(",") for text in texts for word in text.split()} <= set(vocabulary())
    rows = captions(tokens, texts, tmp_path / "captions.npy")
    assert rows.shape == (len(texts), LENGTH)
    assert rows[0].tolist() == tokens(texts[0])


def test_pictures_are_the_same_again_and_held_out_people_are_others():
    one, again, other = (drawing.picture(n) for n in (3, 3, drawing.HELD_OUT + 3))
    assert all(np.array_equal(a, b) for a, b in zip(one, again))
    assert not np.array_equal(one.image, other.image)
    assert [drawing.is_drawn(n) for n in range(5)] == [False] * 4 + [True]
    drawn = drawing.picture(4)
    assert drawn.image.shape == (256, 256, 3)
    assert drawn.labels.max() <= 10


def test_a_huge_corner_does_not_make_a_silent_channel_speak():
    loud = torch.randn(4, 16, 12, 12, generator=rng(6))
    silent = 0.05 * loud
    silent[:, :, 0, 0] = 12.0  # of deviation 1 by itself
    assert silent.std() > 0.9
    assert autoencoder.spread_loss(loud) < 0.1
    assert autoencoder.spread_loss(silent) > 0.8


def test_detail_is_less_in_a_picture_of_half_the_size():
    truth = torch.rand(1, 3, 64, 64, generator=rng(2))
    half = torch.nn.functional.interpolate(
        torch.nn.functional.avg_pool2d(truth, 2), scale_factor=2, mode="bicubic", align_corners=False
    )
    figures = torch.ones(1, 1, 64, 64)
    dimmed = autoencoder.compared(truth * 0.5, truth, figures)
    assert dimmed.detail == pytest.approx(0.5)
    assert dimmed.sharp == pytest.approx(0.25)
    assert autoencoder.compared(half, truth, figures).detail < 0.5


@torch.inference_mode(False)
def losses(folder, monkeypatch) -> dict[str, list[float]]:
    """Losses of every stage's first steps, from scratch, on few pictures."""
    for name, value in {"CROPS": 2, "SKELETONS": 2, "LATENTS": 2, "LOOKED_AT": 2, "JUDGED": 2}.items():
        monkeypatch.setattr(stages, name, value)
    monkeypatch.setattr(training_pictures, "CHUNK", 2)
    for name in ("AUTOENCODER", "DECODER", "HINT", "DENOISER"):
        monkeypatch.setattr(stages, name, replace(getattr(stages, name), steps=2))
    names = ("pictures", "autoencoder", "decoder", "hint", "denoiser")
    stages.run(stages.Options(folder, folder / "export", pictures=4), names)
    return {log.stem: [json.loads(line)["loss"] for line in log.read_text().splitlines()] for log in logs(folder)}


def logs(folder) -> list:
    """The logs of the losses."""
    return [log for log in folder.glob("*.jsonl") if "quality" not in log.name]


def test_the_same_seed_gives_the_same_losses(tmp_path, monkeypatch):
    one, other = (losses(tmp_path / name, monkeypatch) for name in ("one", "other"))
    assert one.keys() == {"autoencoder", "decoder", "hint", "denoiser"}
    assert all(len(values) == 2 for values in one.values())
    assert one == other
