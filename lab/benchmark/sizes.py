"""What is run at each --size: model layout, pixels, frames, steps and repetitions. Needs the host on sys.path."""

from dataclasses import dataclass, replace

import torch

from freeanimate_pack.demo.model.layout import SD15_TINY, Layout, TextTower

SD15_FULL = Layout(  # the true sizes of SD1.5's U-Net and ControlNet; only the text encoder is thinner
    family="sd15",
    model_channels=320,
    channel_mult=(1, 2, 4, 4),
    depth=(1, 1, 1, 1, 1, 1, 0, 0),
    depth_middle=1,
    depth_output=(1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0),
    context_dim=768,
    num_heads=8,
    text=(TextTower("l", 768, heads=12, pooled=768),),
)

SDXL_FULL = Layout(  # the same of SDXL
    family="sdxl",
    model_channels=320,
    channel_mult=(1, 2, 4),
    depth=(0, 0, 2, 2, 10, 10),
    depth_middle=10,
    depth_output=(0, 0, 0, 2, 2, 2, 10, 10, 10),
    context_dim=2048,
    head_channels=64,
    linear_projections=True,
    adm_channels=1280 + 6 * 256,
    text=(TextTower("l", 768, heads=12, pooled=768), TextTower("g", 1280, heads=20, pooled=1280)),
)

# One head of 32 and 64 channels: as wide as those of SD1.5, so that attention weighs as it does there
TINY = replace(SD15_TINY, num_heads=1)


@dataclass(frozen=True)
class Curve:
    """Time and memory against the number of frames: which numbers, in windows of how many, over how many steps."""

    cells: tuple[int, int]
    frames: tuple[int, ...]
    window: int
    steps: int


@dataclass(frozen=True)
class Size:
    """One benchmark.

    cells: height and width of the latents (8 pixels each). window: frames at a time of every row,
    0 = all. repetitions: timed rounds; before them a round warms up and measures memory, unless
    there is only one. variants: whether other spans and windows are rows too.
    """

    layout: Layout
    cells: tuple[int, int]
    frames: int
    steps: int
    window: int
    repetitions: int
    variants: bool
    dtype: torch.dtype = torch.float32
    curve: Curve | None = None


QUICK = Size(
    TINY, (8, 8), frames=3, steps=3, window=0, repetitions=1, variants=False, curve=Curve((8, 8), (1, 2), 1, 1)
)
CPU = {
    "tiny": Size(TINY, (16, 16), 4, 5, 0, 5, True, curve=Curve((8, 8), (8, 16, 32, 64, 128, 256), 8, 1)),
    "sd15": Size(SD15_FULL, (32, 32), 4, 3, 0, 1, False, curve=Curve((32, 32), (1, 2, 4), 1, 1)),
}
CUDA = {
    "tiny": CPU["tiny"],
    "sd15": Size(SD15_FULL, (64, 64), 16, 20, 16, 3, True, torch.float16, Curve((64, 64), (8, 16, 32, 64), 8, 2)),
    "sdxl": Size(SDXL_FULL, (128, 128), 8, 20, 8, 1, False, torch.float16, Curve((128, 128), (2, 4, 8), 2, 1)),
}


def size_of(name: str, device: str, frames: int = 0) -> Size | None:
    """The size of a name on a device (``cpu``, ``cuda``), with other ``frames`` if given; None where it is not run.

    More frames than the size's own are run once and without variants, or a card would be held for long.
    """
    size = (CUDA if device == "cuda" else CPU).get(name)
    if size is None or frames in (0, size.frames):
        return size
    longer = {"repetitions": 1, "variants": False, "curve": None} if frames > size.frames else {}
    return replace(size, frames=frames, **longer)
