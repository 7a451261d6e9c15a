"""Alignment against its published formula, and against answers known by arithmetic."""

import numpy as np
import pytest

from demo.motion import motion, rest_pose
from freeanimate_core.errors import FreeAnimateError
from freeanimate_core.pose import ALIGN_MODES, PoseSequence, align

HEIGHT, WIDTH = 256, 192
STEADY = [0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]


def sequence(joints, height=HEIGHT, width=WIDTH):
    return PoseSequence.from_joints(joints, height, width)


def standing():
    return rest_pose(3, HEIGHT, WIDTH).astype(np.float64)


def moved_up(amounts):
    """The standing pose, one frame per amount, moved up by that share of the canvas height."""
    frames = np.repeat(standing(), len(amounts), axis=0)
    frames[..., 1] -= HEIGHT * np.asarray(amounts)[:, None]
    return frames


def scale_of(aligned, driving):
    """Height of the aligned skeleton as a share of the driving one."""
    return np.ptp(aligned.joints[..., 1], axis=1) / np.ptp(driving.joints[..., 1], axis=1)


def test_published_affine_is_polyfit_on_fractions():
    rng = np.random.default_rng(0)
    driving = motion("side step", 4, 6, 300, 400).astype(np.float64)
    driving[..., :2] += rng.normal(0, 3, driving[..., :2].shape)
    reference = standing()
    x, y = driving[:, STEADY, 0] / 400, driving[:, STEADY, 1] / 300
    goal = np.tile(reference[0, STEADY, :2] / (WIDTH, HEIGHT), (6, 1, 1))
    scale_y, offset_y = np.polyfit(y.ravel(), goal[..., 1].ravel(), 1)
    scale_x = scale_y / (300 / 400 / HEIGHT * WIDTH)
    offset_x = np.mean(goal[..., 0].ravel() - x.ravel() * scale_x)
    aligned = align(sequence(driving, 300, 400), sequence(reference), "affine (StableAnimator)")
    expected = driving[..., :2] / (400, 300) * (scale_x, scale_y) + (offset_x, offset_y)
    np.testing.assert_allclose(aligned.joints[..., :2], expected * (WIDTH, HEIGHT), atol=1e-6)
    assert (aligned.height, aligned.width) == (HEIGHT, WIDTH)


def test_vertical_motion_shrinks_the_published_form_and_not_ours():
    """For y the same shape plus a jump, the published slope is var(shape) / (var(shape) + var(jump))."""
    driving, reference = sequence(moved_up([0.0, 0.2, 0.0, 0.2])), sequence(standing())
    spread = standing()[0, STEADY, 1].var()
    slope = spread / (spread + (0.1 * HEIGHT) ** 2)
    assert 0.7 < slope < 0.95
    np.testing.assert_allclose(
        scale_of(align(driving, reference, "affine (StableAnimator)"), driving), slope, rtol=1e-6
    )
    np.testing.assert_allclose(scale_of(align(driving, reference, "affine"), driving), 1.0, rtol=1e-9)


def test_head_and_shoulders_bob():
    """With the upper body alone a bob outweighs the shape: the published scale collapses."""
    frames = moved_up([0.0, 0.1, 0.2, 0.1])
    frames[:, 8:14] = 0
    reference = standing()
    reference[:, 8:14] = 0
    driving, still = sequence(frames), sequence(reference)
    seen = [k for k in STEADY if not 8 <= k < 14]
    spread = reference[0, seen, 1].var()
    slope = spread / (spread + np.var([0.0, 0.1, 0.2, 0.1]) * HEIGHT**2)
    published = align(driving, still, "affine (StableAnimator)")
    kept = align(driving, still, "affine")
    head = [0, 1]
    length = np.diff(frames[:, head, 1], axis=1)
    np.testing.assert_allclose(np.diff(published.joints[:, head, 1], axis=1) / length, slope, rtol=1e-6)
    np.testing.assert_allclose(np.diff(kept.joints[:, head, 1], axis=1) / length, 1.0, rtol=1e-9)
    assert slope < 0.7


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_affine_recovers_scale_and_puts_the_first_frame_on_the_reference(scale):
    frames = moved_up([0.0, 0.1, -0.05])
    frames[..., :2] = frames[..., :2] * scale + (37, -12)
    aligned = align(sequence(frames, 700, 500), sequence(standing()), "affine")
    np.testing.assert_allclose(aligned.joints[0], standing()[0], atol=1e-6)
    np.testing.assert_allclose(aligned.joints[1, :, 1], standing()[0, :, 1] - 0.1 * HEIGHT, atol=1e-6)


def test_affine_ignores_joints_that_either_side_lacks():
    frames = moved_up([0.0, 0.1])
    frames[0, 9] = 0
    reference = standing()
    reference[0, 12] = 0
    aligned = align(sequence(frames), sequence(reference), "affine")
    assert aligned.joints[0, 9].tolist() == [0, 0, 0]
    np.testing.assert_allclose(aligned.joints[0, :8], standing()[0, :8], atol=1e-6)


def test_anchor_is_the_frame_of_the_reference_shape():
    """A first frame with spread legs must not decide where the body stands."""
    frames = moved_up([0.0, 0.0, 0.0])
    frames[0, [9, 10, 12, 13], 0] += np.array([-30, -60, 10, 20])
    aligned = align(sequence(frames), sequence(standing()), "affine")
    neck = aligned.joints[1, 1, :2] - standing()[0, 1, :2]
    assert np.abs(neck).max() < 3


def test_none_keeps_pixels_and_scales_only_the_canvas():
    driving = sequence(moved_up([0.0, 0.1]))
    assert align(driving, sequence(standing()), "none") is not None
    np.testing.assert_array_equal(align(driving, sequence(standing()), "none").joints, driving.joints)
    half = align(driving, sequence(standing() * (0.5, 0.5, 1), HEIGHT // 2, WIDTH // 2), "none")
    np.testing.assert_allclose(half.joints[..., :2], driving.joints[..., :2] / 2)


@pytest.mark.parametrize("mode", ALIGN_MODES)
def test_every_mode_carries_hands_and_canvas_along(mode):
    driving = sequence(moved_up([0.0, 0.1]))
    driving.left_hand[:] = driving.joints[:, [7]]
    aligned = align(driving, sequence(standing()), mode)
    np.testing.assert_allclose(aligned.left_hand, np.repeat(aligned.joints[:, [7]], 21, axis=1))


@pytest.mark.parametrize("mode", ["affine", "affine (StableAnimator)"])
def test_too_few_joints_are_refused(mode):
    frames = moved_up([0.0])
    frames[:, [0, 1, 2, *range(5, 18)]] = 0
    with pytest.raises(FreeAnimateError, match="Align Pose: .*fewer than two visible joints"):
        align(sequence(frames), sequence(standing()), mode)


def test_two_reference_frames_are_refused():
    two = sequence(np.repeat(standing(), 2, axis=0))
    with pytest.raises(FreeAnimateError, match="reference_pose holds 2 frames"):
        align(two, two, "affine")
