"""Names below the host's output folder: the same on every system, or refused in a sentence."""

import folder_paths
import producers
import pytest

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.host.files import LONGEST_NAME, output_folder, output_place, temp_directory
from freeanimate_pack.nodes.pose_files import FreeAnimateLoadPose, FreeAnimateSavePose

RUN, POSE = "Animate Long Clip: run_name", "Save Pose: filename_prefix"
NEITHER = {
    "\ud800": r"'\\ud800' holds '\\ud800'",
    "a\0b": r"holds '\\x00'",
    "a\nb": r"holds '\\n'",
    "walk?": r"'walk\?' holds '\?'.*leave it out",
    'a<b>"c"|*': "holds '\"', '\\*', '<', '>', '\\|'",
    "C:/walk": "holds ':'",
    "..": "names nothing below ComfyUI's output folder",
    "a/../b": "leave out '..'",
    "a\\..\\b": "leave out '..'",
    "/walk": "a leading '/'",
    "./.": "names nothing",
    "a" * 300: f"has 300 bytes and at most {LONGEST_NAME}",
    "\u732b" * 70: f"has 210 bytes and at most {LONGEST_NAME}",
    "a/" * 120 + "b": "has 241 bytes",
    "CON/walk": "'CON/walk' has a folder 'CON', which Windows cannot make",
    "nul.txt/walk": "a folder 'nul.txt'",
    "walk./a": "a folder 'walk.'.*ends in a dot",
    "walk /a": "a folder 'walk '",
    "lpt1 .a/walk": "a folder 'lpt1 .a'",
}
OF_RUNS = {
    "CON": "a folder 'CON'",
    "com7": "a folder 'com7'",
    "a/walk.": "a folder 'walk.'",
    "walk %second%": "holds the placeholder '%second%'.*write the name out",
    "%date%/a": "holds the placeholder '%date%'",
    "%width%": "holds the placeholder '%width%'",
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The host's output folder."""
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", NEITHER)
def test_names_that_some_system_has_not_are_refused_on_all(root, name):
    with pytest.raises(FreeAnimateError, match=f"{RUN} .*{NEITHER[name]}"):
        output_folder("freeanimate", name, RUN)
    with pytest.raises(FreeAnimateError, match=f"{POSE} .*{NEITHER[name]}"):
        FreeAnimateSavePose.execute([producers.sdpose()], name)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", OF_RUNS)
def test_the_name_of_a_runs_folder_is_refused(root, name):
    with pytest.raises(FreeAnimateError, match=f"{RUN} .*{OF_RUNS[name]}"):
        output_folder("freeanimate", name, RUN)
    assert list(root.iterdir()) == []


def test_a_link_out_of_the_output_folder_is_refused(root, tmp_path_factory):
    (root / "freeanimate").mkdir()
    (root / "freeanimate" / "door").symlink_to(tmp_path_factory.mktemp("outside"))
    with pytest.raises(FreeAnimateError, match="'door/walk' leads out of ComfyUI's output folder by a link"):
        output_folder("freeanimate", "door/walk", RUN)


@pytest.mark.parametrize(
    "name, folder",
    [("walk", "walk"), ("a\\b", "a/b"), ("a//b/", "a/b"), ("./a", "a"), ("100 % T\u00e4nzer", "100 % T\u00e4nzer")],
)
def test_a_runs_folder_is_where_it_says(root, name, folder):
    path, said = output_folder("freeanimate", name, RUN)
    assert said == folder and path == root / "freeanimate" / folder and path.is_dir()


def test_a_file_in_the_way_is_named(root):
    (root / "file").touch()
    (root / "freeanimate").touch()
    with pytest.raises(FreeAnimateError, match="'walk' cannot be made as a folder .*choose another"):
        output_folder("freeanimate", "walk", RUN)
    with pytest.raises(FreeAnimateError, match="'file/walk' cannot be made as a folder"):
        output_place("file/walk", 8, 8, POSE)
    with pytest.raises(FreeAnimateError, match="'file/%width%/walk' cannot be used .*choose another"):
        output_place("file/%width%/walk", 8, 8, POSE)


def test_poses_may_have_the_hosts_placeholders(root):
    FreeAnimateSavePose.execute([producers.sdpose()], "%year%/con")  # a device's name with a number is none
    (saved,) = root.rglob("*.json")
    assert saved.name == "con_00001_.json" and saved.parent.name.isdigit()
    assert output_place("a/clip", 8, 8, POSE) == (root / "a", "clip", 1, "a")


def test_a_temp_folder_that_cannot_be_made_says_so(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "file" / "temp"))
    with pytest.raises(FreeAnimateError, match="storage 'disk' writes to ComfyUI's temp folder, which cannot be made"):
        temp_directory("DDIM Inversion (Attention Capture): storage 'disk'")


@pytest.mark.parametrize("name", ["\ud800.json", "a" * 300 + ".json", "a\0.json"])
def test_a_file_that_cannot_be_named_is_no_file(root, name):
    assert "is no file in ComfyUI's input or output folder" in FreeAnimateLoadPose.validate_inputs(name)
