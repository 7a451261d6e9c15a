"""What waits in a run's folder in the real host: parts know what they are made from, and the folder who holds it."""

import errno
import json
import shutil
import subprocess
from pathlib import Path

import folder_paths
import hostside
import pytest
import torch
from comfy.patcher_extension import WrappersMP
from comfy_extras.nodes_apg import APG
from comfy_extras.nodes_controlnet import SetUnionControlNetType
from comfy_extras.nodes_freelunch import FreeU_V2
from comfy_extras.nodes_model_advanced import RescaleCFG
from comfy_extras.nodes_pag import PerturbedAttentionGuidance
from runs import Clip, patch, render
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.fingerprint import values_digest
from freeanimate_pack.freeanimate_core.runs import run_folder
from freeanimate_pack.freeanimate_core.runs.claim import CLAIM, claimed
from freeanimate_pack.freeanimate_core.runs.made_from import settled

FRAMES = 4  # two parts
FIRST, SECOND = "part_00000_00001.safetensors", "part_00002_00003.safetensors"
SAME = 1e-4  # relative, of latents


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=FRAMES, h=6, w=8, steps=4)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert(window=2)[0]


@pytest.fixture(scope="module")
def model(clip, record):
    return patch(clip.tiny.model, record, window=2)


@pytest.fixture(scope="module")
def whole(clip, record, model):
    with torch.inference_mode():
        return render(clip, record, model)[1]


@pytest.fixture
def output(tmp_path, monkeypatch):
    """The host's output folder for one test."""
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    return tmp_path / "freeanimate"


def other_run(clip: Clip, name: str):
    """A clip of other inputs of one kind, its record and its model."""
    twin = Clip(clip.tiny, frames=FRAMES, h=6, w=8, steps=4)
    if name == "preview":
        twin.preview = hostside.latent(FRAMES, 6, 8, 77)
    if name == "brighter":
        twin.preview = {"samples": clip.preview["samples"] + 0.05}
    if name == "reference":
        twin.reference = hostside.latent(1, 6, 8, 78)
    if name == "union":
        plain = clip.tiny.positive(), clip.tiny.negative()
        (control_net,) = SetUnionControlNetType.execute(clip.tiny.control_net, "depth").args
        (twin.positive, twin.negative) = applied(control_net, *plain)
    record = twin.invert(window=2)[0]
    return twin, record, patch(clip.tiny.model, record, window=2)


def applied(control_net, positive: list, negative: list) -> tuple:
    from nodes import ControlNetApplyAdvanced

    image = hostside.hint(FRAMES, 6, 8, 0)
    return ControlNetApplyAdvanced().apply_controlnet(positive, negative, control_net, image, 1.0, 0.0, 1.0)


def counted(model) -> tuple:
    """A clone of MODEL and the list of its U-Net batches."""
    clone, batches = model.clone(), []

    def count(executor, x, *args, **kwargs):
        batches.append(x.shape[0])
        return executor(x, *args, **kwargs)

    clone.add_wrapper(WrappersMP.DIFFUSION_MODEL, count)
    return clone, batches


KINDS = {"preview": "inversion", "brighter": "inversion", "reference": "inversion", "union": ".*positive, negative"}


@pytest.mark.parametrize("kind", KINDS)
def test_part_files_of_another_run_are_noticed(clip, record, model, whole, output, kind):
    """Ranges of several machines are joined by copying their parts: one with other inputs is refused by name, beside
    parts of this run and alone in a fresh folder."""
    twin, other, patched = other_run(clip, kind)
    render(clip, record, model, run_name="mine", frames=2)
    render(twin, other, patched, run_name="theirs", first_frame=2)
    (output / "fresh").mkdir()
    joining, batches = counted(model)
    for name in ("mine", "fresh"):
        shutil.copy(output / "theirs" / SECOND, output / name)
        with pytest.raises(FreeAnimateError, match=f"holds a {SECOND} of a run with other {KINDS[kind]};.*2-3 into"):
            render(clip, record, joining, run_name=name)
    assert batches == []
    _, latents, report = render(clip, record, model, run_name="mine", again="2-3")
    assert "1 part made, 1 read" in report and torch.equal(latents, whole)


def test_parts_of_several_machines_are_joined(clip, record, model, whole, output):
    anew = clip.invert(window=1)[0]  # another machine's windows: the same up to rounding
    theirs = patch(clip.tiny.model, anew, window=1)
    render(clip, record, model, run_name="mine", frames=2)
    render(clip, anew, theirs, run_name="theirs", first_frame=2)
    (output / "joined").mkdir()
    shutil.copy(output / "mine" / FIRST, output / "joined")
    shutil.copy(output / "theirs" / SECOND, output / "joined")
    _, latents, report = render(clip, record, model, run_name="joined")
    assert "0 parts made, 2 read" in report and hostside.relative(latents, whole) <= SAME


def test_a_part_holds_its_own_frames_of_what_it_starts_from(clip, record, model, output):
    render(clip, record, model, run_name="walk")
    stored = load_file(output / "walk" / SECOND)
    assert torch.equal(stored["start"], record.top[2:]) and torch.equal(stored["preview"], record.preview[0, 2:])
    assert torch.equal(stored["reference_start"], record.reference[-1])
    assert torch.equal(stored["reference"], record.reference[0])
    with safe_open(output / "walk" / SECOND, framework="pt") as file:
        said = json.loads(file.metadata()["made_from"])
    assert said == json.loads((output / "walk" / "run.json").read_text())


def test_a_part_that_does_not_say_what_it_is_made_from_is_refused(clip, record, model, output):
    render(clip, record, model, run_name="walk")
    file = output / "walk" / FIRST
    save_file({"latents": load_file(file)["latents"]}, file, metadata={"digest": "0"})
    with pytest.raises(FreeAnimateError, match=f"holds a {FIRST} that does not say .*delete that file, or write 0-1"):
        render(clip, record, model, run_name="walk")


PATCHES = {
    "RescaleCFG": lambda model, value: RescaleCFG().patch(model, value)[0],
    "PAG": lambda model, value: PerturbedAttentionGuidance.execute(model, value).args[0],
    "APG": lambda model, value: APG.execute(model, value, 5.0, 0.5).args[0],
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_with_other_settings_is_another_run(clip, record, model, output, name):
    """And one that keeps a state of its own, as APG does, is the same after a run."""
    one, other = (patch(PATCHES[name](clip.tiny.model, value), record, window=2) for value in (0.25, 0.75))
    latents = [render(clip, record, one, run_name="walk")[1] for _ in range(2)]
    assert torch.equal(*latents)
    assert "0 parts made" in render(clip, record, one, run_name="walk")[2]
    with pytest.raises(FreeAnimateError, match="'walk' holds a run with other patches on the model;"):
        render(clip, record, other, run_name="walk")


def free_u(model, b1: float):
    return FreeU_V2.execute(model, b1, 1.4, 0.9, 0.2).args[0]


def test_settings_in_a_table_are_compared_too(sd15):
    first, same, other = (values_digest(settled(free_u(sd15.model, b1).model_options)) for b1 in (1.3, 1.3, 1.2))
    assert first == same != other


def test_a_part_that_is_not_finite_is_not_kept(clip, record, output):
    """FreeU divides by 0 where the coarsest map is one cell, as in this small latent."""
    model = patch(free_u(clip.tiny.model, 1.3), record, window=2)
    with pytest.raises(FreeAnimateError, match="Long Clip: the model returned NaN or infinite .* frames 0 to 1;"):
        render(clip, record, model, run_name="walk")
    assert not list(output.rglob("part_*"))


def test_another_reference_positive_is_another_run(clip, record, model, output):
    render(clip, record, model, run_name="walk", frames=2)
    positive = [[clip.positive[0][0] * 0.99, {}]]
    other = clip.invert(window=2, reference_positive=positive)[0]
    with pytest.raises(FreeAnimateError, match="with other .*reference_positive"):
        render(clip, other, patch(clip.tiny.model, other, window=2), run_name="walk")


def test_a_folder_without_parts_binds_nobody(clip, record, model, whole, output):
    render(clip, record, model, run_name="walk", frames=2, cfg=3.0)
    (output / "walk" / FIRST).unlink()
    assert torch.equal(render(clip, record, model, run_name="walk")[1], whole)
    assert "0 parts made, 2 read" in render(clip, record, model, run_name="walk")[2]


def test_a_claimed_folder_is_refused_before_anything(clip, record, model, output):
    (output / "walk").mkdir(parents=True)
    waiting, batches = counted(model)
    with claimed(output / "walk", "x"), pytest.raises(FreeAnimateError, match="run_name 'walk' is being rendered by"):
        render(clip, record, waiting, run_name="walk")
    assert batches == [] and [path.name for path in (output / "walk").iterdir()] == [CLAIM]
    render(clip, record, model, run_name="walk", frames=2)
    with claimed(output / "walk", "x"):
        pass


def test_a_disk_that_is_full_at_the_start_says_so(clip, record, model, output, monkeypatch):
    """The write and the deletion of what was half written fail, as on a disk that turned read-only."""

    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    waiting, batches = counted(model)
    monkeypatch.setattr(run_folder, "save_file", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(FreeAnimateError, match="'walk' could not be written to .No space left on device.; free some"):
        render(clip, record, waiting, run_name="walk")
    assert batches == []


def test_a_disk_that_fills_up_keeps_the_finished_parts(clip, record, model, whole, output, monkeypatch):
    write = run_folder.save_file

    def full(tensors, path, metadata=None):
        if path.name.startswith(SECOND):
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(tensors, path, metadata=metadata)

    with monkeypatch.context() as patched, pytest.raises(FreeAnimateError, match="finished parts are kept"):
        patched.setattr(run_folder, "save_file", full)
        render(clip, record, model, run_name="walk")
    assert sorted(path.name for path in (output / "walk").iterdir()) == [CLAIM, FIRST, "run.json", "start.safetensors"]
    _, latents, report = render(clip, record, model, run_name="walk")
    assert "1 part made, 1 read" in report and torch.equal(latents, whole)


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 64 KiB; skipped where it cannot be mounted."""
    line = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if shutil.which("mount") is None or subprocess.run(line, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root on Linux")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_truly_full_disk_says_so(clip, record, model, small_disk, monkeypatch):
    monkeypatch.setattr(folder_paths, "output_directory", str(small_disk))
    (small_disk / "large").write_bytes(b"0" * 60 * 2**10)
    waiting, batches = counted(model)
    with pytest.raises(FreeAnimateError, match="'walk' could not be written to .*free some space"):
        render(clip, record, waiting, run_name="walk")
    assert batches == [] and not list(small_disk.rglob("*.tmp"))
