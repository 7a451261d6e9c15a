"""What a user notices of the pack when the server starts: nothing."""

import json
import os
import re
import subprocess
import sys

import pytest
from patience import patience

from lab import REPOSITORY
from lab.server.client import ADDRESS, answers, free_port

HEAVY = {"controlnet_aux", "diffusers", "cv2"}

# The host's own modules first (one of them imports cv2), then what the pack adds.
LOADING = f"""
import json, os, sys
sys.path.insert(0, os.environ["COMFYUI_DIR"])
from comfy.cli_args import args
args.cpu = True
import nodes
before = set(sys.modules)
import hostside
print(json.dumps(sorted({HEAVY!r} & (set(sys.modules) - before))))
"""


def test_the_log_has_no_warning_and_no_error(server):
    start = server.log_text().split("To see the GUI go to", 1)[0]
    assert re.findall(r".*(?:\[(?:WARNING|ERROR|CRITICAL)\]|Warning:|Traceback).*", start) == []


def test_loading_the_pack_loads_nothing_heavy():
    loading = subprocess.run(
        [sys.executable, "-c", LOADING],
        cwd=REPOSITORY / "tests",
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(loading.stdout.splitlines()[-1]) == []


@pytest.mark.skipif(os.name == "nt", reason="handles a POSIX signal")
def test_serve_tells_its_address_when_it_answers_and_takes_the_server_with_it(tmp_path):
    port = free_port()
    url = f"http://{ADDRESS}:{port}"
    line = [sys.executable, "-m", "lab.server.serve", "--host", os.environ["COMFYUI_DIR"], "--base", str(tmp_path)]
    with subprocess.Popen([*line, "--port", str(port)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert f"[serve] {url} (Ctrl-C stops it)\n" in serving.stdout
            assert answers(url)
            serving.terminate()
            assert serving.wait(timeout=patience(600)) == 130
            assert not answers(url)
        finally:
            serving.kill()
