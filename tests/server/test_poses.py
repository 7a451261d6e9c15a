"""Poses of every producer through the real server: loaded, drawn by the host's own node, saved, refused."""

import io
import json

import numpy as np
import producers
import pytest
from patience import patience
from PIL import Image
from serverside import message, node, succeeded

from lab.server.client import PromptRejected

SEEN = [joint for joint in range(18) if joint != producers.UNSEEN]
HOST_DRAWING = {"draw_body": True, "draw_hands": True, "draw_face": False, "draw_feet": True}
HOST_DRAWING |= {"stick_width": 1, "face_point_size": 3, "score_threshold": 0.3, "draw_head": True}
FRAMES = 2


def put(server, name: str, frames: list) -> None:
    """A pose file in the server's input folder."""
    (server.base_dir / "input" / name).write_text(json.dumps(frames))


def drawn_prompt(name: str) -> dict:
    """Load, draw by the host's node, and align without change and draw again; and save."""
    return {
        "load": node("FreeAnimateLoadPose", pose_file=name),
        "draw": node("SDPoseDrawKeypoints", keypoints=["load", 0], **HOST_DRAWING),
        "show": node("SaveImage", images=["draw", 0], filename_prefix="loaded"),
        "one": node("FreeAnimateLoadPose", pose_file="one.json"),
        "align": node("FreeAnimateAlignPose", driving_pose=["load", 0], reference_pose=["one", 0], mode="none"),
        "draw_aligned": node("SDPoseDrawKeypoints", keypoints=["align", 0], **HOST_DRAWING),
        "show_aligned": node("SaveImage", images=["draw_aligned", 0], filename_prefix="aligned"),
        "save": node("FreeAnimateSavePose", pose=["load", 0], filename_prefix="poses/round trip"),
    }


def pictures(server, entry: dict, key: str) -> list[np.ndarray]:
    """The pictures [H,W,3] that a SaveImage node wrote."""
    saved = entry["outputs"][key]["images"]
    files = [server.view(image["filename"], image["subfolder"], image["type"]) for image in saved]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]


@pytest.fixture(scope="module")
def drawn(server) -> dict[str, tuple[list, list, dict]]:
    """For each producer: the loaded and the aligned poses as the host draws them, and the history entry."""
    put(server, "one.json", [producers.sdpose()])
    results = {}
    for name, frame in producers.PRODUCERS.items():
        put(server, "clip.json", [frame()] * FRAMES)
        entry = server.run(drawn_prompt("clip.json"), timeout=patience(600))
        assert succeeded(entry), message(entry, "execution_error")
        results[name] = pictures(server, entry, "show"), pictures(server, entry, "show_aligned"), entry
    return results


@pytest.mark.parametrize("name", producers.PRODUCERS)
def test_the_host_draws_every_joint_where_the_producer_saw_it(drawn, name):
    loaded, aligned, _ = drawn[name]
    assert len(loaded) == len(aligned) == FRAMES
    for picture in (*loaded, *aligned):
        assert picture.shape == (producers.HEIGHT, producers.WIDTH, 3)
        lit = picture.max(axis=-1) > 0
        places = np.concatenate([producers.JOINTS[SEEN], producers.RIGHT_HAND[: producers.LOST_FINGER]])
        assert lit[places[:, 1].astype(int), places[:, 0].astype(int)].all()
        assert not lit[:12].any() and not lit[:, :10].any() and not lit[:, 110:].any()  # nothing at 0, 0 or outside


def test_all_producers_give_one_drawing(drawn):
    """Feet apart, which SDPose alone has: the host draws them as discs of radius 4."""
    above = 160
    first = drawn["DWPose"][0][0]
    for name, (loaded, aligned, _) in drawn.items():
        for picture in (*loaded, *aligned):
            np.testing.assert_array_equal(picture[:above], first[:above], err_msg=name)


@pytest.mark.parametrize("name", producers.PRODUCERS)
def test_saved_files_load_again_as_they_were(server, drawn, name):
    said = drawn[name][2]["outputs"]["save"]["text"][0]
    assert f"{FRAMES} frames, {producers.WIDTH} x {producers.HEIGHT}" in said
    file = said.split(":")[0]
    frames = json.loads((server.base_dir / "output" / file).read_text())
    prompt = {key: drawn_prompt(f"{file} [output]")[key] for key in ("load", "draw", "show")}
    again = pictures(server, server.run(prompt), "show")
    np.testing.assert_array_equal(again, drawn[name][0])
    assert set(frames[0]) == {"people", "canvas_height", "canvas_width"}


def test_a_changed_file_is_read_again(server):
    prompt = {key: drawn_prompt("changing.json")[key] for key in ("load", "draw", "show")}
    moved = producers.dwpose()
    moved["people"][0]["pose_keypoints_2d"] = producers.flat(producers.JOINTS + 8)
    shown = []
    for frame in (producers.dwpose(), moved):
        put(server, "changing.json", [frame])
        shown.append(pictures(server, server.run(prompt), "show")[0])
    assert (shown[0] != shown[1]).any()


REFUSED = {
    "animals": ([producers.animal()], ("frame 0", "animal")),
    "nobody": ([producers.canvas(people=[])], ("frame 0", "no person")),
    "no poses": ({"a": 1}, ("frame 0", "the keys 'a', in which no people are known")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_without_poses_are_refused(server, name):
    frames, says = REFUSED[name]
    put(server, "bad.json", frames)
    prompt = {"load": node("FreeAnimateLoadPose", pose_file="bad.json"), "see": node("PreviewAny", source=["load", 0])}
    sentence = message(server.run(prompt), "execution_error")["exception_message"]
    assert [words for words in ("Load Pose: pose_file bad.json", *says) if words not in sentence] == [], sentence


@pytest.mark.parametrize("name", ["../server.log", "none.json", "/etc/hostname"])
def test_files_elsewhere_are_refused_before_anything_runs(server, name):
    prompt = {"load": node("FreeAnimateLoadPose", pose_file=name), "see": node("PreviewAny", source=["load", 0])}
    with pytest.raises(PromptRejected, match="Load Pose: pose_file .* input or output folder"):
        server.run(prompt)


def test_detection_without_weights_names_them(server):
    prompt = {
        "picture": node("TinyPicture", seed=1, frames=2, width=64, height=64),
        "detect": node("FreeAnimateDetectPose", images=["picture", 0], hands=True, face=True, resolution=512),
        "see": node("PreviewAny", source=["detect", 0]),
    }
    error = message(server.run(prompt), "execution_error")
    assert error["node_type"] == "FreeAnimateDetectPose"
    sentence = error["exception_message"]
    for words in ("body_pose_model.pth, hand_pose_model.pth, facenet.pth", "models/controlnet_aux", "SDPose"):
        assert words in sentence
