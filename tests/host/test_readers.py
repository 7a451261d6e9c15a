"""Pictures, masks and latents of all forms at the real nodes: twins give one result, what means nothing is refused."""

import math

import hostside
import nodes as host_nodes
import pytest
import runs
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.detect_pose import FreeAnimateDetectPose
from freeanimate_pack.nodes.inspect_attention import FreeAnimateInspectAttention
from freeanimate_pack.nodes.inversion import FreeAnimateInversion
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview
from freeanimate_pack.nodes.refine import FreeAnimateRefinePreview

FRAMES, SIDE = 3, 64
PICTURES = ("preview", "background", "reference")
MASKS = ("person_mask", "hole_mask")


def spoiled(values: torch.Tensor, bad: float = math.nan) -> torch.Tensor:
    values = values.clone()
    values[-1].flatten()[-1] = bad
    return values


def rgba(images: torch.Tensor) -> torch.Tensor:
    """The same picture as RGBA, half of it by alpha."""
    return torch.cat([images, torch.ones_like(images[..., :1])], -1)


class World:
    """A clip, its record, and a scene for Refine Preview."""

    def __init__(self, tiny: hostside.Tiny):
        self.clip = runs.Clip(tiny, FRAMES, SIDE // 8, SIDE // 8, steps=2)
        self.record = self.clip.invert()[0]
        rng = torch.Generator().manual_seed(3)
        ground = torch.randint(40, 200, (1, SIDE, SIDE, 3), generator=rng) / 255
        person = torch.zeros(FRAMES, SIDE, SIDE)
        person[:, 16:48, 16:40] = 1
        figure = torch.randint(0, 256, (1, SIDE, SIDE, 3), generator=rng) / 255
        preview = torch.where(person[..., None] > 0, figure, ground)
        self.scene = {
            "preview": preview,
            "person_mask": person,
            "hole_mask": torch.zeros_like(person),
            "background": ground,
            "reference": preview[:1].clone(),
        }

    def refine(self, **changes) -> torch.Tensor:
        clip, given = self.clip, self.scene | changes
        settings = {"denoise": 0.5, "steps": 2, "cfg": 2.0, "seed": 1, "reference_weight": 1.0, "grow": 2}
        settings |= {name: given.pop(name) for name in list(given) if name not in self.scene}
        return FreeAnimateRefinePreview.execute(
            clip.tiny.model, clip.tiny.vae, clip.positive, clip.negative, **given, **settings, frames_per_window=0
        ).args[0]

    def inspect(self, preview: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
        model = self.clip.tiny.model
        args = (model, self.record, preview, reference, 1, 0.5, "up medium", 0, 0.5, 0.3)
        return FreeAnimateInspectAttention.execute(*args).args[0]


@pytest.fixture(scope="module")
def world(sd15) -> World:
    with torch.inference_mode():
        return World(sd15)


@pytest.fixture(scope="module")
def refined(world) -> torch.Tensor:
    with torch.inference_mode():
        return world.refine()


@pytest.mark.parametrize("bad", (math.nan, math.inf))
@pytest.mark.parametrize("name", PICTURES + MASKS)
def test_refine_refuses_what_is_no_number(world, name, bad):
    with pytest.raises(FreeAnimateError, match=f"^Refine Preview: {name} holds NaN or infinite values"):
        world.refine(**{name: spoiled(world.scene[name], bad)})


def test_refine_refuses_it_at_denoise_0_too(world):
    with pytest.raises(FreeAnimateError, match="^Refine Preview: preview holds NaN"):
        world.refine(denoise=0.0, preview=spoiled(world.scene["preview"]))


@pytest.mark.parametrize("name", PICTURES)
def test_refine_reads_a_picture_of_any_form(world, refined, name):
    given = world.scene[name]
    for form in (rgba(given), (255 * given).round().to(torch.uint8), given.double()):
        assert hostside.relative(world.refine(**{name: form}), refined) < 1e-4


@pytest.mark.parametrize("name", MASKS)
def test_refine_reads_a_mask_of_any_form(world, refined, name):
    given = world.scene[name]
    for form in (given[:, None], given[..., None], given > 0.5, given.half(), (255 * given).to(torch.uint8)):
        assert torch.equal(world.refine(**{name: form}), refined)
    with pytest.raises(FreeAnimateError, match=f"{name} has the shape 3x64x64x3, but masks"):
        world.refine(**{name: given[..., None].repeat(1, 1, 1, 3)})


def test_refine_reads_grey_as_grey(world):
    grey = world.scene["reference"][..., :1]
    assert torch.equal(world.refine(reference=grey), world.refine(reference=grey.repeat(1, 1, 1, 3)))


def test_refine_takes_the_smallest_denoise(world):
    assert torch.isfinite(world.refine(denoise=5e-324)).all()


def test_refine_and_the_sampler_refuse_a_text_that_is_no_number(world):
    clip = world.clip
    bad = [[clip.negative[0][0] * math.nan, clip.negative[0][1]]]
    patched = runs.patch(clip.tiny.model, world.record)
    with pytest.raises(FreeAnimateError, match="^Animate Sampler: negative holds a text with NaN"):
        runs.FreeAnimateSampler.execute(patched, world.record, clip.positive, bad, 2.0)
    good, clip.negative = clip.negative, bad
    try:
        with pytest.raises(FreeAnimateError, match="^Refine Preview: .*negative holds a text with NaN"):
            world.refine()
    finally:
        clip.negative = good


def test_patch_model_reads_a_mask_of_any_form_and_refuses_none(world):
    clip, record = world.clip, world.record
    mask = torch.zeros(1, SIDE, SIDE)
    mask[:, :32] = 1
    wanted = runs.sample(clip, record, runs.patch(clip.tiny.model, record, redraw_mask=mask), 2.0)
    for form in (mask[0], mask[:, None], mask[..., None], mask > 0.5, (255 * mask).to(torch.uint8), mask.double()):
        patched = runs.patch(clip.tiny.model, record, redraw_mask=form)
        assert torch.equal(runs.sample(clip, record, patched, 2.0), wanted)
    for bad, words in ((spoiled(mask), "holds NaN"), (255 * mask, "from 0 to 255"), (mask[..., None, None], "shape")):
        with pytest.raises(FreeAnimateError, match=f"redraw_mask .*{words}"):
            runs.patch(clip.tiny.model, record, redraw_mask=bad)


def test_inspect_reads_pictures_and_draws_a_reference_of_another_size(world):
    preview, reference = world.scene["preview"], world.scene["reference"]
    shown = world.inspect(preview, reference)
    assert torch.equal(world.inspect(rgba(preview), reference.double()), shown)
    larger = torch.nn.functional.interpolate(reference.movedim(-1, 1), (100, 100)).movedim(1, -1)
    for other in (reference[:, :-1, :-1], larger):
        drawn = world.inspect(preview, other)
        assert drawn.shape == shown.shape and torch.equal(
            drawn[:, :, : drawn.shape[2] // 2 - 4], shown[:, :, : drawn.shape[2] // 2 - 4]
        )
    for name, args in {"preview": (spoiled(preview), reference), "reference": (preview, spoiled(reference))}.items():
        with pytest.raises(FreeAnimateError, match=f"^Inspect Attention: {name} holds NaN"):
            world.inspect(*args)


LATENTS = {
    "no dict": (lambda x: x, "holds no latents"),
    "no samples": (lambda x: {}, "holds no latents"),
    "a video's": (lambda x: {"samples": x[:, :, None]}, "has shape"),
    "without frames": (lambda x: {"samples": x[0]}, "has shape"),
    "nan": (lambda x: {"samples": spoiled(x)}, "holds NaN"),
}


@pytest.mark.parametrize("name", LATENTS)
@pytest.mark.parametrize("label", ("preview_latent", "reference_latent"))
def test_the_inversion_refuses_what_is_no_latent(world, name, label):
    form, words = LATENTS[name]
    clip = world.clip
    given = {"preview_latent": clip.preview, "reference_latent": clip.reference}
    given[label] = form(given[label]["samples"])
    with pytest.raises(FreeAnimateError, match=rf"^DDIM Inversion \(Attention Capture\): {label} {words}"):
        FreeAnimateInversion.execute(clip.tiny.model, clip.positive, *given.values(), 2, 1.0, "recompute", 0, 0)


@pytest.mark.parametrize("form", (lambda x: x[0], lambda x: x[:, :, None]))
def test_a_latent_of_another_rank_is_refused_at_the_hosts_sampler(world, form):
    clip, record = world.clip, world.record
    patched = runs.patch(clip.tiny.model, record)
    latent = {"samples": form(clip.invert()[1]["samples"])}
    with pytest.raises(FreeAnimateError, match=r"^Patch Model .*: the latent is of shape [0-9x]+ and the inversion 3"):
        host_nodes.KSamplerAdvanced().sample(
            *(patched, "disable", 0, 2, 2.0, "euler", "ddim_uniform", clip.positive, clip.negative, latent),
            *(0, 10000, "disable"),
        )


@pytest.mark.parametrize("channels", (1, 2, 4))
def test_pose_images_of_other_channels_are_refused_before_the_work(world, channels):
    tiny, hint = world.clip.tiny, torch.zeros(FRAMES, SIDE, SIDE, channels)
    positive, _ = tiny.controlled(tiny.positive(), tiny.negative(), hint)
    with pytest.raises(FreeAnimateError, match=f"positive has pose images of the shape 3x64x64x{channels}"):
        FreeAnimateInversion.execute(
            tiny.model, positive, world.clip.preview, world.clip.reference, 2, 1.0, "recompute", 0, 0
        )


@pytest.fixture(scope="module")
def drawn() -> tuple:
    """Reference, its pose, a motion's poses, and the person's mask."""
    with torch.inference_mode():
        reference, standing, moving, *_, mask, _, _ = FreeAnimateDemoCharacter.execute(3, "wave", 2, 96, 96).args
        return reference, standing, moving, mask


def test_align_pose_reads_its_reference_before_it_aligns(drawn):
    reference, standing, moving, _ = drawn
    wanted = FreeAnimateAlignPose.execute(moving, standing, "affine", reference).args[2]
    assert torch.equal(FreeAnimateAlignPose.execute(moving, standing, "affine", rgba(reference)).args[2], wanted)
    grey = FreeAnimateAlignPose.execute(moving, standing, "affine", reference[..., :1]).args[2]
    assert grey.shape == wanted.shape
    for bad, words in (
        (spoiled(reference), "NaN"),
        (reference.repeat(2, 1, 1, 1), "holds 2 images, but exactly one"),
        (reference[0], "has the shape 96x96x3"),
    ):
        with pytest.raises(FreeAnimateError, match=f"^Align Pose: reference .*{words}"):
            FreeAnimateAlignPose.execute(moving, standing, "affine", bad)


def test_preview_generation_reads_pictures_and_masks_of_any_form(drawn):
    reference, standing, moving, mask = drawn
    wanted = FreeAnimatePreview.execute(reference, standing, moving, mask).args[0]
    for picture, cut in ((rgba(reference), mask[0]), (reference.double(), mask[:, None]), (reference, mask[..., None])):
        assert torch.equal(FreeAnimatePreview.execute(picture, standing, moving, cut).args[0], wanted)
    grey = reference.mean(-1, keepdim=True)
    pair = [
        FreeAnimatePreview.execute(form, standing, moving, mask).args[0] for form in (grey, grey.repeat(1, 1, 1, 3))
    ]
    assert torch.equal(*pair)


def test_detect_pose_reads_its_pictures_before_it_looks_for_weights():
    with pytest.raises(FreeAnimateError, match="^Detect Pose: images holds NaN or infinite"):
        FreeAnimateDetectPose.execute(torch.full((2, 64, 64, 3), math.nan), False, False, 64)
