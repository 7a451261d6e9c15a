"""Whatever a user typed, messages and log lines can be shown by a console of any encoding."""

import ast
import io
import logging
import traceback
from pathlib import Path

import pytest

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError, printable, quoted

ROOT = Path(__file__).resolve().parents[2]
TYPED = ["\ud800", "\u732b", "T\u00e4nzer", "\u0442\u0430\u043d\u0435\u0446", "a\x00b\x1b[2J", "\U0001f483", "walk"]
FILES_FAIL = {"OSError", "SafetensorError", "FileNotFoundError", "UnicodeError"}


class Strict(logging.StreamHandler):
    """A handler that raises what its stream does, as the host's interceptor does."""

    def handleError(self, record):
        raise


@pytest.fixture
def console():
    """The bytes of a console whose encoding is that of Windows in the West, behind the root logger."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="strict", write_through=True)
    handler = Strict(stream)
    logging.getLogger().addHandler(handler)
    yield stream.buffer
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("typed", TYPED)
def test_every_line_of_the_packs_log_is_encodable(console, typed):
    logging.getLogger("freeanimate").warning("%s: %d of %s", typed, 2, [typed])
    logging.getLogger("freeanimate").warning(typed)
    first, second, third = console.getvalue().decode("cp1252").split("\n")
    assert first.startswith(f"{printable(typed)}: 2 of [") and second == printable(typed) and third == ""


@pytest.mark.parametrize("typed", TYPED)
def test_the_host_can_log_a_refusal(console, typed):
    try:
        raise FreeAnimateError(f"Animate Long Clip: run_name {quoted(typed)} and {typed}; choose another.")
    except FreeAnimateError as error:
        logging.error("!!! Exception during processing !!! %s", error)
        logging.error(traceback.format_exc())
    assert ascii(typed) in console.getvalue().decode("cp1252")


def test_the_console_of_this_test_dies_of_other_texts(console):
    with pytest.raises(UnicodeEncodeError):
        logging.error("\u732b")


def test_what_can_be_shown_stays_as_it_is():
    assert printable("walk 01, 50 %\nnext") == "walk 01, 50 %\nnext"
    assert printable("\u732b\x07\ud800") == r"\u732b\x07\ud800"
    assert quoted("it's") == '"it\'s"' and quoted("\u732b") == r"'\u732b'"
    assert len(quoted("a" * 10_000)) < 100


def handlers() -> list[tuple[str, ast.ExceptHandler]]:
    found = []
    for path in [*sorted((ROOT / "freeanimate_core").rglob("*.py")), *sorted((ROOT / "nodes").glob("*.py"))]:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.ExceptHandler) and FILES_FAIL & {getattr(n, "id", "") for n in ast.walk(item.type)}:
                found.append((f"{path.relative_to(ROOT).as_posix()}:{item.lineno}", item))
    return found


def test_no_refusal_brings_the_error_of_a_file_along():
    """Its text holds the path, and the host logs the texts of all errors of a chain."""
    assert len(handlers()) > 8
    raised = [(where, node) for where, item in handlers() for node in ast.walk(item) if isinstance(node, ast.Raise)]
    assert not [
        where
        for where, node in raised
        if node.exc is not None and not (isinstance(node.cause, ast.Constant) and node.cause.value is None)
    ]
