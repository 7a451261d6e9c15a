"""What a sampling run must be, checked before its first step."""

from torch import Tensor

from .config import PatchConfig
from .conditioning import check_hints, refuse_regions
from .errors import INVERSION, PATCH_MODEL, SAMPLER, FreeAnimateError
from .fingerprint import values_digest
from .record import Inversion
from .schedule import SAME_LEVEL

START_TOLERANCE = 1e-3
RANDOM_SAMPLERS = ("ancestral", "sde", "ddpm", "lcm", "seeds", "sa_solver", "restart")


def refuse_random(sampler: object) -> None:
    """FreeAnimateError for samplers that add noise: they leave the recorded trajectory."""
    name = getattr(getattr(sampler, "sampler_function", sampler), "__name__", type(sampler).__name__)
    options = getattr(sampler, "extra_options", {})
    churns = any(options.get(key, 0.0) for key in ("s_churn", "eta"))
    if churns or any(word in name for word in RANDOM_SAMPLERS):
        shown = name.removeprefix("sample_")
        raise FreeAnimateError(
            f"{PATCH_MODEL}: sampler_name '{shown}' adds noise at every step and leaves the recorded trajectory; "
            "use a deterministic sampler such as euler."
        )


def check_record(record: Inversion, digests: tuple[str, str], node: str) -> None:
    """FreeAnimateError unless the model has the weights and weight patches that the record was made with."""
    weights, patches = digests
    if weights != record.fingerprint.weights:
        raise FreeAnimateError(
            f"{node}: the inversion was made with another checkpoint; connect the same model to {INVERSION} and {node}."
        )
    if patches != record.fingerprint.patches:
        raise FreeAnimateError(
            f"{node}: the inversion was made with other LoRA patches; load LoRAs before both {INVERSION} and {node}."
        )


def check_live(record: Inversion, config: PatchConfig, conds: dict[str, list[dict]]) -> None:
    """FreeAnimateError for live conditionings that the record cannot serve.

    conds: the guider's entries by name, before the host processes them.
    """
    for name, entries in conds.items():
        refuse_regions(entries, SAMPLER, name)
        check_hints(entries, record.frames, SAMPLER, name)
    if config.cross_span == 0:
        return
    for entry in conds.get("positive", []):
        live, recorded = entry["cross_attn"].shape[1], record.text.shape[1]
        if live != recorded:
            raise FreeAnimateError(
                f"{SAMPLER}: positive is {live} tokens long and the positive of {INVERSION} was {recorded}; "
                f"use prompts of one length, or set cross_span of {PATCH_MODEL} to 0."
            )


def check_prompt(record: Inversion, positive: list) -> None:
    """FreeAnimateError when no entry of the live positive is the recorded prompt.

    Another length is left to ``check_live``, whose sentence says more.
    """
    lengths = {text.shape[1] for text, _ in positive}
    prompts = {prompt_digest(entry) for entry in positive}
    if record.text.shape[1] in lengths and record.fingerprint.prompt not in prompts:
        raise FreeAnimateError(
            f"{SAMPLER}: positive is another prompt than the positive that {INVERSION} recorded; connect the same "
            "prompt to both (to edit by prompt, sample the patched model with the host's SamplerCustom)."
        )


def prompt_digest(entry: list) -> str:
    """Digest of an entry's text and pooled text."""
    text, options = entry
    return values_digest(text, options.get("pooled_output"))


def check_start(record: Inversion, start: Tensor, sigma: float) -> None:
    """FreeAnimateError unless sampling starts at the record's top level from its latents.

    start: [F,C,h,w] noisy latents in model space; sigma: the sampler's first sigma.
    """
    top, first = record.top, float(record.descending[0])
    if start.shape != top.shape:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: the latent is {_size(start)} and the inversion {_size(top)}; sample the noise output "
            f"of {INVERSION}."
        )
    if abs(sigma - first) > SAME_LEVEL * first:
        raise FreeAnimateError(
            f"{PATCH_MODEL}: sampling starts at sigma {sigma:.4g} and the inversion ended at {first:.4g}; use the sigmas "
            f"output of {INVERSION}, or steps {record.steps}, scheduler ddim_uniform, start_at_step 0 and denoise 1."
        )
    top = top.to(start)
    if not (start - top).norm() <= START_TOLERANCE * top.norm():
        raise FreeAnimateError(
            f"{PATCH_MODEL}: sampling starts from other latents than the inversion ended at; connect the noise output "
            f"of {INVERSION} as latent and disable added noise (add_noise 'disable', or DisableNoise)."
        )


def _size(latents: Tensor) -> str:
    frames, _, height, width = latents.shape
    return f"{frames} frames of latent size {width}x{height}"
