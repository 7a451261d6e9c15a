"""Multiply-adds and bytes of one frame, counted on the real modules; what a row must make of them."""

from dataclasses import dataclass

import torch
from comfy.ldm.modules.attention import CrossAttention
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from freeanimate_pack.freeanimate_core.host.models import to_model_space

from .subject import Subject


@dataclass(frozen=True)
class Site:
    """One attention layer as one frame passes it: tokens, keys, width of its input, of its heads together, heads."""

    cross: bool
    tokens: int
    keys: int
    channels: int
    inner: int
    heads: int

    @property
    def scores(self) -> int:
        """Multiply-adds of q k^T, with the reference's keys."""
        return self.tokens * self.keys * self.inner * (1 if self.cross else 2)

    @property
    def map_values(self) -> int:
        """Entries of the layer's maps, with the reference's keys."""
        return self.heads * self.tokens * self.keys * (1 if self.cross else 2)

    @property
    def input_values(self) -> int:
        """Entries of the layer's input, which the bank keeps instead."""
        return self.tokens * self.channels


@dataclass(frozen=True)
class Costs:
    """Multiply-adds of one row: U-Net, ControlNet, and the reference's keys of RA-SA, projected and attended."""

    unet: int
    control: int
    sites: tuple[Site, ...]

    @property
    def attended(self) -> int:
        """q k^T and map V over as many keys again."""
        return sum(2 * s.tokens * s.keys * s.inner for s in self.sites if not s.cross)

    @property
    def projected(self) -> int:
        """W_K and W_V of the reference's input."""
        return sum(2 * s.keys * s.channels * s.inner for s in self.sites if not s.cross)

    def scores(self, most_tokens: int) -> int:
        """q k^T of the layers of at most ``most_tokens``: what a kept map spares."""
        return sum(s.scores for s in self.sites if s.tokens <= most_tokens)

    def map_values(self, most_tokens: int) -> int:
        """Entries of the self and cross maps of the layers of at most ``most_tokens``."""
        return sum(s.map_values for s in self.sites if s.tokens <= most_tokens)

    def kept_values(self, frames: int) -> int:
        """Entries that a bank keeps of a level: all layers' inputs of the frames, the reference's of self-attention."""
        return sum(s.input_values * (frames if s.cross else frames + 1) for s in self.sites)


@dataclass(frozen=True)
class Work:
    """Rows that a run must evaluate: of the U-Net, of the ControlNet, and under RA-SA.

    projected: those that project the reference's input too. replayed: those whose maps are kept,
    at layers of at most ``most_tokens``.
    """

    unet: int
    control: int
    anchored: int = 0
    projected: int = 0
    replayed: int = 0
    most_tokens: int = 0

    def multiply_adds(self, costs: Costs) -> int:
        """The arithmetic of the run."""
        longer = self.anchored * costs.attended + self.projected * costs.projected
        spared = self.replayed * costs.scores(self.most_tokens)
        return self.unet * costs.unet + self.control * costs.control + longer - spared


def count(subject: Subject) -> Costs:
    """Counted over one evaluation of one frame by the host, with and without the ControlNet."""
    sites: list[Site] = []
    hooks = [
        module.register_forward_pre_hook(_noted(sites, name.endswith("attn2")), with_kwargs=True)
        for name, module in subject.models.model.model.diffusion_model.named_modules()
        if isinstance(module, CrossAttention)
    ]
    unet = _multiply_adds(subject, control=False)
    for hook in hooks:
        hook.remove()
    return Costs(unet, _multiply_adds(subject, control=True) - unet, tuple(sites))


def _noted(sites: list[Site], cross: bool):
    def note(module: CrossAttention, args, kwargs):
        context = kwargs.get("context")
        tokens, channels = args[0].shape[1:]
        keys = tokens if context is None else context.shape[1]
        sites.append(Site(cross, tokens, keys, channels, module.to_q.weight.shape[0], module.heads))

    return note


def _multiply_adds(subject: Subject, control: bool) -> int:
    """Of one row through the host's sampling: a single euler step at guidance 1."""
    positive, negative = subject.conditionings(range(1)) if control else subject.text
    start = to_model_space(subject.models.model, subject.reference["samples"])
    formulas = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops}  # torch lacks it
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        subject.plain(start, torch.tensor([1.0, 0.0]), 1.0, positive, negative)
    return counter.get_total_flops() // 2


def _attention_flops(query, key, value, *args, out_shape=None, **kwargs) -> int:
    return sdpa_flop_count(query, key, value)
