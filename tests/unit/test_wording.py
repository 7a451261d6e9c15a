"""What users read is in their words: the table stands in CONTRIBUTING.md."""

import re

import pytest
from wording import BANNED, INSTEAD, ROOT, found, notes, sentences

PAGES = [ROOT / "README.md", *sorted((ROOT / "web" / "docs").glob("*.md"))]
MODULES = [file for room in ("freeanimate_core", "nodes", "demo") for file in sorted((ROOT / room).rglob("*.py"))]
GRAPHS = [*sorted((ROOT / "subgraphs").glob("*.json"))]  # and workflows, once their notes are in these words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_say_what_users_say(page):
    assert found(page.read_text(encoding="ascii")) == []


def test_messages_say_what_users_say():
    texts = [(file, line, text) for file in MODULES for line, text in sentences(file)]
    assert len(texts) > 400
    assert [f"{file.relative_to(ROOT)}:{line} {hit}" for file, line, text in texts for hit in found(text)] == []


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.stem)
def test_workflows_say_what_users_say(graph):
    assert [hit for text in notes(graph) for hit in found(text)] == []


@pytest.mark.parametrize(
    "text",
    ["the host's nodes", "Our pack.", "A driver", "drawn anew", "the truth", "It replays", "a span", "Plates, so"],
)
def test_a_word_is_found(text):
    assert len(found(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "a node pack",
        "`host`",
        "plate_mask",
        "self_span",
        "ghost",
        "recorded",
        "[a](http://host/pack)",
        "driving",
        "spanned",
    ],
)
def test_a_name_or_another_word_is_not(text):
    assert found(text) == []


def test_notes_are_found_wherever_they_stand(tmp_path):
    inner = {"type": "Note", "widgets_values": ["one"], "title": "two"}
    graph = {
        "nodes": [{"type": "KSampler", "widgets_values": ["no"]}],
        "definitions": {"subgraphs": [{"nodes": [inner]}]},
    }
    file = tmp_path / "graph.json"
    file.write_text(str(graph | {"extra": {"BlueprintDescription": "three"}}).replace("'", '"'))
    assert sorted(notes(file)) == ["one", "three", "two"]


def test_messages_are_found_and_docstrings_are_not(tmp_path):
    file = tmp_path / "module.py"
    file.write_text('"""A host."""\n\n\ndef f(x):\n    """A pack."""\n    return f"the host {x} and more"\n')
    assert [text for _, text in sentences(file)] == ["the host ", " and more"]


def test_the_table_has_every_word():
    """The left column of CONTRIBUTING.md holds each of the words that are looked for."""
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", (ROOT / "CONTRIBUTING.md").read_text(encoding="ascii"), re.MULTILINE)
    words = [word for row in rows for word in re.split(r"[,;] ", row)]
    missing = [said for pattern, said in BANNED.items() if not any(pattern.search(word) for word in [*words, *rows])]
    assert missing == [] and len(BANNED) == len(INSTEAD)
