"""Patches of the host's own nodes that read all frames of a batch at once, so that a part of a clip is not the clip.

They are known by the class of their node, which the name of a function tells. The windows of a run change nothing for
guidance: it is combined after the windows, over all frames.
"""

from collections.abc import Callable, Mapping

from ..errors import PATCH_MODEL, FreeAnimateError

WHOLE_BATCH = {
    "VideoLinearCFGGuidance": "Video Linear CFG Guidance (a frame's guidance goes by its place in the clip)",
    "VideoTriangleCFGGuidance": "Video Triangle CFG Guidance (a frame's guidance goes by its place in the clip)",
    "Mahiro": "Positive-Biased Guidance (it averages over all frames)",
    "PerpNeg": "Perp-Neg (it sums over all frames)",
    "SkipLayerGuidanceDiT": "SkipLayerGuidanceDiT (it measures the spread of all frames)",
    "RenormCFG": "RenormCFG (it compares all frames at once)",
    "SUPIRApply": "Apply SUPIR Patch (its pictures go by a frame's place in the clip)",
}


def guidance_functions(model_options: Mapping) -> list[Callable]:
    """The functions that patches hung on guidance: before it, in its place, after it, and around the evaluations."""
    alone = [model_options.get(name) for name in ("sampler_cfg_function", "sampler_calc_cond_batch_function")]
    chained = (model_options.get(f"sampler_{when}_cfg_function", []) for when in ("pre", "post"))
    return [f for f in alone if f is not None] + [f for functions in chained for f in functions]


def refuse_whole_batch(model_options: Mapping, node: str, whole: str) -> None:
    """FreeAnimateError, by name, for patches that act otherwise in a part; whole: what to do to render all at once."""
    for function in guidance_functions(model_options):
        owner = getattr(function, "__qualname__", "").split(".")[0]
        if owner in WHOLE_BATCH:
            raise FreeAnimateError(
                f"{node}: the model carries {WHOLE_BATCH[owner]}, which gives another video in parts; {whole}, or "
                f"remove that node before {PATCH_MODEL}."
            )
