"""POSE_KEYPOINT as its producers write it, and back."""

import numpy as np
import pytest

from demo.motion import motion
from freeanimate_core.errors import FreeAnimateError
from freeanimate_core.pose import PoseSequence, parse_poses, write_poses

SIZE = 96, 128  # height, width


def body(frames=3):
    return motion("wave", 5, frames, *SIZE)


def host_form(frames=3):
    return write_poses(PoseSequence.from_joints(body(frames), *SIZE))


def fractions(flat):
    points = np.array(flat).reshape(-1, 3)
    return (points / (SIZE[1], SIZE[0], 1)).ravel().tolist()


def test_round_trip_keeps_every_number_and_the_exact_lengths():
    frames = host_form()
    hand = np.random.default_rng(0).uniform(5, 90, (21, 3))
    hand[:, 2] = 0.5
    frames[1]["people"][0]["hand_left_keypoints_2d"] = hand.ravel().tolist()
    frames[2]["people"][0]["foot_keypoints_2d"] = [7.0, 8.0, 1.0] * 6
    poses = parse_poses(frames, "x")
    again = write_poses(parse_poses(write_poses(poses), "x"))
    assert again == write_poses(poses)
    np.testing.assert_allclose(poses.joints, body(), atol=1e-5)
    np.testing.assert_allclose(poses.left_hand[1], hand)
    assert poses.feet[2, 5].tolist() == [7, 8, 1]
    lengths = {key: len(value) for key, value in again[0]["people"][0].items()}
    assert lengths == {
        "pose_keypoints_2d": 54,
        "face_keypoints_2d": 210,
        "hand_right_keypoints_2d": 63,
        "hand_left_keypoints_2d": 63,
        "foot_keypoints_2d": 18,
    }
    assert again[0]["canvas_height"], again[0]["canvas_width"] == SIZE


def test_no_feet_are_written_when_none_were_given():
    assert "foot_keypoints_2d" not in host_form()[0]["people"][0]


def test_fractions_of_the_canvas_are_pixels_times_its_size():
    frames = host_form()
    for frame in frames:
        person = frame["people"][0]
        person["pose_keypoints_2d"] = fractions(person["pose_keypoints_2d"])
    np.testing.assert_allclose(parse_poses(frames, "x").joints, body(), atol=1e-4)


def test_pixels_and_fractions_mixed_between_arrays_and_frames():
    frames = host_form()
    frames[1]["people"][0]["pose_keypoints_2d"] = fractions(frames[1]["people"][0]["pose_keypoints_2d"])
    frames[0]["people"][0]["hand_right_keypoints_2d"] = [0.5, 0.25, 1.0] * 21
    poses = parse_poses(frames, "x")
    np.testing.assert_allclose(poses.joints, body(), atol=1e-4)
    assert poses.right_hand[0, 0].tolist() == [64, 24, 1]


@pytest.mark.parametrize("absent", [[0, 0, 0], [0, 0, 1.0], [-1, -1, 0.9], [50, 50, 0]])
def test_missing_joints_come_as_zeros_or_minus_one(absent):
    frames = host_form()
    frames[0]["people"][0]["pose_keypoints_2d"][:3] = absent
    poses = parse_poses(frames, "x")
    assert not poses.seen[0, 0] and poses.seen[0, 1:].all()
    assert poses.joints[0, 0].tolist() == [0, 0, 0]


def test_absent_arrays_are_missing_points():
    """comfyui_controlnet_aux writes None for hands and face that it did not find, and 68 face points."""
    frames = host_form()
    frames[0]["people"][0] |= {"hand_left_keypoints_2d": None, "face_keypoints_2d": [9.0, 9.0, 1.0] * 68}
    del frames[0]["people"][0]["hand_right_keypoints_2d"]
    poses = parse_poses(frames, "x")
    assert poses.left_hand[0].sum() == poses.right_hand[0].sum() == 0
    assert poses.face[0, 67].tolist() == [9, 9, 1] and poses.face[0, 68:].sum() == 0


def test_largest_of_several_people_is_taken():
    frames = host_form()
    small = (np.array(frames[0]["people"][0]["pose_keypoints_2d"]).reshape(18, 3) * (0.5, 0.5, 1)).ravel().tolist()
    frames[0]["people"].insert(0, {"pose_keypoints_2d": small})
    np.testing.assert_allclose(parse_poses(frames, "x").joints, body(), atol=1e-5)


def edited(index, **changes):
    frames = host_form()
    frames[index] |= changes
    return frames


REFUSED = {
    "no frames": ([], "holds no frames"),
    "not a list": (7, "holds no frames"),
    "not a dictionary": ([3], "not a POSE_KEYPOINT"),
    "empty people": (edited(2, people=[]), "frame 2 .*no person"),
    "all joints missing": (edited(1, people=[{"pose_keypoints_2d": [0.0] * 54}]), "frame 1 .*no person"),
    "animals": (edited(0, people=[], animals=[[1]]), "frame 0 .*animal"),
    "no canvas": (edited(0, canvas_height=None), "canvas_height"),
    "another canvas": (edited(2, canvas_width=64), "frame 2 .*another canvas"),
    "25 joints": (edited(1, people=[{"pose_keypoints_2d": [1.0] * 75}]), "frame 1 .*75 values, but 54"),
    "nan": (edited(1, people=[{"pose_keypoints_2d": [float("nan")] * 54}]), "frame 1 .*not a finite number"),
    "words": (edited(1, people=[{"pose_keypoints_2d": ["a"] * 54}]), "frame 1 .*not a flat list"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_frame_named(name):
    frames, words = REFUSED[name]
    with pytest.raises(FreeAnimateError, match=words) as refusal:
        parse_poses(frames, "Align Pose: driving_pose")
    assert str(refusal.value).startswith("Align Pose: driving_pose")
