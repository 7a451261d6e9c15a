"""The demo's claim: with the demo model the result shows the preview's figure, and only that of its own record."""

import hostside
import nodes as host_nodes
import pytest
import torch
from runs import patch

from freeanimate_pack.freeanimate_core.measures import latent_psnr
from freeanimate_pack.freeanimate_core.method.record import Inversion
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.demo_model import FreeAnimateDemoModel
from freeanimate_pack.nodes.inversion import FreeAnimateInversion
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview
from freeanimate_pack.nodes.sampler import FreeAnimateSampler

SIZE, FRAMES, STEPS = 128, 3, 25


class Demo:
    """The demo's graph at a small size, for one character."""

    def __init__(self, models: tuple, seed: int, motion: str):
        self.model, clip, vae, control_net = models
        made = FreeAnimateDemoCharacter.execute(seed, motion, FRAMES, SIZE, SIZE).args
        reference, standing, driving, mask, words = (made[k] for k in (0, 1, 2, 5, 7))
        poses, pose_image = FreeAnimateAlignPose.execute(driving, standing, "affine").args[:2]
        preview = FreeAnimatePreview.execute(reference, standing, poses, mask).args[0]
        encode = host_nodes.VAEEncode().encode
        self.preview, self.reference = encode(vae, preview)[0], encode(vae, reference)[0]
        text = clip.encode_from_tokens_scheduled(clip.tokenize(words), show_pbar=False)
        apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
        self.positive = apply(text, text, control_net, pose_image, 1.0, 0.0, 1.0)[0]

    def record(self) -> Inversion:
        return FreeAnimateInversion.execute(
            self.model, self.positive, self.preview, self.reference, STEPS, 1.0, "recompute", 0, 0
        ).args[0]

    def psnr(self, record: Inversion) -> float:
        """dB in latents of what comes out of a record, under its own conditioning, against this clip's preview."""
        model = patch(self.model, record)
        out = FreeAnimateSampler.execute(model, record, record.positive, record.positive, 1.0).args[0]["samples"]
        return latent_psnr(out, self.preview["samples"])


def spliced(start: Inversion, replayed: Inversion) -> Inversion:
    """The latents to start from of one record, with everything that is replayed of another."""
    return Inversion(
        start.levels,
        torch.cat([replayed.preview[:-1], start.preview[-1:]]),
        replayed.reference,
        descending=start.descending,
        steps=start.steps,
        positive=replayed.positive,
        reference_positive=replayed.reference_positive,
        reference_weight=1.0,
        fingerprint=replayed.fingerprint,
        options=replayed.options,
    )


@pytest.fixture(scope="module")
def clips():
    with torch.inference_mode():
        models = FreeAnimateDemoModel.execute().args
        return Demo(models, 0, "wave"), Demo(models, 5, "side step")


def test_the_result_shows_the_previews_figure(clips):
    own, other = (clip.record() for clip in clips)
    right = clips[0].psnr(own)
    assert right >= 20.0
    assert clips[0].psnr(other) < 20.0
    assert clips[0].psnr(spliced(own, other)) < right - 3.0
    assert hostside.relative(own.top, other.top) > 0.1
