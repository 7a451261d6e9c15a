"""The borders, as rules of folders: who may import the host, who may import whom, and what is never shipped."""

import subprocess
import sys

import pytest
from structure import CORE, ROOT, Import, graph, python_files, room

HOST = {"comfy", "comfy_api", "comfy_extras", "folder_paths", "nodes", "server", "execution", "latent_preview"}
SHIPPED = ("__init__.py", "nodes", "demo", CORE)
PURE = ("method", "pose", "preview", "compare")
FILES = python_files()
GRAPH = graph(FILES)


def of_host(found: Import) -> bool:
    return not found.inside and (found.package in HOST or found.package.startswith("comfy_"))


def said(found: list[Import]) -> list[str]:
    return [f"{i.file} imports {i.target}" for i in found]


def test_the_host_is_imported_in_its_room_alone():
    outside = [i for i in GRAPH if of_host(i) and i.file.startswith(CORE) and room(i.file) != f"{CORE}/host"]
    assert not said(outside)
    assert any(of_host(i) for i in GRAPH if room(i.file) == f"{CORE}/host")


def test_of_what_is_shipped_runs_and_nodes_alone_import_the_hosts_room():
    allowed = {f"{CORE}/host", f"{CORE}/runs", "nodes"}
    reached = [i for i in GRAPH if i.inside and room(i.target) == f"{CORE}/host" and i.file.startswith(SHIPPED)]
    assert not said([i for i in reached if room(i.file) not in allowed])
    assert reached


def test_nodes_reach_the_host_through_its_api_alone():
    found = [i for i in GRAPH if of_host(i) and i.file.startswith(("nodes/", "__init__.py"))]
    assert not said([i for i in found if i.package != "comfy_api"])
    assert found


def test_of_the_demo_the_model_alone_imports_the_host():
    assert not said([i for i in GRAPH if of_host(i) and i.file.startswith("demo/") and "demo/model/" not in i.file])


def test_nothing_shipped_imports_what_is_not():
    assert not said([i for i in GRAPH if i.file.startswith(SHIPPED) and i.package in {"lab", "tests", "devtools"}])


def test_what_starts_everything_needs_nothing():
    own = [i for i in GRAPH if i.file.startswith(("dev.py", "devtools/")) and i.package != "devtools"]
    assert not said([i for i in own if i.inside or i.package not in sys.stdlib_module_names])


@pytest.mark.parametrize("name", PURE)
def test_a_pure_room_is_imported_without_the_host(name):
    files = [file for file in FILES if room(file) == f"{CORE}/{name}"]
    modules = [file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for file in files]
    code = f"import sys, {', '.join(modules)}; assert not {HOST!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
