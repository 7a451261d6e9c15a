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
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import LONG_CLIP, FreeAnimateError, quoted, reason
from ..method.conditioning import rows

DESCRIPTION, START, PARTS = "run.json", "start.safetensors", "part_*.safetensors"
LATENTS = "latents"  # of a part; its other tensors are what it starts from
SAME_START = 1e-2  # relative, per frame: an inversion made anew in other windows or precision differs by less
log = logging.getLogger("freeanimate")


@dataclass(frozen=True)
class Origin:
    """What a run is made from.

    values: by the name that a refusal uses, as JSON holds it (texts, numbers, lists, None). tensors: by
    name, latents [n,C,h,w] of the clip's frames or [1,C,h,w] of the reference: those that denoising starts
    from and the clean ones. A new inversion of the same clip gives them up to rounding, so no digest can tell.
    """

    values: dict
    tensors: dict[str, Tensor]

    def part(self, frames: range, total: int) -> "Origin":
        """The same for some of the clip's ``total`` frames."""
        return Origin(self.values, {name: rows(t, frames, total).contiguous() for name, t in self.tensors.items()})

    def differences(self, values: Mapping, tensors: Mapping[str, Tensor]) -> list[str]:
        """Names of what else was made from other values; ``inversion`` stands for the tensors too."""
        differs = [name for name, value in self.values.items() if name not in values or values[name] != value]
        if "inversion" not in differs and not self._same(tensors):
            differs.insert(0, "inversion")
        return differs

    def _same(self, tensors: Mapping[str, Tensor]) -> bool:
        if {k: t.shape for k, t in tensors.items()} != {k: t.shape for k, t in self.tensors.items()}:
            return False
        pairs = [(tensors[name].flatten(1), wanted.flatten(1)) for name, wanted in self.tensors.items()]
        return all(bool(((a - b).norm(dim=1) <= SAME_START * b.norm(dim=1)).all()) for a, b in pairs)


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

    path: an existing folder, which nobody else writes to. name: what the user calls it. origin: of all
    ``frames`` of the clip.
    """

    path: Path
    name: str
    origin: Origin
    frames: int

    def begin(self) -> None:
        """FreeAnimateError for parts that are made from something else and for a disk that takes nothing."""
        description = self.path / DESCRIPTION
        if description.exists() and any(self.path.glob(PARTS)):  # without parts it binds nobody
            self._check(description)
            return
        start = {name: latents.contiguous() for name, latents in self.origin.tensors.items()}
        self._whole(self.path / START, lambda path: save_file(start, path))
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
        try:
            start = load_file(self.path / START)
        except (OSError, SafetensorError):
            start = {}
        if differs := self.origin.differences(found, start):
            raise FreeAnimateError(f"{self._holds} run with other {', '.join(differs)}; {self._remedy}")

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
        if differs := self.origin.part(frames, self.frames).differences(json.loads(said["made_from"]), tensors):
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
        origin = self.origin.part(frames, self.frames)
        tensors = {**origin.tensors, LATENTS: latents.contiguous()}
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
