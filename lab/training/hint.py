"""The pose hint's stage: the ControlNet's hint block learns to see the body in a skeleton, and is then kept.

Its first seven convolutions see the whole picture and would cost as much as the denoiser. They are trained
first, to tell which body part covers each cell, and frozen, so that their features are computed only once
per picture. The eighth, which meets the denoiser, is trained with it.
Axes: b pictures, c channels, y, x cells.
"""

from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

from freeanimate_pack.freeanimate_core.pose import PoseSequence, draw_poses

from .autoencoder import to
from .loop import Schedule, Stage
from .training_pictures import SIZE, TrainingPictures

PARTS = 11  # labels of the renderer: ground, torso, head, eight halves of limbs
CELLS = 64  # the part map is 64x64
FEATURES = (256, SIZE // 8, SIZE // 8)
FROZEN = 14  # modules of the hint block before its last convolution


class HintStage(nn.Module):
    """The frozen-to-be part of a hint block, and a head that reads the part map from it."""

    def __init__(self, hint_block: nn.Sequential, rng: torch.Generator):
        super().__init__()
        self.body = nn.Sequential(*list(hint_block)[:FROZEN])
        self.head = nn.Conv2d(FEATURES[0], 4 * PARTS, 1)
        for conv in (m for m in self.modules() if isinstance(m, nn.Conv2d)):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=rng)
            nn.init.zeros_(conv.bias)

    def forward(self, hints: Tensor) -> Tensor:
        """Part scores [b,11,64,64] of pose pictures [b,3,256,256]."""
        return functional.pixel_shuffle(self.head(self.body(hints)), 2)


def stage(schedule: Schedule, hint_block: nn.Sequential, folder: Path, device: str) -> Stage:
    """The hint block on its way through ``schedule``."""
    module = HintStage(hint_block, torch.Generator().manual_seed(schedule.seed))
    return Stage(schedule, module.requires_grad_(True).to(device, memory_format=torch.channels_last), folder)


def pose_pictures(joints: np.ndarray) -> Tensor:
    """Pose pictures [b,3,256,256] of joints [b,18,3], as the pack's own nodes draw them."""
    drawn = draw_poses(PoseSequence.from_joints(joints, SIZE, SIZE))
    return rearrange(drawn, "b h w rgb -> b rgb h w").contiguous(memory_format=torch.channels_last)


def loss(
    module: HintStage, pictures: TrainingPictures, batch: int, rng: torch.Generator, device: str, within: int
) -> Tensor:
    """Cross entropy of the part map, of some of the first ``within`` pictures."""
    which = torch.randint(min(within, len(pictures)), (batch,), generator=rng).tolist()
    hints, truth = (
        to(device, each) for each in (pose_pictures(pictures.joints(which)), part_map(pictures.labels(which)))
    )
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        scores = module(hints)
    return functional.cross_entropy(scores.float(), truth)


def part_map(labels: np.ndarray) -> Tensor:
    """The labels [b,64,64] at the middle of each cell of [b,256,256]."""
    step = SIZE // CELLS
    return torch.from_numpy(labels[:, step // 2 :: step, step // 2 :: step].astype(np.int64))


@torch.no_grad()
def agreement(module: HintStage, pictures: TrainingPictures, batch: int = 16) -> float:
    """Share of the cells on the figures that get their true part."""
    device = next(module.parameters()).device
    right = []
    for start in range(0, len(pictures), batch):
        which = range(start, min(start + batch, len(pictures)))
        found = module(pose_pictures(pictures.joints(which)).to(device)).argmax(dim=1).cpu()
        truth = part_map(pictures.labels(which))
        right.append((found == truth)[truth > 0])
    return float(torch.cat(right).float().mean())


@torch.no_grad()
def features(module: HintStage, pictures: TrainingPictures, file: Path, batch: int = 32) -> np.ndarray:
    """Features [n,256,32,32] float16 of all pictures, computed on first use into ``file``."""
    if file.exists():
        return np.load(file, mmap_mode="c", allow_pickle=False)
    partial = file.with_suffix(".part.npy")
    made = np.lib.format.open_memmap(partial, "w+", np.float16, (len(pictures), *FEATURES))
    device = next(module.parameters()).device
    for start in range(0, len(pictures), batch):
        which = range(start, min(start + batch, len(pictures)))
        hints = pose_pictures(pictures.joints(which)).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            made[start : start + len(which)] = module.body(hints).half().cpu().numpy()
    made.flush()
    partial.rename(file)
    return made
