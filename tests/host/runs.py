"""Runs of the real nodes, shared by the host tests."""

from dataclasses import dataclass

import comfy.utils
import hostside
import torch

from freeanimate_pack.nodes.inversion import FreeAnimateInversion
from freeanimate_pack.nodes.long_clip import FreeAnimateLongClip
from freeanimate_pack.nodes.patch import FreeAnimatePatchModel
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

comfy.utils.set_progress_bar_enabled(False)


@dataclass
class Clip:
    """What a user brings: conditionings with a ControlNet, preview and reference latents."""

    tiny: hostside.Tiny
    frames: int = 3
    h: int = 6
    w: int = 10
    steps: int = 20
    seed: int = 0
    control: bool = True

    def __post_init__(self):
        self.positive, self.negative = self.tiny.positive(), self.tiny.negative()
        if self.control:
            hint = hostside.hint(self.frames, self.h, self.w, self.seed)
            self.positive, self.negative = self.tiny.controlled(self.positive, self.negative, hint)
        self.preview = hostside.latent(self.frames, self.h, self.w, self.seed + 1)
        self.reference = hostside.latent(1, self.h, self.w, self.seed + 2)

    def invert(self, storage="recompute", window=0, weight=1.0, check=0, model=None, **options):
        """All outputs of the Inversion node."""
        return FreeAnimateInversion.execute(
            model or self.tiny.model,
            self.positive,
            self.preview,
            self.reference,
            self.steps,
            weight,
            storage,
            window,
            check,
            **options,
        ).args


def patch(model, record, weight=1.0, self_span=0.8, cross_span=0.8, halves="cond", window=0, **kept):
    """The MODEL of the Patch Model node."""
    return FreeAnimatePatchModel.execute(model, record, weight, self_span, cross_span, halves, window, **kept).args[0]


def sample(clip: Clip, record, patched, cfg, positive=None, start=0.0, end=1.0) -> torch.Tensor:
    """Latents [F,4,h,w] of the Animate Sampler, guided in all steps unless a test limits it."""
    positive = clip.positive if positive is None else positive
    return FreeAnimateSampler.execute(patched, record, positive, clip.negative, cfg, start, end).args[0]["samples"]


def animate(clip: Clip, record, cfg=7.5, model=None, **options) -> torch.Tensor:
    """Latents [F,4,h,w] of Patch Model + Animate Sampler."""
    return sample(clip, record, patch(model or clip.tiny.model, record, **options), cfg)


def render(clip: Clip, record, patched, **options) -> tuple:
    """Images, latents and report of Animate Long Clip in parts of two frames, guided in all steps."""
    inputs = {"positive": clip.positive, "negative": clip.negative, "vae": clip.tiny.vae, "cfg": 4.0}
    inputs |= {"cfg_start": 0.0, "cfg_end": 1.0, "frames_per_part": 2}
    images, latent, report = FreeAnimateLongClip.execute(patched, record, **inputs | options).args
    return images, latent["samples"], report
