"""What the device refuses and takes, as CUDA does: python strictness.py LIBRARY."""

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from card import Card


def written(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor with a part of it changed."""
    tensor[:, 1:] += 10
    return tensor


card = Card(Path(sys.argv[1]))
cpu = torch.arange(6.0).reshape(2, 3)
own = cpu.to(card.device)
one = torch.tensor([1])

REFUSED: dict[str, Callable[[], object]] = {
    "sum": lambda: own + cpu,
    "sum, the other way": lambda: cpu + own,
    "one value of one dimension": lambda: own + one,
    "in place": lambda: cpu.add_(own),
    "into a number": lambda: torch.tensor(1.0).add_(own.sum()),
    "joined": lambda: torch.cat([own, cpu]),
    "product": lambda: own @ cpu.T,
    "where": lambda: torch.where(own > 1, cpu, own),
    "interpolation": lambda: torch.lerp(own, own, cpu),
    "layer": lambda: torch.nn.functional.linear(own, cpu),
    "convolution": lambda: torch.conv2d(own[None, None], torch.ones(1, 1, 1, 1)),
    "normalised": lambda: torch.layer_norm(own, (3,), torch.ones(3)),
    "sampled": lambda: torch.nn.functional.grid_sample(own[None, None], torch.zeros(1, 2, 2, 2)),
    "attention": lambda: torch.nn.functional.scaled_dot_product_attention(own, own, own, attn_mask=cpu[:, :2]),
    "index from here into the CPU": lambda: cpu[one.to(card.device)],
    "array": lambda: own.numpy(),
}
TAKEN: dict[str, tuple[Callable[[], torch.Tensor], torch.Tensor]] = {
    "number": (lambda: own + torch.tensor(2.0), cpu + 2),
    "CPU index": (lambda: own[one], cpu[one]),
    "CPU mask": (lambda: own[cpu > 2], cpu[cpu > 2]),
    "view": (lambda: own.view(3, 2).t()[1:], cpu.view(3, 2).t()[1:]),
    "written through a view": (lambda: written(own.clone()), written(cpu.clone())),
    "copied into": (lambda: own.clone().copy_(cpu + 1), cpu + 1),
    "result of another shape": (lambda: torch.add(own, own, out=torch.empty(0, device=card.device)), cpu + cpu),
    "convolution": (
        lambda: torch.conv2d(own[None, None], torch.ones(1, 1, 2, 2, device=card.device)),
        torch.conv2d(cpu[None, None], torch.ones(1, 1, 2, 2)),
    ),
}


def refused(act: Callable[[], object]) -> bool:
    """Whether it raises."""
    try:
        act()
    except (RuntimeError, TypeError):
        return True
    return False


with torch.inference_mode():
    accepted = [name for name, act in REFUSED.items() if not refused(act)]
    assert not accepted, f"not refused: {accepted}"
    for name, (act, expected) in TAKEN.items():
        found = act()
        assert found.device == card.device, name
        assert torch.equal(found.to("cpu"), expected), name
    before = card.counts
    own.to("cpu")
    cpu.to(card.device)
    assert own.sum().item() == 15
    assert bool((own >= 0).all())
    more = card.counts - before
    assert (more.up, more.down, more.waits) == (1, 1, 2), more
    assert more.up_bytes == more.down_bytes == 24, more
