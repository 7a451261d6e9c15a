"""One run at a time in a folder: an exclusive lock on an open file, which the system takes back from a dead process."""

import errno
import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import LONG_CLIP, FreeAnimateError, reason

CLAIM = "claim.lock"
FAR = 2**30  # place of the locked byte: on Windows nobody can read a locked one, and the text before it is to be read
MOST_READ = 200  # bytes of that text
HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
log = logging.getLogger("freeanimate")


@contextmanager
def claimed(folder: Path, where: str) -> Iterator[None]:
    """Hold a folder alone; FreeAnimateError, opening with ``where``, that says who else does.

    The file stays: deleting it would let two runs lock two files of one name.
    """
    try:
        descriptor = os.open(folder / CLAIM, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise FreeAnimateError(
            f"{where} cannot be written to ({reason(error)}); free some space, make ComfyUI's output folder writable, "
            "or choose another run_name."
        ) from None
    try:
        if not _locked(descriptor):
            raise FreeAnimateError(
                f"{where} is being rendered by {_holder(descriptor)}; run again when that has ended, or choose another "
                "run_name."
            )
        _sign(descriptor)
        yield
    finally:
        os.close(descriptor)  # which ends the lock


def _sign(descriptor: int) -> None:
    """Who holds the folder, for the others' sentence; a full disk leaves it unsaid."""
    text = f"process {os.getpid()} on {platform.node()} since {time.strftime('%Y-%m-%d %H:%M:%S')}"
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode("ascii", "backslashreplace"))
    except OSError as error:
        log.warning("%s: %s could not be signed (%s)", LONG_CLIP, CLAIM, error)


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, MOST_READ).decode("ascii", "replace").strip() or "another run"


def _locked(descriptor: int) -> bool:
    """Whether the lock is ours now; a disk that knows no locks cannot tell, which is logged."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            return False
        log.warning(
            "%s: this disk knows no locks (%s); let only one ComfyUI at a time render this run_name", LONG_CLIP, error
        )
    return True
