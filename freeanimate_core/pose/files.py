"""POSE_KEYPOINT as a JSON file: a list of frames, as every tool of the ecosystem reads and writes it."""

import contextlib
import json
import os
from pathlib import Path

from ..errors import LOAD_POSE, FreeAnimateError, quoted, reason
from .keypoints import write_people
from .layouts import Size, found
from .reading import read_people, refuse_nobody

LARGEST_FILE = 256 * 2**20  # bytes; a frame with face and hands takes about 10 000
# How often each sign may stand in a file: what is built of a comma, a bracket or a text takes up to 30 times its space.
MOST_SIGNS = {b",": 30_000_000, b"[": 8_000_000, b"{": 1_000_000, b'"': 4_000_000}


def checked(frames: object, where: str, size: Size | None = None) -> list[dict]:
    """POSE_KEYPOINT with everybody in it, in pixels and exact lengths; empty frames stay, without people.

    ``size`` is the canvas, height and width, of frames that carry none. Raises FreeAnimateError, opening with
    ``where``, for what ``follow_person`` refuses.
    """
    people, height, width = read_people(frames, where, size)
    refuse_nobody(people, where)
    return write_people(people, height, width)


def load_frames(path: Path, where: str, width: int = 0, height: int = 0) -> list[dict]:
    """The checked POSE_KEYPOINT of a JSON file; ``width`` and ``height`` are for files that carry no canvas, or 0.

    Raises FreeAnimateError when it is none, is larger than 256 MiB, or would take too much memory.
    """
    if bool(width) != bool(height):
        raise FreeAnimateError(
            f"{LOAD_POSE}: width is {width} and height is {height}; set both to the size of the picture that the "
            "points were found in, or both to 0."
        )
    place = f"{where} {ascii(path.name)[1:-1]}"
    frames = _parsed(path, place)
    if not isinstance(frames, (list, dict)):
        raise FreeAnimateError(
            f"{place} holds {found(frames)}, but a list of POSE_KEYPOINT frames is expected; "
            "choose a file that Save Pose or another pose node saved."
        )
    return checked(frames, place, (height, width) if width else None)


def _parsed(path: Path, place: str) -> object:
    """What a JSON file holds; numbers of any length are read as floats."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise FreeAnimateError(
            f"{place} has {size / 2**20:.0f} MiB, but at most {LARGEST_FILE // 2**20} are read; "
            "cut the clip into shorter files."
        )
    data = path.read_bytes()
    for sign, most in MOST_SIGNS.items():
        if data.count(sign) > most:
            raise FreeAnimateError(
                f"{place} has more than {most} times '{sign.decode()}', which would take too much memory; cut the "
                "clip into shorter files."
            )
    try:
        return json.loads(data.decode("utf-8-sig"), parse_int=float)
    except (ValueError, RecursionError) as error:
        raise FreeAnimateError(
            f"{place} is no JSON text ({ascii(str(error))[1:-1]}); choose a file that Save Pose or another pose node "
            "saved."
        ) from error


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
