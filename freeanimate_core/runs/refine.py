"""The Refine Preview node's side of the host: img2img of the preview that reads the reference (RA-SA).

A run is that of a record whose latents are noised instead of inverted: the same patched model and
the same windows serve it.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import PatchConfig, RefineConfig
from ..errors import REFINE, FreeAnimateError, counted
from ..host import clones, models, sampling, screen
from ..host.patches import refuse_conflicts
from ..host.progress import Bar
from ..method.conditioning import check_hints, check_text, refuse_regions, single_entry, without_control
from ..method.record import Inversion
from ..method.schedule import inversion_levels
from ..pictures import read_masks, read_pictures
from .checks import fingerprint_of
from .patch import patch_model
from .refine_pixels import Regions, assembled, one_noise
from .refine_plate import in_cells, over_new_plate, redrawn_plate

MOST_LEVELS = 100_000  # more than any model has: a tiny denoise takes its lowest ones
PICTURES, MASKS = ("preview", "background", "reference"), ("person_mask", "hole_mask", "plate_mask")


@dataclass(frozen=True)
class Scene:
    """What Preview Generation put out, and the reference: pictures [F or 1,H,W,3], masks [F,H,W], all 0-1.

    ``plate_mask`` [1,H,W]: what of the background is to be drawn once for all frames; None: nothing apart.
    """

    preview: Tensor
    person_mask: Tensor
    hole_mask: Tensor
    background: Tensor
    reference: Tensor
    plate_mask: Tensor | None = None

    def read(self) -> "Scene":
        """All of it float32 on the CPU, or FreeAnimateError for what are no pictures or masks."""
        pictures = {name: read_pictures(getattr(self, name), f"{REFINE}: {name}") for name in PICTURES}
        given = [name for name in MASKS if getattr(self, name) is not None or name != "plate_mask"]
        return Scene(**pictures, **{name: read_masks(getattr(self, name), f"{REFINE}: {name}") for name in given})

    def check(self, cell: int) -> None:
        """FreeAnimateError unless all that was read fits together; ``cell``: pixels of a latent cell."""
        frames, height, width = self.preview.shape[:3]
        if height % cell or width % cell:
            raise FreeAnimateError(
                f"{REFINE}: preview is {counted(frames, 'frame')} of {width}x{height} and at least one with sides "
                f"that are multiples of {cell} is needed; resize the reference before Preview Generation."
            )
        counts = {"person_mask": frames, "hole_mask": frames, "background": 1, "reference": 1}
        if self.plate_mask is not None:
            counts["plate_mask"] = 1
        for name, count in counts.items():
            shape = tuple(getattr(self, name).shape[:3])
            if shape != (count, height, width):
                raise FreeAnimateError(
                    f"{REFINE}: {name} is {shape[0]} of {shape[2]}x{shape[1]} and {count} of {width}x{height} fits the "
                    "preview; connect the outputs of one Preview Generation node and the reference given to it."
                )

    def over(self, plate: Tensor) -> "Scene":
        """The same with ``plate`` [1,H,W,3] for a background."""
        figure = torch.maximum(self.person_mask, self.hole_mask)
        preview = over_new_plate(self.preview, figure, self.background, plate)
        return replace(self, preview=preview, background=plate)


@dataclass(frozen=True)
class Refined:
    """Frames [F,H,W,3] and the one background [1,H,W,3] that they stand on, float32 0-1."""

    frames: Tensor
    background: Tensor


def run_refine(
    model, vae, positive: list, negative: list, scene: Scene, config: RefineConfig, plate_positive: list | None = None
) -> Refined:
    """The refined preview; at denoise 0 its figure as it came, and all of it unless a background is to be drawn.

    ``plate_positive``: the words for that background. Raises FreeAnimateError, before anything long, for input that
    does not fit together.
    """
    if config.denoise == 0 and (scene.plate_mask is None or config.plate_denoise == 0):
        return Refined(*(read_pictures(getattr(scene, name), f"{REFINE}: {name}") for name in PICTURES[:2]))
    scene, cell = scene.read(), models.cell_size(vae)
    _check(model, positive, negative, scene, cell)
    regions = Regions.of(scene.person_mask, scene.hole_mask, scene.reference, scene.background, config.grow)
    plate_levels, bar = _planned(model, scene, config)
    if scene.plate_mask is not None:  # what was painted is drawn before the figure, and only there
        regions = replace(regions, painted=torch.zeros_like(regions.painted))
    if plate_levels is not None:
        _check_words(plate_positive)
        area = in_cells(scene.plate_mask, cell, config.grow)
        plate = redrawn_plate(model, vae, (plate_positive, negative), scene.background, area, config, plate_levels, bar)
        scene = scene.over(plate)
    if config.denoise == 0:
        return Refined(scene.preview, scene.background)
    latents = _sampled(model, vae, positive, negative, scene, regions.drawn, config, bar)
    frames, ground = assembled(models.decode(vae, latents), regions, scene.background[0], config.grow)
    return Refined(frames, ground[None])


def _check(model, positive: list, negative: list, scene: Scene, cell: int) -> None:
    """FreeAnimateError for a model, texts or a scene already read that do not fit together."""
    models.require_unet(model, REFINE)
    refuse_conflicts(model.model_options, REFINE)
    check_hints([single_entry(positive, REFINE, "positive")], len(scene.preview), REFINE, "positive", "preview")
    others = sampling.entries_of(negative)
    if not others:
        raise FreeAnimateError(f"{REFINE}: negative is empty; connect a CLIP Text Encode (Prompt).")
    refuse_regions(others, REFINE, "negative")
    for label, entries in (("positive", sampling.entries_of(positive)), ("negative", others)):
        check_text(entries, REFINE, label)
    check_hints(others, len(scene.preview), REFINE, "negative", "preview")
    scene.check(cell)


def _check_words(plate_positive: list | None) -> None:
    """The figure's words would draw it into the background: drawn characters lose 8 to 22 dB there by them."""
    if not plate_positive:
        raise FreeAnimateError(
            f"{REFINE}: plate_mask is connected and plate_positive is not, so that positive would draw its person into "
            "the background; connect a CLIP Text Encode (Prompt) that tells of the empty scene, or disconnect "
            "plate_mask."
        )
    check_text(sampling.entries_of(plate_positive), REFINE, "plate_positive")


def _planned(model, scene: Scene, config: RefineConfig) -> tuple[Tensor | None, Bar]:
    """The levels [S+1] of the background, None where nothing of it is drawn apart, and the bar of all work."""
    total = 0
    if config.denoise > 0:
        total = len(scene.preview) * (len(_levels_to_come(model, config.steps, config.denoise)[0]) - 1)
    if scene.plate_mask is None or config.plate_denoise == 0 or not (scene.plate_mask > 0.5).any():
        return None, screen.frames_bar(model, total)
    levels, _ = _levels_to_come(model, config.steps, config.plate_denoise)
    return levels, screen.frames_bar(model, total + len(levels) - 1)


def _sampled(
    model, vae, positive: list, negative: list, scene: Scene, mask: Tensor, config: RefineConfig, bar: Bar
) -> Tensor:
    """LATENT samples [F,C,h,w] of the refined frames; outside ``mask`` [F,H,W] those of the preview."""
    clean, reference = (vae.encode(part).to("cpu", torch.float32) for part in (scene.preview, scene.reference))
    noise = one_noise(clean, config.seed)
    record = _noised_record(model, positive, clean, reference, noise, config)
    patch = PatchConfig(config.reference_weight, 0.0, 0.0, window=config.window)
    guider = sampling.cfg_guider(
        patch_model(model, record, patch), lambda sigma: config.cfg, positive=positive, negative=negative
    )
    sigmas = record.descending.clone()
    return sampling.sample(guider, clean, sampling.euler(), sigmas, bar, noise=noise, mask=mask)


def _levels_to_come(model, steps: int, denoise: float) -> tuple[Tensor, float]:
    """The last ``steps`` levels [steps+1] of a schedule of which they are the share ``denoise``, and its smallest."""
    schedule, sigma_min = models.ddim_uniform(model, int(min(steps / denoise, MOST_LEVELS)))
    return schedule[-(steps + 1) :], sigma_min


def _noised_record(
    model, positive: list, clean: Tensor, reference: Tensor, noise: Tensor, config: RefineConfig
) -> Inversion:
    """A record with the reference's and the preview's latents [F,C,h,w], under one noise, at the levels to come."""
    descending, sigma_min = _levels_to_come(model, config.steps, config.denoise)
    levels = inversion_levels(descending, sigma_min)
    scale = levels[:, None, None, None, None]
    return Inversion(
        levels,
        models.to_model_space(model, clean) + scale * noise,
        models.to_model_space(model, reference) + scale * noise[:1],
        descending=descending,
        steps=config.steps,
        positive=positive,
        reference_positive=without_control(positive),
        reference_weight=config.reference_weight,
        fingerprint=fingerprint_of(model, positive),
        options=clones.with_attention_patches(model).model_options,
    )
