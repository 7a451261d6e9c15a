"""A range of a clip on the real host: its record is the part of the whole clip's, and ranges join to the whole."""

import shutil

import folder_paths
import hostside
import pytest
import torch
from comfy.patcher_extension import WrappersMP
from comfy_extras.nodes_mahiro import Mahiro
from runs import Clip, patch, render, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.nodes.inspect_attention import FreeAnimateInspectAttention
from freeanimate_pack.nodes.paste import FreeAnimatePastePreview

FRAMES, WINDOW, CFG = 6, 2, 4.0
FIRST, COUNT = 2, 2  # one window, the second of three
OWN = slice(FIRST, FIRST + COUNT)
RANGE = {"first_frame": FIRST, "frames": COUNT}
SAME = 1e-4  # relative, of latents


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=FRAMES, h=6, w=8, steps=4)


@pytest.fixture(scope="module")
def whole(clip):
    with torch.inference_mode():
        return clip.invert(window=WINDOW)[0]


@pytest.fixture(scope="module")
def part(clip):
    with torch.inference_mode():
        return clip.invert(window=WINDOW, **RANGE)[0]


@pytest.fixture
def output(tmp_path, monkeypatch):
    """The host's output folder for one test."""
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    return tmp_path / "freeanimate"


@pytest.fixture
def mask(clip) -> torch.Tensor:
    """Other cells to redraw in each frame."""
    values = torch.zeros(FRAMES, 8 * clip.h, 8 * clip.w)
    for frame in range(FRAMES):
        values[frame, :, 8 * frame : 8 * frame + 24] = 0.9
    return values


def test_the_record_is_the_part_of_the_whole_clips(whole, part):
    assert torch.equal(part.preview, whole.preview[:, OWN]) and torch.equal(part.reference, whole.reference)
    assert part.fingerprint == whole.fingerprint and torch.equal(part.levels, whole.levels)
    assert (part.frames, part.clip_frames, part.clip_range) == (COUNT, FRAMES, range(FIRST, FIRST + COUNT))
    assert torch.equal(part.clip_preview, whole.clip_preview)


@pytest.mark.parametrize("options", [{"correction": 1}, {"storage": "memory"}, {"storage": "disk"}])
def test_so_it_is_with_corrections_and_in_every_tier(clip, options):
    whole, part = (clip.invert(window=WINDOW, **options, **chosen)[0] for chosen in ({}, RANGE))
    assert torch.equal(part.preview, whole.preview[:, OWN]) and torch.equal(part.seen, whole.seen[:, OWN])
    made = sample(clip, part, patch(clip.tiny.model, part, window=WINDOW), CFG)
    assert torch.equal(made, sample(clip, whole, patch(clip.tiny.model, whole, window=WINDOW), CFG)[OWN])


def test_in_other_windows_it_differs_by_rounding(clip, whole):
    odd = clip.invert(window=WINDOW, first_frame=1, frames=3)[0]
    assert hostside.relative(odd.preview, whole.preview[:, 1:4]) <= SAME


def test_frames_0_goes_to_the_end(clip, whole):
    last = clip.invert(window=WINDOW, first_frame=4)[0]
    assert torch.equal(last.preview, whole.preview[:, 4:])


@pytest.mark.parametrize("options", [{}, {"preset": "people", "noise_seed": 5}, {"preset": "drawn"}])
def test_the_animation_is_the_part_of_the_whole_clips(clip, whole, part, mask, options):
    redraw = {"redraw_mask": mask} if options else {}
    made, all_made = (
        sample(clip, record, patch(clip.tiny.model, record, window=WINDOW, **redraw, **options), CFG)
        for record in (part, whole)
    )
    assert torch.equal(made, all_made[OWN])


def test_the_hosts_work_is_that_of_the_range(clip):
    """Rows of the U-Net: frames of the range at each level, and the reference once."""

    def rows(**chosen) -> int:
        model, seen = clip.tiny.model.clone(), []

        def count(executor, x, *args, **kwargs):
            seen.append(x.shape[0])
            return executor(x, *args, **kwargs)

        model.add_wrapper(WrappersMP.DIFFUSION_MODEL, count)
        clip.invert(window=WINDOW, model=model, **chosen)
        return sum(seen)

    everything, range_alone = rows(), rows(**RANGE)
    levels = (everything - range_alone) / (FRAMES - COUNT)
    assert levels == int(levels) and range_alone == levels * (COUNT + 1)


def test_machines_render_their_ranges_and_any_of_them_joins(clip, whole, output):
    model = patch(clip.tiny.model, whole, window=WINDOW)
    wanted = render(clip, whole, model)[1]
    for machine, first in enumerate((0, 2, 4)):
        record = clip.invert(window=WINDOW, first_frame=first, frames=2)[0]
        own = patch(clip.tiny.model, record, window=WINDOW)
        _, latents, report = render(clip, record, own, run_name=f"machine {machine}", first_frame=first, frames=2)
        assert torch.equal(latents, wanted[first : first + 2]) and f"frames {first} to {first + 1} of 6" in report
    (output / "joined").mkdir()
    for file in output.glob("machine */part_*"):
        shutil.copy(file, output / "joined")
    _, latents, report = render(clip, record, own, run_name="joined")
    assert "0 parts made, 3 read" in report and torch.equal(latents, wanted)
    _, latents, report = render(clip, whole, model, run_name="joined")  # one who inverted all goes on in it too
    assert "0 parts made, 3 read" in report and torch.equal(latents, wanted)


def test_one_folder_serves_several_ranges_after_one_another(clip, output):
    for first in (4, 0):
        record = clip.invert(window=WINDOW, first_frame=first, frames=2)[0]
        render(
            clip, record, patch(clip.tiny.model, record, window=WINDOW), run_name="walk", first_frame=first, frames=2
        )
    assert sorted(file.name[:10] for file in (output / "walk").glob("part_*")) == ["part_00000", "part_00004"]


def test_frames_that_are_nowhere_are_refused(clip, part, output):
    model = patch(clip.tiny.model, part, window=WINDOW)
    for options in ({}, {"run_name": "walk"}, {"first_frame": 1, "frames": 2}):
        with pytest.raises(
            FreeAnimateError, match="inversion has frames 2 to 3 alone; set first_frame to 2 and frames"
        ):
            render(clip, part, model, **options)


def test_a_part_of_another_preview_is_noticed_outside_of_the_range_too(clip, part, output):
    twin = Clip(clip.tiny, frames=FRAMES, h=6, w=8, steps=4)
    twin.preview = hostside.latent(FRAMES, 6, 8, 77)
    theirs = twin.invert(window=WINDOW, first_frame=4, frames=2)[0]
    render(twin, theirs, patch(clip.tiny.model, theirs), run_name="theirs", first_frame=4, frames=2)
    (output / "mine").mkdir()
    shutil.copy(next((output / "theirs").glob("part_*")), output / "mine")
    with pytest.raises(FreeAnimateError, match="of a run with other inversion"):
        render(clip, part, patch(clip.tiny.model, part), run_name="mine", first_frame=2)


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"first_frame": 6}, "first_frame is 6 and preview_latent has frames 0 to 5"),
        ({"first_frame": 4, "frames": 3}, "frames is 3 and from first_frame 4 preview_latent has 2"),
    ],
)
def test_a_range_that_the_clip_has_not_is_refused(clip, chosen, says):
    with pytest.raises(FreeAnimateError, match=f"DDIM Inversion.*{says}"):
        clip.invert(**chosen)


def test_the_mask_is_the_whole_clips(clip, part, mask):
    with pytest.raises(FreeAnimateError, match="redraw_mask is 2 of .*connect redraw_mask"):
        patch(clip.tiny.model, part, redraw_mask=mask[OWN])


def test_patches_that_read_a_whole_batch_are_refused(clip, whole, part):
    (model,) = Mahiro.execute(clip.tiny.model).args
    sample(clip, whole, patch(model, whole), CFG)
    with pytest.raises(FreeAnimateError, match="Animate Sampler.*first_frame and frames of DDIM Inversion"):
        sample(clip, part, patch(model, part), CFG)


def test_paste_preview_wants_to_know_where_the_images_begin(clip, part, mask):
    model = patch(clip.tiny.model, part, redraw_mask=mask, window=WINDOW)
    images = clip.tiny.vae.decode(sample(clip, part, model, CFG))
    preview = hostside.hint(FRAMES, 6, 8, 7)
    pasted = FreeAnimatePastePreview.execute(images, preview, model, 0, FIRST).args[0]
    kept = mask[OWN] == 0
    assert torch.equal(pasted[kept], preview[OWN][kept]) and not torch.equal(pasted[~kept], preview[OWN][~kept])
    with pytest.raises(FreeAnimateError, match="Paste Preview.*set first_frame to 2"):
        FreeAnimatePastePreview.execute(images, preview, model, 0, 0)


def test_inspect_attention_counts_as_the_clip_does(clip, whole, part):
    preview, reference = hostside.hint(FRAMES, 6, 8, 7), hostside.hint(1, 6, 8, 8)

    def look(record, frame: int) -> torch.Tensor:
        place = frame, 0.5, "up fine", 0, 0.5, 0.5
        return FreeAnimateInspectAttention.execute(clip.tiny.model, record, preview, reference, *place).args[0]

    assert torch.equal(look(part, 3), look(whole, 3))
    with pytest.raises(FreeAnimateError, match="frame is 0 and inversion has frames 2 to 3"):
        look(part, 0)
