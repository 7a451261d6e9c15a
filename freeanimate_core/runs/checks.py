"""What a sampling run must be, checked before its first step."""

import torch
from torch import Tensor

from ..config import PatchConfig
from ..errors import INVERSION, PATCH_MODEL, FreeAnimateError, counted
from ..host.digests import model_digests
from ..method.conditioning import check_hints, check_text, controls, refuse_regions
from ..method.fingerprint import Fingerprint, signs_digest, values_digest, weights_digest
from ..method.record import Inversion
from ..method.schedule import SAME_LEVEL

START_TOLERANCE = 1e-3
FRAMES_GIVEN = f"preview_latent of {INVERSION}"
RANDOM_SAMPLERS = ("ancestral", "sde", "ddpm", "lcm", "seeds", "sa_solver", "restart")
SKIPPING_SAMPLERS = ("dpm_2", "unipc")  # KSampler nodes leave out a level for them, which shifts all others


def _name_of(sampler: object) -> str:
    return getattr(getattr(sampler, "sampler_function", sampler), "__name__", type(sampler).__name__)


def refuse_random(sampler: object) -> None:
    """FreeAnimateError for samplers that add noise: they leave the recorded trajectory."""
    name = _name_of(sampler)
    options = getattr(sampler, "extra_options", {})
    churns = any(options.get(key, 0.0) for key in ("s_churn", "eta"))
    if churns or any(word in name for word in RANDOM_SAMPLERS):
        shown = name.removeprefix("sample_")
        raise FreeAnimateError(
            f"{PATCH_MODEL}: sampler_name '{shown}' adds noise at every step and leaves the recorded trajectory; "
            "choose a deterministic one in the sampler node, such as euler."
        )


def require_euler(sampler: object) -> None:
    """FreeAnimateError for samplers that take no plain step from each level, which fresh noise is made for."""
    name = _name_of(sampler)
    if name != "sample_euler":
        raise FreeAnimateError(
            f"{PATCH_MODEL}: eta is above 0, whose noise is made for the steps of euler, and sampler_name is "
            f"'{name.removeprefix('sample_')}'; choose euler in the sampler node, or set eta to 0."
        )


def check_record(record: Inversion, digests: dict[str, str], node: str) -> None:
    """FreeAnimateError unless the model is the one that the record was made with.

    digests: of all that acts on the model itself, as ``model_digests`` has it.
    """
    made_with = {
        "weights": f"another checkpoint; connect the same model to {INVERSION} and {node}",
        "patches": f"other LoRA patches; load LoRAs before both {INVERSION} and {node}",
        "injected": "other injected layers (a LoRA by LoraLoaderBypass, or another strength of it); put that node "
        f"before both {INVERSION} and {node}",
        "objects": "other parts in place of its own (as ModelComputeDtype puts them there); put that node before both "
        f"{INVERSION} and {node}",
        "sampling": f"another ModelSampling; put that node before both {INVERSION} and {node}",
    }
    for name, remedy in made_with.items():
        if digests[name] != getattr(record.fingerprint, name):
            raise FreeAnimateError(f"{node}: model is not the one of the inversion, which was made with {remedy}.")


def check_live(
    record: Inversion,
    config: PatchConfig,
    conds: dict[str, list[dict]],
    node: str,
    owner: str = "",
    frames: int | None = None,
) -> None:
    """FreeAnimateError for live conditionings that the record cannot serve.

    frames: how many the conditionings are of; None: as many as the record's.
    conds: the guider's entries by name, before the host processes them. node: whom the message blames.
    owner: whose inputs they are ("the sampler's ") when they are not the node's own.
    """
    for name, entries in conds.items():
        if not entries:
            raise FreeAnimateError(f"{node}: {owner}{name} is empty; connect a CLIP Text Encode (Prompt).")
        refuse_regions(entries, node, owner + name)
        check_text(entries, node, owner + name)
        check_hints(entries, record.frames if frames is None else frames, node, owner + name, FRAMES_GIVEN)
    if config.cross_span == 0:
        return
    for entry in conds.get("positive", []):
        live, recorded = entry["cross_attn"].shape[1], record.text.shape[1]
        if live != recorded:
            raise FreeAnimateError(
                f"{node}: {owner}positive is {live} tokens long and the positive of {INVERSION} was {recorded}; "
                f"use prompts of one length, or set cross_span of {PATCH_MODEL} to 0."
            )


def check_same_input(record: Inversion, positive: list, node: str) -> None:
    """FreeAnimateError unless an entry of the live positive has the recorded prompt, ControlNet and poses.

    This guards the pack's own samplers; whoever wants the passes to differ samples the patched model
    with the host's nodes. Another length is left to ``check_live``, whose sentence says more.
    """
    if not positive or any(text is None for text, _ in positive):
        raise FreeAnimateError(f"{node}: positive is empty; connect the positive of {INVERSION}.")
    check_hints([options for _, options in positive], record.clip_frames, node, "positive", FRAMES_GIVEN)
    if record.text.shape[1] not in {text.shape[1] for text, _ in positive}:
        return
    same = [entry for entry in positive if prompt_digest(entry) == record.fingerprint.prompt]
    differs = "prompt" if not same else "ControlNet, strength or pose batch"
    if not any(control_digest(entry) == record.fingerprint.control for entry in same):
        raise FreeAnimateError(
            f"{node}: positive has another {differs} than the positive that {INVERSION} recorded; connect the same "
            "to both (to let them differ, sample the patched model with ComfyUI's SamplerCustom)."
        )


def fingerprint_of(model, positive: list) -> Fingerprint:
    """What a record of a MODEL under a conditioning of one entry is made from."""
    return Fingerprint(**model_digests(model), prompt=prompt_digest(positive[0]), control=control_digest(positive[0]))


def prompt_digest(entry: list) -> str:
    """Digest of an entry's text and pooled text."""
    text, options = entry
    return values_digest(text, options.get("pooled_output"))


def control_digest(entry: list) -> str:
    """Digest of an entry's ControlNets: kind, weights, strength, range, hints and further settings of each."""
    return values_digest([_control_values(control) for control in controls(entry[1])])


def _control_values(control: object) -> list:
    return [
        type(control).__name__,
        _control_weights(control),
        control.strength,
        control.timestep_percent_range,
        control.cond_hint_original,
        control.extra_args,  # the type of a Union ControlNet
        control.extra_concat_orig,  # the mask of an inpainting one
        str(control.strength_type),
    ]


def _control_weights(control: object) -> str | None:
    """Digest of what a ControlNet, Control-LoRA or T2I adapter was loaded from, whether it has run or not."""
    lora, adapter = getattr(control, "control_weights", None), getattr(control, "t2i_model", None)
    if lora is not None:  # it has a model of its own only while it runs
        return weights_digest(lora)
    if adapter is not None:  # the host casts it in place when it runs
        return signs_digest(adapter.state_dict())
    model = getattr(control, "control_model", None)
    return None if model is None else weights_digest(model.state_dict())


def refuse_noise_mask(latent: dict, node: str, label: str) -> None:
    """FreeAnimateError for a LATENT with a noise mask, which no step of an inversion reads."""
    mask = latent.get("noise_mask")
    if mask is not None and mask.min() < 1:
        raise FreeAnimateError(
            f"{node}: {label} carries a noise mask, which cannot act in an inversion; remove Set Latent Noise Mask "
            f"(or take VAE Encode), and connect the mask to redraw_mask of {PATCH_MODEL}."
        )


def check_mask(mask: Tensor | None, noise: Tensor) -> None:
    """FreeAnimateError for a noise mask [F,1,h,w] (0-1) of a sampling run that starts from noisy latents.

    Where it is 0 the host puts back the latent it was given, which here is the inversion's noise and no picture.
    noise [F,C,h,w]: what the run adds, all 0 if the latent carries its own.
    """
    if mask is not None and mask.min() < 1 and not torch.any(noise):
        raise FreeAnimateError(
            f"{PATCH_MODEL}: the sampler's latent carries a noise mask, outside of which the noise of {INVERSION} "
            "would be left as the picture; remove Set Latent Noise Mask and connect the mask to redraw_mask of "
            f"{PATCH_MODEL}."
        )


def check_start(record: Inversion, start: Tensor, sigma: float, sampler: object = None) -> None:
    """FreeAnimateError unless sampling starts at the record's top level from its latents.

    start: [F,C,h,w] noisy latents in model space; sigma: the first one of ``sampler``.
    """
    top, first = record.top, float(record.descending[0])
    if start.shape != top.shape:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: the latent is {_size(start)} and the inversion {_size(top)}; sample the noise output "
            f"of {INVERSION}."
        )
    if abs(sigma - first) > SAME_LEVEL * first:
        remedy = _start_remedy(record, _name_of(sampler))
        raise FreeAnimateError(
            f"{PATCH_MODEL}: sampling starts at sigma {sigma:.4g} and the inversion ended at {first:.4g}; {remedy}"
        )
    top = top.to(start)
    if not (start - top).norm() <= START_TOLERANCE * top.norm():
        raise FreeAnimateError(
            f"{PATCH_MODEL}: sampling starts from other latents than the inversion ended at; connect the noise output "
            f"of {INVERSION} as latent and disable added noise (add_noise 'disable', or DisableNoise)."
        )


def _start_remedy(record: Inversion, sampler: str) -> str:
    if any(word in sampler for word in SKIPPING_SAMPLERS):
        name = sampler.removeprefix("sample_").replace("unipc", "uni_pc")
        return (
            f"KSampler nodes choose other levels for sampler_name '{name}': set it to euler, or use SamplerCustom with "
            f"the sigmas output of {INVERSION}."
        )
    return f"use the sigmas output of {INVERSION}, or steps {record.steps}, scheduler ddim_uniform and start_at_step 0."


def _size(latents: Tensor) -> str:
    if latents.ndim != 4:
        return f"of shape {'x'.join(map(str, latents.shape))}"
    frames, _, height, width = latents.shape
    return f"{counted(frames, 'frame')} of latent size {width}x{height}"
