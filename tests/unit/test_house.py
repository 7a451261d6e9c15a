"""The house: floors without upward arrows or circles, small files and functions, plain text, documented names."""

import ast

import pytest
from structure import (
    CORE,
    FLOORS,
    ROOT,
    Import,
    arrows,
    circles,
    functions,
    graph,
    length,
    pairs,
    parsed,
    python_files,
    report,
    room,
    upward,
)

FILES = python_files()
GRAPH = graph(FILES)
ROOMS = ("__init__.py", "nodes", "demo", CORE, "lab")
LINES = 300  # of a file
LONGEST = 50  # lines of a function; a node's schema may be longer
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py"))
CLOCKS = {"monotonic", "perf_counter", "process_time", "monotonic_ns", "perf_counter_ns", "time_ns"}
BROAD = {"Exception", "BaseException"}


def test_every_room_is_on_a_floor():
    assert {room(file) for file in FILES} <= set().union(*FLOORS)


def test_no_arrow_points_upward():
    assert upward(pairs(GRAPH)) == []


def test_nothing_imports_in_a_circle():
    assert circles(pairs(GRAPH, at_load=True)) == []
    assert circles(arrows(pairs(GRAPH))) == []


def test_the_counting_sees_arrows_and_circles(tmp_path):
    texts = {
        "nodes/a.py": "from ..freeanimate_core.method import b",
        f"{CORE}/method/b.py": "import comfy.utils\ndef late():\n    from ...lab.c import x",
        "lab/c.py": "import nodes\nfrom freeanimate_pack.nodes.a import y\nfrom lab import d",
        "lab/d.py": "from . import c",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = graph(python_files(tmp_path), tmp_path)
    assert Import("lab/c.py", "nodes", True) in found
    assert Import(f"{CORE}/method/b.py", "comfy.utils", True) in found
    assert Import(f"{CORE}/method/b.py", "lab/c.py", False) in found
    assert upward(pairs(found)) == [(f"{CORE}/method/b.py", "lab/c.py")]
    assert circles(pairs(found, at_load=True)) == [["lab/c.py", "lab/d.py"]]
    assert circles(arrows(pairs(found))) == [[f"{CORE}/method", "lab", "nodes"]]
    assert "upward arrows: 1" in report(tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_plain_text_and_short(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text.isascii()
    assert len(text.splitlines()) <= LINES


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith(ROOMS)])
def test_functions_are_short_and_catch_what_they_name(file):
    tree = parsed(file)
    assert not {f.name for f in functions(tree) if f.name != "define_schema" and length(f) > LONGEST}
    caught = [node.type for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    assert not any(kind is None or BROAD & {getattr(n, "id", "") for n in ast.walk(kind)} for kind in caught)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_no_test_measures_time_and_all_wait_with_patience(file):
    """On a busy machine everything comes later: limits of time are the benchmark's, what only ends a hang scales."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    read = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in CLOCKS]
    clocks = [node.attr for node in read if ast.unparse(node.value) == "time"]
    assert not clocks or file.name == "test_full.py"  # which tells its times and asserts none
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    waits = [word.value for call in calls for word in call.keywords if word.arg and "timeout" in word.arg]
    assert not [ast.unparse(wait) for wait in waits if isinstance(wait, ast.Constant)]


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith(CORE)])
def test_public_names_are_documented(file):
    tree = parsed(file)
    assert ast.get_docstring(tree)
    public = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    assert not [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)]
