"""What the host is told while the nodes run: one bar of frames x levels each, and strips of frames."""

import gc
import weakref

import comfy.utils
import hostside
import latent_preview
import numpy as np
import pytest
import torch
from runs import Clip, patch, sample

from freeanimate_pack.freeanimate_core.host.progress import Bar
from freeanimate_pack.nodes.long_clip import FreeAnimateLongClip
from freeanimate_pack.nodes.refine import FreeAnimateRefinePreview


@pytest.fixture(scope="module")
def clip(sd15):
    return Clip(sd15, frames=5, steps=6)


@pytest.fixture(scope="module")
def record(clip):
    with torch.inference_mode():
        return clip.invert()[0]


@pytest.fixture
def told(monkeypatch):
    """What the host's hook was called with: (value, total, preview image or None)."""
    events = []

    def hook(value, total, preview, node_id=None):
        events.append((value, total, None if preview is None else preview[1]))

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", hook)
    monkeypatch.setattr(comfy.utils, "PROGRESS_THROTTLE_MIN_INTERVAL", 0.0)
    latent_preview.set_preview_method("latent2rgb")
    yield events
    latent_preview.set_preview_method()


def checked(told: list, total: int, step: int) -> None:
    """One bar that begins at 0, ends at its total, never goes back and moves by at most ``step``."""
    values = [value for value, _, _ in told]
    assert {of for _, of, _ in told} == {total}
    assert (values[0], values[-1]) == (0, total)
    assert all(0 <= after - before <= step for before, after in zip(values, values[1:]))


def test_the_inversion_moves_with_every_window(clip, told):
    record = clip.invert(window=2, check=3, storage="memory")[0]
    checked(told, 5 * len(record.levels) + 3 * (len(record.descending) - 1), 2)
    pictures = [image for _, _, image in told if image is not None]
    assert len(pictures) == len(record.levels) + len(record.descending) - 1
    assert {image.size for image in pictures} == {(5 * clip.w, clip.h), (3 * clip.w, clip.h)}


def test_an_inversion_without_a_bank_ends_full_too(clip, told):
    record = clip.invert(window=2)[0]
    checked(told, 5 * len(record.levels), 5)


def test_a_preview_shows_every_frame_as_the_host_shows_one(clip, told):
    clip.invert(window=5)
    first, last = (next(image for _, _, image in events if image is not None) for events in (told, told[::-1]))
    previewer = latent_preview.get_previewer(clip.tiny.model.load_device, clip.tiny.model.model.latent_format)
    still = clip.preview["samples"] * clip.tiny.model.model.latent_format.scale_factor
    alone = [previewer.decode_latent_to_preview(frame[None]) for frame in still]
    # near sigma 0 the denoised frames are the clean ones
    for number, wanted in enumerate(alone):
        shown = first.crop((number * clip.w, 0, (number + 1) * clip.w, clip.h))
        assert np.abs(np.asarray(shown, dtype=float) - np.asarray(wanted, dtype=float)).mean() < 4
    assert last.size == first.size


def test_the_sampler_moves_with_every_window(clip, record, told):
    sample(clip, record, patch(clip.tiny.model, record, window=2), 3.0)
    checked(told, 5 * (len(record.descending) - 1), 2)


def test_the_long_clip_has_one_bar_for_parts_and_decoding(clip, record, told):
    patched = patch(clip.tiny.model, record, window=1)
    inputs = patched, record, clip.positive, clip.negative, clip.tiny.vae, 1.0, 0.0, 1.0, 2
    FreeAnimateLongClip.execute(*inputs)
    checked(told, 5 * len(record.descending), 2)


def test_the_refinement_moves_with_every_window(clip, told):
    frames = hostside.hint(5, clip.h, clip.w)
    ones = torch.ones(frames.shape[:3])
    scene = frames, ones, ones, frames[:1], frames[:1]
    conds = clip.tiny.model, clip.tiny.vae, clip.positive, clip.negative
    FreeAnimateRefinePreview.execute(*conds, *scene, 0.5, 4, 1.0, 0, 1.0, 8, 2)
    checked(told, 5 * 4, 2)


def held(kinds=(latent_preview.LatentPreviewer, comfy.utils.ProgressBar, Bar)) -> list:
    """What a run shows itself with, as far as it is alive."""
    gc.collect()
    return [thing for thing in gc.get_objects() if isinstance(thing, kinds)]


def test_a_record_keeps_neither_previewer_nor_bar(clip, told, monkeypatch):
    """The host's cache holds records; a previewer may be a decoder on the device. While the nodes run all are there."""
    alive, before, show = [], {id(thing) for thing in held()}, Bar.level

    def level(self, denoised):
        if not alive:
            alive[:] = [weakref.ref(thing) for thing in held() if id(thing) not in before]
        show(self, denoised)

    monkeypatch.setattr(Bar, "level", level)
    record = clip.invert(window=2, check=1)[0]
    assert len(alive) >= 3 and not held_of(alive)
    alive.clear()
    model = patch(clip.tiny.model, record, window=2)
    sample(clip, record, model, 4.0)
    assert len(alive) >= 3 and not held_of(alive)


def held_of(references: list) -> list:
    """What is still alive of these."""
    gc.collect()
    return [thing for reference in references if (thing := reference()) is not None]
