"""Gaps, jitter and the lead-in of a driving clip, with answers known by arithmetic."""

import numpy as np
import pytest

from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.pose.lead_in import with_lead_in
from freeanimate_pack.freeanimate_core.pose.repair import fill_gaps
from freeanimate_pack.freeanimate_core.pose.smooth import smooth

SIZE = 256


def sequence(joints):
    return PoseSequence.from_joints(joints, SIZE, SIZE)


def walking(frames=16):
    return motion("wave", 1, frames, SIZE, SIZE).astype(np.float64)


def standing(frames=1):
    return np.repeat(rest_pose(1, SIZE, SIZE).astype(np.float64), frames, axis=0)


def test_a_gap_of_five_is_filled_and_one_of_six_is_not():
    frames = standing(16)
    frames[3:8, 4] = 0
    frames[9:15, 7] = 0
    repaired = fill_gaps(sequence(frames), 5)
    np.testing.assert_allclose(repaired.poses.joints[:, 4], standing(16)[:, 4], atol=1e-9)
    assert not repaired.poses.joints[9:15, 7].any()
    assert (repaired.joints, repaired.missing, repaired.frames) == (5, 1, 0)


def test_a_filled_joint_swings_with_its_parent():
    """The body rises meanwhile, and the forearm turns by a right angle: no straight line between the two ends."""
    frames = standing(5)
    frames[..., 1] -= np.array([0, 8, 20, 8, 0])[:, None]
    elbow = frames[:, 3, :2]
    angles = np.linspace(0, np.pi / 2, 5)
    frames[:, 4, :2] = elbow + 30 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    damaged = frames.copy()
    damaged[1:4, 4] = 0
    np.testing.assert_allclose(fill_gaps(sequence(damaged), 5).poses.joints, frames, atol=1e-9)


@pytest.mark.parametrize("lost", [slice(0, 3), slice(13, 16)])
@pytest.mark.parametrize("joints", [[4], [2, 3, 4], [9, 10, 12, 13], [0, 14, 15, 16, 17], [1]])
def test_joints_missing_at_the_ends_hang_as_where_they_are_seen_next(lost, joints):
    """The body glides across the picture, so that a place that was held would be left behind."""
    frames = standing(16)
    frames[..., 0] += np.linspace(-50, 50, 16)[:, None]
    damaged = frames.copy()
    damaged[lost, joints] = 0
    repaired = fill_gaps(sequence(damaged), 5)
    np.testing.assert_allclose(repaired.poses.joints, frames, atol=1e-4)
    assert (repaired.joints, repaired.missing) == (3 * len(joints), 0)


@pytest.mark.parametrize("ends", [slice(0, 5), slice(11, 16)])
def test_a_gap_of_six_at_an_end_is_not_filled(ends):
    frames = standing(16)
    frames[ends, 4] = 0
    assert fill_gaps(sequence(frames), 5).poses.seen.all()
    for point in (7, 13):
        frames[:6, point] = 0
        assert not fill_gaps(sequence(frames), 5).poses.joints[:6, point].any()
    np.testing.assert_array_equal(fill_gaps(sequence(frames), 0).poses.joints, frames)


def test_hands_face_and_feet_at_the_ends_go_with_what_they_hang_from():
    frames = standing(8)
    frames[..., 0] += np.linspace(-50, 50, 8)[:, None]
    poses = sequence(frames)
    holders = {"right_hand": [4] * 21, "left_hand": [7] * 21, "face": [0] * 70, "feet": [13] * 3 + [10] * 3}
    whole = poses.with_arrays({name: frames[:, joints] + (3, 4, 0) for name, joints in holders.items()})
    damaged = whole.with_arrays({name: whole.arrays[name].copy() for name in holders})
    for points in (damaged.arrays[name] for name in holders):
        points[:2], points[6:] = 0, 0
    damaged.joints[:1, 4] = 0
    repaired = fill_gaps(damaged, 3).poses
    for name in holders:
        np.testing.assert_allclose(repaired.arrays[name], whole.arrays[name], atol=1e-4, err_msg=name)


def test_frames_without_a_person_are_filled_inside_and_held_at_the_ends():
    frames = walking()
    damaged = frames.copy()
    damaged[[0, 8, 15]] = 0
    repaired = fill_gaps(sequence(damaged), 5)
    assert repaired.frames == 3
    np.testing.assert_array_equal(repaired.poses.joints[[0, 15]], frames[[1, 14]])
    np.testing.assert_allclose(repaired.poses.joints[8], frames[8], atol=3)
    assert repaired.poses.seen.all()


@pytest.mark.parametrize("longest", [0, 2])
def test_longer_empty_runs_are_refused_by_frame(longest):
    frames = walking()
    frames[4:7] = 0
    with pytest.raises(FreeAnimateError, match=rf"no person in frames 4-6 .*up to {longest} frames"):
        fill_gaps(sequence(frames), longest)


def test_fill_gaps_zero_leaves_joints_alone():
    frames = walking()
    frames[4:6, 3] = 0
    np.testing.assert_array_equal(fill_gaps(sequence(frames), 0).poses.joints, frames)


def test_smoothing_off_is_off():
    poses = sequence(walking())
    assert smooth(poses, 0.0) is poses


def test_smoothing_takes_jitter_and_leaves_motion():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1.0, (40, 18, 2))
    still, moving = standing(40), walking(40)
    still_noisy, moving_noisy = still.copy(), moving.copy()
    still_noisy[..., :2] += noise
    moving_noisy[..., :2] += noise
    rest = smooth(sequence(still_noisy), 0.7).joints - still
    assert np.abs(rest[..., :2]).mean() < 0.6 * np.abs(noise).mean()
    assert np.abs(np.diff(rest[..., :2], axis=0)).mean() < 0.3 * np.abs(np.diff(noise, axis=0)).mean()
    along = smooth(sequence(moving_noisy), 0.7).joints - moving
    assert np.abs(along[..., :2]).mean() < 0.9 * np.abs(noise).mean()


def test_smoothing_has_no_lag():
    """A joint at even speed stays on its line away from the clip's ends."""
    frames = standing(41)
    frames[..., 0] += np.linspace(-40, 40, 41)[:, None]
    smoothed = smooth(sequence(frames), 0.5).joints
    np.testing.assert_allclose(smoothed[20], frames[20], atol=0.05)


def test_smoothing_starts_anew_after_a_gap():
    frames = standing(8)
    frames[5:, 4, 0] += 50
    frames[3:5, 4] = 0
    np.testing.assert_allclose(smooth(sequence(frames), 0.9).joints, frames, atol=1e-9)


def test_lead_in_goes_from_the_reference_to_the_clip():
    clip, reference = sequence(walking()[8:]), sequence(standing())
    led = with_lead_in(clip, reference, 6)
    assert len(led) == 6 + len(clip)
    np.testing.assert_array_equal(led.joints[0], reference.joints[0])
    np.testing.assert_array_equal(led.joints[6:], clip.joints)
    steps = np.abs(np.diff(led.joints[:7, :, :2], axis=0)).max(axis=(1, 2))
    assert steps.max() < 2.2 * steps.mean()  # no jump; the smooth start and stop make the middle 1.5 times as fast


def test_lead_in_turns_bones_and_does_not_shrink_them():
    """An arm that goes from down to up by half a turn is as long half way."""
    start, end = standing(), standing()
    start[0, 3, :2], end[0, 3, :2] = start[0, 2, :2] + (1, 40), start[0, 2, :2] + (1, -40)
    led = with_lead_in(sequence(end), sequence(start), 4).joints
    np.testing.assert_allclose(np.hypot(*(led[:, 3] - led[:, 2])[:, :2].T), np.hypot(1, 40), rtol=1e-6)


def test_lead_in_carries_hands_and_drops_what_only_one_side_shows():
    reference, clip = sequence(standing()), sequence(walking()[8:9])
    for poses in (reference, clip):
        poses.right_hand[:] = poses.joints[:, [4]]
    clip.joints[:, 7] = 0
    led = with_lead_in(clip, reference, 4)
    np.testing.assert_allclose(led.right_hand, np.repeat(led.joints[:, [4]], 21, axis=1), atol=1e-9)
    assert led.joints[0, 7, 2] == 1 and not led.joints[1:, 7].any()


def test_lead_in_needs_the_reference_canvas():
    other = PoseSequence.from_joints(standing(), 100, 300)
    with pytest.raises(FreeAnimateError, match="lead_in to 0"):
        with_lead_in(other, sequence(standing()), 4)
    assert with_lead_in(other, sequence(standing()), 0) is other
