"""The templates as files: complete, laid out, explained, and they say where nodes and models come from."""

import itertools
import re
from dataclasses import astuple
from pathlib import Path

import pytest
from editor import BYPASSED, FOLDER, MUTED, NOTES, TEMPLATES, is_on, read, real_nodes, source_of, template
from PIL import Image

from freeanimate_pack.freeanimate_core.presets import PRESETS

ROOT = Path(__file__).resolve().parents[2]
TITLE_BAR = 30  # pixels above a node's position
MODEL_HOSTS = ("https://huggingface.co/", "https://civitai.com/")
LOADERS = {
    "CheckpointLoaderSimple": "checkpoints",
    "ControlNetLoader": "controlnet",
    "LoraLoaderModelOnly": "loras",
    "LoadBackgroundRemovalModel": "background_removal",
}
SELF_CONTAINED = ("01", "07")  # on the pack's own model and drawing


@pytest.fixture(params=TEMPLATES, ids=lambda path: path.stem)
def path(request) -> Path:
    """Each template's file."""
    return request.param


@pytest.fixture
def workflow(path) -> dict:
    """Each template."""
    return read(path)


def area(node: dict) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a node with its title bar."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE_BAR, x + width, y + height


def frame(group: dict) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a group."""
    x, y, width, height = group["bounding"]
    return x, y, x + width, y + height


def overlap(a: tuple, b: tuple) -> bool:
    """Whether two rectangles share any pixel."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def encloses(a: tuple, b: tuple) -> bool:
    """Whether rectangle b lies in a."""
    return a[0] <= b[0] and a[1] <= b[1] and b[2] <= a[2] and b[3] <= a[3]


def test_there_are_eight_in_order_and_each_has_a_small_thumbnail():
    assert [path.name[:3] for path in TEMPLATES] == [f"0{number} " for number in range(1, 9)]
    assert sorted(file.name for file in FOLDER.iterdir()) == sorted(
        path.stem + end for path in TEMPLATES for end in (".jpg", ".json")
    )
    for path in TEMPLATES:
        picture = path.with_suffix(".jpg")
        assert picture.stat().st_size < 60_000
        with Image.open(picture) as image:
            assert image.format == "JPEG"
            assert min(image.size) >= 256


def test_no_two_nodes_and_no_two_groups_overlap(workflow):
    for areas in (list(map(area, workflow["nodes"])), list(map(frame, workflow["groups"]))):
        assert not [pair for pair in itertools.combinations(areas, 2) if overlap(*pair)]


def test_every_node_lies_in_one_group_and_no_group_is_empty(workflow):
    frames = [frame(group) for group in workflow["groups"]]
    owners = [[k for k, box in enumerate(frames) if encloses(box, area(node))] for node in workflow["nodes"]]
    assert all(len(owner) == 1 for owner in owners)
    assert {k for (k,) in owners} == set(range(len(frames)))


def test_groups_follow_the_method_and_notes_say_what_to_change(workflow):
    first, *others = [group["title"] for group in workflow["groups"]]
    assert first == "Start here"
    assert sorted(int(title.split()[0]) for title in others) == list(range(1, len(others) + 1))
    notes = [node["widgets_values"][0] for node in workflow["nodes"] if node["type"] in NOTES]
    assert len(notes) >= 4
    assert notes[0].startswith("# ")
    assert "\n## 1. " in notes[0] and len(notes[0]) > 300


def test_it_opens_at_a_zoom_at_which_the_editor_draws_text(workflow):
    """In a full-HD browser's 1920x950: a template opens on 3/4 of the canvas, and below 8/14 of its natural size
    the editor draws boxes without any text."""
    boxes = [frame(group) for group in workflow["groups"]]
    width, height = (max(box[k + 2] for box in boxes) - min(box[k] for box in boxes) for k in (0, 1))
    assert 0.75 * min(1920 / width, 950 / height) > 8 / 14


def test_nodes_say_where_they_come_from(workflow):
    project = (ROOT / "pyproject.toml").read_text()
    own = re.search(r'^name = "(.+)"\nversion = "(.+)"$', project, re.M).groups()
    for node in real_nodes(workflow).values():
        properties = node["properties"]
        assert properties["Node name for S&R"] == node["type"]
        if node["type"].startswith("FreeAnimate"):
            assert (properties["cnr_id"], properties["ver"]) == own
        else:
            assert properties["cnr_id"] == "comfy-core"
            assert properties["ver"].count(".") == 2


def test_loaders_link_their_models(path, workflow):
    loaders = [node for node in real_nodes(workflow).values() if node["type"] in LOADERS]
    assert bool(loaders) == (path.stem[:2] not in SELF_CONTAINED)
    for node in real_nodes(workflow).values():
        assert ("models" in node["properties"]) == (node["type"] in LOADERS)
    for node in loaders:
        (model,) = node["properties"]["models"]
        assert model["name"] == node["widgets_values"][0]
        assert model["url"].startswith(MODEL_HOSTS)
        assert model["url"].endswith("/" + model["name"])
        assert model["directory"] == LOADERS[node["type"]]


def test_self_contained_templates_read_no_file():
    for number in SELF_CONTAINED:
        (workflow,) = [read(path) for path in TEMPLATES if path.stem.startswith(number)]
        types = {node["type"] for node in workflow["nodes"]}
        assert "FreeAnimateDemoModel" in types
        assert not [kind for kind in types if kind.startswith("Load") or kind.endswith(("Loader", "LoaderSimple"))]


def test_bends_in_wires_belong_to_links(workflow):
    """What the editor keeps of a wire's way: every bend lies on links, every bent link ends on a bend."""
    extra = workflow["extra"]
    bends = {bend["id"]: bend for bend in extra["reroutes"]}
    ends = {end["id"]: end["parentId"] for end in extra["linkExtensions"]}
    numbers = {link[0] for link in workflow["links"]}
    on = {number: set() for number in bends}
    for link, bend in ends.items():
        assert link in numbers
        while bend is not None:
            on[bend].add(link)
            bend = bends[bend].get("parentId")
    assert {number: set(bend["linkIds"]) for number, bend in bends.items()} == on


def test_background_removal_waits_switched_off():
    """A graph cannot ask whether a model file is there: the pair is bypassed, and the run goes on without it."""
    workflow = template("02")
    off = [node for node in real_nodes(workflow).values() if not is_on(node)]
    assert sorted(node["type"] for node in off) == ["LoadBackgroundRemovalModel", "RemoveBackground"]
    (preview,) = [node for node in workflow["nodes"] if node["type"] == "FreeAnimatePreview"]
    link = next(slot["link"] for slot in preview["inputs"] if slot["name"] == "person_mask")
    (remover,) = [node for node in off if node["type"] == "RemoveBackground"]
    assert source_of(workflow, link) is None
    remover["mode"] = 0
    assert source_of(workflow, link) == [str(remover["id"]), 0]


def test_a_link_passes_through_a_bypassed_node_by_its_type():
    """As in the editor: what is muted ends a link, what is bypassed hands on its first input of the link's type."""
    workflow = template("02")
    (scaled,) = [node for node in workflow["nodes"] if node["type"] == "ImageScale"]
    (picture,) = [node for node in workflow["nodes"] if node["type"] == "LoadImage"]
    link = scaled["outputs"][0]["links"][0]
    scaled["mode"] = BYPASSED
    assert source_of(workflow, link) == [str(picture["id"]), 0]
    scaled["mode"] = MUTED
    assert source_of(workflow, link) is None


def test_a_template_that_keeps_the_preview_holds_the_people_preset(workflow):
    preset, nodes, links = PRESETS["people"], real_nodes(workflow), {link[0]: link for link in workflow["links"]}
    for node in nodes.values():
        if node["type"] != "FreeAnimatePatchModel":
            continue
        link = next(item["link"] for item in node["inputs"] if item["name"] == "redraw_mask")
        if link is None:
            assert node["widgets_values"][6:8] == ["blend", 0.0]
            continue
        _, source, slot = links[link][:3]
        assert nodes[source]["outputs"][slot]["name"] == preset.mask
        assert nodes[source]["widgets_values"][-1] == preset.keep_face
        assert node["widgets_values"][:9] == list(astuple(preset.patch))
        assert any(other["type"] == "FreeAnimatePastePreview" for other in nodes.values()) == preset.paste
