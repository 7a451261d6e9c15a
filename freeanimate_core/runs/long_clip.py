"""The Animate Long Clip node's side of the host: one part of the clip after another, each through all steps.

Frames read the reference and never one another, so parts give what the whole would. What grows
with the clip is the latents and the pictures; everything else is of one part.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import MAX_WINDOW, LongClipConfig, SamplerConfig
from ..errors import INVERSION, LONG_CLIP, FreeAnimateError, counted, quoted
from ..host import clones, files, models, sampling, screen
from ..host.progress import Bar
from ..host.whole_batch import refuse_whole_batch
from ..method.conditioning import parts_of
from ..method.record import Inversion
from ..presets import guidance_settings, guidance_words
from .checks import check_live
from .claim import claimed
from .made_from import origin_of
from .patch import PatchedModel, patch_of
from .ranges import chosen_frames, in_words
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
            raise FreeAnimateError(
                f"{LONG_CLIP}: again holds {quoted(word)}; write frames as in '12, 40-47', or nothing."
            )
        first = int(match[1])
        last = int(match[2] or first)
        if not frames.start <= first <= last < frames.stop:
            raise FreeAnimateError(
                f"{LONG_CLIP}: again holds {quoted(word)} and this run renders frames {frames.start} to "
                f"{frames.stop - 1}; name some of these, the lower one first."
            )
        ranges.append(range(first, last + 1))
    return ranges


def run_long_clip(inputs: Inputs, config: LongClipConfig) -> Outcome:
    """Render the chosen frames part by part; finished parts are read from the run's folder, new ones kept there.

    Frames that the record has not must be finished. Raises FreeAnimateError, before any sampling, for what
    the Animate Sampler refuses, for frames that are nowhere, for patches that parts change, and for a folder
    or a part of another run.
    """
    patched = _checked(inputs)
    inputs = replace(inputs, guidance=guidance_settings(patched.preset, inputs.guidance))
    frames = chosen_frames(inputs.record.clip_frames, config.first_frame, config.frames, LONG_CLIP, "inversion")
    parts = split(frames, config.frames_per_part)
    anew = frame_ranges(config.again, frames)
    _refuse_parts(inputs, parts)
    with _opened(inputs, patched, config) as folder:
        return _rendered(inputs, patched, parts, anew, folder)


def _rendered(
    inputs: Inputs, patched: PatchedModel, parts: list[range], anew: list[range], folder: RunFolder | None
) -> Outcome:
    started = time.monotonic()
    frames = range(parts[0].start, parts[-1].stop)
    kept = [part for part in parts if not any(part.start < r.stop and r.start < part.stop for r in anew)]
    stored = {part: folder.read(part) for part in kept} if folder is not None else {}  # all, before the first is made
    _require(inputs.record, [part for part in parts if stored.get(part) is None])
    levels = len(inputs.record.descending) - 1
    bar = screen.frames_bar(inputs.model, len(frames) * (levels + 1))  # the last of a frame is its decoding
    finished, made, plan = [], 0, ""
    for part in parts:
        latents = stored.get(part)
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
    place = "a folder" if folder is None else f"{clones.KEY}/{folder.name}"
    report = (
        f"{in_words(frames, inputs.record.clip_frames)}: {counted(made, 'part')} made, "
        f"{len(parts) - made} read from {place}, {time.monotonic() - started:.1f} s"
    )
    report += f"; {guidance_words(inputs.guidance)}" + (f"; {plan}" if plan else "")
    log.info("%s: %s", LONG_CLIP, report)
    return Outcome(images, {"samples": torch.cat(finished)}, report)


def _checked(inputs: Inputs) -> PatchedModel:
    """The patch of the model; FreeAnimateError for inputs that do not belong together."""
    record = inputs.record
    patched = patch_of(inputs.model, record, inputs.positive, LONG_CLIP)
    # with everything off too: a part takes its frames of the hints
    live = {name: sampling.entries_of(getattr(inputs, name)) for name in ("positive", "negative")}
    check_live(record, patched.config, live, LONG_CLIP, frames=record.clip_frames)
    channels = record.top.shape[1]
    if inputs.vae.latent_channels != channels:
        raise FreeAnimateError(
            f"{LONG_CLIP}: vae decodes {inputs.vae.latent_channels} channels and inversion has {channels}; connect "
            "the VAE of this checkpoint."
        )
    return patched


def _require(record: Inversion, parts: list[range]) -> None:
    """FreeAnimateError for parts that are to be made of frames which the record has not."""
    own = record.clip_range
    lacking = [part for part in parts if part.start < own.start or part.stop > own.stop]
    if lacking:
        raise FreeAnimateError(
            f"{LONG_CLIP}: {in_words(lacking[0], record.clip_frames)} are not finished in a folder of this run_name, "
            f"and inversion has frames {own.start} to {own.stop - 1} alone; set first_frame to {own.start} and frames "
            f"to {len(own)}, as at {INVERSION}, or copy the part files of the other frames into the folder."
        )


def _refuse_parts(inputs: Inputs, parts: list[range]) -> None:
    """FreeAnimateError for patches that read a whole batch, where a batch is not the whole clip."""
    total = inputs.record.clip_frames
    if parts != [range(total)]:
        whole = f"set frames_per_part to {total} or more, first_frame and frames to 0"
        if total > MAX_WINDOW:
            whole = f"give {INVERSION} at most {MAX_WINDOW} frames"
        refuse_whole_batch(inputs.model.model_options, LONG_CLIP, whole)


@contextmanager
def _opened(inputs: Inputs, patched: PatchedModel, config: LongClipConfig) -> Iterator[RunFolder | None]:
    """The checked folder of the run, claimed for it alone; None when nothing is to be written."""
    where = f"{LONG_CLIP}: run_name"
    if not config.run_name.strip():
        yield None
        return
    path, name = files.output_folder(clones.KEY, config.run_name.strip(), where)
    with claimed(path, f"{where} {quoted(name)}"):
        origin = origin_of(
            inputs.model, patched, inputs.positive, inputs.negative, inputs.guidance, config.frames_per_part
        )
        folder = RunFolder(path, name, origin)
        folder.begin()
        yield folder


def _made(inputs: Inputs, patched: PatchedModel, part: range, bar: Bar) -> Tensor:
    """LATENT samples [f,C,h,w], fp32 on the CPU, of one part through all levels."""
    positive, negative = parts_of([inputs.positive, inputs.negative], part, inputs.record.clip_frames)
    of_part = patched.part(part)
    model = of_part.hung_on(inputs.model.clone())
    samples = sampled(model, of_part.record, positive, negative, inputs.guidance, bar).to("cpu", torch.float32)
    if not torch.isfinite(samples).all():
        raise FreeAnimateError(
            f"{LONG_CLIP}: the model returned NaN or infinite values in frames {part.start} to {part.stop - 1}; start "
            "ComfyUI with --force-upcast-attention or --fp32-unet, or remove other patches from model."
        )
    return samples


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
