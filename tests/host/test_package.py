"""The registry's archive: everything that the nodes need, nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from freeanimate_pack.nodes import NODES

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 25_000_000  # bytes; the demo's weights are 18 MB of them
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


def test_pages_templates_and_papers_come_along(shipped):
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "requirements.txt"}
    wanted |= git("ls-files", "web", "workflows", "media", "nodes", "freeanimate_core")
    assert wanted <= set(shipped)
    assert not any(name.startswith(("tests/", ".", "dev")) for name in shipped)


def test_it_is_small(shipped):
    assert sum((ROOT / name).stat().st_size for name in shipped) < LARGEST
