"""POSE_KEYPOINT in JSON files."""

import errno
import io
import json
import tracemalloc
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
    "deep": (json.dumps([producers.sdpose()]).replace("64.5", "[" * 300 + "64.5" + "]" * 300), "not a flat list"),
    "an integer of 400 digits": (json.dumps([producers.sdpose()]).replace("64.5", "9" * 400), "not a finite number"),
    "an integer of 9000 digits": (json.dumps([producers.sdpose()]).replace("64.5", "9" * 9000), "not a finite number"),
    "a canvas of 400 digits": (json.dumps([producers.sdpose()]).replace("192", "9" * 400), "frame 0 .*canvas_height"),
    "nulls": (json.dumps([producers.sdpose()] + [None] * 50_000), "more than 50000 poses"),
    "nulls alone": (json.dumps([None] * 60_000), "holds no frames"),
    "too many lists": ("[" + "[]," * 8_000_001 + "[]]", "more than 8000000 times '\\['"),
    "too many numbers": ("[" + "1," * 30_000_001 + "1]", "more than 30000000 times ','"),
    "another tool's": ('{"a\\ud800": [1, 2], "b": 1}', r"frame 0 .*the keys 'a\\ud800', 'b', in which no people"),
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


def test_what_a_file_builds_is_bounded_before_it_is_built(tmp_path):
    """15 MB of nulls, and the same of empty lists and dictionaries: a small multiple of the file."""
    for item in ("null", "[]", "{}"):
        path = tmp_path / "walk.json"
        path.write_text(f"[{','.join([item] * (15_000_000 // (len(item) + 1)))}]")
        tracemalloc.start()
        try:
            with pytest.raises(FreeAnimateError, match="more than|holds no frames"):
                load_frames(path, WHERE)
            assert tracemalloc.get_traced_memory()[1] < 600 * 2**20
        finally:
            tracemalloc.stop()


def test_a_long_clip_is_loaded(tmp_path):
    """Ten minutes at 24 frames a second, most of them empty."""
    path = tmp_path / "walk.json"
    path.write_text(json.dumps([producers.sdpose()] + [producers.canvas(people=[])] * 14_399))
    assert len(load_frames(path, WHERE)) == 14_400


def test_width_and_height_are_for_files_that_carry_none(tmp_path):
    path = tmp_path / "walk.json"
    frame = producers.sdpose()
    path.write_text(json.dumps([frame]))
    assert load_frames(path, WHERE, 64, 32) == load_frames(path, WHERE)
    path.write_text(json.dumps([{"people": frame["people"]}]))
    loaded = load_frames(path, WHERE, producers.WIDTH, producers.HEIGHT)
    assert (loaded[0]["canvas_width"], loaded[0]["canvas_height"]) == (producers.WIDTH, producers.HEIGHT)
    with pytest.raises(FreeAnimateError, match="Load Pose: width is 64 and height is 0; set both"):
        load_frames(path, WHERE, 64, 0)


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
