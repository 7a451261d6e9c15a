"""Samples of the exported model on held-out characters, made by the host's own nodes.

Axes: b characters, h, w pixels.
"""

import nodes as host_nodes
import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from freeanimate_pack.demo.drawn.words import caption

from ..sheet import contact_sheet, pictures
from .hint import pose_pictures
from .training_pictures import TrainingPictures

STEPS = 20
GUIDANCES = (1.0, 3.0, 5.0)


class Sampler:
    """The demo model's four objects and the conditioning of held-out characters."""

    def __init__(self, models: tuple, pictures: TrainingPictures, count: int):
        self.model, self.clip, self.vae, self.control = models
        self.truth = torch.from_numpy(np.array(pictures.images[:count])).float() / 255
        self.hints = rearrange(pose_pictures(pictures.joints[:count]), "b rgb h w -> b h w rgb")
        self.seeds = [int(seed) for seed in pictures.seeds[:count]]

    def latents(self) -> Tensor:
        """Latents [b,4,16,16] of the true pictures, in the model's scale."""
        return self.model.model.process_latent_in(self.vae.encode(self.truth))

    def through_vae(self) -> Tensor:
        """The true pictures [b,h,w,3] after the autoencoder."""
        return self.vae.decode(self.vae.encode(self.truth)).clamp(0, 1)

    @torch.inference_mode()
    def sample(self, guidance: float) -> tuple[Tensor, Tensor]:
        """Pictures [b,h,w,3] and latents [b,4,16,16] in the model's scale, one character at a time from one seed."""
        made = [self._one(k, guidance) for k in range(len(self.seeds))]
        samples = torch.cat(made)
        return self.vae.decode(samples).clamp(0, 1), self.model.model.process_latent_in(samples)

    def _one(self, k: int, guidance: float) -> Tensor:
        positive, negative = self._text(caption(self.seeds[k])), self._text("")
        apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
        positive, negative = apply(positive, negative, self.control, self.hints[k : k + 1], 1.0, 0.0, 1.0)
        empty = {"samples": torch.zeros(1, 4, *(side // 8 for side in self.truth.shape[1:3]))}
        return host_nodes.common_ksampler(
            self.model, k, STEPS, guidance, "euler", "ddim_uniform", positive, negative, empty
        )[0]["samples"]

    def _text(self, words: str) -> list:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(words), show_pbar=False)


def sample_sheet(rows: dict[str, Tensor]) -> Image.Image:
    """A labelled sheet of picture batches [b,h,w,3]."""
    return contact_sheet({name: pictures(batch) for name, batch in rows.items()})
