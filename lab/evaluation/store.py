"""Results on disk, one per character and recipe, so that an interrupted run continues.

A key is the digest of everything that a result follows from: weights, case, recipe, the code that
makes and measures it, the versions beneath. What follows from nothing new is not made again.
"""

import ast
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from freeanimate_pack.freeanimate_core.pose import PoseSequence

from .. import REPOSITORY
from .case import Case

MAKERS = tuple("blur case drawing extras flow given inputs measures models people records renderer spoil store".split())
# What a case follows from is in the key by its values; what only shows results is not in it.
CODE = (
    *(f"freeanimate_core/{room}/*.py" for room in ("method", "host", "runs")),
    *(f"lab/evaluation/{name}.py" for name in MAKERS),
)


@dataclass(frozen=True)
class Result:
    """What one method gave for one character; frames [F,H,W,3] uint8 lie in ``frames_files``, one after the other.

    classes: the measures of the frames of each class of pose.
    """

    measures: dict[str, float | None]
    seconds: float
    frames_files: tuple[Path, ...]
    classes: dict[str, dict[str, float | None]] = field(default_factory=dict)

    def frames(self) -> Tensor:
        """The frames as they were shown, [F,H,W,3] uint8."""
        return torch.cat([load_file(file)["frames"] for file in self.frames_files])


Results = dict[str, list[Result]]  # by method, in the order of the characters


class Store:
    """Results under a folder; a result counts once its small JSON is there, which is written last."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: str) -> Result | None:
        """The result of a key, or None."""
        path = self.folder / f"{key}.json"
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        return Result(saved["measures"], saved["seconds"], (self._frames_file(key),), saved["classes"])

    def save(
        self, key: str, about: dict, measures: dict, seconds: float, frames: Tensor, classes: dict | None = None
    ) -> Result:
        """Keep a result; ``about`` says in the file what it is of."""
        pictures = (255 * frames).round().to(torch.uint8).contiguous()
        partial = self.folder / f"{key}.{os.getpid()}.partial"  # two runs may share a store
        save_file({"frames": pictures}, partial)
        os.replace(partial, self._frames_file(key))
        classes = classes or {}
        values = {"measures": measures, "seconds": seconds, "classes": classes}
        partial.write_text(json.dumps(about | values, indent=1), encoding="utf-8")
        os.replace(partial, self.folder / f"{key}.json")
        return Result(measures, seconds, (self._frames_file(key),), classes)

    def _frames_file(self, key: str) -> Path:
        return self.folder / f"{key}.safetensors"


def digest_of(*texts: str) -> str:
    """A short name for texts taken together."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


def case_digest(case: Case) -> str:
    """Digest of a case by its values."""
    digest = hashlib.sha256()
    for name, value in vars(case).items():
        values = value.joints if isinstance(value, PoseSequence) else value
        values = values.numpy() if isinstance(values, Tensor) else values
        digest.update(name.encode() + (values.tobytes() if hasattr(values, "tobytes") else repr(values).encode()))
    return digest.hexdigest()


def code_digest() -> str:
    """Digest of the code that results follow from, without comments, docstrings and layout."""
    paths = sorted(path for pattern in CODE for path in REPOSITORY.glob(pattern))
    return digest_of(*(f"{path.name}{_bare(path.read_text(encoding='utf-8'))}" for path in paths))


def _bare(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
