"""The real host in this process, and the pack inside it.

The host's folder comes first on sys.path, because its `nodes.py` and this repository's package of
that name clash; the pack is then loaded under a name of its own, as the host does.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from . import PACK, REPOSITORY
from .server.client import has_gpu


@dataclass(frozen=True)
class Host:
    """Modules of the running host: the host's own nodes, and the pack's."""

    stock: ModuleType
    demo_model: type
    demo_character: type
    align_pose: type
    preview: type
    refine: type
    inversion: type
    patch_model: type
    sampler: type
    record: type
    weights_error: type
    error: type
    to_latent: Callable
    to_model_space: Callable
    ddim_uniform: Callable
    run_inversion: Callable
    version: str
    device: str


def start(folder: Path, cpu: bool | None = None) -> Host:
    """Start the host of ``folder`` in this process; the first call decides. cpu: None takes a GPU if there is one."""
    if str(folder) not in sys.path:
        enter(folder)
        _choose_device(not has_gpu() if cpu is None else cpu)
    import comfy.model_management
    import comfy.utils
    import comfyui_version
    import nodes as stock

    comfy.utils.set_progress_bar_enabled(False)
    models = importlib.import_module(f"{PACK}.freeanimate_core.host.models")
    return Host(
        stock=stock,
        **{name: _node(*place) for name, place in NODES.items()},
        record=importlib.import_module(f"{PACK}.freeanimate_core.method.record").Inversion,
        weights_error=importlib.import_module(f"{PACK}.demo.model.weights").DemoWeightsError,
        **{name: getattr(models, name) for name in ("to_latent", "to_model_space", "ddim_uniform")},
        error=importlib.import_module(f"{PACK}.freeanimate_core.errors").FreeAnimateError,
        run_inversion=importlib.import_module(f"{PACK}.freeanimate_core.runs.inversion").run_inversion,
        version=comfyui_version.__version__,
        device=str(comfy.model_management.get_torch_device()),
    )


NODES = {
    "demo_model": ("demo_model", "FreeAnimateDemoModel"),
    "demo_character": ("demo_character", "FreeAnimateDemoCharacter"),
    "align_pose": ("pose", "FreeAnimateAlignPose"),
    "preview": ("preview", "FreeAnimatePreview"),
    "refine": ("refine", "FreeAnimateRefinePreview"),
    "inversion": ("inversion", "FreeAnimateInversion"),
    "patch_model": ("patch", "FreeAnimatePatchModel"),
    "sampler": ("sampler", "FreeAnimateSampler"),
}


def _node(module: str, name: str) -> type:
    return getattr(importlib.import_module(f"{PACK}.nodes.{module}"), name)


def _choose_device(cpu: bool) -> None:
    import comfy.cli_args

    if cpu:
        comfy.cli_args.args.cpu = True
        comfy.cli_args.args.use_pytorch_cross_attention = True  # much faster than the host's default there


def enter(folder: Path) -> None:
    """Put the host of ``folder`` first on sys.path, and let the pack be what the host would make of it."""
    sys.path.insert(0, str(folder))
    pack = sys.modules[PACK]
    spec = importlib.util.spec_from_file_location(PACK, REPOSITORY / "__init__.py")
    spec.loader.exec_module(pack)
