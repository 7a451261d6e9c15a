"""The real host in this process, computing on the card or on the CPU, and the pack inside it.

The host knows no such device, so the few functions of its `model_management` that name one are replaced: what there is,
how much of it is free, and that it computes in fp32 without CUDA's own ways.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from card import Card

from lab.hosting import enter

PLENTY = 8 * 2**30  # bytes free on the card, but where a test wants little


@dataclass
class Machine:
    """Where the host computes. free: bytes that it finds free on the card."""

    card: Card | None
    free: int = PLENTY

    @property
    def device(self) -> torch.device:
        """The host's device."""
        return torch.device("cpu") if self.card is None else self.card.device


def start(card: Card | None, gpu_only: bool) -> Machine:
    """Start the host of COMFYUI_DIR, once per process, with torch's own attention as on a graphics card."""
    folder = Path(os.environ["COMFYUI_DIR"])
    import sys

    sys.path.insert(0, str(folder))
    import comfy.cli_args

    args = comfy.cli_args.args
    args.cpu, args.use_pytorch_cross_attention, args.gpu_only = True, True, gpu_only
    torch.set_num_threads(1)
    enter(folder)
    import comfy.utils

    comfy.utils.set_progress_bar_enabled(False)
    machine = Machine(card)
    if card is not None:
        _move_to(machine, gpu_only)
    return machine


def _move_to(machine: Machine, gpu_only: bool) -> None:
    import comfy.model_management as management

    management.cpu_state = management.CPUState.GPU
    management.vram_state = management.VRAMState.HIGH_VRAM if gpu_only else management.VRAMState.NORMAL_VRAM
    management.FORCE_FP32 = True
    management.is_nvidia = lambda: False
    management.get_torch_device = management.text_encoder_device = lambda: machine.device
    free_of, total_of = management.get_free_memory, management.get_total_memory

    def free(dev=None, torch_free_too=False):
        if dev is not None and dev.type == "cpu":
            return free_of(dev, torch_free_too)
        return (machine.free, 0) if torch_free_too else machine.free

    def total(dev=None, torch_total_too=False):
        if dev is not None and dev.type == "cpu":
            return total_of(dev, torch_total_too)
        return (PLENTY, PLENTY) if torch_total_too else PLENTY

    management.get_free_memory, management.get_total_memory = free, total
