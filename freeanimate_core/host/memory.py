"""The device that the host computes on, what is free there, and the windows that fit into it."""

import comfy.model_management as management
import torch
from comfy.ldm.modules.attention import attention_basic, attention_split, attention_sub_quad, optimized_attention

from ..method.windows import ROOM_FRAMES, Windower

ROWS_PER_FRAME = 2 * 1.5  # cond and uncond; half as much again for doubled keys and recorded inputs
ESTIMATE_MARGIN = 1.25  # beside the estimate's own error: what the host and the allocator need


def torch_device() -> torch.device:
    """The device that the host computes on."""
    return management.get_torch_device()


def free_memory(device: torch.device) -> int:
    """Free bytes of a device (``cpu``: of the machine's RAM)."""
    return management.get_free_memory(device)


def free_for(model) -> int:
    """Bytes that a loaded MODEL may fill on its device: what is free, and what the host gives up there for a batch."""
    return model.get_free_memory(model.load_device)


def computes_in_ram(model) -> bool:
    """Whether a MODEL runs on the CPU, which a bank in RAM costs no copies."""
    return management.is_device_cpu(model.load_device)


def make_windower(model, size: int, shape: tuple[int, ...], bytes_per_frame: float) -> Windower:
    """Windows of ``size`` frames of a clip (F,C,h,w), or, at 0, of what fits into the memory of the model's device."""
    estimate = ESTIMATE_MARGIN * bytes_per_frame
    if optimized_attention in (attention_basic, attention_split, attention_sub_quad):  # these hold whole maps
        estimate = model.model.memory_required([ROWS_PER_FRAME, *shape[1:]])
    return Windower(
        min(size or ROOM_FRAMES, shape[0]),
        management.is_oom,
        management.soft_empty_cache,
        lambda start: management.throw_exception_if_processing_interrupted(),
        0.0 if size else estimate,
    )
