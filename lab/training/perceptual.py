"""Features of a foreign encoder of the TAESD layout, as a measure of how alike two pictures look.

Optional: the file is not part of the project, and the training works without it.
Axes: b pictures, c channels, h, w pixels.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

HALVING = (2, 6)  # layers of stride 2
READ = (1, 5, 9)  # blocks after which the features of whole, half and quarter size are compared


class Features(nn.Module):
    """The first ten layers of the encoder in ``file``, with its weights as they are."""

    def __init__(self, file: Path):
        super().__init__()
        state = {name: value.float() for name, value in load_file(file).items()}
        self.layers = nn.ModuleList(_layer(state, k) for k in range(READ[-1] + 1))
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features [b,c,h,w], [b,c,h/2,w/2], [b,c,h/4,w/4] of pictures [b,3,h,w] in 0..1."""
        found = []
        for k, layer in enumerate(self.layers):
            images = layer(images)
            if k in READ:
                found.append(images)
        return found

    def distance(self, shown: Tensor, truth: Tensor) -> Tensor:
        """Mean difference of the features, in units of the truth's."""
        with torch.no_grad():
            expected = self(truth)
        pairs = zip(self(shown), expected)
        return sum(functional.l1_loss(a.float(), b.float()) / b.float().abs().mean() for a, b in pairs)


class _Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        layers = [layer for _ in range(3) for layer in (nn.Conv2d(width, width, 3, padding=1), nn.ReLU())]
        self.conv = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv(x) + x)


def _layer(state: dict[str, Tensor], k: int) -> nn.Module:
    own = {name.removeprefix(f"{k}."): value for name, value in state.items() if name.startswith(f"{k}.")}
    if "weight" in own:
        width, inputs = own["weight"].shape[:2]
        layer: nn.Module = nn.Conv2d(inputs, width, 3, padding=1, stride=2 if k in HALVING else 1, bias="bias" in own)
    else:
        layer = _Block(len(own["conv.0.bias"]))
    layer.load_state_dict(own)
    return layer
