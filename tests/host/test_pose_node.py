"""Align Pose as the host runs it: a clip with an empty frame and two people, its widgets and its outputs."""

import numpy as np

from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence, write_poses
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose

SIZE = 64


def frames(joints):
    return write_poses(PoseSequence.from_joints(joints, SIZE, SIZE))


def test_every_output_has_the_lead_in_and_the_filled_frame():
    driving, reference = frames(motion("wave", 1, 5, SIZE, SIZE)), frames(rest_pose(1, SIZE, SIZE))
    driving[2]["people"] = []
    pose, picture, over, report = FreeAnimateAlignPose.execute(driving, reference, "affine", lead_in=3).args
    assert len(pose) == len(picture) == len(over) == 8
    assert all(frame["people"] for frame in pose)
    assert picture.shape == over.shape == (8, SIZE, SIZE, 3)
    assert report.startswith("affine: ") and "frames without a person filled: 1" in report


def test_person_chooses_from_the_left():
    """Of two equal people the second from the left drives; affine puts either onto the reference, none does not."""
    still = rest_pose(1, SIZE, SIZE)
    reference, driving = frames(still), frames(still)
    driving[0]["people"] += frames(still + np.float32([9, 0, 0]))[0]["people"]
    pose = FreeAnimateAlignPose.execute(driving, reference, "none", person=2).args[0]
    joints = np.reshape(pose[0]["people"][0]["pose_keypoints_2d"], (18, 3))
    np.testing.assert_allclose(joints[:, 0], still[0, :, 0] + 9, atol=1e-4)


def test_later_widgets_are_optional_and_their_defaults_agree():
    """A prompt saved before them stays valid and means the same."""
    later = [item for item in FreeAnimateAlignPose.GET_SCHEMA().inputs if item.id not in ("driving_pose", "mode")]
    given = FreeAnimateAlignPose.execute.__func__.__defaults__
    widgets = [item for item in later if item.optional]
    assert [getattr(item, "default", None) for item in widgets] == list(given)
