"""Names that a console cannot show, over HTTP, on a server whose console is that of Windows in the West."""

import os
from pathlib import Path

import pytest
from patience import patience
from serverside import REPOSITORY, TESTS, changed, message, method_prompt, node, succeeded

from lab.server.client import HostServer

TYPED = {"\ud800": r"'\ud800' holds '\ud800'", "%second%": "holds the placeholder '%second%'", "..": "leave out '..'"}


def long_prompt(run_name: str) -> dict:
    """The method on drawn latents with Animate Long Clip, two parts."""
    prompt = method_prompt()
    del prompt["sampler"]
    inputs = {"model": ["patch", 0], "inversion": ["inversion", 0], "vae": ["models", 2], "cfg": 2.0}
    inputs |= {"positive": ["control", 0], "negative": ["control", 1]}
    inputs |= {"frames_per_part": 2, "first_frame": 0, "frames": 0, "run_name": run_name, "again": ""}
    prompt["long"] = node("FreeAnimateLongClip", **inputs)
    prompt["save"]["inputs"]["samples"] = ["long", 1]
    return changed(prompt, {"inversion": {"steps": 2}})


def test_no_name_stops_a_server(tmp_path, monkeypatch):
    host = os.environ.get("COMFYUI_DIR")
    if not host:
        raise pytest.UsageError("set COMFYUI_DIR to a ComfyUI folder (python dev.py test does)")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    monkeypatch.setenv("PYTHONUTF8", "0")
    with HostServer(Path(host), tmp_path, [REPOSITORY, TESTS / "tiny_pack"]) as server:
        for typed, said in TYPED.items():
            error = message(server.run(long_prompt(typed), timeout=patience(120)), "execution_error")
            assert said in error["exception_message"] and error["node_id"] == "long"
        entry = server.run(long_prompt("\u732b/\u0442\u0430\u043d\u0435\u0446"), timeout=patience(120))
        assert succeeded(entry), message(entry, "execution_error")
        assert len(list((tmp_path / "output/freeanimate/\u732b/\u0442\u0430\u043d\u0435\u0446").glob("part_*"))) == 2
        assert r"read from freeanimate/\u732b/\u0442" in server.log_text()
