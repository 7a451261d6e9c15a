"""AttentionBank: where the inputs of the preview's attention layers are kept for the replay.

Tiers: ``recompute`` keeps nothing and runs the preview pass again at each level; ``memory``
keeps the layer inputs in RAM; ``disk`` keeps them in memory-mapped safetensors files. All give
the same video. Layer inputs are exact and far smaller than maps (see the README's table).
"""

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import INVERSION, FreeAnimateError, reason
from .passes import Features

AUTO_SHARE = 0.5  # of the free RAM that ``auto`` gives to a bank; the rest is the host's
USABLE_SHARE = 0.9  # of what is free: a full RAM or disk stops more than this run


def choose_storage(storage: str, needed: int, free_memory: int, free_disk: int, computes_in_ram: bool = True) -> str:
    """The tier for a bank of ``needed`` bytes; refuses a tier that cannot hold it.

    ``auto`` takes memory for a model that computes in RAM, while it is half free, and recomputes
    otherwise: to a graphics card a bank is copied again at every step, which takes about as long
    as computing it. How fast a disk is cannot be known beforehand: that tier is for the user to choose.
    """
    if storage == "auto":
        return "memory" if computes_in_ram and needed <= AUTO_SHARE * free_memory else "recompute"
    free = {"memory": free_memory, "disk": free_disk}.get(storage)
    if free is not None and needed > USABLE_SHARE * free:
        raise FreeAnimateError(
            f"{INVERSION}: storage '{storage}' needs {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB are free; "
            "set storage to 'recompute' (slower, no memory) or use fewer frames, steps or pixels."
        )
    return storage


@dataclass(frozen=True)
class Chunk:
    """The features of consecutive frames at one level: in RAM, or in a file."""

    frames: range
    features: Features | None
    path: Path | None

    def read(self, frames: range) -> Features:
        """Rows of ``frames`` (indices of the clip) of every layer; views in RAM, copies from a file."""
        rows = slice(frames.start - self.frames.start, frames.stop - self.frames.start)
        if self.features is not None:
            return {site: t[rows] for site, t in self.features.items()}
        try:
            with safe_open(self.path, framework="pt") as file:
                # a copy, so that the map can be closed (Windows deletes no mapped file)
                return {site: file.get_slice(site)[rows].clone() for site in file.keys()}
        except (OSError, SafetensorError):
            raise _gone(self.path) from None


class AttentionBank:
    """Recorded layer inputs by level (index into the record's sigmas) and frame.

    directory: where a ``disk`` bank makes its own folder; None keeps features in RAM. The
    folder lives as long as the bank.
    """

    def __init__(self, directory: Path | None = None):
        self._levels: dict[int, list[Chunk]] = {}
        self._references: dict[int, Chunk] = {}
        self._folder = None
        if directory is not None:
            try:
                self._folder = Path(tempfile.mkdtemp(prefix="freeanimate_", dir=directory))
            except OSError as error:
                raise _unwritten(directory, error) from None
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    @property
    def storage(self) -> str:
        """The tier: ``memory`` or ``disk``."""
        return "memory" if self._folder is None else "disk"

    def put(self, level: int, frames: range, features: Features) -> None:
        """Keep the features ([len(frames), n, c] each) of one window at one level."""
        self._levels.setdefault(level, []).append(self._kept(f"{level:04d}_{frames.start:05d}", frames, features))

    def put_reference(self, level: int, features: Features) -> None:
        """Keep the reference's features ([1, n, c] each) at one level."""
        self._references[level] = self._kept(f"{level:04d}_reference", range(1), features)

    def _kept(self, name: str, frames: range, features: Features) -> Chunk:
        features = {site: t.to("cpu").contiguous() for site, t in features.items()}
        if self._folder is None:
            return Chunk(frames, features, None)
        path = self._folder / f"{name}.safetensors"
        _save(features, path)
        return Chunk(frames, None, path)

    def get(self, level: int, frames: range) -> Features:
        """Features of a window at a level, whatever windows they were recorded in."""
        parts = [c.read(_overlap(c.frames, frames)) for c in self._levels[level] if _overlap(c.frames, frames)]
        if len(parts) == 1:
            return parts[0]
        return {site: torch.cat([p[site] for p in parts]) for site in parts[0]}

    def reference(self, level: int) -> Features:
        """Features of the reference at a level."""
        return self._references[level].read(range(1))

    def tensors(self) -> list[Tensor]:
        """All tensors held in RAM, for the host to count."""
        return [t for c in self._chunks() if c.features is not None for t in c.features.values()]

    def _chunks(self) -> list[Chunk]:
        return [c for chunks in self._levels.values() for c in chunks] + [*self._references.values()]

    def require(self) -> None:
        """FreeAnimateError when a file is gone: before the run that would miss it in the middle."""
        for path in (chunk.path for chunk in self._chunks()):
            if path is not None and not path.is_file():
                raise _gone(path)

    def part(self, frames: range) -> "BankPart":
        """The same bank for consecutive frames of the clip, counted from the first of them."""
        return BankPart(self, frames.start)


@dataclass(frozen=True)
class BankPart:
    """A view of a bank whose frame 0 is frame ``start`` of the clip; holds the bank, and nothing else."""

    whole: AttentionBank
    start: int

    @property
    def storage(self) -> str:
        """The tier of the whole."""
        return self.whole.storage

    def get(self, level: int, frames: range) -> Features:
        """Features of a window of the part at a level."""
        return self.whole.get(level, range(self.start + frames.start, self.start + frames.stop))

    def reference(self, level: int) -> Features:
        """Features of the reference at a level."""
        return self.whole.reference(level)

    def require(self) -> None:
        """As the whole's."""
        self.whole.require()

    def part(self, frames: range) -> "BankPart":
        """The view of frames counted from this one's first."""
        return BankPart(self.whole, self.start + frames.start)

    def tensors(self) -> list[Tensor]:
        """None: they are the bank's."""
        return []


def _save(features: Features, path: Path) -> None:
    try:
        save_file(features, path)
    except (OSError, SafetensorError) as error:
        raise _unwritten(path.parent, error) from None


def _unwritten(folder: Path, error: Exception) -> FreeAnimateError:
    return FreeAnimateError(
        f"{INVERSION}: storage 'disk' could not write to {folder} ({reason(error)}); free some space, make ComfyUI's "
        "temp folder writable, or set storage to 'recompute'."
    )


def _gone(path: Path | None) -> FreeAnimateError:
    """What storage 'disk' kept is away; going on without it is the user's choice, for it takes longer."""
    return FreeAnimateError(
        f"{INVERSION}: the file {path} of storage 'disk' is gone or damaged, as when another ComfyUI that starts or "
        "ends empties the temp folder; run that node again: change one of its widgets, such as storage to 'recompute', "
        "for its old result stays in the cache. A --temp-directory of its own for each ComfyUI prevents this."
    )


def _overlap(a: range, b: range) -> range:
    return range(max(a.start, b.start), min(a.stop, b.stop))
