"""The benchmark's quick form in the real host: what it counts is what the rows must evaluate, keep and equal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent.parent
KEYS = ["name", "seconds", "spread", "ratio_to_floor", "bound_ratio", "unet_rows", "peak_bytes"]
KEYS += ["stored_bytes", "max_difference"]
EXACT = ("animate_recompute", "animate_memory", "animate_disk", "animate_ra_sa_only", "joint_batch_ra_sa")
REPLAYED, STEPS = 2, 3  # at span 0.8


def bench(out: Path, *arguments: str) -> subprocess.CompletedProcess:
    line = [sys.executable, "-m", "lab.benchmark", "--host", os.environ["COMFYUI_DIR"], "--out", out, *arguments]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(list(map(str, line)), cwd=REPOSITORY, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    result = bench(folder, "--quick", "--device", "cpu")
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def results(out):
    return json.loads((out / "bench.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(results):
    return {row["name"]: row for row in results["rows"]}


def test_every_row_has_every_column(results, rows):
    assert (results["device"], results["size"]) == ("cpu", "tiny")
    for row in rows.values():
        assert list(row) == KEYS
        assert row["seconds"] > 0 and row["ratio_to_floor"] > 0 and row["peak_bytes"] > 0
        assert row["spread"] is None  # one repetition has none


def test_rows_evaluated_follow_from_frames_and_steps(results, rows):
    f, s = results["about"]["frames"], STEPS
    assert results["about"]["steps"] == s
    expected = {
        "floor": 2 * f * s,
        "floor_cond_only": f * s,
        "floor_inversion": (f + 1) * s,
        "inversion": (f + 1) * s,
        "animate_recompute": (2 * f + 1) * s + f * REPLAYED,
        "animate_memory": 2 * f * s,  # the bank holds the reference
        "animate_disk": 2 * f * s,
        "animate_ra_sa_only": (2 * f + 1) * s,
        "literal_maps_32": (2 * f + 1) * s,
        "literal_maps_all": (2 * f + 1) * s,
        "joint_batch": 2 * f * s + f * REPLAYED,
        "joint_batch_ra_sa": (2 * f + 1) * s + f * REPLAYED,
    }
    assert {name: row["unet_rows"] for name, row in rows.items()} == expected


def test_bounds_follow_from_the_rows(rows):
    bound = {name: row["bound_ratio"] for name, row in rows.items()}
    assert bound["floor"] == 1
    assert bound["floor_cond_only"] == pytest.approx(0.5)
    assert bound["joint_batch"] == pytest.approx((2 + REPLAYED / STEPS) / 2)
    assert 1 < bound["animate_memory"] < bound["animate_ra_sa_only"] < bound["joint_batch"]
    assert bound["joint_batch_ra_sa"] < bound["animate_recompute"]  # which projects the reference in every row
    assert bound["literal_maps_all"] < bound["animate_ra_sa_only"]  # a kept map spares q k^T


def test_the_bank_keeps_far_less_than_maps_and_recompute_next_to_nothing(rows):
    stored = {name: row["stored_bytes"] for name, row in rows.items()}
    assert stored["floor"] == 0
    assert 20 * stored["animate_recompute"] < stored["animate_memory"]
    assert 1.9 * stored["animate_memory"] < stored["literal_maps_all"]  # at 3 frames, 8x8 cells and tiny widths
    assert stored["animate_disk"] == stored["animate_memory"]


def test_exact_rows_equal_the_kept_maps(rows):
    assert rows["literal_maps_all"]["max_difference"] == 0
    assert {name: rows[name]["max_difference"] for name in EXACT if rows[name]["max_difference"] > 1e-4} == {}


def test_table_and_plot_are_written(out, results, rows):
    text = (out / "bench.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in text for name in rows)
    assert {point["frames"] for point in results["curve"]} == {1, 2}
    with Image.open(out / "bench.png") as picture:
        assert len(picture.getcolors(1 << 16)) > 10


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--device", "cpu", "--size", "sdxl"), "needs a GPU"),
        (("--gpu",), "no CUDA device is available"),
        (("--device", "cpu", "--memory-cap", "8"), "--memory-cap limits the memory of a CUDA device"),
    ],
)
def test_what_this_machine_cannot_do_is_one_line(tmp_path, arguments, words):
    result = bench(tmp_path, *arguments)
    assert result.returncode == 2
    assert words in result.stderr and result.stderr.count("\n") == 1
