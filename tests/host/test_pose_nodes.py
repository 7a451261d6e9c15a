"""Load Pose, Save Pose and Detect Pose in the real host, with folders of their own."""

import json
import os

import folder_paths
import numpy as np
import producers
import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import parse_poses
from freeanimate_pack.nodes.detect_pose import FreeAnimateDetectPose
from freeanimate_pack.nodes.pose_files import FreeAnimateLoadPose, FreeAnimateSavePose


@pytest.fixture
def folders(tmp_path):
    """The host's input and output folders, with one pose file in the input folder and one that lies outside."""
    before = folder_paths.get_input_directory(), folder_paths.get_output_directory()
    paths = tmp_path / "input", tmp_path / "output"
    for path, place in zip(paths, (folder_paths.set_input_directory, folder_paths.set_output_directory)):
        path.mkdir()
        place(str(path))
    (paths[0] / "walks").mkdir()
    (paths[0] / "walks" / "walk.json").write_text(json.dumps([producers.dwpose()] * 2))
    (tmp_path / "secret.json").write_text(json.dumps([producers.dwpose()]))
    yield paths
    folder_paths.set_input_directory(before[0])
    folder_paths.set_output_directory(before[1])


def test_saved_poses_are_loaded_again(folders):
    pose, frames, width, height = FreeAnimateLoadPose.execute("walks/walk.json").result
    assert (frames, width, height) == (2, producers.WIDTH, producers.HEIGHT)
    assert listed() == ["walks/walk.json"]
    for number in (1, 2):
        (passed,) = FreeAnimateSavePose.execute(pose, "poses/clip").result
        assert passed is pose
        name = f"poses/clip_{number:05}_.json [output]"
        assert FreeAnimateLoadPose.validate_inputs(name) is True
        assert FreeAnimateLoadPose.execute(name).result[0] == pose
        assert listed()[1:] == [f"poses/clip_{n:05}_.json [output]" for n in range(1, number + 1)]


def listed() -> list[str]:
    """The files that the editor offers."""
    return FreeAnimateLoadPose.GET_SCHEMA().inputs[0].options


def test_files_of_both_folders_are_listed_and_a_name_alone_is_one_of_the_input_folder(folders):
    """A workflow or prompt that was saved with a name alone keeps its file, whatever the output folder holds."""
    other = json.dumps([producers.dwpose()] * 5)
    for name in ("walks/walk.json", "b.JSON", "a.json", "note.txt"):
        (folders[1] / name).parent.mkdir(exist_ok=True)
        (folders[1] / name).write_text(other)
    assert listed() == ["walks/walk.json", "a.json [output]", "b.JSON [output]", "walks/walk.json [output]"]
    for name, frames in {"walks/walk.json": 2, "walks/walk.json [input]": 2, "walks/walk.json [output]": 5}.items():
        assert FreeAnimateLoadPose.validate_inputs(name) is True
        assert FreeAnimateLoadPose.execute(name).result[1] == frames


def test_every_file_that_is_listed_can_be_read(folders):
    """A link out of the folders is refused by name, and so it is not offered; one that stays inside is."""
    for folder in folders:
        (folder / "out.json").symlink_to(folders[0].parent / "secret.json")
        (folder / "door").symlink_to(folders[0].parent)
    (folders[0] / "inside.json").symlink_to(folders[0] / "walks" / "walk.json")
    assert listed() == ["inside.json", "walks/walk.json"]
    assert all(FreeAnimateLoadPose.validate_inputs(name) is True for name in listed())


def test_one_folder_for_both_is_listed_once(folders):
    folder_paths.set_output_directory(str(folders[0]))
    assert listed() in (["walks/walk.json"], ["walks/walk.json [output]"])
    assert len(FreeAnimateLoadPose.execute(listed()[0]).result[0]) == 2


@pytest.mark.parametrize("missing", [0, 1], ids=["input", "output"])
def test_a_folder_that_is_not_there_has_no_files(folders, missing):
    folders[missing].rename(folders[missing].with_name("elsewhere"))
    assert listed() == (["walks/walk.json"] if missing else [])


def test_names_in_capitals_are_listed_and_windows_subfolders_found(folders):
    """A workflow saved on Windows names a subfolder with a backslash."""
    (folders[0] / "walks" / "CAPITALS.JSON").write_text(json.dumps([producers.dwpose()]))
    assert listed() == ["walks/CAPITALS.JSON", "walks/walk.json"]
    for name in ("walks\\walk.json", "walks\\CAPITALS.JSON [input]"):
        assert FreeAnimateLoadPose.validate_inputs(name) is True
        assert len(FreeAnimateLoadPose.execute(name).result[0]) in (1, 2)
        assert FreeAnimateLoadPose.fingerprint_inputs(name, 0, 0)


def test_a_file_without_a_canvas_is_read_with_the_size_given(folders):
    (folders[0] / "walks" / "walk.json").write_text(json.dumps([{"people": producers.dwpose()["people"]}]))
    with pytest.raises(FreeAnimateError, match="Load Pose and set width and height there"):
        FreeAnimateLoadPose.execute("walks/walk.json")
    pose, frames, width, height = FreeAnimateLoadPose.execute("walks/walk.json", 128, 192).result
    assert (frames, width, height) == (1, 128, 192)


def test_a_changed_file_runs_again(folders):
    path = folders[0] / "walks" / "walk.json"
    first = FreeAnimateLoadPose.fingerprint_inputs("walks/walk.json")
    assert FreeAnimateLoadPose.fingerprint_inputs("walks/walk.json") == first
    os.utime(path, ns=(1, 1))
    assert FreeAnimateLoadPose.fingerprint_inputs("walks/walk.json") != first


@pytest.mark.parametrize(
    "name",
    [
        "../secret.json",
        "{root}/secret.json",
        "link.json",
        "door/secret.json",
        "walks",
        "none.json",
        "a [temp]",
        "a\0",
        "..\\secret.json",
        "\ud800.json",
    ],
)
def test_only_files_of_the_input_and_output_folders_are_read(folders, name):
    (folders[0] / "link.json").symlink_to(folders[0].parent / "secret.json")
    (folders[0] / "door").symlink_to(folders[0].parent)
    name = name.replace("{root}", str(folders[0].parent))
    sentence = FreeAnimateLoadPose.validate_inputs(name)
    assert sentence.isprintable() and "Load Pose: pose_file" in sentence and "input or output folder" in sentence
    with pytest.raises(FreeAnimateError):
        FreeAnimateLoadPose.execute(name)


@pytest.mark.parametrize("prefix", ["../clip", "{root}/clip", "a/../../clip", "door/clip"])
def test_nothing_is_written_outside_the_output_folder(folders, prefix):
    (folders[1] / "door").symlink_to(folders[1].parent)
    before = sorted(folders[1].parent.iterdir())
    with pytest.raises(FreeAnimateError, match="Save Pose: filename_prefix .*output folder"):
        FreeAnimateSavePose.execute([producers.sdpose()], prefix.replace("{root}", str(folders[1].parent)))
    assert sorted(folders[1].parent.iterdir()) == before


def test_faulty_poses_are_not_saved(folders):
    frame = producers.sdpose()
    frame["people"][0]["pose_keypoints_2d"][0] = float("nan")
    with pytest.raises(FreeAnimateError, match="Save Pose: pose: frame 0 .*finite"):
        FreeAnimateSavePose.execute([frame], "clip")
    assert list(folders[1].iterdir()) == []


# The body network's joints on its grid of 23 x 23 cells, each 16 pixels of a picture of 368 x 368: column, row.
GRID = np.array(
    [
        (11, 3), (11, 7), (8, 7), (5, 8), (2, 9), (14, 7), (17, 8), (20, 9), (9, 13), (8, 17), (7, 21), (13, 13),
        (14, 17), (15, 21), (9, 1), (13, 1), (6, 2), (16, 2),
    ]
)  # fmt: skip
CELL = 16
# Limbs by joints counted from 1, and where their direction stands among the network's 38 fields.
LIMBS = [
    (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13), (13, 14), (2, 1),
    (1, 15), (15, 17), (1, 16), (16, 18), (3, 17), (6, 18),
]  # fmt: skip
FIELDS = [12, 20, 14, 16, 22, 24, 0, 2, 4, 6, 8, 10, 28, 30, 34, 32, 36, 18, 26]


def colours():
    """One colour for each joint, as directions [18,3] from grey, far from one another."""
    turn, height = np.arange(18) * np.pi * (3 - 5**0.5), 1 - (2 * np.arange(18) + 1) / 18
    return np.stack([np.cos(turn) * np.sqrt(1 - height**2), np.sin(turn) * np.sqrt(1 - height**2), height], axis=-1)


def clip():
    """Two pictures [2,368,368,3]: grey, and a coloured disc at every joint."""
    images = np.full((2, 368, 368, 3), 0.5)
    y, x = np.mgrid[:368, :368] + 0.5
    for (column, row), colour in zip(GRID, colours()):
        disc = np.hypot(x - CELL * (column + 0.5), y - CELL * (row + 0.5)) < 5
        images[1, disc] = 0.5 + 0.45 * colour
    return torch.from_numpy(images).float()


def body_weights():
    """Weights of the true network with which it finds those discs: colour filters, passed on by the centre taps."""
    from controlnet_aux.open_pose.model import bodypose_model

    with torch.device("meta"):
        shapes = bodypose_model().state_dict()
    state = {name.split(".", 1)[1]: torch.zeros(value.shape) for name, value in shapes.items()}
    names = [name.removesuffix(".weight") for name in state if name.endswith(".weight")]
    for name in names:
        weight = state[f"{name}.weight"]
        middle, shift = weight.shape[-1] // 2, 57 if name == "Mconv1_stage6_L2" else 0
        passes = "L" not in name or name.endswith("stage6_L2")
        for channel in range(18 if passes and "conv1_1" != name else 0):
            weight[channel, channel + shift, middle, middle] = 1.0
    state["conv1_1.weight"][:18, :, 1, 1] = 15 * torch.from_numpy(colours()[:, ::-1].copy())  # the network sees BGR
    state["conv1_1.bias"][:18] = -15 * 0.38
    for (a, b), field in zip(LIMBS, FIELDS):
        line = GRID[b - 1] - GRID[a - 1]
        state["Mconv7_stage6_L1.bias"][field : field + 2] = torch.from_numpy(line / np.hypot(*line))
    return state


def test_the_true_network_finds_a_person(tmp_path, monkeypatch):
    """The package's own classes and forward pass, from a file in a subfolder of the models folder."""
    monkeypatch.setattr(folder_paths, "models_dir", str(tmp_path))
    monkeypatch.setattr(folder_paths, "folder_names_and_paths", dict(folder_paths.folder_names_and_paths))
    folder = tmp_path / "controlnet_aux" / "lllyasviel" / "Annotators"
    with pytest.raises(FreeAnimateError, match="body_pose_model.pth not found"):
        FreeAnimateDetectPose.execute(clip(), False, False, 368)
    folder.mkdir(parents=True)
    torch.save(body_weights(), folder / "body_pose_model.pth", _use_new_zipfile_serialization=False)  # as published
    (frames,) = FreeAnimateDetectPose.execute(clip(), False, False, 368).result
    assert [len(frame["people"]) for frame in frames] == [0, 1]
    joints = parse_poses(frames, "x", gaps=True).joints[1]
    assert (joints[:, 2] == 1).all()
    np.testing.assert_allclose(joints[:, :2], CELL * (GRID + 0.5), atol=3)

    for held in ([1], None, [torch.zeros(2), 3], {"state_dict": None}):
        torch.save(held, folder / "hand_pose_model.pth")
        with pytest.raises(FreeAnimateError, match="hand_pose_model.pth in models/controlnet_aux .*download it again"):
            FreeAnimateDetectPose.execute(clip(), True, False, 368)
    torch.save({"conv1_1.weight": torch.zeros(64, 3, 3, 3)}, folder / "hand_pose_model.pth")
    with pytest.raises(FreeAnimateError, match="hand_pose_model in models/controlnet_aux holds another network"):
        FreeAnimateDetectPose.execute(clip(), True, False, 368)
