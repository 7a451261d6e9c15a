"""The stages of the demo model's training, each of which continues from its checkpoint."""

import os
import sys
import time
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from freeanimate_pack.demo.model.layout import SD15_DEMO, build_clip, build_control_net, build_model

from . import autoencoder, denoiser, hint, reader
from .export import export, facts_of
from .loop import Schedule, Stage, worker
from .text import TextEncoder, Tokens, captions
from .training_pictures import FIRST_SEED, TrainingPictures, training_pictures

CHARACTERS, POSES, HELD_OUT = 5000, 4, 128
AUTOENCODER = Schedule("autoencoder", 9000, 2e-3, 1e-4)
DECODER = Schedule("decoder", 3000, 1e-3, 2e-5)
HINT = Schedule("hint", 400, 2e-3, 1e-4)
READER = Schedule("reader", 800, 2e-3, 1e-4)
DENOISER = Schedule("denoiser", 4000, 1e-3, 3e-5, averaging=0.999, cooling=0.3)
CROPS, SKELETONS, LATENTS, READ = 8, 16, 16, 32  # pictures per step
TOLD_EVERY = 20  # seconds


class Training:
    """Folder, device and time limit of a run, and the stages' inputs as they are needed."""

    def __init__(self, work: Path, device: str, minutes: float):
        self.work, self.device, self.seconds = work, device, 60 * minutes

    @cached_property
    def drawn(self) -> TrainingPictures:
        """The training set."""
        return training_pictures(self.work / "pictures", FIRST_SEED, CHARACTERS, POSES)

    @cached_property
    def held_out(self) -> TrainingPictures:
        """Characters that are never trained on."""
        return training_pictures(self.work / "held_out", 0, HELD_OUT, 1)

    def draw_pictures(self) -> None:
        """Draw both sets."""
        _say(f"{len(self.drawn)} pictures to train on, {len(self.held_out)} held out")

    def train_autoencoder(self) -> None:
        """Encoder and decoder together."""
        stage = autoencoder.stage(AUTOENCODER, self.work, self.device)
        self._run(stage, lambda rng: autoencoder.loss(stage.module, self.drawn, CROPS, rng), self._quality)

    def train_decoder(self) -> None:
        """The decoder alone, from the autoencoder's averaged weights: latents that exist stay valid."""
        stage = self._decoder_stage()
        self._run(stage, lambda rng: autoencoder.loss(stage.module, self.drawn, CROPS, rng, True), self._quality)

    def _decoder_stage(self) -> Stage:
        module = self._averaged_autoencoder()
        module.encoder.requires_grad_(False)
        return Stage(DECODER, module, self.work)

    def _averaged_autoencoder(self) -> autoencoder.AutoEncoder:
        stage = autoencoder.stage(AUTOENCODER, self.work, self.device)
        stage.module.load_state_dict(stage.averaged())
        return stage.module

    def _quality(self, stage: Stage) -> str:
        """PSNR on held-out characters with the averaged weights."""
        module = autoencoder.AutoEncoder(torch.Generator()).to(self.device)
        module.load_state_dict(stage.averaged())
        psnr, inside = autoencoder.quality(module, *(batch.to(self.device) for batch in self.held_out.whole(0, 32)))
        return f"held out {psnr:.2f} dB, figures {inside:.2f} dB"

    def train_hint(self) -> None:
        """The pose hint, then its features of every picture."""
        stage = self._hint_stage()
        self._run(stage, lambda rng: hint.loss(stage.module, self.drawn, SKELETONS, rng), self._parts_seen)
        self._features()

    def _hint_stage(self) -> Stage:
        net = build_control_net(SD15_DEMO, 0).control_model
        return hint.stage(HINT, net.input_hint_block, self.work, self.device)

    def _parts_seen(self, stage: Stage) -> str:
        return f"held-out cells of the figures with their true part {hint.agreement(stage.module, self.held_out):.3f}"

    def _features(self) -> np.ndarray:
        stage = self._hint_stage()
        stage.module.load_state_dict(stage.averaged())
        return hint.features(stage.module, self.drawn, self.work / "features.npy")

    def train_denoiser(self) -> None:
        """U-Net, ControlNet and text encoder."""
        stage, examples = self._denoiser_stage(), self._examples()
        alphas = denoiser.noise_levels().to(self.device)
        self._run(stage, lambda rng: denoiser.loss(stage.module, examples, alphas, LATENTS, rng), lambda _: "")

    def _denoiser_stage(self) -> Stage:
        rng = torch.Generator().manual_seed(DENOISER.seed)
        control = build_control_net(SD15_DEMO, 0).control_model
        seeing = self._hint_stage()
        control.input_hint_block.load_state_dict(
            {name.removeprefix("body."): v for name, v in seeing.averaged().items() if name.startswith("body.")},
            strict=False,  # all but the last convolution, which the denoiser's stage trains
        )
        text = TextEncoder(SD15_DEMO.text[0], self.tokens.rows, rng)
        module = denoiser.Denoiser(build_model(SD15_DEMO, 0).model.diffusion_model, control, text, rng)
        return denoiser.stage(DENOISER, module.train(), self.work, self.device)

    @cached_property
    def tokens(self) -> Tokens:
        """The captions' tokens."""
        return Tokens(build_clip(SD15_DEMO, 0).tokenizer)

    def _examples(self) -> denoiser.Examples:
        rows = torch.from_numpy(captions(self.tokens, self.drawn.seeds, self.work / "captions.npy"))
        return denoiser.Examples(self._latents, self._features(), rows, torch.tensor(self.tokens("")))

    @cached_property
    def _latents(self) -> Tensor:
        """Latents [n,4,16,16] of the training set, computed on first use."""
        file = self.work / "latents.npy"
        if not file.exists():
            partial = self.work / f"latents.{worker()}.npy"  # several workers may come here at once
            np.save(partial, self._encoded().numpy())
            os.replace(partial, file)
        return torch.from_numpy(np.load(file, allow_pickle=False))

    @torch.no_grad()
    def _encoded(self, batch: int = 64) -> Tensor:
        encoder = self._averaged_autoencoder().encoder
        starts = range(0, len(self.drawn), batch)
        return torch.cat([encoder(self.drawn.whole(k, batch)[0].to(self.device)).cpu() for k in starts])

    def export(self) -> None:
        """Weights, card and sample sheet in demo/trained, of whatever has been trained so far."""
        decoder, seeing = self._decoder_stage(), self._hint_stage()
        words = self._denoiser_stage()
        trained = [autoencoder.stage(AUTOENCODER, self.work, self.device), decoder, seeing, words]
        facts = facts_of(trained, len(self.drawn), self.device)
        for name, value in export(decoder, words, self._reader(), self.held_out, facts).items():
            _say(f"{name} {value}")

    def _reader(self) -> reader.PartReader:
        """The reader of part maps, trained on first use."""
        stage = reader.stage(READER, self.work, self.device)
        self._run(stage, lambda rng: reader.loss(stage.module, self._latents, self.drawn, READ, rng), lambda _: "")
        stage.module.load_state_dict(stage.averaged())
        return stage.module

    def _run(self, stage: Stage, loss_of, judge) -> None:
        """Train, with a line of progress, and judge the result."""
        schedule, told, started, first = stage.schedule, time.monotonic(), time.monotonic(), stage.done
        for done in stage.run(loss_of, self.seconds):
            if time.monotonic() - told > TOLD_EVERY or done == schedule.steps:
                told = time.monotonic()
                left = (schedule.steps - done) * (told - started) / (done - first) / 60
                _say(f"{schedule.name} {done}/{schedule.steps}, loss {stage.recent:.4f}, {left:.0f} minutes left")
        _say(f"{schedule.name} {stage.done}/{schedule.steps} {judge(stage)}")


def _say(text: str) -> None:
    if worker():
        return
    sys.stdout.write(f"[train] {text}\n")
    sys.stdout.flush()
