"""The architecture, enforced: one border to the host, thin nodes, plain text, no leftovers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST_MODULES = {"comfy", "comfy_api", "comfy_extras", "folder_paths", "nodes", "server", "execution", "latent_preview"}
CORE = sorted((ROOT / "freeanimate_core").rglob("*.py"))
NODES = sorted((ROOT / "nodes").glob("*.py"))
SOURCES = [*CORE, *NODES, *sorted((ROOT / "demo").glob("*.py")), ROOT / "__init__.py"]
NEEDS_HOST = {"host", "run_inspect", "run_inversion", "run_parts", "run_refine", "run_sampling"}


def absolute_imports(path: Path) -> set[str]:
    """Top-level names of the modules that a file imports absolutely."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", CORE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_host_imports_the_host(path):
    found = absolute_imports(path) & HOST_MODULES
    assert bool(found) == (path.name == "host.py"), found


def test_nodes_reach_the_host_through_its_api_alone():
    assert set().union(*map(absolute_imports, NODES)) & HOST_MODULES == {"comfy_api"}


def test_the_method_imports_without_the_host():
    modules = [
        ".".join(p.relative_to(ROOT).with_suffix("").parts)
        for p in CORE
        if p.stem not in NEEDS_HOST and p.name != "__init__.py"
    ]
    code = f"import sys, {', '.join(modules)}; assert 'comfy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_house_rules(path):
    text = path.read_text(encoding="utf-8")
    assert text.isascii()
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None and getattr(node.type, "id", "") not in {"Exception", "BaseException"}
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name != "define_schema":
            assert node.end_lineno - node.lineno < 50, node.name


@pytest.mark.parametrize("path", CORE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_public_names_are_documented(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
