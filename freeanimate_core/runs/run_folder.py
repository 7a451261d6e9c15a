"""The folder of a long run: what it is made from, and one file for every finished part.

``run.json`` and ``start.safetensors`` hold what the run is made from, ``part_00000_00015.safetensors`` the latents
of frames 0 to 15 and, for whoever copies it, all of that for its own frames. Files appear under their name only
when they are whole, so whoever kills a run loses the part in flight and nothing else.
"""

import contextlib
import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import LONG_CLIP, FreeAnimateError, quoted, reason

DESCRIPTION, START, PARTS = "run.json", "start.safetensors", "part_*.safetensors"
LATENTS = "latents"  # of a part; its other tensors are what it starts from
CLEAN, NOISY = "preview", "start"  # of the frames; the other tensors are of the reference
FIRST = "first_frame"  # of the noisy frames in START; runs from before there were ranges hold all
SAME_START = 1e-2  # relative, per frame: an inversion made anew in other windows or precision differs by less
log = logging.getLogger("freeanimate")


@dataclass(frozen=True)
class Origin:
    """What a run is made from.

    values: by the name that a refusal uses, as JSON holds it (texts, numbers, lists, None). tensors: by name, latents
    that denoising starts from and clean ones: CLEAN [F,C,h,w] of all frames of the clip, NOISY [f,C,h,w] of those that
    were inverted, the others [1,C,h,w] of the reference. A new inversion of the same clip gives them up to rounding,
    so no digest can tell. frames: which of the clip's frames were inverted.
    """

    values: dict
    tensors: dict[str, Tensor]
    frames: range

    def part(self, frames: range) -> "Origin":
        """The same for some of the clip's frames."""
        cut = self.known(frames)
        return Origin(self.values, cut.tensors | {CLEAN: self.tensors[CLEAN][frames.start : frames.stop]}, frames)

    def known(self, frames: range) -> "Origin":
        """The same with the noisy latents of these frames, or without any where they were not all inverted."""
        there = bool(frames) and self.frames.start <= frames.start and frames.stop <= self.frames.stop
        others = {name: tensor for name, tensor in self.tensors.items() if name != NOISY}
        if not there:
            return Origin(self.values, others, range(0))
        noisy = self.tensors[NOISY][frames.start - self.frames.start : frames.stop - self.frames.start]
        return Origin(self.values, others | {NOISY: noisy}, frames)

    def differences(self, values: Mapping, tensors: Mapping[str, Tensor]) -> list[str]:
        """Names of what else was made from other values; ``inversion`` stands for the tensors too."""
        differs = [name for name, value in self.values.items() if name not in values or values[name] != value]
        if "inversion" not in differs and not self._same(tensors):
            differs.insert(0, "inversion")
        return differs

    def _same(self, tensors: Mapping[str, Tensor]) -> bool:
        if any(name not in tensors or tensors[name].shape != wanted.shape for name, wanted in self.tensors.items()):
            return False
        pairs = [(tensors[name].flatten(1), wanted.flatten(1)) for name, wanted in self.tensors.items()]
        return all(bool(((a - b).norm(dim=1) <= SAME_START * b.norm(dim=1)).all()) for a, b in pairs)


def _both(one: range, other: range) -> range:
    """The frames of both ranges."""
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _digest(description: str, frames: range, tensors: Mapping[str, Tensor]) -> str:
    """Digest of a part: what it says it is made from, its frames, and all of its values."""
    digest = hashlib.sha256(json.dumps([description, frames.start, frames.stop]).encode())
    for name in sorted(tensors):
        digest.update(f"{name}{tuple(tensors[name].shape)}{tensors[name].dtype}".encode())
        digest.update(tensors[name].contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class RunFolder:
    """Finished parts of one run.

    path: an existing folder, which nobody else writes to. name: what the user calls it. origin: of the
    frames that were inverted here, all of the clip's or some.
    """

    path: Path
    name: str
    origin: Origin

    def begin(self) -> None:
        """FreeAnimateError for parts that are made from something else and for a disk that takes nothing."""
        description = self.path / DESCRIPTION
        if description.exists() and any(self.path.glob(PARTS)):  # without parts it binds nobody
            self._check(description)
            return
        start = {name: latents.contiguous() for name, latents in self.origin.tensors.items()}
        said = {FIRST: str(self.origin.frames.start)}
        self._whole(self.path / START, lambda path: save_file(start, path, metadata=said))
        text = json.dumps(self.origin.values, indent=1)
        self._whole(description, lambda path: path.write_text(text, encoding="ascii"))

    def _check(self, description: Path) -> None:
        try:
            found = json.loads(description.read_text(encoding="ascii"))
        except (OSError, ValueError, RecursionError) as error:
            raise FreeAnimateError(
                f"{self._holds} {DESCRIPTION} that cannot be read ({reason(error)}); {self._remedy}"
            ) from None
        if not isinstance(found, dict):
            raise FreeAnimateError(f"{self._holds} {DESCRIPTION} of another origin; {self._remedy}")
        theirs = self._started()
        common = _both(self.origin.frames, theirs.frames)
        if differs := self.origin.known(common).differences(found, theirs.known(common).tensors):
            raise FreeAnimateError(f"{self._holds} run with other {', '.join(differs)}; {self._remedy}")

    def _started(self) -> Origin:
        """What the run that began the folder inverted; of no frames where that cannot be read."""
        try:
            with safe_open(self.path / START, framework="pt") as stored:
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}
                first = int((stored.metadata() or {}).get(FIRST, 0))
        except (OSError, SafetensorError):
            return Origin({}, {}, range(0))
        return Origin({}, tensors, range(first, first + len(tensors.get(NOISY, ()))))

    @property
    def _holds(self) -> str:
        return f"{LONG_CLIP}: run_name {quoted(self.name)} holds a"

    @property
    def _remedy(self) -> str:
        place = quoted(f"freeanimate/{self.name}")
        return (
            f"choose another run_name, set back what differs, or delete the folder {place} in ComfyUI's output folder."
        )

    def file(self, frames: range) -> Path:
        """Where the part of these frames lies."""
        return self.path / f"part_{frames.start:05d}_{frames.stop - 1:05d}.safetensors"

    def read(self, frames: range) -> Tensor | None:
        """Latents [f,C,h,w] of a finished part; None when it is missing or, with a logged line, damaged.

        Raises FreeAnimateError for a part of another run, which may be the only one of its kind.
        """
        file = self.file(frames)
        if not file.exists():
            return None
        try:
            with safe_open(file, framework="pt") as stored:
                said = stored.metadata() or {}
                tensors = {name: stored.get_tensor(name).clone() for name in stored.keys()}  # so the map can be closed
        except (OSError, SafetensorError) as error:
            log.warning("%s: %s cannot be read (%s) and is made again", LONG_CLIP, file.name, error)
            return None
        if not {"made_from", "digest"} <= said.keys():
            raise FreeAnimateError(
                f"{self._holds} {file.name} that does not say what it was made from, as parts of the first versions do "
                f"not; choose another run_name, delete that file, or {self._again(frames)}."
            )
        if said["digest"] != _digest(said["made_from"], frames, tensors):
            log.warning("%s: %s is damaged or of other frames and is made again", LONG_CLIP, file.name)
            return None
        latents = tensors.pop(LATENTS)
        if differs := self.origin.part(frames).differences(json.loads(said["made_from"]), tensors):
            raise FreeAnimateError(
                f"{self._holds} {file.name} of a run with other {', '.join(differs)}; choose another run_name, set "
                f"back what differs, delete that file, or {self._again(frames)}."
            )
        return latents

    @staticmethod
    def _again(frames: range) -> str:
        return f"write {frames.start}-{frames.stop - 1} into again to make it once more"

    def write(self, frames: range, latents: Tensor) -> None:
        """Keep a finished part, latents [f,C,h,w] fp32 on the CPU, with what it is made from."""
        origin = self.origin.part(frames)
        tensors = {name: tensor.contiguous() for name, tensor in (origin.tensors | {LATENTS: latents}).items()}
        said = json.dumps(origin.values)
        metadata = {"made_from": said, "digest": _digest(said, frames, tensors)}
        self._whole(self.file(frames), lambda path: save_file(tensors, path, metadata=metadata))

    def _whole(self, file: Path, write: Callable[[Path], object]) -> None:
        """Write under a name of its own and move into place."""
        unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            write(unfinished)
            unfinished.replace(file)
        except (OSError, SafetensorError) as error:
            raise FreeAnimateError(
                f"{LONG_CLIP}: run_name {quoted(self.name)} could not be written to ({reason(error)}); free some space "
                "or make ComfyUI's output folder writable, and run again: finished parts are kept."
            ) from None
        finally:
            with contextlib.suppress(OSError):  # what could not be written cannot always be deleted
                unfinished.unlink()
