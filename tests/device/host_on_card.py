"""The real host in this process, computing on the card or on the CPU, and the pack inside it.

The host knows no such device, so the few functions of its `model_management` that name one are replaced: what there
is, how much of it is free, and that it computes in fp32 without CUDA's own ways.
"""

import os
import sys
from pathlib import Path

import torch
from card import Card

from lab.hosting import enter

PLENTY = 8 * 2**30  # bytes of the card


def start() -> None:
    """Start the host of COMFYUI_DIR on the CPU, once per process, with torch's own attention as on a graphics card."""
    host = Path(os.environ["COMFYUI_DIR"])
    sys.path.insert(0, str(host))
    import comfy.cli_args

    comfy.cli_args.args.cpu = comfy.cli_args.args.use_pytorch_cross_attention = True
    torch.set_num_threads(1)
    enter(host)
    import comfy.utils

    comfy.utils.set_progress_bar_enabled(False)


def use_folders(folder: Path) -> None:
    """Give the host folders of its own for input, output and what is temporary."""
    import folder_paths

    for name in ("input", "output", "temp"):
        (folder / name).mkdir()
        getattr(folder_paths, f"set_{name}_directory")(str(folder / name))


def move_to(card: Card, free: int = PLENTY, gpu_only: bool = False) -> None:
    """Let the host compute on the card, where it finds ``free`` bytes free; gpu_only: as with that argument."""
    import comfy.cli_args
    import comfy.model_management as management

    comfy.cli_args.args.gpu_only = gpu_only
    management.cpu_state = management.CPUState.GPU
    management.vram_state = management.VRAMState.HIGH_VRAM if gpu_only else management.VRAMState.NORMAL_VRAM
    management.FORCE_FP32 = True
    management.is_nvidia = lambda: False
    management.get_torch_device = management.text_encoder_device = lambda: card.device
    free_of, total_of = management.get_free_memory, management.get_total_memory

    def free_memory(dev=None, torch_free_too=False):
        if dev is not None and dev.type == "cpu":
            return free_of(dev, torch_free_too)
        return (free, 0) if torch_free_too else free

    def total_memory(dev=None, torch_total_too=False):
        if dev is not None and dev.type == "cpu":
            return total_of(dev, torch_total_too)
        return (PLENTY, PLENTY) if torch_total_too else PLENTY

    management.get_free_memory, management.get_total_memory = free_memory, total_memory
