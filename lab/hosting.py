"""The real host in this process, and the pack inside it.

The host's folder comes first on sys.path, because its `nodes.py` and this repository's package of
that name clash; the pack is then loaded under a name of its own, as the host does. Whatever imports
the host (`freeanimate_core.host`, `runs`, `nodes`, `demo.model`) can be imported after ``start``.
"""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from . import PACK, REPOSITORY
from .server.client import has_gpu


@dataclass(frozen=True)
class Host:
    """What numbers depend on beside the pack: the host's version, and the device that it computes on."""

    version: str
    device: str


def start(folder: Path, cpu: bool | None = None, torch_attention: bool | None = None) -> Host:
    """Start the host of ``folder`` in this process; the first call decides.

    cpu: None takes a GPU if there is one. torch_attention: torch's own attention; None takes it on a CPU,
    where it is much faster than the host's default.
    """
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
        _choose(not has_gpu() if cpu is None else cpu, torch_attention)
        enter(folder)
    import comfy.model_management
    import comfy.utils
    import comfyui_version

    comfy.utils.set_progress_bar_enabled(False)
    return Host(comfyui_version.__version__, str(comfy.model_management.get_torch_device()))


def _choose(cpu: bool, torch_attention: bool | None) -> None:
    """Device and attention, before anything of the host reads them."""
    import comfy.cli_args

    comfy.cli_args.args.cpu = comfy.cli_args.args.cpu or cpu
    if cpu if torch_attention is None else torch_attention:
        comfy.cli_args.args.use_pytorch_cross_attention = True


def enter(folder: Path) -> None:
    """Put the host of ``folder`` first on sys.path, and let the pack be what the host would make of it."""
    sys.path.insert(0, str(folder))
    pack = sys.modules[PACK]
    spec = importlib.util.spec_from_file_location(PACK, REPOSITORY / "__init__.py")
    spec.loader.exec_module(pack)
