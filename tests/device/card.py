"""The second device of the tests: built from card.cpp, known to torch as `card:0`, with its counts.

Nothing here needs the host. Building takes a C++ compiler and, once for a source and a version of torch, some seconds
to a minute.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("card.cpp")
NAME = "card"
COMPILERS = ("g++", "clang++")
BUILDS = Path(__file__).resolve().parents[2] / ".dev" / "card"  # git knows it not


class NoCompiler(Exception):
    """Why the device cannot be built on this machine, in words."""


@dataclass(frozen=True)
class Counts:
    """What happened between the device and the CPU: copies and bytes either way, values that the program waited for."""

    up: int
    down: int
    up_bytes: int
    down_bytes: int
    waits: int

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(*(a - b for a, b in zip(vars(self).values(), vars(other).values())))


def compiler() -> str:
    """A C++ compiler that builds against torch's own libraries; NoCompiler without one."""
    if platform.system() != "Linux":
        raise NoCompiler(f"the second device is built on Linux, and this is {platform.system()}")
    found = next(filter(None, map(shutil.which, (os.environ.get("CXX", ""), *COMPILERS))), None)
    if found is None:
        raise NoCompiler(f"the second device needs a C++ compiler ({' or '.join(COMPILERS)}), and none was found")
    return found


def build() -> Path:
    """The device's library, made if this source was not yet built for this torch."""
    key = hashlib.sha256(SOURCE.read_bytes() + torch.__version__.encode()).hexdigest()[:16]
    library = BUILDS / f"card_{key}.so"
    if library.exists():
        return library
    made_with = compiler()
    root = Path(torch.__path__[0])
    abi = int(torch.compiled_with_cxx11_abi())
    options = ["-std=c++17", "-O1", "-fPIC", "-shared", f"-D_GLIBCXX_USE_CXX11_ABI={abi}", f"-I{root / 'include'}"]
    libraries = [f"-L{root / 'lib'}", "-ltorch_cpu", "-lc10"]
    BUILDS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILDS) as folder:
        unfinished = Path(folder, library.name)  # another process may build the same: whole files only
        command = [made_with, *options, str(SOURCE), "-o", str(unfinished), *libraries]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
        unfinished.replace(library)
    return library


class _Module:
    """What torch asks of a device's module."""

    is_initialized = is_available = staticmethod(lambda: True)
    _is_in_bad_fork = staticmethod(lambda: False)
    current_device = staticmethod(lambda: 0)
    device_count = staticmethod(lambda: 1)
    manual_seed_all = staticmethod(lambda seed: None)


class Card:
    """The device in this process, of which there can be one."""

    def __init__(self, library: Path):
        torch.ops.load_library(library)
        torch.utils.rename_privateuse1_backend(NAME)
        torch._register_device_module(NAME, _Module)
        self.device = torch.device(NAME, 0)
        read = ctypes.CDLL(str(library)).card_counts
        read.restype = ctypes.POINTER(ctypes.c_int64)
        self._counts = read()

    @property
    def counts(self) -> Counts:
        """All so far."""
        return Counts(*self._counts[:5])
