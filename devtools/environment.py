"""The development environment in .dev: a virtual environment, the host, every dependency and the newest front end."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import front_end, host
from .shell import DEV, LOG, ROOT, SetupError, environment, run_logged, say

TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")  # a matching set
REQUIREMENTS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
VENV = DEV / "venv"
BASE = DEV / "base"  # the server's own folder
STAMP = VENV / "freeanimate.stamp"  # written last: without it, what lies there is a broken attempt
SPACE_NEEDED = 8_000_000_000  # bytes; torch for Linux alone brings 5 GB
PROBE = "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in ('torch','aiohttp','pytest')))"


@dataclass(frozen=True)
class Ready:
    """What the commands run with: the environment's interpreter and the host's folder."""

    python: Path
    host: Path

    def variables(self) -> dict[str, str]:
        """The variables for a child process."""
        return environment(self.host)


def ensure() -> Ready:
    """Set up what is missing; quick when nothing is. Raises SetupError."""
    found = host.find()  # a wrong COMFYUI_DIR ends here, before anything is made
    python = interpreter()
    if not _is_ready(found, python):
        DEV.mkdir(exist_ok=True)
        with _alone():
            found = _set_up(python)
    return Ready(python, found)


def interpreter() -> Path:
    """The environment's Python."""
    return VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"


def stamp(host_dir: Path) -> str:
    """A hash of all that decides what .dev holds."""
    files = [path.read_text(encoding="utf-8") for path in (host_dir / "requirements.txt", *REQUIREMENTS)]
    parts = [sys.version_info[:2], platform.machine(), TORCH, front_end.PINNED.sha256, str(host_dir), files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def require_space(folder: Path, needed: int = SPACE_NEEDED) -> None:
    """Raise SetupError when the disk of `folder` has fewer free bytes than `needed`."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(f"the setup needs about {needed / 1e9:.0f} GB, but {folder} has {free / 1e9:.1f} GB free")


def _set_up(python: Path) -> Path:
    found = host.find()  # again: another dev.py may have been at work until now
    if _is_ready(found, python):
        return found
    start = time.monotonic()
    LOG.write_bytes(b"")
    if not STAMP.exists() or not _works(python) or _version(python) != sys.version_info[:2]:
        _create_venv()
    found = found or host.fetch(python)
    front_end.ensure(python)
    _install(python, found)
    say(f"ready after {time.monotonic() - start:.0f} s")
    return found


def _is_ready(found: Path | None, python: Path) -> bool:
    return found is not None and front_end.is_here() and _stamped(found) and _works(python)


def _stamped(host_dir: Path) -> bool:
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == stamp(host_dir)


def _works(python: Path) -> bool:
    return _asked(python, PROBE).returncode == 0


def _version(python: Path) -> tuple[int, ...]:
    return tuple(map(int, _asked(python, "import sys; print(*sys.version_info[:2])").stdout.split()))


def _asked(python: Path, code: str) -> subprocess.CompletedProcess:
    line = [str(python), "-c", code]
    try:
        return subprocess.run(line, env=environment(), capture_output=True, text=True)
    except OSError:  # no such file, or the Python that it was made with is gone
        return subprocess.CompletedProcess(line, 1, "", "")


def _create_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    require_space(DEV)
    say(f"making an environment with Python {platform.python_version()} in {VENV}")
    if uv := shutil.which("uv"):
        run_logged("making the environment", [uv, "venv", "--seed", "--python", sys.executable, str(VENV)])
    else:
        run_logged("making the environment", [sys.executable, "-m", "venv", str(VENV)])
        run_logged("installing uv", [str(interpreter()), "-m", "pip", "install", "--retries", "2", "uv"])


def _install(python: Path, host_dir: Path) -> None:
    say(f"installing torch, ComfyUI's requirements and ours (5 GB the first time), silently: the log is {LOG}")
    STAMP.unlink(missing_ok=True)
    wanted = list(TORCH)
    for path in (host_dir / "requirements.txt", *REQUIREMENTS):
        wanted += ["-r", str(path)]
    run_logged("installing", [*_uv(python), "pip", "install", "--python", str(python), *wanted], _uv_variables())
    STAMP.write_text(stamp(host_dir), encoding="utf-8")


def _uv(python: Path) -> list[str]:
    return [uv] if (uv := shutil.which("uv")) else [str(python), "-m", "uv"]


def _uv_variables() -> dict[str, str]:
    """A uv of our own keeps its cache with us; the user's uv keeps its own."""
    ours = {} if shutil.which("uv") else {"UV_CACHE_DIR": str(DEV / "uv-cache")}
    return ours | environment()


@contextmanager
def _alone() -> Iterator[None]:
    """Hold .dev/lock: one setup at a time."""
    with (DEV / "lock").open("a") as handle:
        if not _locked(handle.fileno()):
            say("waiting for another dev.py that is setting up")
            while not _locked(handle.fileno()):
                time.sleep(0.5)
        yield  # closing the file frees the lock


def _locked(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
