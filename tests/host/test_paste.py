"""Paste Preview in the real host: what was kept is the preview bit for bit, the rest is what was decoded; refusals."""

import hostside
import pytest
import torch
from runs import Clip, patch, render, sample
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.nodes.paste import FreeAnimatePastePreview

CFG, FEATHER = 4.0, 4
CELL = 8  # pixels
HALF = 32  # pixels from the left, where masks of two halves change
SAME, EFFECT = 1e-4, 1e-2  # of latents, which are about 1


def with_preview(tiny: hostside.Tiny, height: int, width: int) -> tuple[Clip, Tensor]:
    """A clip of three frames, and its preview's pictures, which were encoded by the host's VAE."""
    clip = Clip(tiny, frames=3, h=height // CELL, w=width // CELL, steps=6)
    pictures = hostside.hint(clip.frames, height // CELL + 1, width // CELL + 1, 7)[:, :height, :width]
    pictures = 0.8 * pictures + 0.2 * torch.rand(pictures.shape, generator=torch.Generator().manual_seed(7))
    clip.preview = {"samples": tiny.vae.encode(pictures)}
    return clip, pictures


@pytest.fixture(scope="module")
def made(sd15) -> tuple[Clip, Tensor, object]:
    """A clip, its preview and its record."""
    with torch.inference_mode():
        clip, preview = with_preview(sd15, 48, 64)
        return clip, preview, clip.invert()[0]


def halves(left: float, right: float, frames: int = 1) -> Tensor:
    """A mask in pixels whose two halves have one value each."""
    values = torch.full((frames, 48, 64), left)
    values[..., HALF:] = right
    return values


def patched(made, mask: Tensor | None, **options):
    clip, _, record = made
    return patch(clip.tiny.model, record, redraw_mask=mask, **options)


def animated(made, model) -> Tensor:
    """The decoded frames of a patched model."""
    clip, _, record = made
    return clip.tiny.vae.decode(sample(clip, record, model, CFG))


def pasted(images: Tensor, preview: Tensor, model, feather: int = FEATHER, first_frame: int = 0) -> Tensor:
    return FreeAnimatePastePreview.execute(images, preview, model, feather, first_frame).args[0]


@pytest.mark.parametrize("release", ["blend", "graded"])
@pytest.mark.parametrize("feather", [0, FEATHER])
def test_kept_is_the_preview_and_the_edge_lies_inside_of_what_is_free(made, release, feather):
    model, preview = patched(made, halves(0.0, 1.0), release=release), made[1]
    images = animated(made, model)
    result = pasted(images, preview, model, feather)
    assert torch.equal(result[:, :, :HALF], preview[:, :, :HALF])
    assert torch.equal(result[:, :, HALF + feather :], images[:, :, HALF + feather :])
    edge = slice(HALF, HALF + feather)
    between = (result - preview)[:, :, edge] / (images - preview)[:, :, edge]
    share = between.nanmedian(dim=1).values.median(dim=0).values[:, 0]
    assert torch.allclose(share, torch.arange(1, feather + 1) / (feather + 1), atol=1e-3)


@pytest.mark.parametrize("release", ["blend", "graded"])
def test_all_free_is_what_came_and_nothing_free_is_the_preview(made, release):
    for value, feather in ((1.0, FEATHER), (1.0, 64), (0.0, FEATHER)):
        model = patched(made, halves(value, value), release=release)
        images = animated(made, model)
        assert torch.equal(pasted(images, made[1], model, feather), images if value else made[1])


def test_blend_redraws_what_graded_keeps_for_sure(made):
    for release in ("blend", "graded"):
        model = patched(made, halves(0.0, 0.1), release=release)
        images = animated(made, model)
        result = pasted(images, made[1], model, 0)[:, :, HALF:]
        assert torch.equal(result, (images if release == "blend" else made[1])[:, :, HALF:])


@pytest.mark.parametrize("release", ["blend", "graded"])
def test_the_cells_that_come_back_are_those_that_the_sampler_kept(made, release):
    clip, preview, record = made
    cells = torch.rand((clip.frames, 1, clip.h, clip.w), generator=torch.Generator().manual_seed(3))
    cells = torch.where(cells < 0.3, 0.0, cells)
    model = patched(made, functional.interpolate(cells, scale_factor=CELL)[:, 0], release=release)
    latents = sample(clip, record, model, CFG)
    left = (latents - clip.preview["samples"]).abs().amax(dim=1) > SAME
    result = pasted(clip.tiny.vae.decode(latents), preview, model, 0)
    differs = (result != preview).any(dim=-1).to(torch.float32)
    assert torch.equal(functional.max_pool2d(differs[:, None], CELL)[:, 0] > 0, left)
    assert 0.2 < left.float().mean() < 0.8


def test_each_frame_has_its_own_mask(made):
    redraw = halves(0.0, 0.0, frames=3)
    redraw[1] = 1.0
    model = patched(made, redraw)
    images = animated(made, model)
    assert torch.equal(pasted(images, made[1], model), torch.cat([made[1][:1], images[1:2], made[1][2:]]))


def test_a_part_begins_at_first_frame(made):
    redraw = halves(0.0, 0.0, frames=3)
    redraw[2, :, HALF:] = 1.0
    model = patched(made, redraw)
    images = animated(made, model)
    whole = pasted(images, made[1], model)
    for start in range(3):
        assert torch.equal(pasted(images[start:], made[1], model, first_frame=start), whole[start:])
    assert torch.equal(pasted(images[:2], made[1], model), whole[:2])


def test_a_part_of_animate_long_clip(made):
    clip, preview, record = made
    model = patched(made, halves(0.0, 1.0), release="graded")
    images = render(clip, record, model, first_frame=1, frames=2)[0]
    result = pasted(images, preview, model, first_frame=1)
    assert torch.equal(result[:, :, :HALF], preview[1:, :, :HALF])
    assert torch.equal(result[:, :, HALF + FEATHER :], images[:, :, HALF + FEATHER :])


@pytest.mark.parametrize("size, above, left", [((53, 67), 2, 1), ((55, 64), 3, 0), ((49, 71), 0, 3)])
def test_what_the_vae_leaves_off_at_the_border_is_left_off_here(sd15, size, above, left):
    clip, preview = with_preview(sd15, *size)
    cut = preview[:, above : above + 48, left : left + 64]
    assert torch.equal(clip.preview["samples"], sd15.vae.encode(cut))
    record = clip.invert()[0]
    model = patch(sd15.model, record, redraw_mask=torch.zeros(1, *size), release="graded")
    images = sd15.vae.decode(sample(clip, record, model, CFG))
    assert torch.equal(pasted(images, preview, model), cut)


def test_a_node_behind_patch_model_hands_on_what_was_kept(made):
    model = patched(made, halves(0.0, 1.0))
    images = animated(made, model)
    assert torch.equal(pasted(images, made[1], model.clone()), pasted(images, made[1], model))


IMAGES, PREVIEW = torch.zeros(3, 48, 64, 3), torch.zeros(3, 48, 64, 3)
REFUSED = {
    "another count of previews": (
        {"preview": PREVIEW[:2]},
        "Paste Preview: preview is 2 frames and the inversion has 3; connect the preview that was encoded for it.",
    ),
    "too many frames": (
        {"images": torch.zeros(4, 48, 64, 3)},
        "images is 4 frames from first_frame 0 and the preview has 3; connect the decoded frames",
    ),
    "a part too late": ({"first_frame": 1}, "images is 3 frames from first_frame 1 and the preview has 3; .*set first"),
    "another size": (
        {"images": torch.zeros(3, 96, 128, 3)},
        "Paste Preview: images are 128x96 and preview is 64x48; connect the decoded frames as they come from the VAE",
    ),
    "a cell less": ({"images": torch.zeros(3, 40, 64, 3)}, "images are 64x40 and preview is 64x48; .*resize after"),
    "no picture": ({"images": torch.zeros(3, 48, 64)}, "Paste Preview: images has the shape 3x48x64"),
    "no preview": ({"preview": None}, "Paste Preview: preview is empty and no picture"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_frames_that_do_not_belong_together_are_refused(made, name):
    changes, sentence = REFUSED[name]
    inputs = {"images": IMAGES, "preview": PREVIEW, "model": patched(made, halves(0.0, 1.0))} | changes
    with pytest.raises(FreeAnimateError, match=sentence):
        pasted(**inputs)


def test_a_model_that_is_not_patched_is_refused(made):
    with pytest.raises(
        FreeAnimateError, match="Paste Preview: model is not patched; connect the model output of Patch"
    ):
        pasted(IMAGES, PREVIEW, made[0].tiny.model)


@pytest.mark.parametrize(
    "mask, options, said", [(None, {}, "no redraw_mask"), (0.0, {"keep_span": 0.5}, "keep_span 0.5")]
)
def test_what_kept_nothing_gives_the_images_and_says_so(made, mask, options, said):
    model = patched(made, None if mask is None else halves(mask, 1.0), **options)
    result = FreeAnimatePastePreview.execute(IMAGES, PREVIEW, model, FEATHER)
    assert torch.equal(result.args[0], IMAGES)
    assert "images as they came" in str(result.ui.as_dict()) and said in str(result.ui.as_dict())


def test_the_node_says_how_much_is_pasted(made):
    result = FreeAnimatePastePreview.execute(IMAGES, PREVIEW, patched(made, halves(0.0, 1.0)), FEATHER)
    assert "50% of the cells are the preview's pixels" in str(result.ui.as_dict())
