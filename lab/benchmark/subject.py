"""What all rows of a run share: one model with its ControlNet, one clip, its conditionings. Needs the host."""

from collections.abc import Callable
from dataclasses import dataclass

import nodes as host_nodes
import torch
from torch import Tensor

from freeanimate_pack.demo.model.layout import Layout, build_control_net, build_model
from freeanimate_pack.freeanimate_core.host import models, sampling
from freeanimate_pack.nodes.inversion import FreeAnimateInversion
from freeanimate_pack.nodes.patch import FreeAnimatePatchModel
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

from .inputs import conditioning, hint, latent
from .sizes import Size

CFG = 7.5
OUT_SCALE = 0.01  # of the model's last convolution: rounding grows 7-fold over a run (0.05: 50 and more)


class Models:
    """A MODEL and a CONTROL_NET with drawn weights; ``rows`` counts those that each of them has evaluated."""

    def __init__(self, layout: Layout, dtype: torch.dtype):
        self.layout = layout
        self.model = build_model(layout, 0, OUT_SCALE, dtype)
        self.control_net = build_control_net(layout, 2, dtype)
        self.rows = {"unet": 0, "control": 0}
        self._count("unet", self.model.model.diffusion_model)
        self._count("control", self.control_net.control_model)

    def _count(self, name: str, module: torch.nn.Module) -> None:
        def add(module, args, kwargs):
            self.rows[name] += (args[0] if args else kwargs["x"]).shape[0]

        module.register_forward_pre_hook(add, with_kwargs=True)


@dataclass(frozen=True)
class Part:
    """What a baseline reads of an inversion of some frames; the names are those of the pack's record."""

    levels: Tensor
    descending: Tensor
    preview: Tensor
    reference: Tensor
    positive: list
    reference_positive: list

    @property
    def top(self) -> Tensor:
        """Latents [f,C,h,w] of the noisiest level."""
        return self.preview[-1]


class Subject:
    """One clip on one model. window: frames at a time of every row, 0 = all."""

    def __init__(self, models: Models, size: Size, frames: int, steps: int, window: int):
        self.models, self.size = models, size
        self.frames, self.steps, self.window = frames, steps, window or frames
        self.hint = hint(frames, *size.cells, 0)
        self.preview, self.reference = latent(frames, *size.cells, 1), latent(1, *size.cells, 2)
        layout = models.layout
        pooled = layout.text[-1].pooled if layout.adm_channels else 0
        self.text = [conditioning(layout.context_dim, 77, pooled, seed) for seed in (3, 4)]
        self.positive, self.negative = self.conditionings(range(frames))

    def conditionings(self, frames: range, more: int = 0) -> tuple[list, list]:
        """positive and negative with the ControlNet and the poses of ``frames``, the last one ``more`` times again."""
        apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
        poses = self.hint[[*frames, *[frames[-1]] * more]]
        return apply(*self.text, self.models.control_net, poses, 1.0, 0.0, 1.0)

    def windows(self, size: int = 0) -> list[range]:
        """The clip in windows of ``size`` frames, 0 = the subject's own."""
        size = size or self.window
        return [range(i, min(i + size, self.frames)) for i in range(0, self.frames, size)]

    def part(self, record, frames: range) -> Part:
        """The record cut to ``frames``."""
        preview = record.preview[:, frames.start : frames.stop]
        positive = self.conditionings(frames)[0]
        return Part(record.levels, record.descending, preview, record.reference, positive, record.reference_positive)

    def in_windows(self, run: Callable[[range], Tensor], size: int = 0) -> Tensor:
        """``run(frames)`` for every window of ``size`` frames, joined."""
        return torch.cat([run(frames) for frames in self.windows(size)])

    def invert(self, storage: str = "recompute", window: int = 0):
        """The record of the DDIM Inversion node, without its check."""
        clip = self.models.model, self.positive, self.preview, self.reference
        return FreeAnimateInversion.execute(*clip, self.steps, 1.0, storage, window or self.window, 0).args[0]

    def animate(self, record, span: float = 0.8, window: int = 0) -> Tensor:
        """Latents of Patch Model and Animate Sampler."""
        window = window or self.window
        patched = FreeAnimatePatchModel.execute(self.models.model, record, 1.0, span, span, "cond", window).args[0]
        guided = CFG, 0.0, 1.0  # in all steps, as the floor is
        return FreeAnimateSampler.execute(patched, record, self.positive, self.negative, *guided).args[0]["samples"]

    def plain(self, start: Tensor, sigmas: Tensor, cfg: float, positive: list, negative: list) -> Tensor:
        """The host's own sampling (euler) from latents [f,C,h,w] in model space."""
        guider = sampling.cfg_guider(self.models.model, lambda sigma: cfg, positive=positive, negative=negative)
        return sampling.sample(guider, models.to_latent(self.models.model, start)["samples"], sampling.euler(), sigmas)

    def floor(self, record, cfg: float, window: int = 0) -> Tensor:
        """The host's own sampling of the frames, window by window; at cfg 1 the positive half alone."""

        def run(frames: range) -> Tensor:
            start = record.top[frames.start : frames.stop]
            return self.plain(start, record.descending.clone(), cfg, *self.conditionings(frames))

        return self.in_windows(run, window)

    def floor_of_inversion(self, record) -> Tensor:
        """Cond-only sampling of one frame more, over as many levels as the inversion evaluates."""
        sigmas = record.levels.flip(0)

        def run(frames: range) -> Tensor:
            start = record.top[frames.start : frames.stop]
            last = frames.stop == self.frames
            if last:
                start = torch.cat([start, record.reference[-1]])
            return self.plain(start, sigmas, 1.0, *self.conditionings(frames, more=int(last)))

        return self.in_windows(run)
