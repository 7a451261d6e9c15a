"""Captions as tokens, and the text encoder on the few tokens that captions use.

The host's text encoder has CLIP's vocabulary of 49408 tokens; training touches the rows of some hundred words.
Axes: n pictures, l tokens (77).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from freeanimate_pack.demo.drawn.words import VOCABULARY
from freeanimate_pack.demo.model.layout import TextTower
from freeanimate_pack.demo.people.looks import looks
from freeanimate_pack.demo.people.poses import POSES
from freeanimate_pack.demo.people.room import room
from freeanimate_pack.demo.people.shape import shape
from freeanimate_pack.demo.people.words import clothes, scene, subject

LENGTH = 77
LOOKED_AT = 600  # identities whose words are read for the vocabulary of people: every colour and pattern is there


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """Every word that a caption of people or of drawn characters may hold."""
    texts = ["a an in on with and room standing"]
    for seed in range(LOOKED_AT):
        body = shape(seed)
        of = looks(seed, body)
        doing = POSES[seed % len(POSES)]
        texts += [subject(body, of, doing), clothes(of), scene(room(seed))]
    found = {word.strip(",") for text in texts for word in text.split()}
    return tuple(sorted(found | set(VOCABULARY)))


class Tokens:
    """The host's tokenizer, restricted to the captions' vocabulary."""

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        ids = sorted({token for text in ("", ",", *vocabulary()) for token in self._full(text)})
        self.rows = torch.tensor(ids)
        self._number = {token: k for k, token in enumerate(ids)}

    def _full(self, text: str) -> list[int]:
        """The 77 token numbers of a text in CLIP's vocabulary."""
        (batch,) = self._tokenizer.tokenize_with_weights(text)["l"]
        return [int(token) for token, _ in batch]

    def __call__(self, text: str) -> list[int]:
        """The 77 row numbers of a text."""
        return [self._number[token] for token in self._full(text)]


def captions(tokens: Tokens, words: list[str], file: Path) -> np.ndarray:
    """Row numbers [n,77] of the captions, made on first use into ``file``."""
    if not file.exists():
        np.save(file, np.array([tokens(text) for text in words], dtype=np.int16))
    return np.load(file, allow_pickle=False)


class TextEncoder(nn.Module):
    """A CLIP text encoder over the captions' rows; `demo.model.loading` puts them into the host's full vocabulary."""

    def __init__(self, tower: TextTower, rows: Tensor, rng: torch.Generator):
        super().__init__()
        self.rows = rows
        self.clip = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(rows),
                hidden_size=tower.width,
                intermediate_size=4 * tower.width,
                num_hidden_layers=tower.layers,
                num_attention_heads=tower.heads,
                projection_dim=tower.pooled,
                max_position_embeddings=LENGTH,
                hidden_act="quick_gelu",
                bos_token_id=0,
                eos_token_id=len(rows) - 1,
            )
        )
        _draw(self.clip, rng)

    def forward(self, rows: Tensor) -> Tensor:
        """Token embeddings [b,77,c] of row numbers [b,77]."""
        return self.clip(rows).last_hidden_state


@torch.no_grad()
def _draw(clip: nn.Module, rng: torch.Generator) -> None:
    """Draw every weight from an explicit generator: tables wide, so that words differ from the start."""
    for name, value in clip.named_parameters():
        if value.ndim == 2:
            spread = 0.5 if "token_embedding" in name else 0.1 if "position" in name else value.shape[1] ** -0.5
            value.normal_(0.0, spread, generator=rng)
        else:
            value.fill_(1.0 if name.endswith("weight") else 0.0)
