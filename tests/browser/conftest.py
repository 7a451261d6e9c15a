"""The real server with the pack alone, and its real front end in headless Chromium.

Everything lives as long as the file of tests: Playwright holds the thread's event loop while it runs, and the
server tests, which may follow in the same process, want it for themselves.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import patience
from playwright.sync_api import Page, sync_playwright
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
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # text at every zoom, for the screenshots
}


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """The browser's path; without one the group is skipped, but for CI, where it must run."""
    if CHROMIUM is None:
        missing = "no chromium on this machine's PATH: the editor is not tested"
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return CHROMIUM


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostServer]:
    """The real ComfyUI with this pack and no other; COMFYUI_DIR names it."""
    host = os.environ.get("COMFYUI_DIR")
    if not host:
        raise pytest.UsageError("set COMFYUI_DIR to a ComfyUI folder (python dev.py test does)")
    base = tmp_path_factory.mktemp("editor")
    settings = base / "user" / "default" / "comfy.settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(SETTINGS), encoding="ascii")
    with HostServer(Path(host), base, [REPOSITORY], start_timeout=patience(600)) as running:
        yield running


@pytest.fixture(scope="module")
def page(chromium: str, server: HostServer) -> Iterator[Page]:
    """One page for all tests: the editor's files stay in its cache."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)
        yield browser.new_page()
        browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: the folder FREEANIMATE_SCREENSHOTS, else one of pytest's own."""
    folder = os.environ.get("FREEANIMATE_SCREENSHOTS")
    folder = Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def editor(page: Page, server: HostServer, pictures: Path) -> Editor:
    """The editor, freshly loaded, with an empty graph."""
    return Editor(page, server.url, pictures)
