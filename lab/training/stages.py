"""The stages of the demo model's training, each of which continues from its checkpoint."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from freeanimate_pack.demo.model.layout import SD15_PEOPLE, build_clip, build_control_net, build_model

from . import autoencoder, denoiser, hint, reader
from .drawing import HELD_OUT, SIZE
from .export import export, facts_of, state_of
from .loop import Schedule, Stage, worker
from .perceptual import Features
from .text import TextEncoder, Tokens, captions
from .training_pictures import CHUNK, TrainingPictures, draw_chunks

JUDGED, LOOKED_AT = 100, 24  # pictures that are held out; of their people, those that a stage is judged on
FIRST_PICTURES, ADDED_EVERY = 400, 4000  # what the autoencoder begins with, and steps until it sees a chunk more
AUTOENCODER = Schedule("autoencoder", 20_000, 2e-3, 1e-4, cooling=0.4)
DECODER = Schedule("decoder", 5000, 5e-4, 5e-5, cooling=0.5)
HINT = Schedule("hint", 500, 2e-3, 1e-4)
READER = Schedule("reader", 800, 2e-3, 1e-4)
DENOISER = Schedule("denoiser", 10_000, 1e-3, 3e-5, averaging=0.999, cooling=0.3)
CROPS, SKELETONS, LATENTS, READ = 4, 8, 16, 32  # pictures per step
TOLD_EVERY, JUDGED_EVERY = 20, 300  # seconds


@dataclass(frozen=True)
class Options:
    """What a run is asked for.

    work, out: folders of the checkpoints and of the export. minutes: of each stage, at most. pictures: in the training
    set. batch, steps: how many times the usual. crops: share of the denoiser's steps on crops. perceptual: a foreign
    encoder's file.
    """

    work: Path
    out: Path
    device: str = "cpu"
    minutes: float = float("inf")
    workers: int = 1
    pictures: int = 5000
    batch: int = 1
    steps: float = 1.0
    crops: float = 0.7
    perceptual: Path | None = None


class Training:
    """The options of a run, and the stages' inputs as they are needed."""

    def __init__(self, options: Options):
        self.options, self.work, self.device = options, options.work, options.device
        self.drawn = TrainingPictures(self.work / "pictures", 0, options.pictures)
        self.held_out = TrainingPictures(self.work / "held_out", HELD_OUT, JUDGED)

    def draw_pictures(self) -> None:
        """Draw what is missing of both sets."""
        for pictures in (self.held_out, self.drawn):
            draw_chunks(pictures, self.options.workers)

    def _within(self, stage: Stage) -> int:
        """How many pictures a step chooses from: the same for the same step, however many are drawn by then."""
        return FIRST_PICTURES + stage.done * self.options.batch // ADDED_EVERY * CHUNK

    def _planned(self, schedule: Schedule) -> Schedule:
        return replace(schedule, steps=max(round(schedule.steps * self.options.steps), 1))

    def _crops(self) -> autoencoder.Crops:
        file = self.options.perceptual
        features = Features(file).to(self.device) if file else None
        if file:
            self._foreign.write_text(file.name, encoding="utf-8")
        return autoencoder.Crops(self.drawn, CROPS * self.options.batch, self.device, features)

    @property
    def _foreign(self) -> Path:
        """Where the name of the foreign encoder is noted, if one was used in any run."""
        return self.work / "perceptual.txt"

    def train_autoencoder(self) -> None:
        """Encoder and decoder together."""
        stage, crops = self._autoencoder_stage(), self._crops()
        self._run(stage, lambda rng: autoencoder.loss(stage.module, crops, rng, self._within(stage)), self._quality)

    def _autoencoder_stage(self) -> Stage:
        module = autoencoder.AutoEncoder(torch.Generator().manual_seed(AUTOENCODER.seed))
        return self._stage(AUTOENCODER, module)

    def _stage(self, schedule: Schedule, module: torch.nn.Module) -> Stage:
        placed = module.to(self.device, memory_format=torch.channels_last)
        return Stage(self._planned(schedule), placed, self.work)

    def train_decoder(self) -> None:
        """The decoder alone, from the autoencoder's averaged weights: latents that exist stay valid."""
        stage, crops = self._decoder_stage(), self._crops()
        self._run(
            stage, lambda rng: autoencoder.sharpening_loss(stage.module, crops, rng, len(self.drawn)), self._quality
        )

    def _decoder_stage(self) -> Stage:
        rng = torch.Generator().manual_seed(DECODER.seed)
        return self._stage(DECODER, autoencoder.Sharpener(self._averaged_autoencoder(), rng))

    def _averaged_autoencoder(self) -> autoencoder.AutoEncoder:
        stage = self._autoencoder_stage()
        stage.module.load_state_dict(stage.averaged())
        return stage.module

    @torch.no_grad()
    def _quality(self, stage: Stage) -> str:
        """Quality on held-out people with the averaged weights, which is also noted on disk."""
        module = autoencoder.AutoEncoder(torch.Generator()).to(self.device)
        state = {name: v for name, v in stage.averaged().items() if not name.startswith("critic.")}
        module.load_state_dict(state)
        images, figures = self.held_out.whole(self.held_out.people()[:LOOKED_AT])
        found = asdict(autoencoder.quality(module, images.to(self.device), figures.to(self.device)))
        with (self.work / f"{stage.schedule.name}.quality.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": stage.done} | {name: round(v, 4) for name, v in found.items()}) + "\n")
        return "held-out people: " + ", ".join(f"{name} {value:.3f}" for name, value in found.items())

    def train_hint(self) -> None:
        """The pose hint, then its features of every picture."""
        stage, batch = self._hint_stage(), SKELETONS * self.options.batch
        everything = len(self.drawn)
        self._run(
            stage,
            lambda rng: hint.loss(stage.module, self.drawn, batch, rng, self.device, everything),
            self._parts_seen,
        )
        self._features()

    def _hint_stage(self) -> Stage:
        net = build_control_net(SD15_PEOPLE, 0).control_model
        return hint.stage(self._planned(HINT), net.input_hint_block, self.work, self.device)

    def _parts_seen(self, stage: Stage) -> str:
        return f"held-out cells of the figures with their true part {hint.agreement(stage.module, self.held_out):.3f}"

    def _cache(self, name: str) -> Path:
        return self.work / f"{name}_{len(self.drawn)}.npy"

    def _features(self) -> np.ndarray:
        stage = self._hint_stage()
        stage.module.load_state_dict(stage.averaged())
        return hint.features(stage.module, self.drawn, self._cache("features"))

    def train_denoiser(self) -> None:
        """U-Net, ControlNet and text encoder."""
        stage, examples = self._denoiser_stage(), self._examples()
        alphas, batch = denoiser.noise_levels().to(self.device), LATENTS * self.options.batch
        self._run(
            stage, lambda rng: denoiser.loss(stage.module, examples, alphas, batch, rng, self.device), lambda _: ""
        )

    def _denoiser_stage(self) -> Stage:
        rng = torch.Generator().manual_seed(DENOISER.seed)
        control = build_control_net(SD15_PEOPLE, 0).control_model
        seeing = self._hint_stage()
        control.input_hint_block.load_state_dict(
            {name.removeprefix("body."): v for name, v in seeing.averaged().items() if name.startswith("body.")},
            strict=False,  # all but the last convolution, which the denoiser's stage trains
        )
        text = TextEncoder(SD15_PEOPLE.text[0], self.tokens.rows, rng)
        module = denoiser.Denoiser(build_model(SD15_PEOPLE, 0).model.diffusion_model, control, text, rng)
        return denoiser.stage(self._planned(DENOISER), module.train(), self.work, self.device)

    @cached_property
    def tokens(self) -> Tokens:
        """The captions' tokens."""
        return Tokens(build_clip(SD15_PEOPLE, 0).tokenizer)

    def _examples(self) -> denoiser.Examples:
        everything = range(len(self.drawn))
        rows = torch.from_numpy(captions(self.tokens, self.drawn.words(everything), self._cache("captions")))
        joints = self.drawn.joints(everything) * (denoiser.WHOLE / SIZE, denoiser.WHOLE / SIZE, 1)
        empty = torch.tensor(self.tokens(""))
        latents, features = self._latents.to(self.device), torch.from_numpy(self._features()).to(self.device)
        return denoiser.Examples(latents, features, rows, empty, joints, self.options.crops)

    @cached_property
    def _latents(self) -> Tensor:
        """Latents [n,16,32,32] of the training set, computed on first use."""
        file = self._cache("latents")
        if not file.exists():
            partial = file.with_name(f"{file.stem}.{worker()}.npy")  # several workers may come here at once
            np.save(partial, self._encoded(self.drawn, range(len(self.drawn))).numpy())
            os.replace(partial, file)
        return torch.from_numpy(np.load(file, allow_pickle=False))

    @torch.no_grad()
    def _encoded(self, pictures: TrainingPictures, which: range, batch: int = 32) -> Tensor:
        encoder = self._averaged_autoencoder().encoder
        batches = (pictures.whole(which[k : k + batch])[0].to(self.device) for k in range(0, len(which), batch))
        return torch.cat([encoder(images).cpu() for images in batches])

    def export(self) -> None:
        """Weights, card and sample sheet of whatever has been trained so far; the decoder's stage only if it began."""
        first, seeing, words = self._autoencoder_stage(), self._hint_stage(), self._denoiser_stage()
        second = [self._decoder_stage()] if (self.work / f"{DECODER.name}.safetensors").exists() else []
        components = state_of((second or [first])[0].averaged(), words.averaged())
        tables = {"rows": self.tokens.rows.to(torch.int32), "colours": self._colours()}
        foreign = self._foreign.read_text(encoding="utf-8") if self._foreign.exists() else None
        notes = {"picture_size": SIZE, "perceptual_loss": foreign}
        facts = facts_of([first, *second, seeing, words], len(self.drawn), self.device, notes)
        for name, value in export(components, tables, self._reader(), self.held_out, facts, self.options.out).items():
            _say(f"{name} {value}")

    def _colours(self) -> Tensor:
        """What latent cells look like, for live previews."""
        which = range(min(len(self.drawn), 128))
        return autoencoder.preview_factors(self._encoded(self.drawn, which), self.drawn.whole(which)[0]).contiguous()

    def _reader(self) -> reader.PartReader:
        """The reader of part maps, trained on first use."""
        stage = reader.stage(self._planned(READER), self.work, self.device)
        self._run(stage, lambda rng: reader.loss(stage.module, self._latents, self.drawn, READ, rng), lambda _: "")
        stage.module.load_state_dict(stage.averaged())
        return stage.module.cpu()

    def _run(self, stage: Stage, loss_of: Callable, judge: Callable[[Stage], str]) -> None:
        """Train, with lines of progress, and judge the result now and then."""
        schedule, first = stage.schedule, stage.done
        started = told = judged = time.monotonic()
        for done in stage.run(loss_of, 60 * self.options.minutes):
            now = time.monotonic()
            if now - told > TOLD_EVERY or done == schedule.steps:
                told, left = now, (schedule.steps - done) * (now - started) / (done - first) / 60
                _say(f"{schedule.name} {done}/{schedule.steps}, loss {stage.recent:.4f}, {left:.0f} minutes left")
            if now - judged > JUDGED_EVERY and done < schedule.steps:
                _say(f"{schedule.name} {done}/{schedule.steps} {judge(stage)}")
                judged = time.monotonic()
        _say(f"{schedule.name} {stage.done}/{schedule.steps} {judge(stage)}")


def run(options: Options, names: Iterable[str]) -> None:
    """The stages of these names, one after the other."""
    training = Training(options)
    for name in names:
        getattr(training, STAGES[name])()


STAGES = {
    "pictures": "draw_pictures",
    "autoencoder": "train_autoencoder",
    "decoder": "train_decoder",
    "hint": "train_hint",
    "denoiser": "train_denoiser",
    "export": "export",
}


def _say(text: str) -> None:
    if worker():
        return
    sys.stdout.write(f"[train] {text}\n")
    sys.stdout.flush()
