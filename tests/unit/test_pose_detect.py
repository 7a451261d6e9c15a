"""Detection by controlnet-aux: what happens around the package."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import parse_poses
from freeanimate_pack.freeanimate_core.pose.detect import (
    _AllPoints,
    build_detector,
    choose_files,
    detect_poses,
    read_weights,
    wanted_parts,
)

SOURCE = "https://huggingface.co/lllyasviel/Annotators"


def test_weights_are_found_in_any_subfolder_and_safetensors_first():
    present = ["lllyasviel/Annotators/body_pose_model.pth", "sub\\hand_pose_model.pth", "hand_pose_model.safetensors"]
    assert choose_files(wanted_parts(True, False), present) == {
        "body": "lllyasviel/Annotators/body_pose_model.pth",
        "hand": "hand_pose_model.safetensors",
    }


def test_missing_weights_are_named_with_source_folder_and_alternative():
    with pytest.raises(FreeAnimateError) as refusal:
        choose_files(wanted_parts(True, True), ["body_pose_model.pth"])
    sentence = str(refusal.value)
    assert "hand_pose_model.pth, facenet.pth" in sentence and "body_pose_model" not in sentence
    assert all(words in sentence for words in ("Detect Pose", "models/controlnet_aux", SOURCE, "SDPose"))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "body_pose_model.pth"
    torch.save({"conv1_1.weight": SimpleNamespace(a=1)}, path)
    with pytest.raises(FreeAnimateError, match="body_pose_model.pth .*cannot be read as weights"):
        read_weights(lambda name: torch.load(name, weights_only=True), {"body": str(path)})
    path.write_bytes(b"<html>404</html>")
    with pytest.raises(FreeAnimateError, match="download it again"):
        read_weights(lambda name: torch.load(name, weights_only=True), {"body": str(path)})


def host_load(path):
    """A .pth file as the host's loader takes it apart."""
    held = torch.load(path, weights_only=True)
    if "state_dict" in held:
        return held["state_dict"]
    return held[next(iter(held.keys()))] if len(held) == 1 else held


@pytest.mark.parametrize("load", [lambda path: torch.load(path, weights_only=True), host_load])
@pytest.mark.parametrize(
    "held", [[1], [torch.zeros(1)] * 2, None, 5, torch.zeros(3), {}, {"a": 1}, {"state_dict": None}, {"a": "b", "c": 1}]
)
def test_a_file_that_holds_no_weights_is_refused(tmp_path, held, load):
    path = tmp_path / "body_pose_model.pth"
    torch.save(held, path)
    with pytest.raises(FreeAnimateError, match="Detect Pose: .*body_pose_model.pth .*download it again"):
        read_weights(load, {"body": str(path)})


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    with pytest.raises(FreeAnimateError, match="pip install controlnet-aux.*SDPose"):
        build_detector({}, "cpu")


def test_face_points_keep_their_numbers():
    maps = np.zeros((71, 20, 30))
    for point in range(71):
        maps[point, point % 20, point % 30] = 0.2
    maps[5] = 0.01
    peaks = _AllPoints(lambda picture: maps).compute_peaks_from_heatmaps(maps)
    assert peaks.shape == (70, 2)
    assert peaks[69].tolist() == [9, 9] and peaks[33].tolist() == [3, 13] and peaks[5].tolist() == [0, 0]


def keypoint(x, y):
    return SimpleNamespace(x=x, y=y)


class Found:
    """Finds one person, whose nose is at a corner of a white square, in pictures that are not black."""

    def __init__(self):
        self.pictures = []

    def detect_poses(self, picture, include_hand, include_face):
        self.pictures.append(picture)
        rows, columns = np.nonzero(picture[..., 0] > 128)
        if not len(rows):
            return []
        joints = [None] * 18
        joints[0] = keypoint(columns.min() / picture.shape[1], rows.min() / picture.shape[0])
        hand = [keypoint(-1 / 64, -1 / 64)] * 20 + [keypoint(0.5, 0.25)] if include_hand else None
        return [SimpleNamespace(body=SimpleNamespace(keypoints=joints), right_hand=hand, left_hand=None, face=None)]


def square_clip():
    """Three frames [3,48,96,3], the second one black."""
    images = torch.zeros(3, 48, 96, 3)
    images[0, 12:30, 24:60] = 1
    images[2, 24:40, 48:90] = 1
    return images


def test_results_are_pixels_of_the_frames_as_they_came():
    finder, done = Found(), []
    frames = detect_poses(square_clip(), finder, True, False, 96, done.append)
    assert [picture.shape for picture in finder.pictures] == [(96, 192, 3)] * 3
    assert done == [0, 1, 2, 3]
    assert [len(frame["people"]) for frame in frames] == [1, 0, 1]
    poses = parse_poses(frames, "x", gaps=True)
    np.testing.assert_allclose(poses.joints[[0, 2], 0], [(24, 12, 1), (48, 24, 1)], atol=0.6)
    assert poses.joints[1].sum() == 0 and poses.right_hand[0, :20].sum() == 0
    assert poses.right_hand[0, 20].tolist() == [48, 12, 1]


def test_nobody_in_the_whole_clip():
    with pytest.raises(FreeAnimateError, match="nobody .*3 frames; raise resolution"):
        detect_poses(torch.zeros(3, 48, 96, 3), Found(), False, False, 64, lambda done: None)


def test_an_interrupted_detection_stops():
    finder = Found()

    def stop(done):
        if done == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        detect_poses(square_clip(), finder, False, False, 64, stop)
    assert len(finder.pictures) == 1
