"""The methods that are compared, under equal steps, seed and guidance.

`full` is the pack as its workflows have it; `paper` is the paper's form, in which all of the preview
is redrawn. The parts of the method, and the other anchors, are held against it in the paper's form.
"""

from dataclasses import replace

from freeanimate_pack.freeanimate_core.config import PatchConfig
from freeanimate_pack.freeanimate_core.presets import PRESETS

from . import blur
from .recipes import OFF, Given, Inverting, Method, Recipe

BASE = "full"
ALONE = Inverting(weight=0.0)  # the record of a plain inversion, which reads no reference


def iba(self_span: float, cross_span: float, halves: str = "cond") -> PatchConfig:
    """Replay without a reference."""
    return PatchConfig(0.0, self_span, cross_span, halves)


def redrawn(**recipe) -> Recipe:
    """A recipe that keeps nothing of the preview but what the method itself keeps."""
    return Recipe(redraw="all", **recipe)


def default(**changes: float | str) -> Recipe:
    """The default preset, with some settings of Patch Model changed."""
    return Recipe(patch=replace(PRESETS["people"].patch, **changes), redraw="trust", paste=PRESETS["people"].paste)


RA_SA = PatchConfig(1.0, 0.0, 0.0)
SELF, CROSS = PatchConfig().self_span, PatchConfig().cross_span

METHODS = {
    "pose_only": Method(
        "Text and pose ControlNet from one noise tensor for all frames: no reference, no preview.",
        redrawn(start="noise", patch=OFF),
    ),
    "ra_sa_from_noise": Method(
        "As pose_only, but every frame also reads the keys and values of the inverted reference.",
        redrawn(start="noise", patch=RA_SA),
    ),
    "reference_only": Method(
        "As ra_sa_from_noise, but self-attention reads the reference's keys and values alone.",
        redrawn(start="noise", patch=RA_SA, extras=("reference_keys_only",)),
    ),
    "preview": Method("The pack's preview frames as they are.", Given("preview", False)),
    "preview_through_vae": Method("The preview frames encoded and decoded.", Given("preview", True)),
    "preview_blurred": Method(
        "The preview, smoothed at the best radius where it is likely wrong.",
        Given("preview", False, blur=blur.RADIUS, blur_above=blur.FROM),
    ),
    "img2img": Method(
        "The preview noised to one half with one noise tensor for all frames, then denoised with the ControlNet.",
        redrawn(start="preview", patch=OFF),
    ),
    "inversion_only": Method(
        "The preview inverted and denoised with the ControlNet, without reference and without replay.",
        redrawn(inverting=ALONE, patch=OFF),
    ),
    "ra_sa": Method("Inversion and denoising both read the reference; nothing is replayed.", redrawn(patch=RA_SA)),
    "iba_self": Method(
        "Inversion without a reference, then self-attention maps replayed.",
        redrawn(inverting=ALONE, patch=iba(SELF, 0.0)),
    ),
    "iba_self_cross": Method(
        "Inversion without a reference, then self- and cross-attention maps replayed.",
        redrawn(inverting=ALONE, patch=iba(SELF, CROSS)),
    ),
    "paper": Method("The paper's form: RA-SA in both passes and both replays; all is redrawn.", redrawn()),
    "anchor_first": Method(
        "As paper, with the first preview frame in the reference's place (Pix2Video's anchor).",
        redrawn(inverting=Inverting(anchor="first")),
    ),
    "anchor_middle": Method(
        "As paper, with the middle preview frame in the reference's place (FateZero's anchor).",
        redrawn(inverting=Inverting(anchor="middle")),
    ),
    "joint_batch": Method(
        "Self-attention maps replayed in both halves over half of the steps, no reference (TokenFlow, PnP).",
        redrawn(inverting=ALONE, patch=iba(0.5, 0.0, "both")),
    ),
    "keep_only": Method(
        "What the preview shows is kept, its holes are redrawn; no RA-SA and no replay.",
        Recipe(inverting=ALONE, patch=PatchConfig(0.0, 0.0, 0.0)),
    ),
    "holes_alone": Method(
        "RA-SA and both replays, and what the preview shows is kept: its holes are redrawn (the default before).",
        Recipe(),
    ),
    "full": Method(
        "The pack as its workflows have it: graded release by trust, fresh noise, RA-SA and both replays, pasted.",
        default(),
    ),
    "full_without_ra_sa": Method(
        "As full, and no frame reads the reference.", replace(default(reference_weight=0.0), inverting=ALONE)
    ),
    "full_without_iba": Method("As full, and nothing is replayed.", default(self_span=0.0, cross_span=0.0)),
    "full_without_noise": Method("As full, without fresh noise.", default(eta=0.0)),
    "full_unpasted": Method("As full, and all of the frames goes through the VAE.", replace(default(), paste=False)),
    "truth_through_vae": Method("The true frames encoded and decoded: the ceiling.", Given("truth", True)),
    "truth": Method("The true frames: what each measure says of them.", Given("truth", False)),
}

QUICK = (
    "truth_through_vae",
    "preview_through_vae",
    "pose_only",
    "ra_sa_from_noise",
    "inversion_only",
    "ra_sa",
    "paper",
    "full",
)
