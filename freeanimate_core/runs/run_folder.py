"""The folder of a long run: what it is made from, and one file for every finished part.

``run.json`` and ``start.safetensors`` hold what the parts are made from, ``part_00000_00015.safetensors``
the latents of frames 0 to 15. Files appear under their name only when they are whole, so whoever kills a run
loses the part in flight and nothing else.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import LONG_CLIP, FreeAnimateError

DESCRIPTION, START = "run.json", "start.safetensors"
SAME_START = 1e-2  # relative, per frame: an inversion made anew in other windows or precision differs by less
log = logging.getLogger("freeanimate")


def _digest(made_from: dict, frames: range, latents: Tensor) -> str:
    """Digest of a part: what it is made from, its frames, and all of its values."""
    head = json.dumps([made_from, frames.start, frames.stop, list(latents.shape)], sort_keys=True)
    return hashlib.sha256(head.encode() + latents.numpy().tobytes()).hexdigest()


@dataclass(frozen=True)
class RunFolder:
    """Finished parts of one run.

    path: an existing folder. name: what the user calls it. made_from: by name, what a part
    depends on, as JSON holds it (texts, numbers, lists, None). start: by name, latents [n,C,h,w] that
    denoising starts from, which a new inversion of the same clip gives up to rounding.
    """

    path: Path
    name: str
    made_from: dict
    start: dict[str, Tensor]

    def check(self) -> None:
        """FreeAnimateError when the folder's parts are made from something else."""
        file = self.path / DESCRIPTION
        if not file.exists():
            return
        try:
            found = json.loads(file.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise FreeAnimateError(
                f"{self._holds} {DESCRIPTION} that cannot be read ({error}); {self._remedy}"
            ) from error
        if not isinstance(found, dict):
            raise FreeAnimateError(f"{self._holds} {DESCRIPTION} of another origin; {self._remedy}")
        differs = [name for name, value in self.made_from.items() if name not in found or found[name] != value]
        if "inversion" not in differs and not self._same_start():
            differs.insert(0, "inversion")
        if differs:
            raise FreeAnimateError(f"{self._holds} run with other {', '.join(differs)}; {self._remedy}")

    def _same_start(self) -> bool:
        """Whether the latents that the folder's parts started from are these, frame by frame."""
        try:
            found = load_file(self.path / START)
        except (OSError, SafetensorError):
            return False
        if {k: t.shape for k, t in found.items()} != {k: t.shape for k, t in self.start.items()}:
            return False
        pairs = [(found[name].flatten(1), wanted.flatten(1)) for name, wanted in self.start.items()]
        return all(bool(((a - b).norm(dim=1) <= SAME_START * b.norm(dim=1)).all()) for a, b in pairs)

    @property
    def _holds(self) -> str:
        return f"{LONG_CLIP}: run_name '{self.name}' holds a"

    @property
    def _remedy(self) -> str:
        return (
            f"choose another run_name, set back what differs, or delete the folder 'freeanimate/{self.name}' in "
            "ComfyUI's output folder."
        )

    def file(self, frames: range) -> Path:
        """Where the part of these frames lies."""
        return self.path / f"part_{frames.start:05d}_{frames.stop - 1:05d}.safetensors"

    def read(self, frames: range) -> Tensor | None:
        """Latents [f,C,h,w] of a finished part; None when it is missing or, with a logged line, damaged."""
        file = self.file(frames)
        if not file.exists():
            return None
        try:
            with safe_open(file, framework="pt") as stored:
                digest = (stored.metadata() or {}).get("digest")
                latents = stored.get_tensor("latents").clone()  # a copy, so that the map can be closed
        except (OSError, SafetensorError) as error:
            log.warning("%s: %s cannot be read (%s) and is made again", LONG_CLIP, file.name, error)
            return None
        if latents.dtype != torch.float32 or digest != _digest(self.made_from, frames, latents):
            log.warning("%s: %s is damaged or of another run and is made again", LONG_CLIP, file.name)
            return None
        return latents

    def write(self, frames: range, latents: Tensor) -> None:
        """Keep a finished part, latents [f,C,h,w] fp32 on the CPU; the first also brings what it is made from."""
        description = self.path / DESCRIPTION
        if not description.exists():
            start = {name: latents.contiguous() for name, latents in self.start.items()}
            self._whole(self.path / START, lambda path: save_file(start, path))
            text = json.dumps(self.made_from, indent=1)
            self._whole(description, lambda path: path.write_text(text, encoding="ascii"))
        latents = latents.contiguous()
        metadata = {"digest": _digest(self.made_from, frames, latents)}
        self._whole(self.file(frames), lambda path: save_file({"latents": latents}, path, metadata=metadata))

    def _whole(self, file: Path, write: Callable[[Path], object]) -> None:
        """Write under a name of its own, which several machines may do at a time, and move into place."""
        unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
        try:
            write(unfinished)
            unfinished.replace(file)
        except (OSError, SafetensorError) as error:
            raise FreeAnimateError(
                f"{LONG_CLIP}: run_name '{self.name}' could not be written to ({error}); free some space and run "
                "again: finished parts are kept."
            ) from error
        finally:
            unfinished.unlink(missing_ok=True)
