"""`evaluate pose`: what the study finds, within the bounds that the modes promise."""

import pytest

from freeanimate_pack.freeanimate_core.pose.align import AlignSettings, align
from lab.evaluation.pose.clips import all_clips
from lab.evaluation.pose.scores import score, summary


@pytest.fixture(scope="module")
def clips():
    return all_clips()


def study(mode, clips):
    return summary(score(clip, align(clip.driving, clip.reference, AlignSettings(mode)).poses) for clip in clips)


def test_affine_keeps_the_scale(clips):
    found = study("affine", clips)
    assert found["scale_error_max"] < 0.02
    for kind in ("same body", "scale", "offset", "aspect", "jump", "bob", "half body"):
        assert found["kinds"][kind]["joint_error_max"] < 0.005, kind
    assert found["kinds"]["child and adult"]["bone_error_max"] > 0.2  # one scale cannot; the table must not hide it


def test_bone_length_keeps_every_bone(clips):
    found = study("bone length", clips)
    assert found["bone_error_max"] < 0.03
    assert found["kinds"]["child and adult"]["joint_error_mean"] < 0.01


def test_the_published_form_shrinks_with_a_bob(clips):
    found = study("affine (StableAnimator)", [clip for clip in clips if clip.kind in ("bob", "jump")])
    assert found["kinds"]["bob"]["scale_error_max"] > 0.5


def test_a_wrong_scale_and_a_long_bone_are_seen(clips):
    """The scores themselves: poses 10 % too large have that error of scale and of bones."""
    clip = clips[0]
    poses = clip.driving.moved((1.1, 1.1), (0, 0), clip.driving.height, clip.driving.width)
    found = score(clip, poses)
    assert found.scale_error == pytest.approx(0.1) and found.bone_error == pytest.approx(0.1)
    assert found.joint_error > 0.02
    assert score(clip, clip.driving).joint_error == 0
