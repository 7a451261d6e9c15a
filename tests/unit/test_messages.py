"""Every refusal says whose input it is and what to change."""

import ast
from pathlib import Path

import pytest

from freeanimate_pack.freeanimate_core import errors
from freeanimate_pack.freeanimate_core.method.windows import Windower
from freeanimate_pack.freeanimate_core.preview.coverage import report

ROOT = Path(__file__).resolve().parents[2]
NODES = {name for name in vars(errors) if name.isupper()}  # display names, as the messages write them
# Texts that begin with a node's name, and what was seen there, when they are handed on
PLACES = {"node", "self.node", "where", "place", "_place(where, index)", "self._holds"}
REMEDIES = (
    "set write choose change connect use put give load remove encode check start drop detect resize pick paint raise "
    "disconnect cut leave install sample add free download run look enlarge name call make rename"
).split()
ENDS = {"INSTEAD", "supported", "self._remedy", "remedy", "_remedy(images, shape)", "known", "has"}


def messages() -> list[tuple[str, ast.expr]]:
    """Where and what of every FreeAnimateError that is raised with its text."""
    found = []
    for path in [*sorted((ROOT / "freeanimate_core").rglob("*.py")), *sorted((ROOT / "nodes").glob("*.py"))]:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.Raise) and isinstance(item.exc, ast.Call):
                if getattr(item.exc.func, "id", "") == "FreeAnimateError":
                    text = item.exc.args[0]
                    if isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute):  # "...".strip()
                        text = text.func.value
                    found.append((f"{path.relative_to(ROOT).as_posix()}:{item.lineno}", text))
    return found


MESSAGES = messages()
WRITTEN = [(place, text) for place, text in MESSAGES if isinstance(text, ast.JoinedStr)]


def values(text: ast.JoinedStr) -> list[str]:
    """The parts of a message: texts as they are, values as their source in braces."""
    return [p.value if isinstance(p, ast.Constant) else f"{{{ast.unparse(p.value)}}}" for p in text.values]


def test_messages_are_found():
    assert len(WRITTEN) > 80
    handed_on = {ast.unparse(text).split("(")[0] for _, text in MESSAGES if not isinstance(text, ast.JoinedStr)}
    assert handed_on <= {"no_common_joints"}  # written once, in pose/proportions.py


@pytest.mark.parametrize("place, text", WRITTEN, ids=[place for place, _ in WRITTEN])
def test_a_message_names_the_node_and_the_remedy(place, text):
    parts = values(text)
    assert parts[0].strip("{}") in NODES | PLACES, parts[0]
    sentence = "".join(parts)
    assert sentence.rstrip("'}").endswith(".") or parts[-1].strip("{}") in ENDS
    told = sentence.replace(". ", "; ").split("; ", 1)[1:]
    words = set("".join(told).replace(",", " ").replace(".", " ").lower().split())
    assert words & set(REMEDIES) or any(f"{{{end}}}" in sentence for end in ENDS), sentence


@pytest.mark.parametrize("number, words", [(0, "0 frames"), (1, "1 frame"), (2, "2 frames")])
def test_one_is_singular(number, words):
    assert errors.counted(number, "frame") == words


def test_texts_on_nodes_count_one_frame_as_one():
    assert str(Windower(1)) == "1 frame at a time"
    assert report([0.9], 0.5) == "Coverage 0.90 to 0.90 over 1 frame; no frame is below 0.50."
