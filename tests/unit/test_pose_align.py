"""Alignment against its published formula, and against answers known by arithmetic."""

import numpy as np
import pytest

from freeanimate_pack.demo.drawn.motion import MOTIONS, motion, rest_pose
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import ALIGN_MODES, PoseSequence
from freeanimate_pack.freeanimate_core.pose.align import AlignSettings, align
from freeanimate_pack.freeanimate_core.pose.skeleton import PARENTS, with_middles

HEIGHT, WIDTH = 256, 192
STEADY = [0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]


def sequence(joints, height=HEIGHT, width=WIDTH):
    return PoseSequence.from_joints(joints, height, width)


def fit(driving, reference, mode="affine", **widgets):
    """The poses that Align Pose returns."""
    return align(driving, reference, AlignSettings(mode, **widgets)).poses


def standing():
    return rest_pose(3, HEIGHT, WIDTH).astype(np.float64)


def moved_up(amounts):
    """The standing pose, one frame per amount, moved up by that share of the canvas height."""
    frames = np.repeat(standing(), len(amounts), axis=0)
    frames[..., 1] -= HEIGHT * np.asarray(amounts)[:, None]
    return frames


def scaled_bones(joints, ratios):
    """Joints [F,18,3] with the named bones that much as long."""
    old = with_middles(np.asarray(joints))
    new = old.copy()
    for joint, (parent, name) in PARENTS.items():
        new[:, joint, :2] = new[:, parent, :2] + ratios.get(name, 1.0) * (old[:, joint, :2] - old[:, parent, :2])
    return new[:, :18]


def bone(joints, joint, parent):
    """Length in pixels [F]."""
    points = with_middles(joints)
    return np.hypot(*(points[:, joint, :2] - points[:, parent, :2]).T)


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
    aligned = fit(sequence(driving, 300, 400), sequence(reference), "affine (StableAnimator)")
    expected = driving[..., :2] / (400, 300) * (scale_x, scale_y) + (offset_x, offset_y)
    np.testing.assert_allclose(aligned.joints[..., :2], expected * (WIDTH, HEIGHT), atol=1e-6)
    assert (aligned.height, aligned.width) == (HEIGHT, WIDTH)


def test_vertical_motion_shrinks_the_published_form_and_not_ours():
    """For y the same shape plus a jump, the published slope is var(shape) / (var(shape) + var(jump))."""
    driving, reference = sequence(moved_up([0.0, 0.2, 0.0, 0.2])), sequence(standing())
    spread = standing()[0, STEADY, 1].var()
    slope = spread / (spread + (0.1 * HEIGHT) ** 2)
    assert 0.7 < slope < 0.95
    np.testing.assert_allclose(scale_of(fit(driving, reference, "affine (StableAnimator)"), driving), slope, rtol=1e-6)
    np.testing.assert_allclose(scale_of(fit(driving, reference, "affine"), driving), 1.0, rtol=1e-9)


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
    published = fit(driving, still, "affine (StableAnimator)")
    kept = fit(driving, still, "affine")
    head = [0, 1]
    length = np.diff(frames[:, head, 1], axis=1)
    np.testing.assert_allclose(np.diff(published.joints[:, head, 1], axis=1) / length, slope, rtol=1e-6)
    np.testing.assert_allclose(np.diff(kept.joints[:, head, 1], axis=1) / length, 1.0, rtol=1e-9)
    assert slope < 0.7


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_affine_recovers_scale_and_puts_the_first_frame_on_the_reference(scale):
    frames = moved_up([0.0, 0.1, 0.05])
    frames[..., :2] = frames[..., :2] * scale + (37, -12)
    aligned = fit(sequence(frames, 700, 500), sequence(standing()), "affine")
    np.testing.assert_allclose(aligned.joints[0], standing()[0], atol=1e-6)
    np.testing.assert_allclose(aligned.joints[1, :, 1], standing()[0, :, 1] - 0.1 * HEIGHT, atol=1e-6)


def test_affine_ignores_joints_that_either_side_lacks():
    frames = moved_up([0.0, 0.1])
    frames[0, 9] = 0
    reference = standing()
    reference[0, 12] = 0
    aligned = fit(sequence(frames), sequence(reference), "affine", fill_gaps=0)
    assert aligned.joints[0, 9].tolist() == [0, 0, 0]
    np.testing.assert_allclose(aligned.joints[0, :8], standing()[0, :8], atol=1e-6)


def test_anchor_is_the_frame_of_the_reference_shape():
    """A first frame with spread legs must not decide where the body stands."""
    frames = moved_up([0.0, 0.0, 0.0])
    frames[0, [9, 10, 12, 13], 0] += np.array([-30, -60, 10, 20])
    frames[0, :, 0] += 25
    aligned = fit(sequence(frames), sequence(standing()))
    np.testing.assert_allclose(aligned.joints[1], standing()[0], atol=1e-6)


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize(("mode", "pixels"), [("affine", 0.05), ("bone length", 1.0)])
def test_a_body_driven_by_itself_stays_where_it_is(name, mode, pixels):
    """Turning, squatting and waving must not be read as another size: at 128 pixels, the mean joint within a pixel."""
    truth = motion(name, 2, 24, 128, 128).astype(np.float64)
    reference = sequence(rest_pose(2, 128, 128), 128, 128)
    aligned = fit(sequence(truth, 128, 128), reference, mode)
    off = np.hypot(*(aligned.joints - truth)[truth[..., 2] > 0][:, :2].T)
    assert off.mean() < pixels


def test_jitter_is_not_read_as_length():
    """Joints that tremble by 0.4 % of the height change the scale by less than 2 %."""
    rng = np.random.default_rng(0)
    for name in ("wave", "squat", "turn"):
        driving = motion(name, 3, 24, HEIGHT, WIDTH).astype(np.float64)
        driving[..., :2] += rng.normal(0, 0.004 * HEIGHT, driving[..., :2].shape)
        driving = sequence(driving)
        aligned = fit(driving, sequence(standing()), ground=False)
        np.testing.assert_allclose(bone(aligned.joints, 2, 1) / bone(driving.joints, 2, 1), 1.0, atol=0.02)


def test_a_whole_clip_of_squatting_keeps_its_feet_on_the_ground():
    """No frame stands as the reference does: the ankles tell the height, the trunk would be off by the crouch."""
    truth = motion("squat", 3, 24, HEIGHT, WIDTH).astype(np.float64)[8:16]
    held, free = (fit(sequence(truth), sequence(standing()), ground=ground) for ground in (True, False))
    np.testing.assert_allclose(held.joints, truth, atol=0.5)
    assert np.abs(free.joints[..., 1] - truth[..., 1]).mean() > 10


@pytest.mark.parametrize("mode", ["affine", "bone length"])
def test_jumps_stay_jumps_on_the_ground_line(mode):
    heights = [0.1, 0.0, 0.2, 0.0]
    aligned = fit(sequence(moved_up(heights)), sequence(standing()), mode)
    ankle = standing()[0, [10, 13], 1].max()
    lower = aligned.joints[:, [10, 13], 1].max(axis=1)
    np.testing.assert_allclose(ankle - lower, HEIGHT * np.array(heights), atol=1e-6)


def test_bone_length_gives_each_bone_its_own_length():
    """A driver with long arms, short legs and a small head: every length of the reference comes back."""
    ratios = {"upper arms": 1.3, "forearms": 1.2, "thighs": 0.8, "shins": 0.85, "neck": 0.9, "trunk": 1.05}
    truth = motion("wave", 3, 12, HEIGHT, WIDTH).astype(np.float64)
    driving = scaled_bones(truth, ratios)
    aligned = fit(sequence(driving), sequence(standing()), "bone length")
    for joint, (parent, _) in PARENTS.items():
        own, goal = (bone(poses, joint, parent) for poses in (aligned.joints, truth))
        np.testing.assert_allclose(own, goal, rtol=0.03)
    assert np.hypot(*(aligned.joints - truth)[..., :2].T).mean() < 0.015 * HEIGHT


def test_bone_length_carries_hands_feet_and_face_with_their_joints():
    driving = sequence(scaled_bones(moved_up([0.0, 0.0]), {"forearms": 0.5}))
    driving.left_hand[:] = driving.joints[:, [7]] + (4.0, 0.0, 0.0)
    driving.face[:] = driving.joints[:, [0]]
    driving.feet[:, 3:] = driving.joints[:, [10]]
    aligned = fit(driving, sequence(standing()), "bone length")
    hand = aligned.left_hand[:, :, :2] - aligned.joints[:, [7], :2]
    np.testing.assert_allclose(hand, np.broadcast_to((8.0, 0.0), hand.shape), atol=1e-6)
    np.testing.assert_allclose(aligned.face, np.repeat(aligned.joints[:, [0]], 70, axis=1), atol=1e-9)
    np.testing.assert_allclose(aligned.feet[:, 3:], np.repeat(aligned.joints[:, [10]], 3, axis=1), atol=1e-9)
    assert not aligned.feet[:, :3].any()


def test_bone_length_without_a_neck_or_an_elbow():
    """What lost its parent hangs from the nearest ancestor; without any it moves as the whole body does."""
    frames = moved_up([0.0, 0.0])
    frames[1, [1, 3]] = 0
    aligned = fit(sequence(frames), sequence(standing()), "bone length", fill_gaps=0)
    np.testing.assert_allclose(aligned.joints[1], frames[1], atol=1e-6)


@pytest.mark.parametrize("mode", ["affine", "bone length"])
def test_affine_scale_is_inverse_to_the_driving_size_and_blind_to_its_place(mode):
    driving = motion("dance", 4, 10, HEIGHT, WIDTH).astype(np.float64)
    plain = fit(sequence(driving), sequence(standing()), mode)
    other = driving * (1.7, 1.7, 1) + (driving[..., 2:] > 0) * (31.0, -12.0, 0.0)
    np.testing.assert_allclose(
        fit(sequence(other, 700, 500), sequence(standing()), mode).joints, plain.joints, atol=1e-6
    )


def test_none_keeps_pixels_and_scales_only_the_canvas():
    driving = sequence(moved_up([0.0, 0.1]))
    np.testing.assert_array_equal(fit(driving, sequence(standing()), "none").joints, driving.joints)
    half = fit(driving, sequence(standing() * (0.5, 0.5, 1), HEIGHT // 2, WIDTH // 2), "none")
    np.testing.assert_allclose(half.joints[..., :2], driving.joints[..., :2] / 2)


@pytest.mark.parametrize("mode", ALIGN_MODES)
def test_every_mode_carries_hands_and_canvas_along(mode):
    driving = sequence(moved_up([0.0, 0.1]))
    driving.left_hand[:] = driving.joints[:, [7]]
    aligned = fit(driving, sequence(standing()), mode)
    np.testing.assert_allclose(aligned.left_hand, np.repeat(aligned.joints[:, [7]], 21, axis=1))


@pytest.mark.parametrize("mode", ["affine", "affine (StableAnimator)"])
def test_too_few_joints_are_refused(mode):
    frames = moved_up([0.0])
    frames[:, [0, 1, 2, *range(5, 18)]] = 0
    with pytest.raises(FreeAnimateError, match="Align Pose: .*fewer than two visible joints"):
        fit(sequence(frames), sequence(standing()), mode)


def test_two_reference_frames_are_refused():
    two = sequence(np.repeat(standing(), 2, axis=0))
    with pytest.raises(FreeAnimateError, match="reference_pose holds 2 frames"):
        align(two, two)


def half_body():
    """The standing pose on a canvas that ends above the knees, and the height of that canvas."""
    joints = standing()
    height = int(joints[0, [8, 11], 1].mean() + 0.5 * (joints[0, 9, 1] - joints[0, 8, 1]))
    joints[0, [9, 10, 12, 13]] = 0
    return sequence(joints, height), height


@pytest.mark.parametrize("mode", ["affine", "bone length"])
def test_the_cut_of_a_half_body_never_rises_above_the_border(mode):
    reference, height = half_body()
    bobbing = moved_up([0.0, 0.04, -0.02, 0.02])
    bobbing[2] = 0  # nobody
    loose, held = (fit(sequence(bobbing), reference, mode, hold_cut=on) for on in (False, True))
    hips, border = (8, 11), reference.joints[0, [8, 11], 1].max()
    assert loose.joints[1, hips, 1].max() < border - 5
    assert (held.joints[:, hips, 1].max(axis=1) >= border - 1e-6).all()
    moved = held.joints[:, 2, 1] - loose.joints[:, 2, 1]
    assert np.ptp(moved) < 1e-6 and abs(moved[0] - 0.04 * HEIGHT) < 0.5  # the clip as a whole: the bobbing stays
    assert "legs' cut at the border" in align(sequence(bobbing), reference, AlignSettings(mode)).report


def test_a_jump_of_a_half_body_is_cut_short_and_a_lifted_leg_is_none():
    reference, height = half_body()
    held = fit(sequence(moved_up([0.0, 0.3])), reference)
    assert abs(held.joints[0, 8, 1] - reference.joints[0, 8, 1] - 0.1 * height) < 1e-6
    assert abs(held.joints[1, 8, 1] - reference.joints[0, 8, 1]) < 1e-6
    shins = standing()
    height = int(shins[0, [9, 12], 1].max() + 4)
    shins[0, [10, 13]] = 0
    lifted = np.repeat(standing(), 2, axis=0)
    lifted[1, 9, 1] -= 20
    cut = sequence(shins, height)
    assert np.array_equal(fit(sequence(lifted), cut).joints, fit(sequence(lifted), cut, hold_cut=False).joints)


@pytest.mark.parametrize("mode", list(ALIGN_MODES))
def test_whoever_is_not_cut_is_not_held(mode):
    jump, whole = sequence(moved_up([0.0, 0.1])), sequence(standing())
    assert np.array_equal(fit(jump, whole, mode).joints, fit(jump, whole, mode, hold_cut=False).joints)
    if mode in ("none", "affine (StableAnimator)"):
        reference, _ = half_body()
        assert np.array_equal(fit(jump, reference, mode).joints, fit(jump, reference, mode, hold_cut=False).joints)


def test_the_report_says_what_was_done_and_what_was_not():
    frames = moved_up([0.0] * 12)
    turn = np.exp(0.35j)  # 20 degrees clockwise on the screen
    spots = (frames[..., 0] - 96 + 1j * (frames[..., 1] - 128)) * turn
    frames[..., 0], frames[..., 1] = spots.real + 96, spots.imag + 128
    frames[..., 0] += np.linspace(0, 60, 12)[:, None]
    frames[4:6, 3] = 0
    report = align(sequence(frames), sequence(standing()), AlignSettings(smoothing=0.1, lead_in=3)).report
    assert "\n" not in report
    for words in ("affine: scale 1.000", "missing joints filled: 2", "smoothed at 0.1", "lead-in frames: 3"):
        assert words in report
    assert "turned 20 degrees clockwise" in report and "of the canvas off its start" in report


@pytest.mark.parametrize(
    ("widgets", "words"),
    [({"mode": "best"}, "mode 'best'"), ({"smoothing": 2}, "smoothing is 2"), ({"lead_in": -1}, "lead_in is -1")],
)
def test_settings_that_no_widget_has_are_refused(widgets, words):
    with pytest.raises(FreeAnimateError, match=f"Align Pose: {words}"):
        AlignSettings(**widgets)


def test_bodies_beyond_reason_are_refused():
    speck = standing() * (0.01, 0.01, 1)
    with pytest.raises(FreeAnimateError, match="100 times as large"):
        fit(sequence(speck), sequence(standing()))
