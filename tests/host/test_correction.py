"""The correction of the inversion's steps, on the real host."""

import hostside
import pytest
import torch
from runs import Clip, animate

SAME = 1e-4
EXACT = 90.0  # dB: what fp32 leaves of an inversion that the sampler undoes


@pytest.fixture(scope="module")
def clip(sd15):
    with torch.inference_mode():
        return Clip(sd15, frames=3, steps=5)


def test_the_sampler_undoes_a_corrected_inversion(clip):
    plain, once, often = (clip.invert("memory", check=3, correction=n)[4] for n in (0, 1, 20))
    assert plain < once < often
    assert often > EXACT


@pytest.mark.parametrize("corrections", [1, 3])
def test_tiers_and_windows_agree_on_a_corrected_record(clip, corrections):
    record = clip.invert("recompute", window=3, correction=corrections)[0]
    truth = animate(clip, record, window=3)
    for tier in ("memory", "disk"):
        stored = clip.invert(tier, window=2, correction=corrections)[0]
        assert hostside.relative(animate(clip, stored, window=1), truth) <= SAME
    plain = animate(clip, clip.invert("recompute", window=3)[0], window=3)
    assert hostside.relative(plain, truth) > 10 * SAME


def test_the_model_is_asked_where_the_record_says(clip):
    """What is replayed belongs to the latents seen: with those of the trajectory in their place it is another video."""
    record = clip.invert("recompute", correction=1)[0]
    truth = animate(clip, record)
    record.seen = record.preview
    assert hostside.relative(animate(clip, record), truth) > 1e-6


def test_a_part_of_a_corrected_record_is_its_frames(clip):
    record = clip.invert("recompute", correction=1)[0]
    part = record.part(range(1, 3))
    assert torch.equal(part.seen, record.seen[:, 1:3])
    assert not torch.equal(part.seen, part.preview)
