"""Align Pose as the host runs it: a clip with an empty frame and two people, its widgets and its outputs."""

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import PoseSequence, write_poses
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview

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


def two(still, move=9):
    """Two people, the second ``move`` pixels to the right and a little larger."""
    both, larger = frames(still), still.copy()
    larger[..., :2] = (still[..., :2] - 32) * 1.05 + (32 + move, 32)
    both[0]["people"] += frames(larger)[0]["people"]
    return both


@pytest.mark.parametrize("person, move", [(0, 9), (1, 0), (2, 9)])
def test_reference_person_chooses_whose_body_is_fitted(person, move):
    still = rest_pose(1, SIZE, SIZE)
    still[..., 2] = 1
    pose = FreeAnimateAlignPose.execute(frames(still), two(still), "affine", reference_person=person).args[0]
    joints = np.reshape(pose[0]["people"][0]["pose_keypoints_2d"], (18, 3))
    goal = (still[0, :, :2] - 32) * (1.05 if move else 1) + (32 + move, 32)
    np.testing.assert_allclose(joints[:, :2], goal, atol=1e-3)
    with pytest.raises(FreeAnimateError, match="Align Pose: reference_pose shows 2 .*set reference_person to 2"):
        FreeAnimateAlignPose.execute(frames(still), two(still), "affine", reference_person=3)


def test_reference_person_chooses_whose_figure_is_moved():
    """A red and a blue figure stand side by side; the one chosen stands in the middle of the preview."""
    side = 128
    small = (rest_pose(1, side, side) - np.float32([side / 2, side / 2, 0])) * np.float32([0.5, 0.5, 1])
    places = [small + np.float32([x, side / 2, 0]) for x in (32, 96)]
    middle = PoseSequence.from_joints(small + np.float32([64, 64, 0]), side, side)
    both = write_poses(PoseSequence.from_joints(places[0], side, side))
    both[0]["people"] += write_poses(PoseSequence.from_joints(places[1], side, side))[0]["people"]
    reference = torch.full((1, side, side, 3), 0.5)
    mask = torch.zeros(1, side, side)
    for colour, joints in ((0, places[0]), (2, places[1])):
        x, y = joints[0, :, 0], joints[0, :, 1]
        box = slice(int(y.min()) - 3, int(y.max()) + 3), slice(int(x.min()) - 3, int(x.max()) + 3)
        reference[(0, *box)] = torch.eye(3)[colour]
        mask[(0, *box)] = 1
    for person, colour in ((1, 0), (2, 2)):
        only = mask.clone()
        only[..., 64:] *= person == 2
        only[..., :64] *= person == 1
        made = FreeAnimatePreview.execute(
            reference, both, write_poses(middle), person_mask=only, background=reference * 0, reference_person=person
        ).args[0]
        trunk = made[0, 58:70, 62:66].mean(dim=(0, 1))
        assert trunk.argmax() == colour and trunk[colour] > 0.8, trunk
    with pytest.raises(
        FreeAnimateError, match="Preview Generation: reference_pose shows 2 .*set reference_person to 2"
    ):
        FreeAnimatePreview.execute(reference, both, write_poses(middle), reference_person=3)


def test_the_report_tells_who_was_followed_and_where_they_jump():
    still = rest_pose(1, SIZE, SIZE)
    joints = (np.repeat(still, 12, axis=0) - np.float32([32, 32, 0])) * np.float32([0.4, 0.4, 1])
    walker, other = joints + np.float32([12, 32, 0]), joints + np.float32([32, 32, 0])
    walker[4:6] = 0
    walker[6:] += np.float32([40, 0, 0])
    driving = frames(walker)
    for frame, more in zip(driving, frames(other)):
        frame["people"] = [one for one in frame["people"] if any(one["pose_keypoints_2d"])] + more["people"]
    pose, *_, report = FreeAnimateAlignPose.execute(driving, frames(still), "none", person=1).args
    assert "followed the 1st of 2 people from the left; the body jumps at 1 frame (counted from 0: 6)" in report
    assert "frames without a person filled: 2" in report
    neck = [frame["people"][0]["pose_keypoints_2d"][3] for frame in pose]
    np.testing.assert_allclose(neck, [12] * 4 + [12 + 40 / 3, 12 + 80 / 3] + [52] * 6, atol=0.01)


def test_later_widgets_are_optional_and_their_defaults_agree():
    """A prompt saved before them stays valid and means the same."""
    later = [item for item in FreeAnimateAlignPose.GET_SCHEMA().inputs if item.id not in ("driving_pose", "mode")]
    given = FreeAnimateAlignPose.execute.__func__.__defaults__
    widgets = [item for item in later if item.optional]
    assert [getattr(item, "default", None) for item in widgets] == list(given)
