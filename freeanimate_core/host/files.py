"""Files where the host keeps them: its input, output, temp and model folders.

A name for the output folder is one on every system: what Windows cannot write is refused on Linux too, so that
workflows and folders can move.
"""

import os
import re
import unicodedata
from pathlib import Path

import comfy.utils
import folder_paths
from torch import Tensor

from ..errors import FreeAnimateError, quoted, reason

LONGEST_NAME = 200  # bytes, in all: room for a number and a suffix, and on Windows for the folders above
FORBIDDEN = '<>:"|?*'
PORTS = {f"{port}{number}" for port in ("COM", "LPT") for number in range(10)}
RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} | PORTS  # Windows' devices, in every folder
PLACEHOLDER = re.compile("%[^%/]+%")


def temp_directory(where: str) -> Path:
    """The host's folder for files that need not outlive it, made if it is missing."""
    path = Path(folder_paths.get_temp_directory())
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FreeAnimateError(
            f"{where} writes to ComfyUI's temp folder, which cannot be made ({reason(error)}); choose another with "
            "--temp-directory, or set storage to 'recompute'."
        ) from None
    return path


def stored_files(suffix: str) -> list[str]:
    """Files whose names end in ``suffix``, in capitals too, as ``stored_file`` takes them, sorted within each folder.

    Those of the input folder as "poses/walk.json", then those of the output folder as "poses/walk.json [output]".
    """
    roots = {folder_paths.get_input_directory(): "", folder_paths.get_output_directory(): " [output]"}
    return [f"{name}{ending}" for root, ending in roots.items() for name in _below(root, suffix)]


def _below(root: str, suffix: str) -> list[str]:
    """Files below a folder, without those that a link leads out of it to."""
    # No path object for each file: an output folder holds many pictures, and the editor asks often
    found = (os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names if _ends(name, suffix))
    inside = (path for path in found if os.path.isfile(path) and folder_paths.is_within_directory(root, path))
    return sorted(Path(path).relative_to(root).as_posix() for path in inside)


def _ends(name: str, suffix: str) -> bool:
    return name[-len(suffix) :].lower() == suffix


def stored_file(name: str, where: str) -> Path:
    """The file that a widget names, as the host writes it ("a.json", "b/a.json [output]"); links out are refused.

    A subfolder may be written as on Windows, in a workflow that was saved there.
    """
    roots = folder_paths.get_input_directory(), folder_paths.get_output_directory()
    base = folder_paths.annotated_filepath(name)[1] or roots[0]
    path = Path(base, folder_paths.annotated_filepath(name)[0])
    if not os.path.isfile(path):  # False for a name that is too long, where the method raises
        path = Path(base, folder_paths.annotated_filepath(name.replace("\\", "/"))[0])
    inside = base in roots and folder_paths.is_within_directory(base, str(path))
    if not inside or not os.path.isfile(path):
        raise FreeAnimateError(f"{where} {quoted(name)} is no file in ComfyUI's input or output folder; put it there.")
    return path


def _steps(name: str, where: str) -> list[str]:
    """The folders, and the last name, of a name below the output folder; FreeAnimateError for what no system takes."""
    where = f"{where} {quoted(name)}"
    strange = sorted({c for c in name if c in FORBIDDEN or unicodedata.category(c) in ("Cc", "Cs")})
    if strange:
        raise FreeAnimateError(
            f"{where} holds {', '.join(map(ascii, strange))}, which some system has in no file's name; leave it out."
        )
    path = name.replace("\\", "/")
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if path.startswith("/") or not steps or ".." in (step.strip() for step in steps):
        raise FreeAnimateError(
            f"{where} names nothing below ComfyUI's output folder; leave out '..' and a leading '/', and write a name."
        )
    if (length := len("/".join(steps).encode())) > LONGEST_NAME:
        raise FreeAnimateError(f"{where} has {length} bytes and at most {LONGEST_NAME} are supported; cut it.")
    return steps


def _refuse_folders(folders: list[str], name: str, where: str) -> None:
    """FreeAnimateError for names that Windows keeps for itself, or cuts."""
    for folder in folders:
        if folder.endswith((".", " ")) or folder.split(".")[0].rstrip().upper() in RESERVED:
            raise FreeAnimateError(
                f"{where} {quoted(name)} has a folder {quoted(folder)}, which Windows cannot make: it ends in a dot or "
                "a space, or is a device's name; choose another."
            )


def _made(folders: list[str], name: str, where: str) -> Path:
    """The folder below the output folder, made if it is missing."""
    root = folder_paths.get_output_directory()
    path = Path(root, *folders)
    if not folder_paths.is_within_directory(root, str(path)):
        raise FreeAnimateError(
            f"{where} {quoted(name)} leads out of ComfyUI's output folder by a link; choose another."
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FreeAnimateError(
            f"{where} {quoted(name)} cannot be made as a folder ({reason(error)}); choose another, or make ComfyUI's "
            "output folder writable."
        ) from None
    return path


def output_place(prefix: str, width: int, height: int, where: str) -> tuple[Path, str, int, str]:
    """Folder, file name, next number and subfolder for a prefix as the host's save nodes take it; the folder exists.

    Raises FreeAnimateError for what is no name on every system and for a folder that cannot be made.
    """
    *folders, stem = _steps(prefix, where)
    _refuse_folders(folders, prefix, where)
    if not any("%" in folder for folder in folders):  # else the host, which knows their values, makes the folder
        _made(folders, prefix, where)
    try:
        folder, name, number, subfolder, _ = folder_paths.get_save_image_path(
            "/".join([*folders, stem]), folder_paths.get_output_directory(), width, height
        )
    except OSError as error:
        raise FreeAnimateError(
            f"{where} {quoted(prefix)} cannot be used ({reason(error)}); choose another, or make ComfyUI's output "
            "folder writable."
        ) from None
    return Path(folder), name, number, subfolder


def output_folder(parent: str, name: str, where: str) -> tuple[Path, str]:
    """The folder ``parent``/``name`` of the output folder, made if it is missing, and its name as it is there.

    Raises FreeAnimateError as ``output_place`` does, and for the host's placeholders: the folder is to be found again.
    """
    steps = _steps(name, where)
    _refuse_folders(steps, name, where)
    if found := PLACEHOLDER.search(name):
        raise FreeAnimateError(
            f"{where} {quoted(name)} holds the placeholder {quoted(found[0])}, but a run goes on in a folder of one "
            "name; write the name out."
        )
    return _made([parent, *steps], name, where), "/".join(steps)


def model_files(folder: str) -> list[str]:
    """Files below models/``folder`` and below the folders that the user's extra paths give for it."""
    folder_paths.add_model_folder_path(folder, str(Path(folder_paths.models_dir, folder)))
    return folder_paths.get_filename_list(folder)


def load_weights(folder: str, name: str) -> dict[str, Tensor]:
    """The state dict of a model file, read without running what a pickle may hold."""
    return comfy.utils.load_torch_file(folder_paths.get_full_path_or_raise(folder, name), safe_load=True)
