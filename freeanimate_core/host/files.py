"""Files where the host keeps them: its input, output, temp and model folders."""

from pathlib import Path

import comfy.utils
import folder_paths
from torch import Tensor

from ..errors import FreeAnimateError


def temp_directory() -> Path:
    """The host's folder for files that need not outlive it."""
    path = Path(folder_paths.get_temp_directory())
    path.mkdir(parents=True, exist_ok=True)
    return path


def input_files(suffix: str) -> list[str]:
    """Files of the host's input folder whose names end in ``suffix``, in capitals too, as "poses/walk.json", sorted."""
    root = Path(folder_paths.get_input_directory())
    found = (path for path in root.rglob("*") if path.name.lower().endswith(suffix) and path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in found)


def stored_file(name: str, where: str) -> Path:
    """The file that a widget names, as the host writes it ("a.json", "b/a.json [output]"); links out are refused.

    A subfolder may be written as on Windows, in a workflow that was saved there.
    """
    roots = folder_paths.get_input_directory(), folder_paths.get_output_directory()
    base = folder_paths.annotated_filepath(name)[1] or roots[0]
    path = Path(base, folder_paths.annotated_filepath(name)[0])
    if not path.is_file():
        path = Path(base, folder_paths.annotated_filepath(name.replace("\\", "/"))[0])
    inside = base in roots and folder_paths.is_within_directory(base, str(path))
    if not inside or not path.is_file():
        raise FreeAnimateError(f"{where} {ascii(name)} is no file in ComfyUI's input or output folder; put it there.")
    return path


def output_place(prefix: str, width: int, height: int, where: str) -> tuple[Path, str, int, str]:
    """Folder, file name, next number and subfolder for a prefix as the host's save nodes take it."""
    root = folder_paths.get_output_directory()
    if not folder_paths.is_within_directory(root, str(Path(root, prefix).parent)):
        raise FreeAnimateError(f"{where} '{prefix}' leads out of ComfyUI's output folder; leave out '..' and drives.")
    folder, name, number, subfolder, _ = folder_paths.get_save_image_path(prefix, root, width, height)
    return Path(folder), name, number, subfolder


def model_files(folder: str) -> list[str]:
    """Files below models/``folder`` and below the folders that the user's extra paths give for it."""
    folder_paths.add_model_folder_path(folder, str(Path(folder_paths.models_dir, folder)))
    return folder_paths.get_filename_list(folder)


def load_weights(folder: str, name: str) -> dict[str, Tensor]:
    """The state dict of a model file, read without running what a pickle may hold."""
    return comfy.utils.load_torch_file(folder_paths.get_full_path_or_raise(folder, name), safe_load=True)
