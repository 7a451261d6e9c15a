"""The pictures that the demo model is trained and judged on: drawn once, in chunks on disk, handed out in batches.

A set may grow while it is used: whoever asks for a picture that is not there yet waits for whoever draws.
Axes: n pictures of the whole set, b of a batch, h, w pixels.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from .drawing import FIRST_SEED, SIZE, is_drawn, picture

__all__ = ["FIRST_SEED", "SIZE", "Chunk", "TrainingPictures", "draw_chunks"]

CHUNK = 100
WAIT = 2.0  # seconds between two looks for a chunk


class Chunk(NamedTuple):
    """Pictures as on disk: images [100,256,256,3] and labels [100,256,256] uint8, joints [100,18,3], words [100]."""

    images: np.ndarray
    labels: np.ndarray
    joints: np.ndarray
    words: list[str]


class TrainingPictures:
    """``count`` pictures from number ``first`` on, whose chunks are in ``folder`` or will be."""

    def __init__(self, folder: Path, first: int, count: int):
        self.folder, self.first, self.count = folder, first, count
        self._chunks: dict[int, Chunk] = {}

    def __len__(self) -> int:
        return self.count

    def missing(self) -> list[int]:
        """The chunks that are not on disk."""
        return [k for k in range(-(-self.count // CHUNK)) if not self._place(k).exists()]

    def _place(self, k: int) -> Path:
        return self.folder / f"{k:04}"

    def _at(self, number: int) -> tuple[Chunk, int]:
        """The chunk of a picture and its row there; waits until it is drawn."""
        k, row = divmod(number, CHUNK)
        if k not in self._chunks:
            while not self._place(k).exists():
                time.sleep(WAIT)
            self._chunks[k] = _read(self._place(k))
        return self._chunks[k], row

    def crops(self, batch: int, size: int, rng: torch.Generator, within: int) -> tuple[Tensor, Tensor]:
        """Crops [b,3,size,size] in 0..1 about random joints, where the detail is, and their figures [b,1,size,size].

        Of the first ``within`` pictures.
        """
        images, labels = [], []
        for number in torch.randint(min(within, self.count), (batch,), generator=rng).tolist():
            chunk, row = self._at(number)
            y, x = corner(chunk.joints[row], size, SIZE, rng)
            cut = row, slice(y, y + size), slice(x, x + size)
            images.append(chunk.images[cut])
            labels.append(chunk.labels[cut])
        return _tensors(np.stack(images), np.stack(labels))

    def whole(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Pictures [b,3,h,w] in 0..1 and their figures [b,1,h,w]."""
        return _tensors(self.images(numbers), self.labels(numbers))

    def images(self, numbers: Sequence[int]) -> np.ndarray:
        """Levels [b,h,w,3]."""
        return self._field("images", numbers)

    def labels(self, numbers: Sequence[int]) -> np.ndarray:
        """Part labels [b,h,w]."""
        return self._field("labels", numbers)

    def joints(self, numbers: Sequence[int]) -> np.ndarray:
        """Joints [b,18,3] in pixels."""
        return self._field("joints", numbers)

    def _field(self, name: str, numbers: Sequence[int]) -> np.ndarray:
        return np.stack([getattr(chunk, name)[row] for chunk, row in map(self._at, numbers)])

    def words(self, numbers: Sequence[int]) -> list[str]:
        """What the pictures show."""
        return [chunk.words[row] for chunk, row in map(self._at, numbers)]

    def people(self) -> list[int]:
        """The numbers of those that show rendered people."""
        return [k for k in range(self.count) if not is_drawn(self.first + k)]


def corner(joints: np.ndarray, size: int, whole: int, rng: torch.Generator) -> tuple[int, int]:
    """Upper left (y, x) of a crop about a random one of the joints [18,3] that are in a picture of ``whole`` pixels."""
    seen = np.flatnonzero(joints[:, 2] > 0)
    if not len(seen):
        y, x = torch.randint(whole - size + 1, (2,), generator=rng).tolist()
        return y, x
    x, y, _ = joints[seen[int(torch.randint(len(seen), (1,), generator=rng))]]
    aside = (torch.rand(2, generator=rng) - 0.5) * size * 0.5
    y, x = (int(np.clip(at + off - size / 2, 0, whole - size)) for at, off in zip((y, x), aside.tolist()))
    return y, x


def _tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    shown = rearrange(torch.from_numpy(images), "b h w rgb -> b rgb h w").float().div(255)
    figures = torch.from_numpy(labels > 0)[:, None].float()
    return shown.contiguous(memory_format=torch.channels_last), figures


def _read(place: Path) -> Chunk:
    arrays = [np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in Chunk._fields[:3]]
    return Chunk(*arrays, json.loads((place / "words.json").read_text(encoding="utf-8")))


def draw_chunks(pictures: TrainingPictures, workers: int) -> None:
    """Draw the chunks that are missing, in order; a chunk that was not finished is drawn again."""
    draw = partial(_draw, pictures.folder, pictures.first)
    if workers == 1:
        _tell(pictures, map(draw, pictures.missing()))
        return
    with ProcessPoolExecutor(workers) as pool:
        _tell(pictures, pool.map(draw, pictures.missing()))


def _tell(pictures: TrainingPictures, made: Iterable[int]) -> None:
    for k in made:
        done = min((k + 1) * CHUNK, len(pictures))
        print(f"[train] {pictures.folder.name}: {done} of {len(pictures)}", flush=True)


def _draw(folder: Path, first: int, k: int) -> int:
    """Draw one chunk; a reader never sees half of it."""
    partial_place = folder / f"{k:04}.part"
    partial_place.mkdir(parents=True, exist_ok=True)
    drawn = [picture(number) for number in range(first + k * CHUNK, first + (k + 1) * CHUNK)]
    *arrays, words = zip(*drawn)
    for name, values in zip(Chunk._fields, arrays):
        np.save(partial_place / f"{name}.npy", np.stack(values))
    (partial_place / "words.json").write_text(json.dumps(words, indent=0), encoding="utf-8")
    os.replace(partial_place, folder / f"{k:04}")
    return k
