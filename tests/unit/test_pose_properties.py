"""Alignment of any pose at all: finite numbers, or our own sentence."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import ALIGN_MODES, PoseSequence
from freeanimate_pack.freeanimate_core.pose.align import AlignSettings, align

SIZE = 128
# Few values, so that points fall together and bones have no length; some are outside the canvas.
GRID = st.sampled_from([-400.0, 0.0, 1e-4, 20.0, 20.5, 64.0, 90.0, 127.0, 900.0])
CLOSE = st.floats(-10, 140, allow_nan=False)
CONFIDENCE = st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0])
WIDGETS = st.builds(
    AlignSettings,
    mode=st.sampled_from(list(ALIGN_MODES)),
    smoothing=st.sampled_from([0.0, 0.5, 1.0]),
    fill_gaps=st.integers(0, 3),
    lead_in=st.integers(0, 2),
    ground=st.booleans(),
)


@st.composite
def poses(draw, least, most):
    """``least`` to ``most`` frames of any points."""
    frames = draw(st.integers(least, most))
    spots = draw(arrays(np.float64, (frames, 18, 2), elements=draw(st.sampled_from([GRID, CLOSE]))))
    trust = draw(arrays(np.float64, (frames, 18, 1), elements=draw(st.sampled_from([CONFIDENCE, st.just(1.0)]))))
    joints = np.where(trust > 0, np.concatenate([spots, trust], axis=2), 0.0)
    sequence = PoseSequence.from_joints(joints, SIZE, SIZE)
    sequence.right_hand[:] = joints[:, [4]]
    sequence.face[:] = joints[:, [0]]
    return sequence


@settings(max_examples=150, deadline=None, derandomize=True)
@given(driving=poses(1, 7), reference=poses(1, 1), widgets=WIDGETS)
def test_any_pose_is_aligned_or_refused_in_our_words(driving, reference, widgets):
    before = driving.joints.copy()
    try:
        aligned = align(driving, reference, widgets)
    except FreeAnimateError as error:
        assert str(error).startswith("Align Pose: ")
        return
    assert len(aligned.poses) == len(driving) + widgets.lead_in
    for points in (aligned.poses.joints, aligned.poses.face, aligned.poses.right_hand, aligned.poses.feet):
        assert np.isfinite(points).all()
        assert not points[points[..., 2] == 0].any()
    assert np.isfinite(before).all() and np.array_equal(driving.joints, before)
    assert "nan" not in aligned.report and "\n" not in aligned.report


@settings(max_examples=40, deadline=None, derandomize=True)
@given(pose=poses(1, 1), mode=st.sampled_from(list(ALIGN_MODES)), ground=st.booleans())
def test_a_pose_aligned_to_itself_is_itself(pose, mode, ground):
    try:
        aligned = align(pose, pose, AlignSettings(mode, ground=ground)).poses
    except FreeAnimateError:
        return
    np.testing.assert_allclose(aligned.joints, pose.joints, atol=1e-5)
    np.testing.assert_allclose(aligned.right_hand, pose.right_hand, atol=1e-5)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    driving=poses(2, 5),
    reference=poses(1, 1),
    move=st.tuples(st.floats(-300, 300), st.floats(-300, 300)),
    size=st.floats(0.5, 2.0),
)
def test_affine_does_not_see_where_and_how_large_the_driving_body_is(driving, reference, move, size):
    """One frame fits best by a margin or the tie goes to the first, so place and size cancel."""
    other = driving.moved((size, size), move, SIZE, SIZE)
    try:
        plain, moved = (align(clip, reference, AlignSettings(ground=False)).poses for clip in (driving, other))
    except FreeAnimateError:
        return
    spread = max(np.ptp(plain.joints[..., :2]), 1.0)
    np.testing.assert_allclose(moved.joints, plain.joints, atol=1e-5 * spread)
