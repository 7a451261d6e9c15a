"""What each help page shows: rows of pictures by label, from one run of the real nodes on a rendered person.

Needs the host.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import folder_paths
import nodes as host_nodes
import torch
from einops import repeat
from torch import Tensor

from freeanimate_pack.demo.model import SIDE
from freeanimate_pack.freeanimate_core.pose import draw_poses, parse_poses, write_poses
from freeanimate_pack.freeanimate_core.presets import PRESETS
from freeanimate_pack.nodes.compare import FreeAnimateCompare
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.demo_model import FreeAnimateDemoModel
from freeanimate_pack.nodes.inspect_attention import FreeAnimateInspectAttention
from freeanimate_pack.nodes.inversion import FreeAnimateInversion
from freeanimate_pack.nodes.long_clip import FreeAnimateLongClip
from freeanimate_pack.nodes.paste import FreeAnimatePastePreview
from freeanimate_pack.nodes.patch import FreeAnimatePatchModel
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.pose_files import FreeAnimateLoadPose, FreeAnimateSavePose
from freeanimate_pack.nodes.preview import FreeAnimatePreview
from freeanimate_pack.nodes.refine import FreeAnimateRefinePreview
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

SEED, MOTION, FRAMES, STEPS, STYLE = 10_012, "wave", 16, 12, "people"
DRIVER = 10_005  # the character whose motion Align Pose fits: other proportions, a smaller figure
PRESET = "people"
SAMPLER = PRESETS[PRESET].sampler
CFG = SAMPLER.cfg, SAMPLER.start, SAMPLER.end
UPPER, MIDDLE = slice(20, 140), slice(68, 188)  # pixels: head and hands, in which it shows what a VAE costs


@dataclass(frozen=True)
class Prepared:
    """The character and what the stages before the model made of it, as the nodes hand it out."""

    reference: Tensor
    truth: Tensor
    mask: Tensor
    masks: Tensor
    driving: list
    standing: list
    caption: str
    poses: Tensor
    preview: tuple


@dataclass(frozen=True)
class Loaded:
    """The demo's models, the conditionings with the poses applied, and the inversion's outputs."""

    model: object
    vae: object
    positive: list
    negative: list
    inversion: tuple


def prepare(seed: int = SEED, motion: str = MOTION) -> Prepared:
    """The character in its motion, its poses and its preview."""
    drawn = FreeAnimateDemoCharacter.execute(seed, motion, FRAMES, SIDE, SIDE, STYLE).args
    reference, standing, driving, _, truth, mask, masks, caption = drawn
    aligned, poses = FreeAnimateAlignPose.execute(driving, standing, "affine", reference).args[:2]
    preview = FreeAnimatePreview.execute(reference, standing, aligned, mask, preset=PRESET).args
    return Prepared(reference, truth, mask, masks, driving, standing, caption, poses, preview)


def load(prepared: Prepared) -> Loaded:
    """Encode the preview and run the inversion."""
    model, clip_model, vae, control_net = FreeAnimateDemoModel.execute().args
    words = [
        clip_model.encode_from_tokens_scheduled(clip_model.tokenize(text), show_pbar=False)
        for text in (prepared.caption, "")
    ]
    positive, negative = host_nodes.ControlNetApplyAdvanced().apply_controlnet(
        *words, control_net, prepared.poses, 1.0, 0.0, 1.0
    )
    latents = [{"samples": vae.encode(images)} for images in (prepared.preview[0], prepared.reference)]
    inversion = FreeAnimateInversion.execute(model, positive, *latents, STEPS, 1.0, "recompute", 0, 1).args
    return Loaded(model, vae, positive, negative, inversion)


def before_the_model(prepared: Prepared) -> dict[str, dict[str, Tensor]]:
    """The pages of the demo, the poses and the preview."""
    preview, figure, holes = prepared.preview[:3]
    saved = draw_poses(parse_poses(reloaded(prepared.driving), "pose"))
    return {
        "DemoCharacter": characters(),
        "DetectPose": {"frames": preview, "poses": prepared.poses},
        "LoadPose": {"the poses of a file, drawn": saved},
        "SavePose": {"saved poses, drawn": saved},
        "AlignPose": aligned(prepared),
        "Preview": {"reference, and its mask": torch.cat([prepared.reference, white(prepared.mask)])}
        | {"preview": preview, "person_mask": figure, "hole_mask": holes},
    }


def reloaded(poses: list) -> list:
    """Poses saved by Save Pose and read by Load Pose, in a folder that is then gone."""
    with tempfile.TemporaryDirectory() as folder:
        folder_paths.set_output_directory(folder)
        FreeAnimateSavePose.execute(poses, "motion")
        return FreeAnimateLoadPose.execute(f"{next(Path(folder).iterdir()).name} [output]").args[0]


def white(mask: Tensor) -> Tensor:
    """MASK [F,H,W] as IMAGE [F,H,W,3]."""
    return repeat(mask, "f h w -> f h w rgb", rgb=3)


def characters() -> dict[str, Tensor]:
    """Four people, and the motions."""
    telling = {"wave": 4, "walk": 2, "squat": 4, "turn to 60": 4}  # a frame of 9 that shows what the motion is
    drawn = [
        FreeAnimateDemoCharacter.execute(SEED + i, name, 9, SIDE, SIDE, STYLE).args for i, name in enumerate(telling)
    ]
    shown = list(zip(drawn, telling.values()))
    return {
        f"reference, seeds {SEED} to {SEED + 3}": torch.cat([d[0] for d in drawn]),
        f"true_frames: {', '.join(telling)}": torch.cat([d[4][i : i + 1] for d, i in shown]),
        "pose_image": torch.cat([d[3][i : i + 1] for d, i in shown]),
    }


def aligned(prepared: Prepared) -> dict[str, Tensor]:
    """Another character's motion, small and at the picture's edge, before and after the fit."""
    driving = FreeAnimateDemoCharacter.execute(DRIVER, MOTION, FRAMES, SIDE, SIDE, STYLE).args[2]
    small = parse_poses(driving, "driving_pose").moved((0.6, 0.6), (0.0, 0.1 * SIDE), SIDE, SIDE)
    before = FreeAnimateAlignPose.execute(write_poses(small), prepared.standing, "none").args[1]
    after = FreeAnimateAlignPose.execute(write_poses(small), prepared.standing, "bone length", prepared.reference).args[
        2
    ]
    return {"driving_pose": before, "overlay: fitted to the reference": after}


def with_the_model(prepared: Prepared, loaded: Loaded) -> dict[str, dict[str, Tensor]]:
    """The pages of the inversion, the patched model and the samplers."""
    preview, redraw = prepared.preview[0], prepared.preview[6]
    record, noise = loaded.inversion[:2]
    plain = sampled_by_the_host(loaded)
    anew = decoded(loaded, sampled(loaded, patched(loaded, None)))
    images, result = animated(prepared, loaded)
    rows = {"preview": preview, "decoded": images, "frames: the preview pasted back where it was kept": result}
    return {
        "Inversion": {"preview": preview, "noise, decoded": decoded(loaded, noise)},
        "PatchModel": {
            "not patched": plain,
            "RA-SA + IBA": anew,
            "with redraw_mask, graded, and Paste Preview": result,
        },
        "Sampler": {"pose images": prepared.poses, "preview": preview, "result": result},
        "LongClip": {"rendered in parts of 8 frames": long_clip(loaded, patched(loaded, redraw), record)},
        "PastePreview": {label: pictures[:, UPPER, MIDDLE] for label, pictures in rows.items()},
        "RefinePreview": {"preview": preview, "refined at denoise 0.6": refined(prepared, loaded)},
        "Compare": compared(prepared, {"not patched": plain, "patched": result}),
        "InspectAttention": {
            "heat_map: where the hand looks, in the frame and in the reference": inspected(prepared, loaded)
        },
        "DemoModel": {"drawn by the demo model from noise": drawn_from_noise(loaded)},
    }


def patched(loaded: Loaded, redraw: Tensor | None) -> object:
    """The patched model by the people preset; without a mask all is redrawn."""
    kept = {} if redraw is None else {"redraw_mask": redraw, "preset": PRESET}
    return patch(loaded, 1.0, 1.0, 0.8, **kept)


def patch(loaded: Loaded, reference_weight: float, self_span: float, cross_span: float, **kept: object) -> object:
    """The output of Patch Model."""
    weights = reference_weight, self_span, cross_span
    return FreeAnimatePatchModel.execute(loaded.model, loaded.inversion[0], *weights, "cond", 0, **kept).args[0]


def animated(prepared: Prepared, loaded: Loaded) -> tuple[Tensor, Tensor]:
    """The frames of the people preset as they are decoded, and after Paste Preview."""
    preview, model = prepared.preview[0], patched(loaded, prepared.preview[6])
    images = decoded(loaded, sampled(loaded, model))
    return images, FreeAnimatePastePreview.execute(images, preview, model, 4).args[0]


def sampled(loaded: Loaded, model: object) -> dict:
    """The Animate Sampler's LATENT with a patched model."""
    return FreeAnimateSampler.execute(model, loaded.inversion[0], loaded.positive, loaded.negative, *CFG).args[0]


def decoded(loaded: Loaded, latent: dict) -> Tensor:
    """IMAGE of a LATENT."""
    return loaded.vae.decode(latent["samples"])


def sampled_by_the_host(loaded: Loaded) -> Tensor:
    """The model as it came, from the inverted frames: what the patch is for."""
    latent = host_nodes.KSamplerAdvanced().sample(
        loaded.model, "disable", 0, STEPS, CFG[0], "euler", "ddim_uniform", loaded.positive, loaded.negative,
        loaded.inversion[1], 0, 10000, "disable",
    )[0]  # fmt: skip
    return decoded(loaded, latent)


def drawn_from_noise(loaded: Loaded) -> Tensor:
    """Single pictures of the model, from noise, in the poses of the motion."""
    latent = {"samples": loaded.inversion[1]["samples"] * 0}
    latent = host_nodes.KSampler().sample(
        loaded.model, 1, STEPS, 5.0, "euler", "ddim_uniform", loaded.positive, loaded.negative, latent
    )[0]
    return decoded(loaded, latent)


def icon() -> Tensor:
    """The person waving, with its skeleton: 400x400 pixels."""
    size, frame = 400, 7
    drawn = FreeAnimateDemoCharacter.execute(SEED, MOTION, FRAMES, size, size, STYLE).args
    return draw_poses(parse_poses(drawn[2], "driving_pose"), drawn[4][frame])[frame : frame + 1]


def long_clip(loaded: Loaded, model: object, record: object) -> Tensor:
    """The images of Animate Long Clip."""
    run = FreeAnimateLongClip.execute
    return run(model, record, loaded.positive, loaded.negative, loaded.vae, *CFG, frames_per_part=8).args[0]


def compared(prepared: Prepared, videos: dict[str, Tensor]) -> dict[str, Tensor]:
    """Compare Videos with the true frames."""
    (label_a, video_a), (label_b, video_b) = videos.items()
    made = FreeAnimateCompare.execute(
        video_a, video_b, truth=prepared.truth, person_mask=prepared.masks, label_a=label_a, label_b=label_b
    )
    return {"side_by_side, one frame of it": made.args[0], "plot": made.args[2]}


def inspected(prepared: Prepared, loaded: Loaded) -> Tensor:
    """The heat map of a hand in a frame of the dance."""
    run = FreeAnimateInspectAttention.execute
    place = FRAMES // 2, 0.5, "up fine", 0, 0.16, 0.34
    return run(loaded.model, loaded.inversion[0], prepared.preview[0], prepared.reference, *place).args[0]


def refined(prepared: Prepared, loaded: Loaded) -> Tensor:
    """The preview after Refine Preview."""
    preview, figure, holes, background = prepared.preview[:4]
    conds = loaded.positive, loaded.negative
    scene = preview, figure, holes, background, prepared.reference
    return FreeAnimateRefinePreview.execute(loaded.model, loaded.vae, *conds, *scene, 0.6, 12, 3.0, 0, 1.0, 8, 0).args[
        0
    ]
