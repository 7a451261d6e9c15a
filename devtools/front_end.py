"""The newest ComfyUI front end, which the tests open beside the host's own; it is never installed."""

from pathlib import Path, PurePosixPath

from .pinned import Pinned, fetch
from .shell import DEV

VARIABLE = "FREEANIMATE_FRONT_END"  # names its folder to the tests
PINNED = Pinned(
    name="ComfyUI's front end 1.58.1",
    requirement="comfyui-frontend-package==1.58.1",
    options=("--only-binary", ":all:"),
    file="comfyui_frontend_package-1.58.1-py3-none-any.whl",
    sha256="37912597537a731a8f421179618a736c24184c5bdbfa327f38b2fb7c291852d9",
    inside=PurePosixPath("comfyui_frontend_package/static"),
    target=DEV / "front-end-1.58.1",
)


def is_here() -> bool:
    """Whether it was unpacked before: the folder appears only when complete."""
    return PINNED.target.is_dir()


def ensure(python: Path) -> None:
    """Fetch it with the pip of `python` unless it is here."""
    if not is_here():
        fetch(PINNED, python)
