"""Words that users are not to meet, and the texts that they read. CONTRIBUTING.md says what to write instead."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Our word as a pattern, and what users read in its place. Names in code style, such as `hole_mask`, are not words.
INSTEAD = {
    r"hosts?(?:'s)?": "ComfyUI",
    r"(?<!node )packs?(?:'s)?": "node pack",
    r"drivers?(?:'s)?|driven|drives?": "motion source, driving pose",
    r"the truth": "true frames",
    r"anew": "again; drawn anew: redrawn",
    r"repla(?:y|ys|yed|ying)": "reuse",
    r"spans?": "share of the steps",
    r"banks?": "stored attention",
    r"records?": "inversion, to store",
    r"plates?": "background",
    r"tiers?": "storage",
    r"hints?": "pose image, control image",
    r"rivals?": "other methods",
}
BANNED = {re.compile(rf"(?<![\w`.-])(?:{word})(?![\w`-])", re.IGNORECASE): said for word, said in INSTEAD.items()}


def found(text: str) -> list[str]:
    """The banned words of a text as it is read, each with its surroundings and what to say instead.

    Code in backticks and the targets of links are left out: names of nodes, files and widgets stay what they are.
    """
    read = re.sub(r"`[^`]*`|\]\([^)]*\)|https?://\S+", "``", text)
    return [
        f"...{read[max(0, hit.start() - 30) : hit.end() + 30]}...: say {said}".replace("\n", " ")
        for pattern, said in BANNED.items()
        for hit in pattern.finditer(read)
    ]


def sentences(file: Path) -> Iterator[tuple[int, str]]:
    """Line and text of what a module may show: its strings of several words, without docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            if " " in node.value.strip():
                yield node.lineno, node.value


def notes(file: Path) -> Iterator[str]:
    """What a workflow or subgraph says: notes, titles of nodes and groups, descriptions."""

    def texts(value: object) -> Iterator[str]:
        for item in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
            yield from texts(item)
        if isinstance(value, dict):
            own = value.get("widgets_values") if value.get("type") in ("Note", "MarkdownNote") else None
            told = [value.get(key) for key in ("title", "description", "BlueprintDescription")]
            yield from (text for text in [*(own or ()), *told] if isinstance(text, str))

    yield from texts(json.loads(file.read_text(encoding="utf-8")))
