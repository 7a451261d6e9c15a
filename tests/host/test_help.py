"""Help pages, README and messages say what the schemas and the code say."""

import ast
import re
from pathlib import Path

import pytest
from comfy_api.latest._io import WidgetInput
from editor import TEMPLATES, all_nodes, read
from PIL import Image

from freeanimate_pack import WEB_DIRECTORY
from freeanimate_pack.nodes import NODES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / WEB_DIRECTORY / "docs"
README = (ROOT / "README.md").read_text(encoding="ascii")
LARGEST_PICTURE = 80_000  # bytes: pages are opened while a run uses the machine
IDS = {"ids": lambda node: node.__name__}


def page_of(node) -> str:
    """The node's help page, where the editor looks for it."""
    return (DOCS / f"{node.__name__}.md").read_text(encoding="ascii")


def table(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose first heading is ``first``, row by row; [] when there is none."""
    found = re.search(rf"^\| {re.escape(first)} \|.*\n\|[ -|]+\n((?:\|.*\n)*)", text, re.MULTILINE)
    lines = found.group(1).splitlines() if found else []
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level, up to the next one."""
    return re.search(rf"^## {re.escape(heading)}\n\n(.*?)(?=\n## |\Z)", text, re.MULTILINE | re.DOTALL).group(1)


def widget_list(text: str) -> list[list[str]]:
    """Name, starting value and meaning of each widget: a list, since a table of three columns is cut in the panel."""
    items = re.split(r"^- ", section(text, "Widgets"), flags=re.MULTILINE)[1:]
    return [list(re.fullmatch(r"\*\*(\w+)\*\* \((.*?)\): (\S.*)", item.strip(), re.DOTALL).groups()) for item in items]


def widgets(node) -> list:
    """The inputs that the editor shows as widgets, in their order."""
    return [item for item in node.GET_SCHEMA().inputs if isinstance(item, WidgetInput)]


def shown(default: object) -> str:
    """A starting value as the pages write it."""
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default) or "empty"


def templates(folder: Path) -> set[str]:
    """Every text of a folder's modules, with ``...`` where a value stands."""
    texts = set()
    for path in folder.rglob("*.py"):
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.JoinedStr):
                texts.add("".join(part.value if isinstance(part, ast.Constant) else "..." for part in item.values))
            elif isinstance(item, ast.Constant) and isinstance(item.value, str):
                texts.add(item.value)
    return texts


MESSAGES = templates(ROOT / "freeanimate_core") | templates(ROOT / "demo")


def quoted(text: str) -> list[str]:
    """The messages that a page or the README quotes: what opens a list item or a table row in backticks."""
    return re.findall(r"^(?:- |\| )`([^`]+)`(?=:| \||$)", text, re.MULTILINE)


@pytest.mark.parametrize("node", NODES, **IDS)
def test_a_page_lists_the_widgets_and_their_starting_values(node):
    listed = [(name, value) for name, value, _ in widget_list(page_of(node))]
    assert listed == [(item.id, shown(item.default)) for item in widgets(node)]


@pytest.mark.parametrize("node", NODES, **IDS)
def test_a_page_lists_the_sockets(node):
    schema, page = node.GET_SCHEMA(), page_of(node)
    sockets = [item.id for item in schema.inputs if not isinstance(item, WidgetInput)]
    assert [row[0] for row in table(page, "input")] == sockets
    assert [row[0] for row in table(page, "output")] == [o.display_name or o.get_io_type() for o in schema.outputs]


@pytest.mark.parametrize("node", NODES, **IDS)
def test_a_page_has_its_title_its_picture_and_its_mistakes(node):
    page = page_of(node)
    assert page.startswith(f"# {node.GET_SCHEMA().display_name}\n")
    (name,) = re.findall(r"^!\[[^]]+\]\(([^)]+)\)$", page, re.MULTILINE)
    picture = DOCS / name
    assert picture.stat().st_size < LARGEST_PICTURE
    with Image.open(picture) as opened:
        opened.verify()
    assert "## Common mistakes\n\n- " in page


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), ROOT / "README.md"], ids=lambda p: p.stem)
def test_quoted_messages_are_the_packs_own(page):
    """A message that was reworded in the code must not be looked for in vain."""
    unknown = [q for q in quoted(page.read_text(encoding="ascii")) if not any(q in text for text in MESSAGES)]
    assert unknown == []


def test_every_page_belongs_to_a_node():
    names = {node.__name__ for node in NODES}
    assert {path.stem for path in DOCS.iterdir()} == names


def test_the_readme_lists_the_nodes_in_their_order():
    listed = [row[0] for row in table(README, "node")]
    assert listed == [node.GET_SCHEMA().display_name for node in NODES]


def test_the_readmes_pictures_are_there_small_and_told_in_words():
    shown = re.findall(r"!\[([^]]*)\]\((media/[^)]+)\)", README)
    stills = {name for _, name in shown if name.endswith(".jpg")}
    assert all(words for words, _ in shown) and all((ROOT / name).is_file() for _, name in shown)
    assert stills == {path.relative_to(ROOT).as_posix() for path in (ROOT / "media").glob("*.jpg")}
    assert all((ROOT / name).stat().st_size < LARGEST_PICTURE for name in stills)


def test_the_readme_tells_of_every_template():
    told = re.findall(r"^- \*\*(\d\d [^*]+)\*\*: ", README, re.MULTILINE)
    assert told == [path.stem for path in TEMPLATES]


def test_the_readme_lists_every_model_of_the_templates():
    nodes = [node for path in TEMPLATES for node in all_nodes(read(path)).values()]
    models = [model for node in nodes for model in node["properties"].get("models", [])]
    listed = {(file, folder) for _, file, folder in table(README, "for")}
    assert models
    assert {(f"[{m['name']}]({m['url']})", f"`models/{m['directory']}`") for m in models} <= listed


@pytest.mark.parametrize("node", NODES, **IDS)
def test_a_node_is_found_and_described(node):
    schema = node.GET_SCHEMA()
    assert len(schema.search_aliases) >= 3
    assert 20 <= len(schema.description) <= 400
    assert all(alias.isascii() for alias in schema.search_aliases)


@pytest.mark.parametrize("node", NODES, **IDS)
def test_a_number_says_its_range_and_what_0_means(node):
    for item in widgets(node):
        if item.get_io_type() in ("INT", "FLOAT") and item.max < 2**32:  # not seeds
            assert f"{item.min:g}-{item.max:g}" in item.tooltip or item.max >= 4096, item.id
            if item.min == 0:
                assert re.search(r"\b0\b", item.tooltip), item.id
