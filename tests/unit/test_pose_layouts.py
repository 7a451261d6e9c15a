"""Poses as the common editors and detectors write them, from their own definitions: one person, one truth."""

import numpy as np
import producers
import pytest
from producers import FACE, HEIGHT, JOINTS, RIGHT_HAND, WIDTH, flat

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import parse_poses
from freeanimate_pack.freeanimate_core.pose.files import checked

FEET = JOINTS[[13, 13, 13, 10, 10, 10]] + [(2, 6), (6, 5), (-3, 4), (-2, 6), (-6, 5), (3, 4)]
LEFT_HAND = RIGHT_HAND + (56, 0)
# The orders of the points, each by the name of its joint here.
BODY_25 = "nose neck rsho relb rwri lsho lelb lwri midhip rhip rknee rank lhip lknee lank reye leye rear lear".split()
COCO = "nose leye reye lear rear lsho rsho lelb relb lwri rwri lhip rhip lknee rknee lank rank".split()
NAMES = "nose neck rsho relb rwri lsho lelb lwri rhip rknee rank lhip lknee lank reye leye rear lear".split()
PLACES = dict(zip(NAMES, JOINTS)) | {"midhip": (JOINTS[8] + JOINTS[11]) / 2}
COCO_17 = np.array([PLACES[name] for name in COCO])
WHOLE_BODY = np.concatenate([COCO_17, FEET, FACE, LEFT_HAND, RIGHT_HAND])
WITH_NECK = np.concatenate([JOINTS, FEET, FACE, LEFT_HAND, RIGHT_HAND])
POINTS_25 = np.concatenate([[PLACES[name] for name in BODY_25], FEET])


def pairs(points):
    return np.asarray(points).tolist()


def triples(points):
    return [[*map(float, point), 0.75] for point in points]


def person(points):
    return {"pose_keypoints_2d": flat(points, 0.75)}


def mmpose(points):
    """MMPose's and RTMPose's own files: no canvas, scores apart."""
    return {"frame_id": 1, "instances": [{"keypoints": pairs(points), "keypoint_scores": [0.75] * len(points)}]}


canvas, side = producers.canvas, {"width": WIDTH, "height": HEIGHT}
SIZED = {
    "BODY_25 with a canvas": [canvas(people=[person(POINTS_25)])],
    "COCO under people": [canvas(people=[person(COCO_17)])],
    "WholeBody under people": [canvas(people=[person(WHOLE_BODY)])],
    "WholeBody with a neck": [canvas(people=[person(WITH_NECK)])],
    "nested points": [canvas(people=[{"pose_keypoints_2d": triples(JOINTS)}])],
    "old editor": {**side, "keypoints": pairs(JOINTS)},
    "old editor, listed": [{**side, "keypoints": pairs(JOINTS)}],
    "people, width, height": {"people": [person(JOINTS)], **side},
    "rtmlib arrays": {**side, "keypoints": [pairs(WHOLE_BODY)], "scores": [[0.75] * 133]},
    "frames": {"frames": [canvas(people=[person(JOINTS)])]},
    "frames with one canvas": {
        "frames": [{"people": [person(JOINTS)]}],
        "canvas_width": WIDTH,
        "canvas_height": HEIGHT,
    },
    "list in a list": [[canvas(people=[person(JOINTS)])]],
    "frames by number": {"0": canvas(people=[person(JOINTS)])},
    "person as frame": [canvas(**person(JOINTS))],
    "flat COCO annotation": {**side, "people": [{"keypoints": flat(COCO_17, 2), "score": 0.5}]},
    "sizes in floats": [{"people": [person(JOINTS)], "width": float(WIDTH), "height": float(HEIGHT)}],
}
UNSIZED = {
    "OpenPose's own file": [{"version": 1.3, "people": [{"person_id": [-1], **person(POINTS_25)}]}],
    "MMPose's own file": {"meta_info": {}, "instance_info": [mmpose(WHOLE_BODY)]},
    "MMPose, 17 points": {"instance_info": [mmpose(COCO_17)]},
    "MMPose's inferencer": [
        [{"keypoints": pairs(WHOLE_BODY), "keypoint_scores": [0.75] * 133, "bbox": [[0, 0, 1, 1]]}]
    ],
}
COCO_NECK = (JOINTS[2] + JOINTS[5]) / 2


def check(frames, name, size=None):
    poses = parse_poses(checked(frames, "x", size), "x")
    assert (len(poses), poses.height, poses.width) == (1, HEIGHT, WIDTH)
    expected = JOINTS.copy()
    if poses.joints[0, 1].tolist()[:2] != JOINTS[1].tolist():  # COCO has no neck
        expected[1] = COCO_NECK
        assert "COCO" in name or "WholeBody" in name or "MMPose" in name or "rtmlib" in name
    np.testing.assert_allclose(poses.joints[0, :, :2], expected, atol=1e-9)
    assert poses.seen.all()
    return poses


@pytest.mark.parametrize("name", SIZED)
def test_a_layout_is_the_same_person(name):
    check(SIZED[name], name)


@pytest.mark.parametrize("name", UNSIZED)
def test_a_layout_without_a_canvas_needs_its_size(name):
    check(UNSIZED[name], name, (HEIGHT, WIDTH))
    with pytest.raises(FreeAnimateError, match="has no canvas_height .*Load Pose and set width and height"):
        checked(UNSIZED[name], "x")


@pytest.mark.parametrize(
    "name", ["WholeBody under people", "WholeBody with a neck", "rtmlib arrays", "BODY_25 with a canvas"]
)
def test_the_ends_of_a_body_are_where_they_belong(name):
    poses = check(SIZED[name], name)
    np.testing.assert_allclose(poses.feet[0, :, :2], FEET)
    if "BODY_25" not in name:
        np.testing.assert_allclose(poses.face[0, :68, :2], FACE)
        np.testing.assert_allclose(poses.right_hand[0, :, :2], RIGHT_HAND)
        np.testing.assert_allclose(poses.left_hand[0, :, :2], LEFT_HAND)
        assert poses.face[0, 68:].sum() == 0


def test_scores_are_confidences():
    scores = np.linspace(0.1, 0.9, 17)
    frame = {**side, "people": [{"keypoints": pairs(COCO_17), "keypoint_scores": scores.tolist()}]}
    joints = parse_poses(frame, "x").joints[0]
    order = [NAMES.index(name) for name in COCO]
    np.testing.assert_allclose(joints[order, 2], scores)
    assert joints[1, 2] == min(scores[5:7])  # the neck is as sure as the less sure shoulder


def test_a_coco_neck_needs_both_shoulders():
    points = COCO_17.copy()
    points[6] = 0
    assert not parse_poses([canvas(people=[person(points)])], "x").joints[0, 1].any()


def test_the_old_editor_writes_its_people_one_after_another():
    frame = {**side, "keypoints": pairs(np.concatenate([JOINTS, JOINTS * 0.5]))}
    assert len(checked(frame, "x")[0]["people"]) == 2
    np.testing.assert_allclose(parse_poses(frame, "x", 1).joints[0, :, :2], JOINTS * 0.5)
    np.testing.assert_allclose(parse_poses(frame, "x").joints[0, :, :2], JOINTS)


@pytest.mark.parametrize("scale", [2, 0.5, 1.25])
@pytest.mark.parametrize("unit", ["pixels", "fractions"])
def test_canvases_of_other_sizes_are_scaled_to_the_first(scale, unit):
    other = (WIDTH * scale, HEIGHT * scale)
    points = JOINTS * scale / (other if unit == "fractions" else 1)
    first = JOINTS / ((WIDTH, HEIGHT) if unit == "fractions" else 1)
    frames = [canvas(people=[person(first)])]
    frames.append({"people": [person(points)], "canvas_width": int(other[0]), "canvas_height": int(other[1])})
    poses = parse_poses(frames, "x")
    assert (poses.height, poses.width) == (HEIGHT, WIDTH)
    np.testing.assert_allclose(poses.joints[1], poses.joints[0], atol=1e-6)


def test_rounding_of_a_scaled_canvas_is_no_other_aspect():
    frames = [
        canvas(people=[person(JOINTS)]),
        {"people": [person(JOINTS / 3)], "canvas_width": 43, "canvas_height": 64},
    ]
    np.testing.assert_allclose(parse_poses(frames, "x").joints[1, :, :2], JOINTS, rtol=0.01)
