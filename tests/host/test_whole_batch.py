"""Patches of guidance that read all frames at once: refused by name in parts, the same in windows; the others agree."""

import ast
import inspect
from pathlib import Path

import comfy.samplers
import comfy_extras.nodes_post_processing  # noqa: F401  # before nodes_latent, which imports it in a circle
import pytest
import torch
from comfy.patcher_extension import WrappersMP
from comfy_extras.nodes_apg import APG
from comfy_extras.nodes_cfg import CFGNorm, CFGZeroStar
from comfy_extras.nodes_eps import EpsilonScaling
from comfy_extras.nodes_fresca import FreSca
from comfy_extras.nodes_latent import LatentApplyOperationCFG, LatentOperationTonemapReinhard
from comfy_extras.nodes_lumina2 import RenormCFG
from comfy_extras.nodes_mahiro import Mahiro
from comfy_extras.nodes_model_advanced import RescaleCFG
from comfy_extras.nodes_pag import PerturbedAttentionGuidance
from comfy_extras.nodes_perpneg import PerpNeg
from comfy_extras.nodes_slg import SkipLayerGuidanceDiT, SkipLayerGuidanceDiTSimple
from comfy_extras.nodes_tcfg import TCFG
from comfy_extras.nodes_video_model import VideoLinearCFGGuidance, VideoTriangleCFGGuidance
from hostside import relative
from runs import Clip, patch, render, sample

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.host import whole_batch
from freeanimate_pack.freeanimate_core.host.whole_batch import WHOLE_BATCH

CFG, FRAMES = 4.0, 3
SAME, EFFECT = 1e-4, 4e-4  # relative, of latents


def skip_layers(model):
    return SkipLayerGuidanceDiT.execute(model, 1.0, 0.0, 1.0, "1", "1", 1.0).args[0]


ACROSS = {
    "VideoLinearCFGGuidance": lambda model, clip: VideoLinearCFGGuidance().patch(model, 1.0)[0],
    "VideoTriangleCFGGuidance": lambda model, clip: VideoTriangleCFGGuidance().patch(model, 1.0)[0],
    "Mahiro": lambda model, clip: Mahiro.execute(model).args[0],
    "PerpNeg": lambda model, clip: PerpNeg.execute(model, clip.tiny.encode(""), 1.0).args[0],
    "SkipLayerGuidanceDiT": lambda model, clip: skip_layers(model),
}
ALONE = {
    "RescaleCFG": lambda model: RescaleCFG().patch(model, 0.7)[0],
    "CFGZeroStar": lambda model: CFGZeroStar.execute(model).args[0],
    "CFGNorm": lambda model: CFGNorm.execute(model, 1.0).args[0],
    "APG": lambda model: APG.execute(model, 0.5, 5.0, 0.5).args[0],
    "TCFG": lambda model: TCFG.execute(model).args[0],
    "FreSca": lambda model: FreSca.execute(model, 1.0, 1.5, 2).args[0],
    "PerturbedAttentionGuidance": lambda model: PerturbedAttentionGuidance.execute(model, 1.0).args[0],
    "EpsilonScaling": lambda model: EpsilonScaling.execute(model, 1.05).args[0],
    "SkipLayerGuidanceDiTSimple": lambda model: SkipLayerGuidanceDiTSimple.execute(model, 0.0, 1.0, "1", "1").args[0],
    "LatentApplyOperationCFG": lambda model: LatentApplyOperationCFG.execute(
        model, LatentOperationTonemapReinhard.execute(1.0).args[0]
    ).args[0],
}
# On no U-Net of ours: transformers for video; of one frame only in the host itself; needs SUPIR's own weights
ELSEWHERE = {"LTXVReferenceAudio", "TemporalScoreRescaling"}
UNTRIED = {"RenormCFG", "SUPIRApply"}


@pytest.fixture(scope="module")
def clip(sd15) -> Clip:
    with torch.inference_mode():
        return Clip(sd15, frames=FRAMES, h=6, w=8, steps=3)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert(window=2)[0]


@pytest.mark.parametrize("name", ACROSS)
def test_what_reads_all_frames_is_refused_in_parts_by_name(clip, record, name, monkeypatch):
    model = patch(ACROSS[name](clip.tiny.model, clip), record, window=2)
    whole = sample(clip, record, model, CFG)
    assert torch.equal(render(clip, record, model, frames_per_part=FRAMES)[1], whole)
    batches = []

    def count(executor, x, *args, **kwargs):
        batches.append(x.shape[0])
        return executor(x, *args, **kwargs)

    counted = model.clone()
    counted.add_wrapper(WrappersMP.DIFFUSION_MODEL, count)
    shown = WHOLE_BATCH[name].split(" (")[0]
    for options in ({"frames_per_part": 2}, {"frames_per_part": FRAMES, "frames": 2}):
        with pytest.raises(FreeAnimateError, match=f"Long Clip: .*carries {shown} .*set frames_per_part to 3 or more"):
            render(clip, record, counted, **options)
    assert batches == []
    monkeypatch.setattr(whole_batch, "WHOLE_BATCH", {})
    assert relative(render(clip, record, model)[1], whole) > EFFECT  # so it is rightly refused


@pytest.mark.parametrize("name", ACROSS)
def test_what_reads_all_frames_is_the_same_in_windows(clip, record, name):
    patched = ACROSS[name](clip.tiny.model, clip)
    latents = [sample(clip, record, patch(patched, record, window=size), CFG) for size in (1, 2, FRAMES)]
    assert max(relative(latents[0], other) for other in latents[1:]) <= SAME


@pytest.mark.parametrize("name", ALONE)
def test_what_reads_each_frame_alone_is_the_same_in_parts(clip, record, name):
    model = patch(ALONE[name](clip.tiny.model), record, window=2)
    assert relative(render(clip, record, model)[1], sample(clip, record, model, CFG)) <= SAME


def test_every_guidance_patch_of_the_host_is_known():
    """By its source: a node that a later host adds must be tried, and sorted in here."""
    setters = {f"set_model_sampler_{kind}_function" for kind in ("cfg", "pre_cfg", "post_cfg", "calc_cond_batch")}
    found = set()
    for path in (Path(inspect.getfile(comfy.samplers)).parents[1] / "comfy_extras").glob("*.py"):
        classes = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]
        found |= {c.name for c in classes if setters & {getattr(n, "attr", "") for n in ast.walk(c)}}
    assert found == WHOLE_BATCH.keys() | ALONE.keys() | ELSEWHERE | {"SelfAttentionGuidance"}  # refused everywhere
    assert WHOLE_BATCH.keys() == ACROSS.keys() | UNTRIED


def test_a_clip_of_one_frame_takes_every_patch(clip, sd15):
    one = Clip(sd15, frames=1, h=6, w=8, steps=2)
    record = one.invert()[0]
    model = patch(RenormCFG.execute(sd15.model, 100.0, 1.0).args[0], record)
    assert torch.equal(render(one, record, model)[1], sample(one, record, model, CFG))
