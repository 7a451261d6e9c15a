"""The demo's client without a server: its graph, its clock and bar, its sheet, and the lines that errors become."""

import io
import subprocess
import sys

import av
import numpy as np
import pytest
from patience import patience
from PIL import Image

from lab.server.client import WATCHED_MAIN, PromptRejected
from lab.server.graph import PICTURES, PSNR, STAGES, VIDEO, demo_prompt, stage
from lab.server.progress import ProgressBar, StageClock
from lab.server.run import stop_sentence, video_size
from lab.sheet import COLUMNS, contact_sheet, evenly


def test_every_link_of_the_graph_leads_to_a_node():
    prompt = demo_prompt()
    links = [value for node in prompt.values() for value in node["inputs"].values() if isinstance(value, list)]
    assert links
    assert all(source in prompt and isinstance(slot, int) for source, slot in links)


def test_every_stage_has_nodes_and_every_node_a_stage():
    prompt = demo_prompt()
    assert {stage(node_id) for node_id in prompt} == set(STAGES)
    assert {VIDEO, PSNR, *PICTURES.values()} <= set(prompt)


def test_the_clock_gives_a_node_the_time_until_the_next():
    moments = iter([10.0, 11.0, 14.0, 14.5])
    clock = StageClock(
        ("encode", "inversion"), lambda node: "encode" if node != "inv" else "inversion", moments.__next__
    )
    for node in ("a", "inv", "b", None):
        clock("executing", {"node": node})
        clock("progress", {"node": node, "value": 1, "max": 2})
    assert clock.seconds == {"encode": 1.5, "inversion": 3.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def messages(bar: ProgressBar) -> None:
    bar("executing", {"node": "a"})
    bar("executing", {"node": "b"})
    bar("progress", {"node": "b", "value": 3, "max": 6})
    bar("execution_success", {})


def test_the_bar_is_one_line_on_a_terminal():
    stream = Terminal()
    messages(ProgressBar({"a": "Align Pose", "b": "DDIM Inversion"}, stream))
    assert stream.getvalue().count("\n") == 1
    drawn = [line.rstrip() for line in stream.getvalue().split("\r")]
    assert drawn[1].endswith("0% Align Pose")
    assert drawn[3].endswith("75% DDIM Inversion 3/6")
    assert drawn[4].startswith("[" + "#" * 30 + "]") and "100%" in drawn[4]


def test_the_bar_is_a_line_per_node_in_a_log():
    stream = io.StringIO()
    messages(ProgressBar({"a": "Align Pose", "b": "DDIM Inversion"}, stream))
    assert [line.split("% ")[1] for line in stream.getvalue().splitlines()] == ["Align Pose", "DDIM Inversion", "done"]
    assert "\r" not in stream.getvalue()


@pytest.mark.parametrize("count", [1, 5, 8, 24, 129])
def test_columns_are_spread_from_the_first_frame_to_the_last(count):
    chosen = evenly(count)
    assert chosen[0] == 0 and chosen[-1] == count - 1 and len(chosen) == min(count, COLUMNS)
    assert chosen == sorted(set(chosen))
    assert max(np.diff(chosen), default=0) - min(np.diff(chosen), default=0) <= 1


def test_the_sheet_shows_each_row_with_its_own_pictures():
    colours = {"reference": (200, 30, 30), "poses": (30, 200, 30), "result": (30, 30, 200)}
    counts = {"reference": 1, "poses": 24, "result": 24}
    rows = {name: [Image.new("RGB", (96, 64), colours[name])] * counts[name] for name in colours}
    sheet = np.asarray(contact_sheet(rows))
    areas = [int((sheet == np.array(colour)).all(-1).sum()) for colour in colours.values()]
    tops = [int((sheet == np.array(colour)).all(-1).any(1).argmax()) for colour in colours.values()]
    cell = 160 * 107
    assert 0.95 * cell < areas[0] <= cell
    assert all(0.95 * COLUMNS * cell < area <= COLUMNS * cell for area in areas[1:])
    assert tops == sorted(tops) and len(set(tops)) == 3
    label = sheet[:, : np.argmax((sheet == np.array(colours["poses"])).all(-1).any(0))]
    assert (label > 128).any()


def test_the_report_counts_decoded_frames():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(5):
            picture = np.full((48, 64, 3), 40 * i, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    assert video_size(file.getvalue()) == {"frames": 5, "width": 64, "height": 48}


def test_an_error_names_the_node_in_one_line():
    names = {"inversion": "DDIM Inversion"}
    for message, line in (
        ("got 3,\nwant 4.\n", "DDIM Inversion stopped: got 3, want 4."),
        ("DDIM Inversion: got 3, want 4.", "DDIM Inversion: got 3, want 4."),
    ):
        data = {"node_id": "inversion", "exception_message": message}
        assert stop_sentence([["execution_start", {}], ["execution_error", data]], names) == line


def test_a_rejection_names_node_and_input():
    error = {"message": "Value not in list", "details": "mode: 'x' not in ['none']"}
    rejected = PromptRejected({}, {"align": {"class_type": "FreeAnimateAlignPose", "errors": [error]}})
    assert str(rejected) == "node align (FreeAnimateAlignPose): Value not in list: mode: 'x' not in ['none']"
    assert str(PromptRejected({"message": "Prompt has no outputs", "details": ""}, {})) == "Prompt has no outputs"


def test_a_server_ends_with_its_starter(tmp_path):
    main = tmp_path / "main.py"
    main.write_text("import sys, time, beside; print(*sys.argv[1:], beside.X, __name__, flush=True); time.sleep(3600)")
    (tmp_path / "beside.py").write_text("X = 7")
    line = [sys.executable, str(WATCHED_MAIN), str(main), "--cpu"]
    running = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "--cpu 7 __main__\n"
    assert running.poll() is None
    running.stdin.close()  # what the system does when the starter dies
    assert running.wait(timeout=patience(600)) == 1
    running.stdout.close()
