"""Refine Preview in the real host: limits, what stays untouched, windows, and refusals before the long work."""

from dataclasses import dataclass

import comfy.sample
import hostside
import pytest
import torch
from comfy_extras.nodes_custom_sampler import CFGOverride
from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.runs.refine_pixels import one_noise
from freeanimate_pack.nodes.refine import FreeAnimateRefinePreview

FRAMES, HEIGHT, WIDTH = 3, 48, 64


@dataclass
class Scene:
    """A figure of noise that walks over a smooth ground."""

    tiny: hostside.Tiny

    def __post_init__(self):
        rng = torch.Generator().manual_seed(0)
        hints = hostside.hint(FRAMES, HEIGHT // 8, WIDTH // 8)
        self.positive, self.negative = self.tiny.controlled(self.tiny.positive(), self.tiny.negative(), hints)
        self.background = torch.linspace(0.2, 0.8, WIDTH).expand(1, HEIGHT, WIDTH)[..., None].repeat(1, 1, 1, 3)
        self.person = torch.zeros(FRAMES, HEIGHT, WIDTH)
        for frame in range(FRAMES):
            self.person[frame, 16:40, 8 + 8 * frame : 24 + 8 * frame] = 1.0
        figure = torch.rand(1, HEIGHT, WIDTH, 3, generator=rng)
        self.preview = torch.where(self.person[..., None] > 0, figure, self.background)
        self.reference = self.preview[:1].clone()

    def refine(self, **changes) -> torch.Tensor:
        return self.both(**changes)[0]

    def both(self, **changes) -> tuple[torch.Tensor, torch.Tensor]:
        """The refined frames and their background."""
        inputs = {
            "model": self.tiny.model,
            "vae": self.tiny.vae,
            "positive": self.positive,
            "negative": self.negative,
            "preview": self.preview,
            "person_mask": self.person,
            "hole_mask": torch.zeros_like(self.person),
            "background": self.background,
            "reference": self.reference,
            "denoise": 0.5,
            "steps": 3,
            "cfg": 2.0,
            "seed": 1,
            "reference_weight": 1.0,
            "grow": 4,
            "frames_per_window": 0,
        }
        return FreeAnimateRefinePreview.execute(**inputs | changes).args


@pytest.fixture(scope="module")
def scene(sd15) -> Scene:
    with torch.inference_mode():
        return Scene(sd15)


@pytest.fixture(scope="module")
def refined(scene) -> torch.Tensor:
    with torch.inference_mode():
        return scene.refine()


def test_at_denoise_0_the_preview_comes_out_as_it_came(scene):
    assert scene.refine(denoise=0.0) is scene.preview


def test_only_figure_and_painted_background_change(scene, refined):
    drawn = torch.nn.functional.max_pool2d(torch.maximum(scene.person, scene.person[:1]), 9, 1, 4) > 0
    assert refined.shape == scene.preview.shape and torch.isfinite(refined).all()
    assert torch.equal(refined[~drawn], scene.background.expand_as(refined)[~drawn])
    assert hostside.relative(refined[scene.person > 0], scene.preview[scene.person > 0]) > 0.05


def test_the_redrawn_background_is_still(scene, refined):
    moving = torch.nn.functional.max_pool2d(scene.person, 9, 1, 4) > 0
    both = ~(moving[1] | moving[2])
    assert torch.equal(refined[1, both], refined[2, both])


def test_the_background_put_out_is_the_one_of_all_frames(scene, refined):
    frames, background = scene.both()
    moving = torch.nn.functional.max_pool2d(scene.person, 9, 1, 4) > 0
    assert torch.equal(frames, refined) and background.shape == scene.background.shape
    assert torch.equal(frames[~moving], background.expand_as(frames)[~moving])
    assert torch.equal(scene.both(denoise=0.0)[1], scene.background)


def marked(scene: Scene) -> dict:
    """The inputs that ask for a background of its own."""
    return {"plate_mask": scene.person[:1].clone(), "plate_positive": scene.tiny.positive()}


def test_a_marked_background_is_drawn_once_for_all_frames(scene, refined):
    given = marked(scene)
    plate_mask = given["plate_mask"]
    frames, background = scene.both(**given)
    grown = torch.nn.functional.max_pool2d(plate_mask, 9, 1, 4)
    cells = torch.nn.functional.interpolate(torch.nn.functional.max_pool2d(grown, 8)[None], scale_factor=8)[0] > 0
    moving = torch.nn.functional.max_pool2d(scene.person, 9, 1, 4) > 0
    assert torch.equal(background[~cells], scene.background[~cells])
    assert hostside.relative(background[plate_mask > 0], scene.background[plate_mask > 0]) > 0.01
    assert torch.equal(frames[~moving], background.expand_as(frames)[~moving])
    assert not torch.equal(frames, refined)
    assert torch.equal(scene.both(**given)[0], frames)


def test_the_marked_background_reads_neither_pose_nor_person(scene):
    given = marked(scene)
    background = scene.both(**given)[1]
    posed_words = scene.tiny.controlled(given["plate_positive"], scene.negative, hostside.hint(1, 6, 8))[0]
    assert torch.equal(scene.both(**given | {"plate_positive": posed_words})[1], background)
    assert torch.equal(scene.both(**given, reference_weight=0.0)[1], background)
    assert not torch.equal(scene.both(**given, plate_denoise=0.9)[1], background)
    assert not torch.equal(scene.both(**given | {"plate_positive": scene.tiny.negative()})[1], background)


def test_at_denoise_0_the_marked_background_alone_is_drawn(scene):
    given = marked(scene)
    frames, background = scene.both(**given, denoise=0.0)
    figure = scene.person > 0
    assert torch.equal(background, scene.both(**given)[1])
    assert torch.equal(frames[figure], scene.preview[figure])
    assert hostside.relative(frames[~figure], background.expand_as(frames)[~figure]) < 1e-5


def test_where_nothing_is_marked_the_background_stays(scene):
    empty = {"plate_mask": torch.zeros_like(scene.person[:1])}
    assert torch.equal(scene.both(**empty)[1], scene.background)
    assert torch.equal(scene.both(plate_mask=scene.person[:1], plate_denoise=0.0)[1], scene.background)


def test_windows_do_not_matter_and_settings_do(scene, refined):
    assert hostside.relative(scene.refine(frames_per_window=1), refined) < 1e-4
    assert torch.equal(scene.refine(), refined)
    for change in ({"reference_weight": 0.0}, {"seed": 2}, {"cfg": 1.0}, {"denoise": 0.9}, {"steps": 5}):
        assert hostside.relative(scene.refine(**change), refined) > 1e-3, change


def test_cfg_override_has_the_last_word(scene):
    model = CFGOverride.execute(scene.tiny.model, 1.0, 0.0, 1.0).args[0]
    assert torch.equal(scene.refine(model=model), scene.refine(cfg=1.0))


def test_families(tiny_layout):
    scene = Scene(tiny_layout)
    assert torch.isfinite(scene.refine(steps=2)).all()


def test_nothing_of_a_run_stays_on_the_users_objects(scene, refined):
    assert not scene.tiny.model.model_options["transformer_options"].get("patches")
    control = scene.positive[0][1]["control"]
    assert control.cond_hint is None and control.cond_hint_original.shape[0] == FRAMES


def test_the_noise_is_the_ksamplers():
    latent = torch.zeros(2, 4, 6, 8)
    assert torch.equal(one_noise(latent, 5), comfy.sample.prepare_noise(latent, 5, [0, 0]))


def posed(tiny, count: int) -> list:
    """A negative prompt with so many pose images."""
    return tiny.controlled(tiny.positive(), tiny.negative(), torch.zeros(count, HEIGHT, WIDTH, 3))[1]


@pytest.mark.parametrize(
    ("change", "words"),
    (
        (lambda s: {"person_mask": s.person[:2]}, "person_mask is 2 of 64x48 and 3"),
        (lambda s: {"background": s.preview}, "background is 3"),
        (lambda s: {"plate_mask": s.person}, "plate_mask is 3 of 64x48 and 1"),
        (lambda s: {"plate_mask": s.person[:1]}, "plate_positive is not"),
        (lambda s: {"plate_mask": s.person[:1], "plate_positive": []}, "plate_positive is not"),
        (lambda s: {"plate_denoise": 1.5}, "plate_denoise is 1.5"),
        (lambda s: {"preview": s.preview[:, :44]}, "multiples of 8"),
        (lambda s: {"positive": s.tiny.positive() * 2}, "2 entries"),
        (lambda s: {"negative": posed(s.tiny, 2)}, "negative has 2 pose images"),
        (lambda s: {"preview": s.preview[:2], "person_mask": s.person[:2], "hole_mask": s.person[:2]}, "3 pose images"),
        (lambda s: {"denoise": 1.5}, "denoise is 1.5"),
        (lambda s: {"negative": []}, "negative is empty"),
        (lambda s: {"model": ModelSamplingDiscrete().patch(s.tiny.model, "lcm", False)[0]}, "samples as an LCM"),
    ),
)
def test_refusals_name_the_input(scene, change, words):
    with pytest.raises(FreeAnimateError, match=f"Refine Preview: .*{words}"):
        scene.refine(**change(scene))


def test_other_families_are_refused(flow, scene):
    with pytest.raises(FreeAnimateError, match="Refine Preview: model"):
        scene.refine(model=flow.model)
