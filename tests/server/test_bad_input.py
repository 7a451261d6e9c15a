"""Bad input on the real nodes through the real server: one sentence with node, widget and remedy, and no harm done.

Each case changes the working prompt `method_prompt` in one place. `early` cases must stop before any
evaluation of the model by the node that refuses: it may not have reported progress.
"""

from dataclasses import dataclass

import pytest
from patience import patience
from serverside import (
    LENGTH,
    LONG_PROMPT,
    changed,
    control,
    message,
    method_prompt,
    node,
    stock_sampler,
    succeeded,
)

from lab.server.client import PromptRejected

INVERSION, PATCH, SAMPLER = "DDIM Inversion (Attention Capture)", "Patch Model (RA-SA + IBA)", "Animate Sampler"
KSAMPLER = "KSamplerAdvanced"


@dataclass(frozen=True)
class Case:
    """What to change in the prompt, which node type stops, and what its sentence must hold."""

    changes: dict[str, dict]
    stops: str
    says: tuple[str, ...]


def latent(frames: int = LENGTH, width: int = 64, kind: str = "good") -> dict:
    """A drawn LATENT node."""
    return node("TinyLatent", kind=kind, seed=1, channels=4, frames=frames, width=width, height=64)


def prompt_of(text: str) -> dict[str, dict]:
    """The sampler with another positive prompt than the inversion's, under the same ControlNet."""
    other = node("CLIPTextEncode", text=text, clip=["models", 1])
    return {"other": other, "other_control": control("other"), "sampler": {"positive": ["other_control", 0]}}


def regional(class_type: str, **inputs: object) -> dict[str, dict]:
    """The inversion and the sampler with a conditioning of one region."""
    region = node(class_type, conditioning=["control", 0], strength=1.0, **inputs)
    return {"region": region, "inversion": {"positive": ["region", 0]}}


def stock(**changes: object) -> dict[str, dict]:
    """The host's sampler in the Animate Sampler's place."""
    return {"sampler": stock_sampler(**changes)}


AREA = {"width": 64, "height": 64, "x": 0, "y": 0}  # even the full picture, written as an area
OTHER_MODEL = node("TinyModels", layout="sd15", seed=7, out_scale=0.05)
OTHER_RECORD = changed(method_prompt(), {"inversion": {"steps": 3}})["inversion"]
FLOW = node("TinyModels", layout="flow", seed=0, out_scale=0.05)

CASES = {
    "sizes differ": Case(
        {"reference": latent(1, width=96)},
        "FreeAnimateInversion",
        (INVERSION, "preview_latent", "64x64", "reference_latent", "96x64", "one size"),
    ),
    "two references": Case(
        {"reference": latent(2)}, "FreeAnimateInversion", (INVERSION, "reference_latent", "2", "one reference")
    ),
    "empty preview": Case(
        {"preview": latent(0)}, "FreeAnimateInversion", (INVERSION, "preview_latent", "empty", "VAE Encode")
    ),
    "empty reference": Case(
        {"reference": latent(0)}, "FreeAnimateInversion", (INVERSION, "reference_latent", "empty", "VAE Encode")
    ),
    "nan preview": Case(
        {"preview": latent(kind="nan")}, "FreeAnimateInversion", (INVERSION, "preview_latent", "NaN", "VAE")
    ),
    "nan reference": Case(
        {"reference": latent(1, kind="nan")}, "FreeAnimateInversion", (INVERSION, "reference_latent", "NaN", "VAE")
    ),
    "fewer poses than frames": Case(
        {"hints": {"frames": 2}},
        "FreeAnimateInversion",
        (INVERSION, "positive", "2 pose images for 3 frames", "Apply ControlNet", "preview_latent"),
    ),
    "the reference's latent for the preview's": Case(
        {"inversion": {"preview_latent": ["reference", 0]}},
        "FreeAnimateInversion",
        (INVERSION, "positive", "3 pose images for 1 frame;", "Apply ControlNet", "preview_latent all frames"),
    ),
    "fewer live poses": Case(
        {
            "few": node("TinyPicture", seed=3, frames=2, width=64, height=64),
            "few_control": control("positive", "few"),
            "sampler": {"positive": ["few_control", 0], "negative": ["few_control", 1]},
        },
        "FreeAnimateSampler",
        (SAMPLER, "2 pose images for 3 frames", "Apply ControlNet", f"preview_latent of {INVERSION}"),
    ),
    "other model": Case(
        {"other": OTHER_MODEL, "patch": {"model": ["other", 0]}},
        "FreeAnimatePatchModel",
        (PATCH, "another checkpoint", "same model", INVERSION),
    ),
    "other prompt": Case(
        prompt_of("a horse in the snow"), "FreeAnimateSampler", (SAMPLER, "positive", "another prompt", INVERSION)
    ),
    "other prompt length": Case(
        prompt_of(LONG_PROMPT), "FreeAnimateSampler", (SAMPLER, "positive", "154", "77", "cross_span")
    ),
    "other prompt length at the host's sampler": Case(
        prompt_of(LONG_PROMPT) | stock(positive=["other_control", 0]),
        KSAMPLER,
        (PATCH, "the sampler's positive", "154", "77", "cross_span"),
    ),
    "other size": Case(
        {"big": latent(width=96)} | stock(latent_image=["big", 0]), KSAMPLER, (PATCH, "12x8", "8x8", "noise output")
    ),
    "other frames": Case(
        {"long": latent(5)} | stock(latent_image=["long", 0]), KSAMPLER, (PATCH, "5 frames", "3 frames", "noise output")
    ),
    "other latents": Case(stock(latent_image=["preview", 0]), KSAMPLER, (PATCH, "other latents", "noise output")),
    "added noise": Case(stock(add_noise="enable"), KSAMPLER, (PATCH, "other latents", "add_noise")),
    "other first level": Case(stock(steps=7), KSAMPLER, (PATCH, "sigma", "ddim_uniform")),
    "ancestral sampler": Case(
        stock(sampler_name="euler_ancestral"), KSAMPLER, (PATCH, "euler_ancestral", "noise", "deterministic")
    ),
    "sde sampler": Case(stock(sampler_name="dpmpp_2m_sde"), KSAMPLER, (PATCH, "dpmpp_2m_sde", "deterministic")),
    "transformer": Case({"models": FLOW}, "FreeAnimateInversion", (INVERSION, "model", "SD3", "SD1.5")),
    "flow sampling": Case(
        {
            "shift": node("ModelSamplingSD3", model=["models", 0], shift=3.0),
            "inversion": {"model": ["shift", 0]},
        },
        "FreeAnimateInversion",
        (INVERSION, "model", "SD1.5"),
    ),
    "area": Case(
        regional("ConditioningSetArea", **AREA), "FreeAnimateInversion", (INVERSION, "positive", "area", "remove")
    ),
    "mask": Case(
        regional("ConditioningSetMask", mask=["hints", 1], set_cond_area="default"),
        "FreeAnimateInversion",
        (INVERSION, "positive", "mask", "remove"),
    ),
    "live area": Case(
        {
            "region": node("ConditioningSetArea", conditioning=["control", 0], strength=1.0, **AREA),
            "sampler": {"positive": ["region", 0]},
        },
        "FreeAnimateSampler",
        (SAMPLER, "positive", "area", "remove"),
    ),
    "combined while inverting": Case(
        {
            "both": node("ConditioningCombine", conditioning_1=["control", 0], conditioning_2=["control", 1]),
            "inversion": {"positive": ["both", 0]},
        },
        "FreeAnimateInversion",
        (INVERSION, "positive", "2 entries", "Combine"),
    ),
    "unpatched model": Case(
        {"sampler": {"model": ["models", 0]}}, "FreeAnimateSampler", (SAMPLER, "model", "not patched", PATCH)
    ),
    "other record": Case(
        {"second": OTHER_RECORD, "sampler": {"inversion": ["second", 0]}},
        "FreeAnimateSampler",
        (SAMPLER, "another inversion", PATCH),
    ),
    "masks of another clip": Case(
        {"masks": node("SolidMask", value=1.0, width=64, height=96), "patch": {"redraw_mask": ["masks", 0]}},
        "FreeAnimatePatchModel",
        (PATCH, "redraw_mask", "1 of 64x96", "8x8", "connect redraw_mask"),
    ),
    "guidance that ends before it begins": Case(
        {"sampler": {"cfg_start": 0.5, "cfg_end": 0.4}}, "FreeAnimateSampler", (SAMPLER, "cfg_end", "0.4", "0.5")
    ),
    "other first level by widget": Case(stock(start_at_step=1), KSAMPLER, (PATCH, "sigma", "start_at_step")),
}


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_sentence(server, name):
    case, progress = CASES[name], []
    entry = server.run(
        changed(method_prompt(), case.changes),
        on_event=lambda kind, data: kind == "progress" and progress.append(data["node"]),
        timeout=patience(600),
    )
    error = message(entry, "execution_error")
    assert error, entry["status"]
    sentence = error["exception_message"].strip()
    assert error["node_type"] == case.stops, sentence
    assert error["exception_type"] == "freeanimate.FreeAnimateError"
    assert [words for words in case.says if words not in sentence] == [], sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert error["node_id"] not in progress  # it stopped before any evaluation


def test_bad_number_is_refused_before_anything_runs(server):
    """The host checks widget ranges from the schema: the prompt is not even queued."""
    with pytest.raises(PromptRejected) as refusal:
        server.run(changed(method_prompt(), {"inversion": {"steps": 0}, "patch": {"self_span": 1.5}}))
    assert {"inversion", "patch"} <= set(refusal.value.node_errors)


POSES = {
    "no person in a frame": ("one frame empty", ("frames 1", "no person", "fill_gaps")),
    "no person at all": ("all empty", ("frame 0", "no person")),
    "no joint seen": ("no joint seen", ("frame 0", "no person")),
    "not a number": ("nan", ("frame 0", "not a finite number")),
    "no canvas": ("no canvas", ("frame 0", "canvas_height")),
    "no frames": ("no frames", ("driving_pose", "no frames")),
}


@pytest.mark.parametrize("name", POSES)
def test_faulty_poses_are_refused(server, name):
    kind, says = POSES[name]
    size = {"frames": LENGTH, "width": 64, "height": 96}
    prompt = {
        "driving": node("TinyPoses", kind=kind, **size),
        "standing": node("TinyPoses", kind="good", **(size | {"frames": 1})),
        "align": node(
            "FreeAnimateAlignPose",
            driving_pose=["driving", 0],
            reference_pose=["standing", 0],
            mode="affine",
            fill_gaps=0,
        ),
        "show": node("PreviewImage", images=["align", 1]),
    }
    error = message(server.run(prompt, timeout=patience(600)), "execution_error")
    sentence = error["exception_message"].strip()
    assert error["node_type"] == "FreeAnimateAlignPose"
    assert [words for words in ("Align Pose", "driving_pose", *says) if words not in sentence] == [], sentence


def test_interrupt_mid_run_leaves_the_server_whole(server):
    """Interrupted in the inversion and in the sampler; afterwards the same prompt runs to its end."""
    for stage in ("inversion", "sampler"):
        prompt = changed(method_prompt(), {"inversion": {"steps": 20}, "preview": {"seed": 40}})

        def stop(kind: str, data: dict, stage: str = stage) -> None:
            if kind == "progress" and data["node"] == stage and data["value"] >= 2:
                server.interrupt()

        entry = server.run(prompt, on_event=stop, timeout=patience(600))
        assert message(entry, "execution_interrupted").get("node_id") == stage, entry["status"]
    assert succeeded(server.run(prompt, timeout=patience(600)))


def test_server_still_works(server):
    """After all that was refused above: the working prompt, freshly computed."""
    entry = server.run(changed(method_prompt(), {"preview": {"seed": 77}}), timeout=patience(600))
    assert succeeded(entry), message(entry, "execution_error")
    assert entry["outputs"]["save"]
