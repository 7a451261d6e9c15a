"""POSE_KEYPOINT as a JSON file: a list of frames, as every tool of the ecosystem reads and writes it."""

import contextlib
import json
import os
from pathlib import Path

from ..errors import FreeAnimateError, quoted, reason
from .keypoints import read_people, refuse_nobody, write_people

LARGEST_FILE = 256 * 2**20  # bytes; a frame with face and hands takes about 10 000


def checked(frames: object, where: str) -> list[dict]:
    """POSE_KEYPOINT with everybody in it, in pixels and exact lengths; empty frames stay, without people.

    Raises FreeAnimateError, opening with ``where``, for what ``parse_poses`` refuses with gaps.
    """
    people, height, width = read_people(frames, where)
    refuse_nobody(people, where)
    return write_people(people, height, width)


def load_frames(path: Path, where: str) -> list[dict]:
    """The checked POSE_KEYPOINT of a JSON file; FreeAnimateError when it is none, or larger than 256 MiB."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise FreeAnimateError(
            f"{where} {path.name} has {size / 2**20:.0f} MiB, but at most {LARGEST_FILE // 2**20} are read; "
            "cut the clip into shorter files."
        )
    try:
        frames = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FreeAnimateError(
            f"{where} {path.name} is no JSON text ({error}); choose a file that Save Pose or another pose node saved."
        ) from error
    if not isinstance(frames, (list, dict)):
        raise FreeAnimateError(
            f"{where} {path.name} holds a {type(frames).__name__}, but a list of POSE_KEYPOINT frames is expected; "
            "choose a file that Save Pose or another pose node saved."
        )
    return checked(frames, f"{where} {path.name}")


def save_frames(frames: list[dict], folder: Path, stem: str, counter: int, where: str) -> str:
    """Write checked frames to ``stem``_00001_.json in ``folder``, from ``counter`` on the first free name: returned.

    Raises FreeAnimateError, opening with ``where``, when the disk does not take the file; then none is left.
    """
    text = json.dumps(frames, allow_nan=False).encode("ascii")
    path = folder / f"{stem}_{counter:05}_.json"
    while os.path.lexists(path):
        counter += 1
        path = folder / f"{stem}_{counter:05}_.json"
    try:
        _write_new(path, text)
    except FileExistsError:  # another took the name just now
        return save_frames(frames, folder, stem, counter + 1, where)
    except OSError as error:
        raise FreeAnimateError(
            f"{where} {quoted(stem)} cannot be written ({reason(error)}); free some space, make ComfyUI's output "
            "folder writable, or choose another name."
        ) from None
    return path.name


def _write_new(path: Path, data: bytes) -> None:
    """A new file with all of the data, or none."""
    file = path.open("xb")
    try:
        with file:
            file.write(data)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
