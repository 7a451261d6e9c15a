"""What the README shows: one fault or check in each picture, before and after, from the real nodes on rendered people.

Needs the host.
"""

from torch import Tensor

from freeanimate_pack.demo.model import SIDE
from freeanimate_pack.freeanimate_core.pose import parse_poses, write_poses
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview

from .scenes import (
    DRIVER,
    FRAMES,
    MOTION,
    SEED,
    STYLE,
    Loaded,
    Prepared,
    animated,
    decoded,
    patched,
    sampled,
    white,
)

Columns = dict[str, Tensor]
SHOWN = 7  # the frame of a clip that pictures show: an arm is up
SMALL = (0.6, 0.6), (0.0, 0.1 * SIDE)  # a driver further away than the reference: scale, and offset in pixels
LOOSE = 10_028  # a character in a wide striped dress


def frame(images: Tensor, number: int = SHOWN) -> Tensor:
    """One picture [1,H,W,3] of a batch."""
    return images[number : number + 1]


def moved(seed: int, motion: str, view: str = "frontal", masked: bool = True, **settings) -> tuple:
    """Reference, its mask, aligned poses and the outputs of Preview Generation of a rendered person in a motion."""
    made = FreeAnimateDemoCharacter.execute(seed, motion, FRAMES, SIDE, SIDE, STYLE, view).args
    reference, standing, driving, mask = made[0], made[1], made[2], made[5]
    aligned = FreeAnimateAlignPose.execute(driving, standing, "affine", reference).args
    given = mask if masked else None
    preview = FreeAnimatePreview.execute(reference, standing, aligned[0], given, preset="people", **settings).args
    return reference, mask, aligned, preview


def without_the_model(prepared: Prepared) -> dict[str, Columns]:
    """Checks and faults that stand before the long run."""
    reference, mask, _, clean = moved(LOOSE, MOTION)
    _, _, _, cut = moved(LOOSE, MOTION, masked=False)
    small, fitted = fits(prepared)
    turned = moved(SEED, "turn to 60")[3]
    behind, before = (
        moved(SEED, "arm across", depth_order=f"all: right arm {place}")[3] for place in ("behind", "front")
    )
    return {
        "mask": {
            "reference": reference,
            "person_mask": white(mask),
            "preview with it": frame(clean[0]),
            "and without": frame(cut[0]),
        },
        "check_overlay": {"good: one body": frame(fitted), "bad: not aligned": frame(small)},
        "check_preview": {"good": frame(prepared.preview[0]), "bad: turned away": frame(turned[0])},
        "check_mask": {"good: a clean mask": frame(white(clean[1])), "bad: by the pose": frame(white(cut[1]))},
        "fault_arm": {"arm behind": frame(behind[0]), "depth_order": frame(before[0])},
    }


def fits(prepared: Prepared) -> tuple[Tensor, Tensor]:
    """Overlays of a small driver's poses, as they are and aligned."""
    driving = FreeAnimateDemoCharacter.execute(DRIVER, MOTION, FRAMES, SIDE, SIDE, STYLE).args[2]
    far = write_poses(parse_poses(driving, "driving_pose").moved(*SMALL, SIDE, SIDE))
    given = far, prepared.standing
    left, fitted = (
        FreeAnimateAlignPose.execute(*given, mode, prepared.reference).args[2] for mode in ("none", "affine")
    )
    return left, fitted


def with_the_model(prepared: Prepared, loaded: Loaded) -> dict[str, Columns]:
    """Faults that the finished frames show."""
    plain, pasted = animated(prepared, loaded)
    anew = decoded(loaded, sampled(loaded, patched(loaded, None)))
    return {
        "fault_soft": {"VAE Decode alone": frame(plain), "Paste Preview": frame(pasted)},
        "fault_redrawn": {"no redraw_mask": frame(anew), "preset people": frame(pasted)},
    }
