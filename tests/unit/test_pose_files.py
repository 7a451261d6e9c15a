"""POSE_KEYPOINT in JSON files."""

import errno
import io
import json
from pathlib import Path

import producers
import pytest

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose.files import LARGEST_FILE, checked, load_frames, save_frames

WHERE = "Load Pose: pose_file"
SAVING = "Save Pose: filename_prefix"


@pytest.mark.parametrize("name", producers.PRODUCERS)
def test_what_was_saved_is_loaded(tmp_path, name):
    frames = checked([producers.PRODUCERS[name](), producers.canvas(people=[]), None], "x")
    assert save_frames(frames, tmp_path, "walk", 1, SAVING) == "walk_00001_.json"
    assert load_frames(tmp_path / "walk_00001_.json", WHERE) == frames
    assert [len(frame["people"]) for frame in frames] == [1, 0, 0]
    assert json.loads((tmp_path / "walk_00001_.json").read_text()) == frames


def test_everybody_is_kept_in_exact_lengths():
    frame = producers.dwpose()
    frame["people"] += producers.openpose()["people"]
    (saved,) = checked([frame], "x")
    assert len(saved["people"]) == 2
    lengths = [{key: len(values) for key, values in person.items()} for person in saved["people"]]
    exact = {"pose_keypoints_2d": 54, "face_keypoints_2d": 210}
    exact |= {"hand_right_keypoints_2d": 63, "hand_left_keypoints_2d": 63}
    assert lengths == [exact, exact]


def test_no_file_is_overwritten(tmp_path):
    frames = checked([producers.sdpose()], "x")
    (tmp_path / "a_00003_.json").write_text("mine")
    (tmp_path / "a_00004_.json").symlink_to(tmp_path / "elsewhere.json")
    assert save_frames(frames, tmp_path, "a", 3, SAVING) == "a_00005_.json"
    assert (tmp_path / "a_00003_.json").read_text() == "mine"
    assert not (tmp_path / "elsewhere.json").exists()


def test_a_full_disk_leaves_no_file(tmp_path, monkeypatch):
    frames = checked([producers.sdpose()], "x")

    class Full(io.FileIO):
        def write(self, data):
            super().write(bytes(data)[:5])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda self, mode: Full(self, "xb" if "x" in mode else mode))
    with pytest.raises(FreeAnimateError, match="Save Pose: filename_prefix 'a' cannot be written .No space left.*free"):
        save_frames(frames, tmp_path, "a", 1, SAVING)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stem", ["a" * 300, "none/a"])
def test_a_name_that_the_disk_does_not_take_says_so(tmp_path, stem):
    with pytest.raises(FreeAnimateError, match="Save Pose: filename_prefix '.*' cannot be written .*choose another"):
        save_frames(checked([producers.sdpose()], "x"), tmp_path, stem, 1, SAVING)
    assert list(tmp_path.iterdir()) == []


def test_one_frame_alone_is_a_clip_of_one(tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(producers.dwpose()))
    assert len(load_frames(path, WHERE)) == 1


BAD = {
    "not JSON": ("{", "no JSON text"),
    "too deep": ("[" * 100_000, "no JSON text"),
    "a word": ('"pose"', "holds a str"),
    "not a number": (json.dumps([producers.sdpose()]).replace("64.5", "NaN"), "frame 0 .*not a finite number"),
    "no frames": ("[]", "holds no frames"),
    "nobody": (json.dumps([producers.canvas(people=[])]), "frame 0 .*no person"),
    "animals": (json.dumps([producers.animal()]), "frame 0 .*animal"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_by_name(tmp_path, name):
    text, words = BAD[name]
    path = tmp_path / "walk.json"
    path.write_text(text)
    with pytest.raises(FreeAnimateError, match=words) as refusal:
        load_frames(path, WHERE)
    assert str(refusal.value).startswith(f"{WHERE} walk.json")


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "walk.json"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(FreeAnimateError, match="no JSON text"):
        load_frames(path, WHERE)


def test_huge_files_are_refused_before_reading(tmp_path):
    path = tmp_path / "walk.json"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(FreeAnimateError, match="256 MiB|at most 256"):
        load_frames(path, WHERE)
