"""The demo: run its graph on a real server and write animation.mp4, contact_sheet.png and report.json.

python -m lab.server.run --host DIR --base DIR --out DIR, started by `python dev.py demo`. Exit code 1 when the
server or the graph fails, 2 when the disk is full, 130 after Ctrl-C.
"""

import argparse
import errno
import io
import json
import shutil
import signal
import sys
from pathlib import Path

import av
from PIL import Image

from .. import REPOSITORY
from ..sheet import contact_sheet
from .client import HostServer, PromptRejected, ServerFailed, has_gpu
from .graph import PICTURES, PSNR, SAVED_IN, STAGES, VIDEO, demo_prompt, stage
from .progress import ProgressBar, StageClock

VIDEO_FILE = "animation.mp4"


class DemoFailed(RuntimeError):
    """The graph stopped; the message names the node."""


def main() -> int:
    """Run the demo and return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server is stopped too
    options = _options()
    try:
        options.out.mkdir(parents=True, exist_ok=True)  # a wrong one stops here, not after the run
        shutil.rmtree(options.base / "output" / SAVED_IN, ignore_errors=True)  # the last demo's files
        _say("starting ComfyUI (some seconds)")
        with HostServer(options.host, options.base, [REPOSITORY], cpu=not has_gpu()) as server:
            report = animate(server, demo_prompt(), options.out)
    except KeyboardInterrupt:
        return 130
    except (DemoFailed, PromptRejected, ServerFailed, TimeoutError) as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(str(error), 2 if error.errno == errno.ENOSPC else 1)
    _say(
        f"{options.out / VIDEO_FILE}: {report['frames']} frames of {report['width']}x{report['height']} px, "
        f"reconstruction {report['reconstruction_psnr']:.1f} dB, {sum(report['seconds'].values()):.0f} s"
    )
    _say("next: python dev.py serve, then Templates > freeanimate > 01 try it now")
    return 0


def animate(server: HostServer, prompt: dict, out: Path, timeout: float = 7200) -> dict:
    """Run `prompt` (of graph.demo_prompt) on the server, write the three files to the folder `out`, return the report.

    Raises DemoFailed when a node stops, and whatever HostServer.run raises.
    """
    names = display_names(server, prompt)
    clock, bar = StageClock(STAGES, stage), ProgressBar(names, sys.stdout)

    def on_event(kind: str, data: dict) -> None:
        clock(kind, data)
        bar(kind, data)

    try:
        entry = server.run(prompt, on_event, timeout)
    except PromptRejected as error:
        raise DemoFailed(_rejection(error, names)) from error
    if entry["status"]["status_str"] != "success":
        raise DemoFailed(stop_sentence(entry["status"]["messages"], names))
    return _write(server, entry["outputs"], clock.seconds, out)


def display_names(server: HostServer, prompt: dict) -> dict[str, str]:
    """Node id to the name that the editor shows, the class where the server does not know it."""
    classes = {node["class_type"] for node in prompt.values()}
    shown = {name: server.get_json(f"/object_info/{name}").get(name, {}) for name in classes}
    return {i: shown[node["class_type"]].get("display_name") or node["class_type"] for i, node in prompt.items()}


def _rejection(error: PromptRejected, names: dict[str, str]) -> str:
    """The first refused node and why, in one line."""
    for node_id, node in error.node_errors.items():
        for reason in node["errors"]:
            return f"{names[node_id]} was refused: {reason['message']} ({reason['details']})"
    return f"the server refused the graph: {error}"


def stop_sentence(messages: list, names: dict[str, str]) -> str:
    """Which node stopped and why, in one line."""
    for kind, data in messages:
        if kind == "execution_error":
            name, reason = names[data["node_id"]], " ".join(data["exception_message"].split())
            return reason if name in reason else f"{name} stopped: {reason}"
    return "the run was interrupted"


def _write(server: HostServer, outputs: dict, seconds: dict[str, float], out: Path) -> dict:
    video = server.view(**outputs[VIDEO]["images"][0])
    rows = {row: [_picture(server, file) for file in outputs[node]["images"]] for row, node in PICTURES.items()}
    contact_sheet(rows).save(out / "contact_sheet.png")
    (out / VIDEO_FILE).write_bytes(video)
    report = video_size(video) | {
        "host_version": server.get_json("/system_stats")["system"]["comfyui_version"],
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "reconstruction_psnr": float(outputs[PSNR]["text"][0]),
    }
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _picture(server: HostServer, file: dict) -> Image.Image:
    return Image.open(io.BytesIO(server.view(**file))).convert("RGB")


def video_size(video: bytes) -> dict[str, int]:
    """The decoded frames, width and height of a video file."""
    with av.open(io.BytesIO(video)) as container:
        frames = [(frame.width, frame.height) for frame in container.decode(video=0)]
    return {"frames": len(frames), "width": frames[0][0], "height": frames[0][1]}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py demo")
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--base", type=Path, required=True, help="the server's own folder")
    parser.add_argument("--out", type=Path, required=True, help="where to write the three files")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"[demo] {text}", flush=True)


def _failed(sentence: str, code: int) -> int:
    sys.stderr.write(f"demo: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
