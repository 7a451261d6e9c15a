"""The Animate Long Clip node's side of the host: one part of the clip after another, each through all steps.

Frames read the reference and never one another, so parts give what the whole would. What grows
with the clip is the latents and the pictures; everything else is of one part.
"""

import logging
import re
import time
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..config import LongClipConfig, SamplerConfig
from ..errors import LONG_CLIP, FreeAnimateError, counted
from ..host import clones, files, models, sampling, screen
from ..host.progress import Bar
from ..method.conditioning import parts_of
from ..method.fingerprint import values_digest
from ..method.record import Inversion
from .checks import check_live, control_digest
from .patch import PatchedModel, patch_of
from .run_folder import RunFolder
from .sampler import sampled

FRAME_RANGE = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?", re.ASCII)
log = logging.getLogger("freeanimate")


@dataclass(frozen=True)
class Inputs:
    """What the node is given besides its widgets: patched MODEL, record, conditionings, VAE, guidance."""

    model: object
    record: Inversion
    positive: list
    negative: list
    vae: object
    guidance: SamplerConfig


@dataclass(frozen=True)
class Outcome:
    """What the node puts out: images [f,H,W,3] 0-1, LATENT, and what was done in words."""

    images: Tensor
    latent: dict
    report: str


def chosen_frames(total: int, config: LongClipConfig) -> range:
    """The frames to render of a clip of ``total``; FreeAnimateError where it has none."""
    first, count = config.first_frame, config.frames
    if first >= total:
        raise FreeAnimateError(
            f"{LONG_CLIP}: first_frame is {first} and inversion has frames 0 to {total - 1}; set it to one of them."
        )
    if first + count > total:
        raise FreeAnimateError(
            f"{LONG_CLIP}: frames is {count} and from first_frame {first} inversion has {total - first}; set it to at "
            f"most {total - first}, or to 0 for all of these."
        )
    return range(first, first + count if count else total)


def split(frames: range, size: int) -> list[range]:
    """Frames cut where the clip's multiples of ``size`` are, so that all machines cut alike."""
    starts = range(frames.start // size * size, frames.stop, size)
    return [range(max(start, frames.start), min(start + size, frames.stop)) for start in starts]


def frame_ranges(text: str, frames: range) -> list[range]:
    """The frames that a text such as "12, 40-47" names, which must lie in ``frames``; "" names none."""
    ranges = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        match = FRAME_RANGE.fullmatch(word)
        if match is None:
            raise FreeAnimateError(f"{LONG_CLIP}: again holds '{word}'; write frames as in '12, 40-47', or nothing.")
        first = int(match[1])
        last = int(match[2] or first)
        if not frames.start <= first <= last < frames.stop:
            raise FreeAnimateError(
                f"{LONG_CLIP}: again holds '{word}' and this run renders frames {frames.start} to {frames.stop - 1}; "
                "name some of these, the lower one first."
            )
        ranges.append(range(first, last + 1))
    return ranges


def run_long_clip(inputs: Inputs, config: LongClipConfig) -> Outcome:
    """Render the chosen frames part by part; finished parts are read from the run's folder, new ones kept there.

    Raises FreeAnimateError, before any sampling, for what the Animate Sampler refuses, for frames
    that the record has not, and for a folder of another run.
    """
    started = time.monotonic()
    patched = _checked(inputs)
    frames = chosen_frames(inputs.record.frames, config)
    parts = split(frames, config.frames_per_part)
    again = frame_ranges(config.again, frames)
    folder = _folder(inputs, patched, config)
    levels = len(inputs.record.descending) - 1
    bar = screen.frames_bar(inputs.model, len(frames) * (levels + 1))  # the last of a frame is its decoding
    finished, made, plan = [], 0, ""
    for part in parts:
        anew = folder is None or any(part.start < r.stop and r.start < part.stop for r in again)
        latents = None if anew else folder.read(part)
        if latents is not None:
            bar.skip(len(part) * levels)
        else:
            latents = _made(inputs, patched, part, bar)
            made += 1
            plan = plan or bar.plan  # the last part may be shorter
            if folder is not None:
                folder.write(part, latents)
        finished.append(latents)
    images = _decoded(inputs.vae, finished, bar)
    place = "a folder" if folder is None else f"freeanimate/{folder.name}"
    report = (
        f"frames {frames.start} to {frames.stop - 1} of {inputs.record.frames}: {counted(made, 'part')} made, "
        f"{len(parts) - made} read from {place}, {time.monotonic() - started:.1f} s"
    )
    report += f"; {plan}" if plan else ""
    log.info("%s: %s", LONG_CLIP, report)
    return Outcome(images, {"samples": torch.cat(finished)}, report)


def _checked(inputs: Inputs) -> PatchedModel:
    """The patch of the model; FreeAnimateError for inputs that do not belong together."""
    record = inputs.record
    patched = patch_of(inputs.model, record, inputs.positive, LONG_CLIP)
    # with everything off too: a part takes its frames of the hints
    live = {name: sampling.entries_of(getattr(inputs, name)) for name in ("positive", "negative")}
    check_live(record, patched.config, live, LONG_CLIP)
    channels = record.top.shape[1]
    if inputs.vae.latent_channels != channels:
        raise FreeAnimateError(
            f"{LONG_CLIP}: vae decodes {inputs.vae.latent_channels} channels and inversion has {channels}; connect "
            "the VAE of this checkpoint."
        )
    return patched


def _folder(inputs: Inputs, patched: PatchedModel, config: LongClipConfig) -> RunFolder | None:
    """The checked folder of the run; None when nothing is to be written."""
    name = config.run_name.strip()
    if not name:
        return None
    start = {"frames": inputs.record.top, "reference": inputs.record.reference[-1]}
    folder = RunFolder(_place(name), name, _made_from(inputs, patched, config.frames_per_part), start)
    folder.check()
    return folder


def _place(name: str) -> Path:
    """The folder "freeanimate/``name``" of the host's output folder, made if it is missing."""
    where = f"{LONG_CLIP}: run_name"
    steps = name.replace("\\", "/").split("/")
    if any(step.strip() in ("", ".", "..") or ":" in step for step in steps):
        raise FreeAnimateError(
            f"{where} '{name}' is no folder below 'freeanimate' in ComfyUI's output folder; leave out '..', drives and "
            "a leading '/'."
        )
    try:
        return files.output_place(f"{clones.KEY}/{name}/part", 0, 0, where)[0]
    except OSError as error:
        raise FreeAnimateError(f"{where} '{name}' cannot be made as a folder ({error}); choose another.") from error


def _made_from(inputs: Inputs, patched: PatchedModel, frames_per_part: int) -> dict:
    """By the names that a refusal uses, all that a part's latents depend on, but for where they start.

    Not frames_per_window, whose choice is the machine's, and of the model's other patches only
    which kinds there are: functions have no values to compare.
    """
    record, settings = inputs.record, replace(patched.config, window=0)
    levels = [record.levels, record.descending, record.reference_weight]
    return {
        "inversion": values_digest(list(astuple(record.fingerprint)), *levels),
        "patches on the model": values_digest(inputs.model.model_options),
        "settings of Patch Model": list(astuple(settings)),
        "redraw_mask": None if patched.redraw is None else values_digest(patched.redraw),
        "cfg, cfg_start or cfg_end": [inputs.guidance.cfg, inputs.guidance.start, inputs.guidance.end],
        "positive": _conditioning_digest(inputs.positive),
        "negative": _conditioning_digest(inputs.negative),
        "latent size": [*record.top.shape[1:]],
        "number of frames in the clip": record.frames,
        "frames_per_part": frames_per_part,
    }


def _conditioning_digest(conditioning: list) -> str:
    """Digest of texts, ControlNets with their hints, and plain options."""
    plain = [{k: v for k, v in options.items() if k != "control"} for _, options in conditioning]
    texts = [text for text, _ in conditioning]
    return values_digest(texts, plain, [control_digest(entry) for entry in conditioning])


def _made(inputs: Inputs, patched: PatchedModel, part: range, bar: Bar) -> Tensor:
    """LATENT samples [f,C,h,w], fp32 on the CPU, of one part through all levels."""
    positive, negative = parts_of([inputs.positive, inputs.negative], part, inputs.record.frames)
    of_part = patched.part(part)
    model = of_part.hung_on(inputs.model.clone())
    samples = sampled(model, of_part.record, positive, negative, inputs.guidance, bar)
    return samples.to("cpu", torch.float32)


def _decoded(vae, parts: list[Tensor], bar: Bar) -> Tensor:
    """Images [F,H,W,3] of all parts' latents, decoded part by part into one tensor."""
    images, start = None, 0
    for latents in parts:
        pictures = models.decode(vae, latents)
        if images is None:
            images = pictures.new_empty(sum(len(part) for part in parts), *pictures.shape[1:])
        images[start : start + len(pictures)] = pictures
        start += len(pictures)
        bar.skip(len(pictures))
    return images
