"""The real host in the test process, the pack inside it, and small real models to run through both.

Importing this module puts the host (environment variable COMFYUI_DIR) first on sys.path, switches it to
the CPU and loads the repository as the package `freeanimate_pack`: afterwards `import comfy...`, the
host's `import nodes`, `freeanimate_pack.nodes...` and `freeanimate_pack.freeanimate_core...` all work.
A missing COMFYUI_DIR is an error, never a skip.

A conftest.py imports this module and the fixtures by name:
    pack          the module freeanimate_pack
    sd15, sd2, sdxl   session: a `Tiny` of that family (layouts.py)
    tiny_layout   session, parametrised: each of the three in turn
    flow          session: a `Tiny` whose MODEL is a small SD3 transformer (a flow model, to be refused)
    full_sd15     session: a `Tiny` of SD1.5's true sizes, random weights (4.7 GB, minutes): --full only
    inference     autouse: every test runs under torch.inference_mode(), as nodes do in the host
A `Tiny` holds layout, model, clip, vae, control_net, and makes conditionings (host format):
    positive(), negative()   77 tokens and 154 tokens (a negative prompt of two chunks); pooled where the family has it
    controlled(pos, neg, hint, strength)   both with the ControlNet applied by the host's own node
Plain functions (all seeded, fp32, CPU; the first four are lab.benchmark.inputs):
    latent(frames, h, w, seed)   LATENT dict, smooth clip [F,4,h,w] of picture-like spread; odd sizes are fine
    hint(frames, h, w, seed)     IMAGE [F,8h,8w,3]: a stick that moves from frame to frame
    conditioning(width, tokens, pooled, seed)   a drawn conditioning without a text encoder
    relative(a, b)               relative L2 distance of a from b, a float
    fresh(name, seed, out_scale) a new `Tiny` that shares nothing with the session's
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from lab import PACK
from lab.hosting import enter

# At 0.05, 20 levels at cfg 7.5 move by 0.13-0.3 (relative) with the reference's keys and by 0.14-0.28 with the
# ControlNet, and amplify a rounding error at the start at most 3 times (0.2: 18 times).
OUT_SCALE = 0.05
POSITIVE = "a person in a red jacket waves in a park"
NEGATIVE = "blurry, low quality, extra limbs, bad hands, deformed, watermark, text, " * 7


def _host_directory() -> Path:
    """The host's folder from the environment; a usage error when it is not one."""
    folder = Path(os.environ.get("COMFYUI_DIR", ""))
    if not (folder / "comfy" / "cli_args.py").is_file():
        raise pytest.UsageError("set COMFYUI_DIR to a ComfyUI folder (python dev.py test does)")
    return folder


def start_host() -> ModuleType:
    """Put the host first on sys.path, on the CPU, and load the pack into it; once per process."""
    folder = _host_directory()
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
        import comfy.cli_args

        comfy.cli_args.args.cpu = True
        torch.set_num_threads(min(2, torch.get_num_threads()))
        enter(folder)
    return sys.modules[PACK]


start_host()

import comfy.controlnet  # noqa: E402
import comfy.model_patcher  # noqa: E402
import comfy.sd  # noqa: E402
import layouts  # noqa: E402
import nodes as host_nodes  # noqa: E402

from freeanimate_pack.demo.model.layout import (  # noqa: E402
    Layout,
    build_clip,
    build_control_net,
    build_model,
    build_vae,
)
from lab.benchmark.inputs import conditioning, hint, latent, relative  # noqa: E402, F401
from lab.benchmark.sizes import SD15_FULL  # noqa: E402


@dataclass(frozen=True)
class Tiny:
    """One family's small models, with helpers that make conditionings for them."""

    layout: Layout
    model: comfy.model_patcher.ModelPatcher
    clip: comfy.sd.CLIP
    vae: comfy.sd.VAE
    control_net: comfy.controlnet.ControlNet

    def encode(self, text: str) -> list:
        """CONDITIONING of a prompt by the host's own text encoder path."""
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(text), show_pbar=False)

    def positive(self) -> list:
        """A prompt of 77 tokens."""
        return self.encode(POSITIVE)

    def negative(self) -> list:
        """A prompt of 154 tokens."""
        return self.encode(NEGATIVE)

    def controlled(self, positive: list, negative: list, image: torch.Tensor, strength: float = 1.0) -> tuple:
        """(positive, negative) with the ControlNet and its hint [F,H,W,3] applied by the host's node."""
        apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
        return apply(positive, negative, self.control_net, image, strength, 0.0, 1.0)


def build(layout: Layout, seed: int, out_scale: float) -> Tiny:
    """All four models of a layout, seeded."""
    with torch.inference_mode():
        return Tiny(
            layout,
            build_model(layout, seed, out_scale),
            build_clip(layout, seed + 1),
            build_vae(layout),
            build_control_net(layout, seed + 2),
        )


def fresh(name: str, seed: int = 0, out_scale: float = OUT_SCALE) -> Tiny:
    """A new set of models of the family sd15, sd2 or sdxl."""
    return build(layouts.TINY[name], seed, out_scale)


@pytest.fixture(scope="session")
def pack() -> ModuleType:
    """The repository, loaded as the host loads a pack."""
    return start_host()


@pytest.fixture(scope="session")
def sd15() -> Tiny:
    """SD1.5: 8 heads, convolutions as projections, eps-prediction."""
    return fresh("sd15")


@pytest.fixture(scope="session")
def sd2() -> Tiny:
    """SD2.x: linear projections, heads of one width, v-prediction."""
    return fresh("sd2")


@pytest.fixture(scope="session")
def sdxl() -> Tiny:
    """SDXL: transformers of 2 and 3 blocks, pooled conditioning."""
    return fresh("sdxl")


@pytest.fixture(scope="session", params=sorted(layouts.TINY))
def tiny_layout(request: pytest.FixtureRequest) -> Tiny:
    """Each family in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def flow(sd15: Tiny) -> Tiny:
    """A transformer with flow sampling; its text encoder and ControlNet are SD1.5's."""
    return replace(sd15, model=layouts.build_flow(0), vae=build_vae(layouts.SD15_TINY, channels=16))


@pytest.fixture(scope="session")
def full_sd15() -> Tiny:
    """SD1.5 at its true size, random weights."""
    return build(SD15_FULL, 0, OUT_SCALE)


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    """Run each test as the host runs a node."""
    with torch.inference_mode():
        yield
