"""The body data file: base mesh, shape targets and rig, read once."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors import safe_open

FILE = Path(__file__).with_name("body.safetensors")
SHA256 = "c5ef90a87f73add55ffeb2255f6d533fb31e19d9a188652cc2855405f54a1f45"


@dataclass(frozen=True)
class BodyData:
    """The base mesh in decimetres, y up, facing +z; the person's right side has negative x."""

    points: np.ndarray  # [n,3] float32
    triangles: dict[str, np.ndarray]  # by group, [t,3]
    targets: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]  # rows [m], moves [m,3], moves of joints [b,2,3]
    bones: tuple[str, ...]
    parents: tuple[int, ...]  # -1: none; parents come first
    joints: np.ndarray  # [b,2,3] head and tail of each bone
    weights: np.ndarray  # [n,b] float32, rows add up to 1
    lips: np.ndarray  # [n] 0-1
    landmarks: np.ndarray  # [5] vertices: nose, right eye, left eye, right ear, left ear


@lru_cache(maxsize=1)
def body_data() -> BodyData:
    """The file's content."""
    with safe_open(FILE, framework="np") as file:
        words = file.metadata()
        arrays = {name: file.get_tensor(name) for name in file.keys()}
    groups = words["groups"].split(",")
    bones = tuple(words["bones"].split(","))
    quads, group = arrays["quads"].astype(np.int64), arrays["group"]
    return BodyData(
        points=arrays["points"],
        triangles={name: _halved(quads[group == k]) for k, name in enumerate(groups)},
        targets=_targets(words["targets"].split(","), arrays, float(words["step"])),
        bones=bones,
        parents=tuple(arrays["parents"].tolist()),
        joints=arrays["joints"][0],
        weights=_dense(arrays["bone_ids"], arrays["bone_weights"], len(bones)),
        lips=arrays["lips"].astype(np.float32) / 255,
        landmarks=arrays["landmarks"].astype(np.int64),
    )


def _halved(quads: np.ndarray) -> np.ndarray:
    """Two triangles for each quad [q,4]."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def _targets(
    names: list[str], arrays: dict[str, np.ndarray], step: float
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    starts = arrays["target_starts"]
    found = {}
    for k, name in enumerate(names):
        part = slice(starts[k], starts[k + 1])
        moves = arrays["target_moves"][part].astype(np.float32) * step
        found[name] = arrays["target_rows"][part].astype(np.int64), moves, arrays["joints"][k + 1]
    return found


def _dense(ids: np.ndarray, weights: np.ndarray, bones: int) -> np.ndarray:
    dense = np.zeros((len(ids), bones), dtype=np.float32)
    np.add.at(dense, (np.arange(len(ids))[:, None], ids), weights.astype(np.float32))
    return dense / np.maximum(dense.sum(axis=1, keepdims=True), 1e-9)
