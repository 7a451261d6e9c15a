"""Animate Long Clip over HTTP: interrupted, killed with its server, and taken up by the next one."""

import os
import re
from pathlib import Path

import pytest
from patience import patience
from serverside import REPOSITORY, TESTS, changed, message, method_prompt, node, succeeded

from lab.server.client import HostServer, ServerFailed

FRAMES, STEPS = 4, 40  # steps enough to stop the second part long before its end


def long_prompt(**changes: object) -> dict:
    """The method on drawn latents, one frame per part, kept in the folder "walk"."""
    prompt = changed(method_prompt(), {key: {"frames": FRAMES} for key in ("preview", "hints")})
    del prompt["sampler"]
    inputs = {"model": ["patch", 0], "inversion": ["inversion", 0], "vae": ["models", 2], "cfg": 2.0}
    inputs |= {"positive": ["control", 0], "negative": ["control", 1]}
    inputs |= {"frames_per_part": 1, "first_frame": 0, "frames": 0, "run_name": "walk", "again": ""}
    prompt["long"] = node("FreeAnimateLongClip", **inputs | changes)
    prompt["save"]["inputs"]["samples"] = ["long", 1]
    return changed(prompt, {"inversion": {"steps": STEPS}})


def in_part(index: int, act):
    """A listener that acts once, when the part of this index has begun."""
    acted = []

    def listen(kind: str, data: dict) -> None:
        levels = data["max"] // FRAMES - 1 if kind == "progress" and data["node"] == "long" else 0
        if levels and data["value"] > index * levels and not acted:
            acted.append(True)
            act()

    return listen


def test_a_stopped_run_goes_on_in_the_next_server(tmp_path):
    host, packs = os.environ.get("COMFYUI_DIR"), [REPOSITORY, TESTS / "tiny_pack"]
    if not host:
        raise pytest.UsageError("set COMFYUI_DIR to a ComfyUI folder (python dev.py test does)")
    folder = tmp_path / "output" / "freeanimate" / "walk"
    with HostServer(Path(host), tmp_path, packs, start_timeout=patience(600)) as server:
        entry = server.run(long_prompt(), on_event=in_part(1, server.interrupt), timeout=patience(600))
        assert message(entry, "execution_interrupted").get("node_id") == "long", entry["status"]
        first = {path.name: path.stat().st_mtime_ns for path in folder.glob("part_*")}
        assert "part_00000_00000.safetensors" in first and len(first) < FRAMES
        with pytest.raises(ServerFailed):
            server.run(long_prompt(), on_event=in_part(len(first) + 1, server.stop), timeout=patience(600))
    kept = {path.name: path.stat().st_mtime_ns for path in folder.glob("part_*.safetensors")}
    assert first.items() <= kept.items() and len(first) < len(kept) < FRAMES
    with HostServer(Path(host), tmp_path, packs, start_timeout=patience(600)) as server:
        entry = server.run(long_prompt(), timeout=patience(600))
        assert succeeded(entry), message(entry, "execution_error")
        said = entry["outputs"]["long"]["text"][0]
        assert re.search(rf"{FRAMES - len(kept)} parts made, {len(kept)} read from freeanimate/walk", said), said
        resumed = server.view(**entry["outputs"]["save"]["latents"][0])
        entry = server.run(long_prompt(run_name=""), timeout=patience(600))
        assert f"{FRAMES} parts made, 0 read" in entry["outputs"]["long"]["text"][0]
        assert tensor_bytes(server.view(**entry["outputs"]["save"]["latents"][0])) == tensor_bytes(resumed)


def tensor_bytes(latent_file: bytes) -> bytes:
    """What follows the header of a safetensors file, whose metadata holds the prompt."""
    return latent_file[8 + int.from_bytes(latent_file[:8], "little") :]
