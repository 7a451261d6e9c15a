"""The pictures that the demo model is trained and judged on: drawn once, kept, handed out in batches.

Axes: n pictures of the whole set, b of a batch, h, w pixels.
"""

import json
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from freeanimate_pack.demo.drawn.character import draw_parts

from .poses import varied_pose

SIZE = 128
FIRST_SEED = 1_000_000  # characters below are never trained on: examples, tests and evaluations use them
CHUNK = 250


@dataclass(frozen=True)
class TrainingPictures:
    """images [n,128,128,3] uint8, part labels [n,128,128] uint8, joints [n,18,3], character seeds [n]."""

    images: np.ndarray
    labels: np.ndarray
    joints: np.ndarray
    seeds: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def crops(self, batch: int, size: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Crops [b,3,size,size] in 0..1 about random joints, where the detail is, and their figures [b,1,size,size]."""
        which = torch.randint(len(self), (batch,), generator=rng).tolist()
        joints = torch.randint(self.joints.shape[1], (batch,), generator=rng).tolist()
        middles = np.stack([self.joints[n, k, 1::-1] for n, k in zip(which, joints)])
        corners = torch.from_numpy(middles).sub(size / 2).long().clamp(0, SIZE - size)
        cuts = [(n, slice(y, y + size), slice(x, x + size)) for n, (y, x) in zip(which, corners.tolist())]
        return self._tensors(np.stack([self.images[c] for c in cuts]), np.stack([self.labels[c] for c in cuts]))

    def whole(self, start: int, count: int) -> tuple[Tensor, Tensor]:
        """Pictures [count,3,h,w] in 0..1 and their figures [count,1,h,w]."""
        return self._tensors(self.images[start : start + count], self.labels[start : start + count])

    @staticmethod
    def _tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
        shown = rearrange(torch.from_numpy(np.array(images)), "b h w rgb -> b rgb h w").float().div(255)
        figures = torch.from_numpy(labels > 0)[:, None].float()
        return shown.contiguous(memory_format=torch.channels_last), figures


def training_pictures(folder: Path, first_seed: int, characters: int, poses: int, workers: int = 2) -> TrainingPictures:
    """The set of ``characters`` in ``poses`` poses each, drawn on first use into ``folder``."""
    asked = {"first_seed": first_seed, "characters": characters, "poses": poses, "size": SIZE}
    made = folder / "pictures.json"
    if not (made.exists() and json.loads(made.read_text(encoding="utf-8")) == asked):
        _draw(folder, first_seed, characters, poses, workers)
        made.write_text(json.dumps(asked), encoding="utf-8")
    names = ("images", "labels", "joints", "seeds")
    return TrainingPictures(*(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names))


def _draw(folder: Path, first_seed: int, characters: int, poses: int, workers: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    count = characters * poses
    shapes = {"images": (SIZE, SIZE, 3), "labels": (SIZE, SIZE), "joints": (18, 3)}
    kinds = {"images": np.uint8, "labels": np.uint8, "joints": np.float32}
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kinds[name], (count, *shape))
        for name, shape in shapes.items()
    }
    np.save(folder / "seeds.npy", np.repeat(np.arange(first_seed, first_seed + characters), poses))
    step = max(CHUNK // poses, 1)
    starts = range(0, characters, step)
    draw: Callable = partial(_drawn, first_seed, characters, poses, step)
    with ProcessPoolExecutor(workers) as pool:
        for start, share in zip(starts, pool.map(draw, starts)):
            for name, values in zip(shapes, share):
                arrays[name][start * poses : start * poses + len(values)] = values
            print(f"\r[train] drawn {min(start + step, characters) * poses} of {count} pictures", end="", flush=True)
    print(flush=True)


def _drawn(first_seed: int, characters: int, poses: int, step: int, start: int) -> tuple[np.ndarray, ...]:
    """Images, labels and joints of one worker's share of the characters."""
    images, labels, joints = [], [], []
    for seed in range(first_seed + start, first_seed + min(start + step, characters)):
        rng = np.random.default_rng([seed, 9])
        poses_of = np.concatenate([varied_pose(seed, rng, SIZE, SIZE) for _ in range(poses)])
        for pose in poses_of:  # one at a time: each sits on the canvas at a size of its own
            image, _, label = draw_parts(seed, pose[None], SIZE, SIZE)[:3]
            images.append(np.rint(image * 255).astype(np.uint8))
            labels.append(label)
        joints.append(poses_of)
    return np.concatenate(images), np.concatenate(labels), np.concatenate(joints)
