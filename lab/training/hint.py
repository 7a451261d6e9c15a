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

from .loop import Schedule, Stage
from .training_pictures import SIZE, TrainingPictures

PARTS = 11  # labels of the renderer: ground, torso, head, eight halves of limbs
CELLS = 32  # the part map is 32x32
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
        """Part scores [b,11,32,32] of pose pictures [b,3,128,128]."""
        return functional.pixel_shuffle(self.head(self.body(hints)), 2)


def stage(schedule: Schedule, hint_block: nn.Sequential, folder: Path, device: str) -> Stage:
    """The hint block on its way through ``schedule``."""
    module = HintStage(hint_block, torch.Generator().manual_seed(schedule.seed))
    return Stage(schedule, module.requires_grad_(True).to(device, memory_format=torch.channels_last), folder)


def pose_pictures(joints: np.ndarray) -> Tensor:
    """Pose pictures [b,3,128,128] of joints [b,18,3], as the pack's own nodes draw them."""
    drawn = draw_poses(PoseSequence.from_joints(joints, SIZE, SIZE))
    return rearrange(drawn, "b h w rgb -> b rgb h w").contiguous(memory_format=torch.channels_last)


def loss(module: HintStage, pictures: TrainingPictures, batch: int, rng: torch.Generator) -> Tensor:
    """Cross entropy of the part map."""
    which = torch.randint(len(pictures), (batch,), generator=rng).numpy()
    device = next(module.parameters()).device
    scores = module(pose_pictures(pictures.joints[which]).to(device))
    return functional.cross_entropy(scores, part_map(pictures.labels[which]).to(device))


def part_map(labels: np.ndarray) -> Tensor:
    """The labels [b,32,32] at the middle of each cell of [b,128,128]."""
    step = SIZE // CELLS
    return torch.from_numpy(labels[:, step // 2 :: step, step // 2 :: step].astype(np.int64))


@torch.no_grad()
def agreement(module: HintStage, pictures: TrainingPictures) -> float:
    """Share of the cells on the figures that get their true part."""
    device = next(module.parameters()).device
    found = module(pose_pictures(pictures.joints[:]).to(device)).argmax(dim=1).cpu()
    truth = part_map(pictures.labels[:])
    return float((found == truth)[truth > 0].float().mean())


@torch.no_grad()
def features(module: HintStage, pictures: TrainingPictures, file: Path, batch: int = 64) -> np.ndarray:
    """Features [n,256,16,16] float16 of all pictures, computed on first use into ``file``."""
    if file.exists():
        return np.load(file, mmap_mode="r", allow_pickle=False)
    partial = file.with_suffix(".part.npy")
    made = np.lib.format.open_memmap(partial, "w+", np.float16, (len(pictures), *FEATURES))
    device = next(module.parameters()).device
    for start in range(0, len(pictures), batch):
        hints = pose_pictures(pictures.joints[start : start + batch]).to(device)
        made[start : start + batch] = module.body(hints).half().cpu().numpy()
    made.flush()
    partial.rename(file)
    return made
