"""The Animate Sampler's run: the host's euler over the record's sigmas, with a patched model."""

import time

from torch import Tensor

from ..config import SamplerConfig
from ..errors import INVERSION, SAMPLER, counted
from ..host import models, sampling, screen
from ..host.progress import Bar
from ..host.whole_batch import refuse_whole_batch
from ..method.record import Inversion
from ..method.schedule import guidance
from ..presets import guidance_settings, guidance_words
from .checks import check_live
from .patch import patch_of
from .ranges import in_words, of_record


def animate(model, record: Inversion, positive: list, negative: list, config: SamplerConfig) -> tuple[dict, str]:
    """Denoise the record's frames with a patched MODEL: the host's euler over the record's sigmas.

    The preset of the patch, if it has one, says when guidance acts. Returns a LATENT [F,C,h,w] and how it was done,
    in words. Raises FreeAnimateError as ``patch_of`` and ``check_live`` do.
    """
    started = time.monotonic()
    patched = patch_of(model, record, positive, SAMPLER)
    config = guidance_settings(patched.preset, config)
    if not patched.config.off or not record.whole:  # with everything off too, a part takes its frames of the hints
        live = {"positive": sampling.entries_of(positive), "negative": sampling.entries_of(negative)}
        check_live(record, patched.config, live, SAMPLER, frames=record.clip_frames)
    if not record.whole:
        refuse_whole_batch(model.model_options, SAMPLER, f"set first_frame and frames of {INVERSION} to 0")
    positive, negative = of_record(record, positive, negative)
    bar = screen.frames_bar(model, record.frames * (len(record.descending) - 1))
    samples = sampled(model, record, positive, negative, config, bar)
    frames = counted(record.frames, "frame") if record.whole else in_words(record.clip_range, record.clip_frames)
    done = f"{frames}, {counted(len(record.descending) - 1, 'step')}"
    done += f", {time.monotonic() - started:.1f} s, {guidance_words(config)}"
    return {"samples": samples}, f"{done}: {bar.plan or 'Patch Model changes nothing'}"


def sampled(model, record: Inversion, positive: list, negative: list, config: SamplerConfig, bar: Bar) -> Tensor:
    """LATENT samples [F,C,h,w] of a checked run."""

    def scale(sigma: float) -> float:
        return guidance(sigma, record.descending, config.cfg, config.start, config.end)

    guider = sampling.cfg_guider(model, scale, positive=positive, negative=negative)
    start = models.to_latent(model, record.top)["samples"]
    samples = sampling.sample(guider, start, sampling.euler(), record.descending.clone(), bar)
    return samples.to(start.device)
