"""The pack's nodes on a second device: nothing is mixed, the results are the CPU's, and little goes to and fro.

The device is torch's PrivateUse1 over the machine's own memory (card.cpp): every operation is the CPU's, and one that
mixes the devices raises as on CUDA. The host is the real one, told to compute there (host_on_card.py).
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from card import NoCompiler, build  # noqa: E402

SCENES = (
    "demo_character",
    "align_pose",
    "pose_files",
    "preview_generation",
    "preview_with_skirts",
    "inversion",
    "inversion_corrected",
    "animate_sampler",
    "bank_in_memory",
    "weighed_and_redrawn",
    "ksampler_advanced",
    "sampler_custom",
    "long_clip",
    "refine_preview",
    "inspect_attention",
    "compare_videos",
)
MODES = ("card", "gpu only", "little memory")
CLOSE = 1e-4  # of the largest value, or of 1

# What one more step copies to the device and from it, and how often it waits for a value. `plain` is the host's
# own sampling, with a ControlNet: its two copies are the prompts, its two waits the ControlNet's look at the step.
PER_STEP = {
    "plain": {"up": 2, "down": 0, "waits": 2},
    "sampler": {"up": 6, "down": 0, "waits": 5},  # the preview pass is another such evaluation; its and the reference's
    # latents go up; the guider reads the noise level once
    "windows": {"up": 21, "down": 0, "waits": 13},  # three windows, the mask's frames
    "inversion": {"up": 2, "down": 2, "waits": 4},  # the latents come down; the host's schedule, whether all is finite
}


@dataclass(frozen=True)
class Result:
    """What one mode gave: tensors by "scene/name", failures and log lines by scene, counts by kind of run."""

    tensors: dict[str, torch.Tensor]
    failed: dict[str, str]
    said: dict[str, list[str]]
    per_step: dict[str, dict[str, int]]

    def of(self, scene: str) -> dict[str, torch.Tensor]:
        """The tensors of a scene."""
        return {name: value for name, value in self.tensors.items() if name.startswith(f"{scene}/")}


@pytest.fixture(scope="session")
def library() -> Path:
    """The built device; without a compiler the tests are skipped, but on a Linux that says it is CI they fail."""
    try:
        return build()
    except NoCompiler as reason:
        if os.environ.get("CI") and sys.platform == "linux":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def results(library: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """All modes' results, the CPU's among them."""
    folder = tmp_path_factory.mktemp("device")
    path = os.pathsep.join(map(str, (HERE, HERE.parent, HERE.parent.parent)))
    variables = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "run_scenes.py"), str(library), str(folder)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
    return {mode: _read(folder / mode) for mode in ("cpu", *MODES)}


def _read(folder: Path) -> Result:
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "results.safetensors")
    return Result(tensors, report["failed"], report["said"], report.get("per step", {}))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("mode", MODES)
def test_a_scene_gives_the_cpus_result(results, mode, scene):
    assert results["cpu"].failed == {}
    assert scene not in results[mode].failed, results[mode].failed[scene]
    expected, found = results["cpu"].of(scene), results[mode].of(scene)
    assert expected and expected.keys() == found.keys()
    assert {k: v.shape for k, v in expected.items()} == {k: v.shape for k, v in found.items()}
    away = {name: apart(value, found[name]) for name, value in expected.items()}
    assert max(away.values()) <= CLOSE, away


def apart(expected: torch.Tensor, found: torch.Tensor) -> float:
    """The largest difference, of the largest expected value or of 1."""
    most = (expected.double() - found.double()).abs().max()
    return (most / expected.double().abs().max().clamp_min(1)).item()


def test_every_scene_is_looked_at(results):
    assert tuple(scene for scene in results["cpu"].said if scene in SCENES) == SCENES


def test_several_skirts_are_worn(results):
    found = results["cpu"].of("preview_with_skirts").items()
    assert sum(bool(worn) for name, worn in found if "/cloth " in name) >= 3


def test_little_memory_gives_small_windows(results):
    said = results["little memory"].said
    assert " 2 frames at a time " in said["inversion"][-1]
    assert " 1 frame at a time " in said["animate_sampler"][-1]
    assert " 3 frames at a time " in results["card"].said["animate_sampler"][-1]


def test_what_the_host_gives_up_for_a_batch_counts_as_free(results):
    """As its dynamic VRAM does, whose weights fill the card in the second run."""
    assert " 3 frames at a time " in results["little memory"].said["reclaimable"][-1]


@pytest.mark.parametrize(("mode", "tier"), [("cpu", "memory"), ("card", "recompute"), ("gpu only", "recompute")])
def test_auto_keeps_a_bank_only_where_it_is_read_without_copies(results, mode, tier):
    assert results[mode].said["inversion"][-1].endswith(f"storage {tier}")


@pytest.mark.parametrize("kind", PER_STEP)
def test_a_step_copies_and_waits_no_more_than_this(results, kind):
    found = results["card"].per_step[kind]
    assert {name: found[name] for name in PER_STEP[kind]} == PER_STEP[kind]


def test_the_device_refuses_what_cuda_refuses(library):
    """In a process of its own: mixing raises, numbers of no dimension and CPU indices of its tensors are taken."""
    done = subprocess.run(
        [sys.executable, str(HERE / "strictness.py"), str(library)], capture_output=True, text=True, cwd=HERE
    )
    assert done.returncode == 0, done.stderr[-3000:]
