"""What is run on either device: the pack's real nodes on the demo model, as template 01 and the help pages join them.

A scene gives tensors by name. Pictures are where the host's own nodes put them, the preview's where its node does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from unittest.mock import patch

import comfy.memory_management
import comfy.model_management as management
import comfy.samplers
import comfy_aimdo.model_vbar
import nodes as host_nodes
import torch
from comfy_extras.nodes_custom_sampler import SamplerCustom
from torch import Tensor

from freeanimate_pack.freeanimate_core.pose import parse_poses
from freeanimate_pack.freeanimate_core.preview.background import background_plate
from freeanimate_pack.freeanimate_core.preview.parts import take_apart
from freeanimate_pack.freeanimate_core.preview.skirt import SKIRT
from freeanimate_pack.nodes.compare import FreeAnimateCompare
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.demo_model import FreeAnimateDemoModel
from freeanimate_pack.nodes.inspect_attention import FreeAnimateInspectAttention
from freeanimate_pack.nodes.inversion import FreeAnimateInversion
from freeanimate_pack.nodes.long_clip import FreeAnimateLongClip
from freeanimate_pack.nodes.patch import FreeAnimatePatchModel
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.pose_files import FreeAnimateLoadPose, FreeAnimateSavePose
from freeanimate_pack.nodes.preview import FreeAnimatePreview
from freeanimate_pack.nodes.refine import FreeAnimateRefinePreview
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

SIZE, FRAMES, STEPS, CFG = 128, 3, 3, 3.0
SEED, MOTION = 14, "dance"
SKIRTS = (3, 5, 6, 7)  # characters who wear one

Scene = Callable[["Demo"], dict[str, Tensor]]
SCENES: dict[str, Scene] = {}


def scene(run: Scene) -> Scene:
    """Run under the function's name, in this order."""
    SCENES[run.__name__] = run
    return run


def placed(picture: Tensor) -> Tensor:
    """Where the host's nodes hand pictures on."""
    return picture.to(management.intermediate_device())


class Demo:
    """One character and the demo model; what a scene needs is made when it is first asked for."""

    @cached_property
    def models(self) -> tuple:
        """MODEL, CLIP, VAE, CONTROL_NET."""
        return FreeAnimateDemoModel.execute().args

    @cached_property
    def character(self) -> dict:
        """The outputs of Demo Character by name."""
        made = FreeAnimateDemoCharacter.execute(SEED, MOTION, FRAMES, SIZE, SIZE).args
        names = ("reference", "standing", "driving", "drawing", "truth", "mask", "masks", "caption")
        return {k: placed(v) if isinstance(v, Tensor) else v for k, v in zip(names, made)}

    @cached_property
    def aligned(self) -> tuple:
        """The outputs of Align Pose."""
        given = self.character
        return FreeAnimateAlignPose.execute(given["driving"], given["standing"], "affine", given["reference"]).args

    @cached_property
    def preview(self) -> tuple:
        """The outputs of Preview Generation."""
        given = self.character
        return FreeAnimatePreview.execute(given["reference"], given["standing"], self.aligned[0], given["mask"]).args

    @cached_property
    def prompts(self) -> tuple[list, list]:
        """Positive and negative, with the ControlNet."""
        _, clip, _, control_net = self.models
        positive, negative = (
            host_nodes.CLIPTextEncode().encode(clip, words)[0] for words in (self.character["caption"], "")
        )
        apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
        return apply(positive, negative, control_net, placed(self.aligned[1]), 1.0, 0.0, 1.0)

    @cached_property
    def latents(self) -> tuple[dict, dict]:
        """LATENTs of preview and reference."""
        pictures = self.preview[0], self.character["reference"]
        return tuple(host_nodes.VAEEncode().encode(self.models[2], picture)[0] for picture in pictures)

    @cached_property
    def inverted(self) -> tuple:
        """The outputs of DDIM Inversion with the tier that ``auto`` takes."""
        return self.invert("auto")

    @cached_property
    def animated(self) -> dict:
        """The LATENT of the Animate Sampler."""
        return self.sample(self.inverted[0], self.patched(self.inverted[0]))

    def invert(self, storage: str, steps: int = STEPS, check: int = 1, correction: int = 0) -> tuple:
        """The outputs of DDIM Inversion."""
        given = self.models[0], self.prompts[0], *self.latents
        return FreeAnimateInversion.execute(*given, steps, 1.0, storage, 0, check, correction=correction).args

    def patched(self, record, weight: float = 1.0, halves: str = "cond", window: int = 0, **kept):
        """The MODEL of Patch Model, which replays in every step."""
        return FreeAnimatePatchModel.execute(self.models[0], record, weight, 1.0, 1.0, halves, window, **kept).args[0]

    def sample(self, record, model) -> dict:
        """The LATENT of the Animate Sampler, guided in every step."""
        return FreeAnimateSampler.execute(model, record, *self.prompts, CFG, 0.0, 1.0).args[0]


@scene
def demo_character(demo: Demo) -> dict[str, Tensor]:
    return {name: part for name, part in demo.character.items() if isinstance(part, Tensor)}


@scene
def align_pose(demo: Demo) -> dict[str, Tensor]:
    return {"drawing": demo.aligned[1], "overlay": demo.aligned[2]}


@scene
def pose_files(demo: Demo) -> dict[str, Tensor]:
    FreeAnimateSavePose.execute(demo.aligned[0], "poses/clip")
    found = FreeAnimateLoadPose.execute("poses/clip_00001_.json [output]").args[0]
    return {"joints": torch.from_numpy(parse_poses(found, "found").joints)}


@scene
def preview_generation(demo: Demo) -> dict[str, Tensor]:
    names = ("frames", "person", "holes", "background")
    return dict(zip(names, demo.preview)) | {"coverage": torch.tensor(demo.preview[4]), "plot": demo.preview[5]}


@scene
def preview_with_skirts(demo: Demo) -> dict[str, Tensor]:
    made = {}
    for seed in SKIRTS:
        reference, standing, driving, _, _, mask, *_ = FreeAnimateDemoCharacter.execute(seed, MOTION, 2, 96, 96).args
        outputs = FreeAnimatePreview.execute(placed(reference), standing, driving, placed(mask)).args
        made |= {f"{name} {seed}": part for name, part in zip(("frames", "person", "holes"), outputs)}
        made[f"cloth {seed}"] = torch.tensor(wears_skirt(reference[0], mask[0], standing))
    return made


def wears_skirt(picture: Tensor, mask: Tensor, pose: list) -> bool:
    """Whether Preview Generation finds cloth about both thighs of a picture [H,W,3]."""
    standing = parse_poses(pose, "pose")
    plate, _ = background_plate(picture, mask, None)
    return SKIRT in take_apart(picture, mask, plate, standing.joints[0, :, :2], standing.seen[0])


@scene
def inversion(demo: Demo) -> dict[str, Tensor]:
    record, noise, sigmas, _, psnr = demo.inverted
    latents = {"preview": record.preview, "reference": record.reference, "noise": noise["samples"]}
    return latents | {"sigmas": sigmas, "psnr": torch.tensor(psnr)}


@scene
def inversion_corrected(demo: Demo) -> dict[str, Tensor]:
    record = demo.invert("recompute", correction=2)[0]
    return {"seen": record.seen, "sampled": demo.sample(record, demo.patched(record))["samples"]}


@scene
def animate_sampler(demo: Demo) -> dict[str, Tensor]:
    return demo.animated


@scene
def bank_in_memory(demo: Demo) -> dict[str, Tensor]:
    record = demo.invert("memory")[0]
    return demo.sample(record, demo.patched(record))


@scene
def weighed_and_redrawn(demo: Demo) -> dict[str, Tensor]:
    record, holes = demo.inverted[0], placed(demo.preview[2])
    return demo.sample(record, demo.patched(record, 0.5, "both", 2, redraw_mask=holes, keep_span=0.5))


@scene
def ksampler_advanced(demo: Demo) -> dict[str, Tensor]:
    record, noise = demo.inverted[:2]
    start = "disable", 0, STEPS, CFG, "euler", "ddim_uniform", *demo.prompts, noise, 0, 10000, "disable"
    return host_nodes.KSamplerAdvanced().sample(demo.patched(record), *start)[0]


@scene
def sampler_custom(demo: Demo) -> dict[str, Tensor]:
    record, noise, sigmas = demo.inverted[:3]
    heun = comfy.samplers.sampler_object("heun")
    model = demo.patched(record)
    return SamplerCustom.execute(model, False, 0, CFG, *demo.prompts, heun, sigmas, noise).args[0]


@scene
def long_clip(demo: Demo) -> dict[str, Tensor]:
    record, vae = demo.inverted[0], demo.models[2]
    model, made = demo.patched(record), {}
    for run in ("made", "read"):  # all parts of the second run are there
        given = model, record, *demo.prompts, vae, CFG
        out = FreeAnimateLongClip.execute(*given, frames_per_part=2, run_name="on the device").args
        made |= {f"{run} images": out[0], f"{run} latent": out[1]["samples"]}
    return made


@scene
def refine_preview(demo: Demo) -> dict[str, Tensor]:
    model, _, vae, _ = demo.models
    given = model, vae, *demo.prompts, *demo.preview[:4], demo.character["reference"]
    return {"refined": FreeAnimateRefinePreview.execute(*given, 0.5, 2, CFG, 1, 1.0, 8, 0).args[0]}


@scene
def inspect_attention(demo: Demo) -> dict[str, Tensor]:
    given = demo.models[0], demo.inverted[0], demo.preview[0], demo.character["reference"]
    return {"picture": FreeAnimateInspectAttention.execute(*given, 1, 0.5, "up medium", 0, 0.5, 0.3).args[0]}


@scene
def compare_videos(demo: Demo) -> dict[str, Tensor]:
    decoded = host_nodes.VAEDecode().decode(demo.models[2], demo.animated)[0]
    truth, masks = demo.character["truth"], demo.character["masks"]
    row, *_ = FreeAnimateCompare.execute(decoded, demo.preview[0], truth=truth, person_mask=masks).args
    return {"row": row}  # a line of the plot may round to the next pixel


def counted_runs(demo: Demo) -> dict[str, Callable[[tuple, int], None]]:
    """Runs whose steps are counted: the host's own sampling, the Animate Sampler's, DDIM Inversion's."""

    def plain(inverted: tuple, steps: int) -> None:
        euler = comfy.samplers.sampler_object("euler")
        SamplerCustom.execute(demo.models[0], False, 0, CFG, *demo.prompts, euler, inverted[2], inverted[1])

    def sampler(inverted: tuple, steps: int) -> None:
        demo.sample(inverted[0], demo.patched(inverted[0]))

    def windows(inverted: tuple, steps: int) -> None:
        demo.sample(inverted[0], demo.patched(inverted[0], window=1, redraw_mask=demo.preview[2]))

    def inversion(inverted: tuple, steps: int) -> None:
        demo.invert("recompute", steps, check=0)

    return {"plain": plain, "sampler": sampler, "windows": windows, "inversion": inversion}


@contextmanager
def reclaimable(size: int) -> Iterator[None]:
    """A host that can give up so many bytes of weights for a batch, as its dynamic VRAM does."""
    with (
        patch.object(comfy.memory_management, "aimdo_enabled", True),
        patch.object(comfy_aimdo.model_vbar, "vbars_analyze", lambda device: size),
    ):
        yield
