"""POSE_KEYPOINT as its producers write it, and back."""

import numpy as np
import producers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freeanimate_pack.demo.drawn.motion import motion
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import PoseSequence, parse_poses, write_poses

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


def close_up(frames=16):
    """A dancer who in three frames comes so near that the legs are two canvases below it, in pixels."""
    joints = np.asarray(body(frames), dtype=np.float64)
    joints[6:9, :, :2] = (joints[6:9, :, :2] - (64, 48)) * 4.5 + (64, 60)
    return joints


def in_fractions(joints):
    frames = write_poses(PoseSequence.from_joints(joints, *SIZE))
    for frame in frames:
        frame["people"][0]["pose_keypoints_2d"] = fractions(frame["people"][0]["pose_keypoints_2d"])
    return frames


@pytest.mark.parametrize("shown", [slice(None), slice(6, 9), slice(5, 8)])
def test_the_unit_is_that_of_the_clip_beyond_the_canvas_too(shown):
    """Fractions above 2, some frames or all: the same as the pixels that they stand for."""
    joints = close_up()[shown]
    frames = in_fractions(joints)
    assert max(max(frame["people"][0]["pose_keypoints_2d"]) for frame in frames) > 2.0
    np.testing.assert_allclose(parse_poses(frames, "x").joints, joints, atol=1e-4)
    pixels = write_poses(PoseSequence.from_joints(joints, *SIZE))
    np.testing.assert_allclose(parse_poses(pixels, "x").joints, joints, atol=1e-9)


def test_a_hand_beyond_the_canvas_has_the_unit_of_the_clip():
    frames = in_fractions(close_up(16))
    frames[0]["people"][0]["hand_left_keypoints_2d"] = [2.5, 2.25, 1.0] * 21
    assert parse_poses(frames, "x").left_hand[0, 20].tolist() == [2.5 * SIZE[1], 2.25 * SIZE[0], 1]


def test_fractions_left_of_and_above_the_canvas_are_places():
    joints = close_up(3)
    joints[1, [4, 7], :2] = (-30, -20)
    np.testing.assert_allclose(parse_poses(in_fractions(joints), "x").joints, joints, atol=1e-4)


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


@pytest.mark.parametrize("name", producers.PRODUCERS)
def test_every_producer_means_the_same_person(name):
    poses = parse_poses([producers.PRODUCERS[name]()], "x")
    seen = np.arange(18) != producers.UNSEEN
    assert (poses.seen[0] == seen).all()
    np.testing.assert_allclose(poses.joints[0, seen, :2], producers.JOINTS[seen], atol=1e-6)
    np.testing.assert_allclose(poses.face[0, :68, :2], producers.FACE, atol=1e-6)
    np.testing.assert_allclose(poses.face[0, 68:, :2], producers.JOINTS[14:16], atol=1e-6)
    fingers = np.arange(21) != producers.LOST_FINGER
    assert ((poses.right_hand[0, :, 2] > 0) == fingers).all() and poses.left_hand.sum() == 0
    np.testing.assert_allclose(poses.right_hand[0, fingers, :2], producers.RIGHT_HAND[fingers], atol=1e-6)
    assert (poses.feet[0, :, 2] > 0).all() == (name == "SDPose")
    again = parse_poses(write_poses(poses), "x")
    for array in ("joints", "face", "right_hand", "left_hand", "feet"):
        np.testing.assert_array_equal(getattr(again, array), getattr(poses, array))


def test_a_face_of_which_points_were_left_out_is_unknown():
    frame = producers.openpose()
    frame["people"][0]["face_keypoints_2d"] = frame["people"][0]["face_keypoints_2d"][: 3 * 65]
    assert parse_poses([frame], "x").face.sum() == 0


def crowd():
    """Small people on the left and the right of the usual one; the left one without a neck; one nobody sees."""
    frames = host_form()
    for frame in frames:
        middle = np.array(frame["people"][0]["pose_keypoints_2d"]).reshape(18, 3)
        left, right = middle * (0.3, 0.3, 1), middle * (0.3, 0.3, 1) + (88, 0, 0)
        left[1] = 0
        others = [
            {"pose_keypoints_2d": points.ravel().tolist()} for points in (right, middle, left, middle * (1, 1, 0.1))
        ]
        frame["people"] = others
    return frames


@pytest.mark.parametrize(("person", "scale", "move"), [(0, 1, 0), (1, 0.3, 0), (2, 1, 0), (3, 0.3, 88)])
def test_the_largest_or_the_nth_from_the_left(person, scale, move):
    joints = parse_poses(crowd(), "x", person).joints
    expected = body() * (scale, scale, 1) + (move, 0, 0)
    if person == 1:
        expected[:, 1] = 0
    np.testing.assert_allclose(joints, expected, atol=1e-5)


def test_a_person_whom_a_frame_does_not_show():
    frames = crowd()
    frames[1]["people"].pop(0)
    with pytest.raises(FreeAnimateError, match="frame 1 .* shows people, but not the one who is followed"):
        parse_poses(frames, "x", 3)
    assert not parse_poses(frames, "x", 3, gaps=True).seen[1].any()


@pytest.mark.parametrize("empty", [{"people": []}, {"people": None}, {}, None])
def test_gaps_are_frames_without_confidence(empty):
    frames = host_form()
    frames[0] = None if empty is None else {"canvas_height": SIZE[0], "canvas_width": SIZE[1]} | empty
    with pytest.raises(FreeAnimateError, match="frame 0 .*no person"):
        parse_poses(frames, "x")
    poses = parse_poses(frames, "x", gaps=True)
    assert len(poses) == 3 and poses.joints[0].sum() == poses.face[0].sum() == 0
    np.testing.assert_allclose(poses.joints[1:], body()[1:], atol=1e-5)


def test_only_gaps_are_no_clip():
    with pytest.raises(FreeAnimateError, match="frame 0 .*no person"):
        parse_poses([producers.canvas(people=[])] * 2, "x", gaps=True)


def edited(index, **changes):
    frames = host_form()
    frames[index] |= changes
    return frames


def nested(depth):
    value = 1.0
    for _ in range(depth):
        value = [value]
    return value


REFUSED = {
    "no frames": ([], "holds no frames"),
    "not a list": (7, "holds no frames"),
    "not a dictionary": ([3], "not a POSE_KEYPOINT"),
    "empty people": (edited(2, people=[]), "frame 2 .*no person"),
    "all joints missing": (edited(1, people=[{"pose_keypoints_2d": [0.0] * 54}]), "frame 1 .*no person"),
    "animals": (edited(0, people=[], animals=[[1]]), "frame 0 .*animal"),
    "no canvas": (edited(0, canvas_height=None), "canvas_height"),
    "another canvas": (edited(2, canvas_width=64), "frame 2 .*64 x 96, but the first .*128 x 96, of another aspect"),
    "26 joints": (edited(1, people=[{"pose_keypoints_2d": [1.0] * 78}]), "frame 1 .*78 values, but 54"),
    "endless integer": (edited(1, people=[{"pose_keypoints_2d": [10**400] * 54}]), "frame 1 .*not a flat list"),
    "endless canvas side": (edited(0, canvas_width=10**400), "canvas_height and canvas_width of 1 to 16384"),
    "nested too deep": (edited(1, people=[{"pose_keypoints_2d": nested(200)}]), "frame 1 .*not a flat list"),
    "no known layout": ([{"bodies": {}, "hands": [], "\ud800": 1}], r"frame 0 .*keys 'bodies', 'hands', '\\ud800',"),
    "numbers": ([[1.0, 2.0]], "frame 0 .*is a list of 2 that starts with a float, not"),
    "no size": ([{"people": [{"pose_keypoints_2d": [1.0] * 75}]}], r"frame 0 .*25 points \(BODY_25\), has no canvas_"),
    "too many people": (edited(1, people=[{}] * 101), "frame 1 .*holds 101 people, but at most 100"),
    "too many frames": ([None] * 50_000 + host_form(1), "more than 50000 poses"),
    "scores": ([{"keypoints": [[1, 2]] * 17, "scores": [1] * 3, "width": 9, "height": 9}], "17 points, but 3 scores"),
    "nan": (edited(1, people=[{"pose_keypoints_2d": [float("nan")] * 54}]), "frame 1 .*not a finite number"),
    "no animals": ([producers.animal(0)], "frame 0 .*animal"),
    "endless canvas": (edited(0, canvas_width=float("inf")), "canvas_height and canvas_width of 1 to 16384"),
    "far away": (edited(1, people=[{"pose_keypoints_2d": [1e9] * 54}]), "frame 1 .*pixels from the picture"),
    "people no list": (edited(1, people={"a": 1}), "frame 1 .*no list of dictionaries"),
    "person no dictionary": (edited(1, people=[5]), "frame 1 .*no list of dictionaries"),
    "a number": (edited(1, people=[{"pose_keypoints_2d": 5}]), "frame 1 .*1 values, but 54"),
    "None inside": (edited(1, people=[{"pose_keypoints_2d": [None] * 54}]), "frame 1 .*not a finite number"),
    "72 face points": (edited(1, people=[{"face_keypoints_2d": [1.0] * 216}]), "frame 1 .*216 values, but 210"),
    "words": (edited(1, people=[{"pose_keypoints_2d": ["a"] * 54}]), "frame 1 .*not a flat list"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_frame_named(name):
    frames, words = REFUSED[name]
    with pytest.raises(FreeAnimateError, match=words) as refusal:
        parse_poses(frames, "Align Pose: driving_pose")
    assert str(refusal.value).startswith("Align Pose: driving_pose")


numbers = st.floats() | st.integers() | st.none() | st.booleans() | st.text(max_size=2)
values = numbers | st.lists(numbers, max_size=4) | st.lists(st.floats(-300, 300), min_size=54, max_size=54)
person = values | st.dictionaries(st.sampled_from(["pose_keypoints_2d", "face_keypoints_2d"]), values)
frame = values | st.fixed_dictionaries(
    {"people": st.none() | values | st.lists(person, max_size=2), "canvas_height": numbers | st.just(64)},
    optional={"canvas_width": numbers | st.just(64), "animals": values},
)


@settings(max_examples=300, deadline=None)
@given(frames=values | st.lists(frame, max_size=3), gaps=st.booleans(), wanted=st.integers(0, 2))
def test_anything_is_read_or_refused_clearly(frames, gaps, wanted):
    try:
        poses = parse_poses(frames, "x", wanted, gaps)
    except FreeAnimateError as refusal:
        assert str(refusal).startswith("x")
    else:
        arrays = (poses.joints, poses.face, poses.right_hand, poses.left_hand, poses.feet)
        assert all(np.isfinite(array).all() for array in arrays)
        assert all(((array[..., 2] >= 0) & (array[..., 2] <= 1)).all() for array in arrays)
