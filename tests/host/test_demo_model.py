"""The demo model: its weights are those of the card, it draws what it is told, and the host's nodes work with it."""

import json
import shutil

import latent_preview
import nodes as host_nodes
import numpy as np
import pytest
import torch
from comfy.cli_args import args
from safetensors.torch import save_file

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import MOTIONS, motion
from freeanimate_pack.demo.drawn.words import caption
from freeanimate_pack.demo.model.weights import CARD, FILE, DemoWeightsError, load_weights
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.demo_model import FreeAnimateDemoModel

SIZE, STEPS, CHARACTERS = 256, 8, 2
HELD_OUT = range(10_000, 10_008)  # people whom no training picture shows
MEASURED = json.loads(CARD.read_text(encoding="utf-8"))["measured"]


@pytest.fixture(scope="module")
def models():
    with torch.inference_mode():
        return FreeAnimateDemoModel.execute().args


def poses(seed: int) -> np.ndarray:
    """Four poses of a motion [4,18,3] of one character."""
    return motion(list(MOTIONS)[seed % len(MOTIONS)], seed, 8, SIZE, SIZE)[1::2]


def drawn(models: tuple, seed: int, words: str, frames: int, cfg: float = 4.0, model=None) -> torch.Tensor:
    """Frames [F,H,W,3] from noise under the words and the poses of a character, by the host's nodes."""
    _, clip, vae, control_net = models
    hint = FreeAnimateDemoCharacter.execute(seed, list(MOTIONS)[seed % len(MOTIONS)], 8, SIZE, SIZE).args[3]
    encode = host_nodes.CLIPTextEncode().encode
    apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
    positive, negative = apply(
        encode(clip, words)[0], encode(clip, "")[0], control_net, hint[1::2][:frames], 1.0, 0.0, 1.0
    )
    latent = {"samples": torch.zeros(frames, 16, SIZE // 8, SIZE // 8), "batch_index": [0] * frames}
    sampled = host_nodes.KSampler().sample(
        model or models[0], seed, STEPS, cfg, "euler", "ddim_uniform", positive, negative, latent, 1.0
    )[0]
    return host_nodes.VAEDecode().decode(vae, sampled)[0]


def correlation(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])


def psnr(shown: torch.Tensor, truth: torch.Tensor) -> float:
    return float(-10 * (shown - truth).square().mean().log10())


def test_the_weights_are_small_and_those_of_the_card():
    card = json.loads(CARD.read_text(encoding="utf-8"))
    assert FILE.stat().st_size == card["bytes"] <= 24_000_000
    assert set(load_weights()) == {"unet", "control", "text", "encoder", "decoder", "rows", "colours"}


def test_other_weights_are_refused(tmp_path):
    other, card = tmp_path / FILE.name, tmp_path / CARD.name
    shutil.copy(CARD, card)
    with pytest.raises(DemoWeightsError, match="missing"):
        load_weights(other, card)
    content = bytearray(FILE.read_bytes())
    content[-1] ^= 1
    other.write_bytes(content)
    with pytest.raises(DemoWeightsError, match="hash differs"):
        load_weights(other, card)
    shutil.copy(FILE, other)
    assert load_weights(other, card)["unet"]


def people(seeds: range) -> torch.Tensor:
    """One picture [n,H,W,3] of each person."""
    return torch.cat(
        [FreeAnimateDemoCharacter.execute(s, "wave", 1, SIZE, SIZE, style="people").args[0] for s in seeds]
    )


def test_the_autoencoder_keeps_held_out_people(models):
    truth = people(HELD_OUT)
    shown = models[2].decode(models[2].encode(truth))
    assert psnr(shown, truth) > MEASURED["vae_psnr"] - 2.5


def test_live_previews_have_the_pictures_colours(models, monkeypatch):
    """Of held-out people, by the host's previewer."""
    monkeypatch.setattr(args, "preview_method", latent_preview.LatentPreviewMethod.Auto)
    model, _, vae, _ = models
    truth = people(HELD_OUT)
    latents = model.model.process_latent_in(vae.encode(truth))
    cells = torch.nn.functional.avg_pool2d(truth.movedim(-1, 1), 8).movedim(1, -1)

    def error(latent_format) -> float:
        previewer = latent_preview.get_previewer(model.load_device, latent_format)
        shown = [np.asarray(previewer.decode_latent_to_preview(one[None])) for one in latents]
        return float((torch.from_numpy(np.stack(shown)) / 255 - cells).abs().mean())

    assert error(model.clone().model.latent_format) < 0.05


def test_samples_follow_their_poses(models):
    """What changes from frame to frame, of one noise, lies where the person of that frame is, not of another."""
    gains = []
    for seed in range(CHARACTERS):
        shown = drawn(models, seed, caption(seed), 4)
        masks = torch.from_numpy(draw_parts(seed, poses(seed), SIZE, SIZE)[1])
        changes = (shown - shown.mean(dim=0)).abs().mean(dim=-1)
        moved = (masks - masks.mean(dim=0)).abs()
        own, other = (correlation(changes, moved[order]) for order in ([0, 1, 2, 3], [2, 3, 0, 1]))
        gains.append(own - other)
    assert min(gains) > 0
    assert np.mean(gains) > 0.04


@pytest.mark.parametrize(("fact", "label"), [("shirt", 1)])
def test_words_change_the_picture_where_they_speak_of_it(models, fact, label):
    """The same noise and pose: a red shirt is redder than a blue one on the torso, for every character.

    Only a little, as yet: the denoiser is small and briefly trained, and listens to poses first.
    """
    differences = []
    for seed in range(CHARACTERS):
        labels = draw_parts(seed, poses(seed)[:1], SIZE, SIZE)[2][0]
        words = caption(seed).split(", ")
        place = next(k for k, words_of in enumerate(words) if fact in words_of)
        rest = words[place].split(" ", 1)[1]
        red, blue = (
            drawn(models, seed, ", ".join([*words[:place], f"{c} {rest}", *words[place + 1 :]]), 1)[0]
            for c in ("red", "blue")
        )
        red_over_blue = [(p[..., 0] - p[..., 2])[torch.from_numpy(labels == label)].mean() for p in (red, blue)]
        differences.append(float(red_over_blue[0] - red_over_blue[1]))
    assert min(differences) > 0


def test_a_lora_of_the_host_changes_it(models, tmp_path):
    model, clip, _, _ = models
    key = "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
    weight = model.model.state_dict()[key]
    rng = torch.Generator().manual_seed(0)
    file = tmp_path / "lora.safetensors"
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    save_file(
        {
            f"{name}.lora_up.weight": torch.randn(weight.shape[0], 2, generator=rng),
            f"{name}.lora_down.weight": torch.randn(2, weight.shape[1], generator=rng),
        },
        file,
    )
    import comfy.sd
    import comfy.utils

    changed, _ = comfy.sd.load_lora_for_models(model, clip, comfy.utils.load_torch_file(str(file)), 1.0, 1.0)
    assert len(changed.patches) == 1
    plain, other = (drawn(models, 1, caption(1), 1, model=m) for m in (model, changed))
    assert (plain - other).abs().mean() > 1e-3
