"""Samples of the exported model on held-out people, made by the host's own nodes.

Axes: b people, h, w pixels.
"""

from collections.abc import Sequence

import nodes as host_nodes
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..sheet import contact_sheet, pictures
from .hint import pose_pictures
from .training_pictures import TrainingPictures

STEPS = 20
GUIDANCES = (1.0, 3.0, 5.0)


class Sampler:
    """The demo model's four objects and what is true of held-out people."""

    def __init__(self, models: tuple, held_out: TrainingPictures, which: Sequence[int]):
        self.model, self.clip, self.vae, self.control = models
        self.truth = torch.from_numpy(held_out.images(which)).float() / 255
        self.labels = held_out.labels(which)
        self.hints = rearrange(pose_pictures(held_out.joints(which)), "b rgb h w -> b h w rgb")
        self.words = held_out.words(which)

    @torch.inference_mode()
    def latents(self) -> Tensor:
        """Latents [b,16,32,32] of the true pictures, in the model's scale."""
        return self.model.model.process_latent_in(self.vae.encode(self.truth))

    @torch.inference_mode()
    def through_vae(self) -> Tensor:
        """The true pictures [b,h,w,3] after the autoencoder."""
        return self.vae.decode(self.vae.encode(self.truth)).clamp(0, 1)

    @torch.inference_mode()
    def sample(self, guidance: float, count: int, words: str | None = None) -> tuple[Tensor, Tensor]:
        """Pictures [b,h,w,3] and latents [b,16,32,32] in the model's scale of the first ``count`` people.

        One at a time, each from the noise of its number; under ``words``, or those that are true of it.
        """
        made = [self._one(k, guidance, self.words[k] if words is None else words) for k in range(count)]
        samples = torch.cat(made)
        return self.vae.decode(samples).clamp(0, 1), self.model.model.process_latent_in(samples)

    def _one(self, k: int, guidance: float, words: str) -> Tensor:
        apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
        said = self._text(words), self._text("")
        positive, negative = apply(*said, self.control, self.hints[k : k + 1], 1.0, 0.0, 1.0)
        channels = self.model.model.latent_format.latent_channels
        empty = {"samples": torch.zeros(1, channels, *(side // 8 for side in self.truth.shape[1:3]))}
        return host_nodes.common_ksampler(
            self.model, k, STEPS, guidance, "euler", "ddim_uniform", positive, negative, empty
        )[0]["samples"]

    def _text(self, words: str) -> list:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(words), show_pbar=False)


def sample_sheet(rows: dict[str, Tensor]) -> Image.Image:
    """A labelled sheet of picture batches [b,h,w,3]."""
    return contact_sheet({name: pictures(batch) for name, batch in rows.items()})
