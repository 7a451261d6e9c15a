"""The real server with the pack alone, and a real front end in headless Chromium.

Two front ends: the host's own, and the newest, in the folder FREEANIMATE_FRONT_END. All tests run on the own one, those
marked `newest` on both. FREEANIMATE_FRONT_ENDS=all runs all of them on both, own or newest on that one, at full
length.

Everything lives as long as the file of tests: Playwright holds the thread's event loop while it runs, and the
server tests, which may follow in the same process, want it for themselves.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from patience import patience
from playwright.sync_api import Browser, Page, sync_playwright
from real_editor import Editor

from lab import REPOSITORY
from lab.server.client import HostServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # the editor shall need no internet
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The editor after its first visit; live previews are a choice of the user that the host leaves off.
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Workflow.Persist": False,
    "Comfy.Execution.PreviewMethod": "auto",
}


OWN, NEWEST = "own", "newest"  # front ends
CHOSEN = os.environ.get("FREEANIMATE_FRONT_ENDS")


@dataclass(frozen=True)
class FrontEnd:
    """A front end's name and what tells the server to give it out."""

    name: str
    arguments: list[str] = field(default_factory=list)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test in the editor once for either front end."""
    if "front_end" in metafunc.fixturenames:
        metafunc.parametrize("front_end", [OWN, NEWEST], indirect=True, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on a front end that was not chosen."""
    if CHOSEN not in (None, "all", OWN, NEWEST):
        raise pytest.UsageError(f"FREEANIMATE_FRONT_ENDS is {CHOSEN}; set it to all, {OWN} or {NEWEST}, or to nothing")
    left_out = [item for item in items if not _is_chosen(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_chosen(item: pytest.Item) -> bool:
    front_end = item.callspec.params.get("front_end") if hasattr(item, "callspec") else None
    if CHOSEN is None:
        return front_end != NEWEST or item.get_closest_marker("newest") is not None
    return front_end is None or CHOSEN in ("all", front_end)


def _lacking(sentence: str) -> NoReturn:
    """Skip what cannot be tested here, but for CI, where it must be."""
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """The browser's path; without one the group is skipped, but for CI."""
    if CHROMIUM is None:
        _lacking("no chromium on this machine's PATH: the editor is not tested")
    return CHROMIUM


@pytest.fixture(scope="module")
def front_end(request: pytest.FixtureRequest) -> FrontEnd:
    """Which front end the server gives out."""
    if request.param == OWN:
        return FrontEnd(OWN)
    folder = os.environ.get("FREEANIMATE_FRONT_END", "")
    if not Path(folder, "index.html").is_file():
        _lacking("FREEANIMATE_FRONT_END names no folder of a front end: the newest one is not tested")
    return FrontEnd(NEWEST, ["--front-end-root", folder])


@pytest.fixture(scope="module")
def server(chromium: str, front_end: FrontEnd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostServer]:
    """The real ComfyUI with this pack and no other; COMFYUI_DIR names it."""
    host = os.environ.get("COMFYUI_DIR")
    if not host:
        raise pytest.UsageError("set COMFYUI_DIR to a ComfyUI folder (python dev.py test does)")
    base = tmp_path_factory.mktemp("editor")
    settings = base / "user" / "default" / "comfy.settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(SETTINGS), encoding="ascii")
    options = {"extra_args": front_end.arguments, "start_timeout": patience(600)}
    with HostServer(Path(host), base, [REPOSITORY], **options) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a file."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def page(browser: Browser, server: HostServer) -> Iterator[Page]:
    """One page for all tests on a server: the editor's files stay in its cache."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="session")
def at_length() -> bool:
    """Whether somebody asked for these tests by name: then with the whole film and in every window."""
    return CHOSEN is not None


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder FREEANIMATE_SCREENSHOTS, else one of pytest's own."""
    folder = os.environ.get("FREEANIMATE_SCREENSHOTS")
    folder = Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def loaded(page: Page, server: HostServer, pictures: Path) -> Editor:
    """The editor, loaded once for all tests of a file on a front end: a reload takes as long as most of them."""
    return Editor(page, server.url, pictures)


@pytest.fixture
def editor(loaded: Editor, request: pytest.FixtureRequest) -> Iterator[Editor]:
    """The editor with an empty graph."""
    failed = request.session.testsfailed
    loaded.start_over()
    yield loaded
    if request.session.testsfailed > failed:
        loaded.reload()  # whatever that one left open
