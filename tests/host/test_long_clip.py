"""Animate Long Clip in the real host: the Animate Sampler's result part by part, kept, resumed, joined, refused."""

import json

import comfy.model_management
import folder_paths
import hostside
import pytest
import torch
from comfy.patcher_extension import WrappersMP
from runs import Clip, patch, render, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.runs.claim import CLAIM

CFG, FRAMES, SIZE = 4.0, 5, 2  # parts of 2, 2 and 1 frames, as render makes them
SAME, EFFECT = 1e-4, 1e-2  # relative, of latents


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=FRAMES, h=6, w=8, steps=6)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert(window=SIZE)[0]


@pytest.fixture(scope="module")
def model(clip, record):
    return patch(clip.tiny.model, record, window=SIZE)


@pytest.fixture(scope="module")
def whole(clip, record, model) -> torch.Tensor:
    """Latents of the Animate Sampler in windows of the parts' size."""
    with torch.inference_mode():
        return sample(clip, record, model, CFG)


@pytest.fixture
def output(tmp_path, monkeypatch):
    """The host's output folder for one test."""
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    return tmp_path / "freeanimate"


def counted(model, stop_after: int | None = None) -> tuple:
    """A clone of MODEL and the list of its U-Net batches; the user's interrupt once it is that long."""
    clone, batches = model.clone(), []

    def count(executor, x, *args, **kwargs):
        batches.append(x.shape[0])
        if len(batches) == stop_after:
            comfy.model_management.interrupt_current_processing()
        return executor(x, *args, **kwargs)

    clone.add_wrapper(WrappersMP.DIFFUSION_MODEL, count)
    return clone, batches


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != CLAIM)


def test_parts_of_the_windows_size_are_the_animate_sampler(clip, record, model, whole):
    images, latents, report = render(clip, record, model)
    assert torch.equal(latents, whole)
    assert torch.equal(images, clip.tiny.vae.decode(whole).clamp(0, 1))
    assert "frames 0 to 4 of 5: 3 parts made, 0 read" in report


@pytest.mark.parametrize("size", [1, 3, 16])
def test_parts_of_any_size_agree(clip, record, model, whole, size):
    assert hostside.relative(render(clip, record, model, frames_per_part=size)[1], whole) <= SAME


@pytest.mark.parametrize("storage", ["memory", "disk"])
def test_stored_inputs_are_cut_to_the_part(clip, whole, storage):
    stored = clip.invert(storage, window=3)[0]
    model = patch(clip.tiny.model, stored, window=SIZE)
    latents = render(clip, stored, model)[1]
    assert torch.equal(latents, sample(clip, stored, model, CFG))
    assert hostside.relative(latents, whole) <= SAME


def test_the_mask_is_cut_to_the_part(clip, record):
    redraw = torch.zeros(FRAMES, 8 * clip.h, 8 * clip.w)
    redraw[3], redraw[1, :, :32] = 1.0, 1.0
    for mask in (redraw, redraw[1:2]):
        masked = patch(clip.tiny.model, record, window=SIZE, redraw_mask=mask)
        assert torch.equal(render(clip, record, masked)[1], sample(clip, record, masked, CFG))


def test_poses_of_one_frame_and_texts_of_each(sd15):
    clip = Clip(sd15, frames=3, h=6, w=8, steps=4, control=False)
    texts = clip.positive[0][0].repeat(3, 1, 1)
    texts[1] = texts[1].roll(5, dims=-1)
    positive = [[texts, clip.positive[0][1]]]
    clip.positive, clip.negative = sd15.controlled(positive, clip.negative, hostside.hint(1, 6, 8))
    record = clip.invert(window=SIZE)[0]
    model = patch(sd15.model, record, window=SIZE)
    assert torch.equal(render(clip, record, model)[1], sample(clip, record, model, CFG))


def test_with_everything_off_it_is_the_hosts_sampler(clip, record, whole):
    off = patch(clip.tiny.model, record, weight=0.0, self_span=0.0, cross_span=0.0)
    latents = render(clip, record, off)[1]
    assert hostside.relative(latents, sample(clip, record, off, CFG)) <= SAME
    assert hostside.relative(latents, whole) > EFFECT


def test_ranges_join_to_the_whole(clip, record, model, whole, output):
    """Bit for bit where they meet at a part's border, within rounding elsewhere; finished parts serve both."""
    for border, exact in ((2, True), (3, False)):
        halves = [{"frames": border}, {"first_frame": border}]
        images, latents, _ = (list(t) for t in zip(*(render(clip, record, model, **half) for half in halves)))
        assert [len(t) for t in images] == [border, FRAMES - border]
        joined = torch.cat(latents)
        assert torch.equal(joined, whole) if exact else hostside.relative(joined, whole) <= SAME
    for half in ({"frames": 2}, {"first_frame": 2}):
        render(clip, record, model, run_name="shared", **half)
    assert "2 frames at a time" in render(clip, record, model)[2]  # of the whole parts, though the last is shorter
    assert "0 parts made, 3 read" in render(clip, record, model, run_name="shared")[2]


def test_an_interrupted_run_goes_on_where_it_was(clip, record, model, whole, output):
    unstopped, rows = counted(model)
    render(clip, record, unstopped)
    part = len(rows) // 3  # evaluations of each of the three
    stopped, batches = counted(model, stop_after=2 * part - 1)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        render(clip, record, stopped, run_name="walk")
    assert len(batches) == 2 * part - 1
    assert names(output / "walk") == ["part_00000_00001.safetensors", "run.json", "start.safetensors"]
    resumed, rest = counted(model)
    _, latents, report = render(clip, record, resumed, run_name="walk")
    assert "2 parts made, 1 read from freeanimate/walk" in report
    assert torch.equal(latents, whole)
    assert rest == rows[part:]
    finished, none = counted(model)
    images, latents, _ = render(clip, record, finished, run_name="walk")
    assert none == [] and torch.equal(latents, whole)
    assert torch.equal(images, render(clip, record, model)[0])


def test_again_makes_the_parts_of_these_frames(clip, record, model, whole, output):
    render(clip, record, model, run_name="walk")
    times = {name: (output / "walk" / name).stat().st_mtime_ns for name in names(output / "walk")}
    _, latents, report = render(clip, record, model, run_name="walk", again="1, 4-4")
    assert "2 parts made, 1 read" in report and torch.equal(latents, whole)
    changed = [n for n in names(output / "walk") if (output / "walk" / n).stat().st_mtime_ns != times[n]]
    assert changed == ["part_00000_00001.safetensors", "part_00004_00004.safetensors"]


@pytest.mark.parametrize("damage", ["cut", "changed", "swapped"])
def test_a_damaged_part_is_made_again(clip, record, model, whole, output, damage, caplog):
    render(clip, record, model, run_name="walk")
    first, second = (output / "walk" / name for name in names(output / "walk")[:2])
    content = bytearray(first.read_bytes())
    content[-5] ^= 1
    damaged = {"cut": first.read_bytes()[:-100], "changed": bytes(content), "swapped": second.read_bytes()}
    first.write_bytes(damaged[damage])
    _, latents, report = render(clip, record, model, run_name="walk")
    assert "1 part made, 2 read" in report and torch.equal(latents, whole)
    assert "part_00000_00001.safetensors" in caplog.text and "made again" in caplog.text


OTHERS = {
    "frames_per_part": lambda clip, record, model: (model, {"frames_per_part": 3}),
    "cfg": lambda clip, record, model: (model, {"cfg": 3.0}),
    "negative": lambda clip, record, model: (model, {"negative": clip.positive}),
    "settings of Patch Model": lambda clip, record, model: (patch(model, record, cross_span=0.5), {}),
    "redraw_mask": lambda clip, record, model: (patch(model, record, redraw_mask=torch.zeros(1, 48, 64)), {}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_folder_of_another_run_is_refused(clip, record, model, output, name):
    render(clip, record, model, run_name="walk", frames=2)
    before = names(output / "walk")
    other, options = OTHERS[name](clip, record, model)
    other, batches = counted(other)
    with pytest.raises(FreeAnimateError, match=f"Long Clip: run_name 'walk'.*{name}.*another run_name.*delete"):
        render(clip, record, other, run_name="walk", **options)
    assert batches == [] and names(output / "walk") == before


def test_the_same_run_in_other_windows_goes_on(clip, record, model, whole, output):
    """After a restart the inversion is made anew, by free memory in other windows: the same up to rounding."""
    render(clip, record, model, run_name="walk", frames=2)
    anew = clip.invert(window=1)[0]
    _, latents, report = render(clip, anew, patch(clip.tiny.model, anew, window=1), run_name="walk")
    assert "2 parts made, 1 read" in report and hostside.relative(latents, whole) <= SAME


def test_the_folder_of_another_inversion_is_refused(clip, record, model, output):
    render(clip, record, model, run_name="walk", frames=2)
    kept, clip.preview = clip.preview, {"samples": clip.preview["samples"].clone()}
    clip.preview["samples"][4] = clip.preview["samples"][3]
    moved, clip.preview = clip.invert()[0], kept
    with pytest.raises(FreeAnimateError, match="other inversion; choose"):
        render(clip, moved, patch(clip.tiny.model, moved, window=SIZE), run_name="walk")
    twin = Clip(clip.tiny, frames=FRAMES, h=6, w=8, steps=6, seed=9)
    other = twin.invert()[0]
    with pytest.raises(FreeAnimateError, match="other inversion, positive, negative; choose"):
        render(twin, other, patch(clip.tiny.model, other, window=SIZE), run_name="walk")
    (output / "walk" / "run.json").write_text(json.dumps([1]))
    with pytest.raises(FreeAnimateError, match="run.json of another origin"):
        render(clip, record, model, run_name="walk")


REFUSED = {
    "first_frame is 5.*0 to 4": {"first_frame": 5},
    "frames is 4.*has 3": {"first_frame": 2, "frames": 4},
    "frames_per_part is 0": {"frames_per_part": 0},
    "again holds 'x'.*'12, 40-47'": {"again": "1, x"},
    "again holds '3-9'.*frames 0 to 4": {"again": "3-9"},
    "again holds '3-2'": {"again": "3-2"},
    "again holds '3'.*frames 0 to 1": {"again": "3", "frames": 2},
    "run_name '../walk'.*'..'": {"run_name": "../walk"},
    "run_name '/walk'": {"run_name": "/walk"},
    "run_name '\\.'": {"run_name": "."},
    "run_name '%second%'.*placeholder.*write the name out": {"run_name": "%second%"},
    r"run_name '\\ud800' holds": {"run_name": "\ud800"},
    r"again holds '\\ud800'": {"again": "\ud800"},
    "cfg_end is 0.1": {"cfg_start": 0.5, "cfg_end": 0.1},
}


@pytest.mark.parametrize("says", REFUSED)
def test_bad_widgets_are_refused_by_name(clip, record, model, output, says):
    model, batches = counted(model)
    with pytest.raises(FreeAnimateError, match=f"Animate Long Clip: {says}"):
        render(clip, record, model, **REFUSED[says])
    assert batches == [] and not output.exists()


def test_bad_inputs_are_refused_by_name(clip, record, model, flow):
    with pytest.raises(FreeAnimateError, match="Animate Long Clip: model is not patched"):
        render(clip, record, clip.tiny.model)
    with pytest.raises(FreeAnimateError, match="Animate Long Clip: positive has another prompt"):
        render(clip, record, model, positive=[[clip.positive[0][0] + 1, clip.positive[0][1]]])
    few = clip.tiny.controlled(clip.positive, clip.tiny.negative(), hostside.hint(2, 6, 8))[1]
    with pytest.raises(FreeAnimateError, match="Animate Long Clip: negative has 2 pose images for 5 frames"):
        render(clip, record, model, negative=few)
    with pytest.raises(FreeAnimateError, match="Animate Long Clip: vae decodes 16 channels and inversion has 4"):
        render(clip, record, model, vae=flow.vae)
