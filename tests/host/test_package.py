"""The registry's archive: everything that the nodes need, nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from freeanimate_pack.nodes import NODES

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (".", "demo", "freeanimate_core", "media", "nodes", "subgraphs", "web", "workflows")
AT_THE_ROOT = {"__init__.py", "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "requirements.txt"}
PICTURES = (".gif", ".jpg", ".jpeg", ".mp4", ".png", ".svg", ".webm", ".webp")
LARGEST = 60_000_000
REPORT = """
import asyncio, json, pathlib, sys
host, pack = sys.argv[1:]
sys.argv, sys.path[:0] = sys.argv[:1], [host]
import comfy.cli_args
comfy.cli_args.args.cpu = True
import nodes, torch
assert asyncio.run(nodes.load_custom_node(pack))
names = sorted(n for n in nodes.NODE_CLASS_MAPPINGS if n.startswith("FreeAnimate"))
with torch.inference_mode():
    model = nodes.NODE_CLASS_MAPPINGS["FreeAnimateDemoModel"].execute().args
    drawn = nodes.NODE_CLASS_MAPPINGS["FreeAnimateDemoCharacter"].execute(0, "wave", 2, 128, 128).args
files = {m.__file__ for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").startswith(pack)}
inside = sorted(pathlib.Path(f).relative_to(pack).as_posix() for f in files)
web = {str(pathlib.Path(d).relative_to(pack)) for d in nodes.EXTENSION_WEB_DIRS.values()}
print(json.dumps({"names": names, "outputs": [len(model), len(drawn)], "files": inside, "web": sorted(web)}))
"""


def git(*words: str) -> set[str]:
    """The paths that a git command lists."""
    done = subprocess.run(["git", *words, "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(filter(None, done.stdout.split("\0")))


def top(name: str) -> str:
    """The top folder that a path lies in, or a dot."""
    return name.split("/")[0] if "/" in name else "."


@pytest.fixture(scope="module")
def shipped() -> list[str]:
    """Tracked files that .comfyignore keeps: git reads its patterns as the registry's tool does."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("the archive is made of git's files, and this folder is no clone")
    return sorted(git("ls-files") - git("ls-files", "-ci", "--exclude-from=.comfyignore"))


@pytest.fixture(scope="module")
def loaded(shipped, tmp_path_factory) -> dict:
    """What the real host says of the archive's files alone, in a process of its own."""
    pack = tmp_path_factory.mktemp("custom_nodes") / "freeanimate"
    for name in shipped:
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, pack / name)
    arguments = [sys.executable, "-c", REPORT, os.environ["COMFYUI_DIR"], str(pack)]
    done = subprocess.run(arguments, cwd=pack.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_node_comes_from_the_archive(loaded):
    assert loaded["names"] == sorted(node.__name__ for node in NODES)
    assert loaded["outputs"] == [4, 8]
    assert loaded["web"] == ["web"]


def test_no_module_is_shipped_that_no_node_reads(shipped, loaded):
    modules = [name for name in shipped if name.startswith("demo/") and name.endswith(".py")]
    assert modules == [name for name in loaded["files"] if name.startswith("demo/")]


def test_the_archive_by_folder(shipped):
    sizes = {folder: [(ROOT / name).stat().st_size for name in shipped if top(name) == folder] for folder in FOLDERS}
    print(f"\n{len(shipped)} files, {sum(map(sum, sizes.values())) / 1e6:.2f} MB")
    print("\n".join(f"{folder:<18}{len(own):>4} files {sum(own) / 1e6:>8.3f} MB" for folder, own in sizes.items()))
    assert {top(name) for name in shipped} == set(FOLDERS)
    assert {name for name in shipped if top(name) == "."} == AT_THE_ROOT
    assert {name for name in git("ls-files") if top(name) in FOLDERS and top(name) != "."} <= set(shipped)
    assert sum(map(sum, sizes.values())) < LARGEST


def test_no_picture_is_shipped_that_nothing_shows(shipped):
    texts = [name for name in shipped if name.endswith((".md", ".toml", ".json"))]
    written = {PurePosixPath(name).parent: "" for name in texts}
    for name in texts:
        written[PurePosixPath(name).parent] += (ROOT / name).read_text(encoding="utf-8")
    assert not [name for name in shipped if name.endswith(PICTURES) and not shown(name, shipped, written)]


def shown(picture: str, shipped: list[str], written: dict[PurePosixPath, str]) -> bool:
    """A template's thumbnail beside it, or a picture that a text beside it or at the root names."""
    path = PurePosixPath(picture)
    if path.parent.name == "workflows":
        return str(path.with_suffix(".json")) in shipped
    return path.name in written.get(path.parent, "") or picture in written[PurePosixPath()]
