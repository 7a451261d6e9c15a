"""The templates as files: complete, laid out, explained, and they say where nodes and models come from."""

import itertools
import re
from dataclasses import astuple
from pathlib import Path

import pytest
from editor import (
    APP,
    BLUEPRINTS,
    BYPASSED,
    FOLDER,
    MUTED,
    NOTES,
    OPENED,
    TEMPLATES,
    WORKFLOWS,
    all_nodes,
    definitions,
    instances,
    is_on,
    old_template,
    promoted_values,
    read,
    root,
    source_of,
    template,
)
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
SELF_CONTAINED = ("01", "07", "tr")  # on the pack's own model and drawing
WINDOWS = ((1920, 950), (1366, 768))  # pixels that a browser leaves: on a full-HD screen, on a small laptop
READABLE = 8 / 14  # below this zoom the editor draws boxes without any text
MOST = 10  # nodes that a template shows
SHIPPED = sorted(BLUEPRINTS.glob("*.json"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def path(request) -> Path:
    """Each template's file, the one that is opened up and the app too."""
    return request.param


@pytest.fixture(params=WORKFLOWS + SHIPPED, ids=lambda path: path.stem)
def graph(request) -> dict:
    """Each template and each blueprint."""
    return read(request.param)


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
        path.stem + end for path in WORKFLOWS for end in (".jpg", ".json")
    )
    for path in WORKFLOWS:
        picture = path.with_suffix(".jpg")
        assert picture.stat().st_size < 60_000
        with Image.open(picture) as image:
            assert image.format == "JPEG"
            assert min(image.size) >= 256


def test_two_blueprints_ship():
    assert [path.stem for path in SHIPPED] == [
        "Animate Character (FreeAnimate)",
        "Animate Character from Video (FreeAnimate)",
    ]
    for path in SHIPPED:
        file = read(path)
        ((_, subgraph),) = instances(file)
        assert subgraph["name"] == path.stem
        assert file["links"] == []
        assert file["extra"]["BlueprintDescription"] == subgraph["description"]
        assert all(isinstance(word, str) for word in file["extra"]["BlueprintSearchAliases"])


def test_a_template_shows_few_nodes(path, workflow):
    assert len(workflow["nodes"]) <= MOST or path == OPENED


def test_no_two_nodes_and_no_two_groups_overlap(graph):
    for level in (graph, *definitions(graph).values()):
        for areas in (list(map(area, level["nodes"])), list(map(frame, level["groups"]))):
            assert not [pair for pair in itertools.combinations(areas, 2) if overlap(*pair)]


def test_every_node_lies_in_one_group_and_no_group_is_empty():
    workflow = read(OPENED)
    frames = [frame(group) for group in workflow["groups"]]
    owners = [[k for k, box in enumerate(frames) if encloses(box, area(node))] for node in workflow["nodes"]]
    assert all(len(owner) == 1 for owner in owners)
    assert {k for (k,) in owners} == set(range(len(frames)))
    first, *others = [group["title"] for group in workflow["groups"]]
    assert first == "Start here"
    assert sorted(int(title.split()[0]) for title in others) == list(range(1, len(others) + 1))


def test_the_first_note_says_what_to_do(workflow):
    notes = [node["widgets_values"][0] for node in workflow["nodes"] if node["type"] in NOTES]
    assert notes[0].startswith("# ")
    assert "\n## 1. " in notes[0] and len(notes[0]) > 300


def test_it_opens_at_a_zoom_at_which_the_editor_draws_text(path, workflow):
    """A template opens on 3/4 of the canvas."""
    boxes = [frame(group) for group in workflow["groups"]] or list(map(area, workflow["nodes"]))
    width, height = (max(box[k + 2] for box in boxes) - min(box[k] for box in boxes) for k in (0, 1))
    for across, down in WINDOWS[:1] if path == OPENED else WINDOWS:
        assert 0.75 * min(across / width, down / height) > READABLE


def test_ids_are_unique_over_the_root_and_its_subgraphs(graph):
    levels = [graph, *definitions(graph).values()]
    numbers = [node["id"] for level in levels for node in level["nodes"]]
    links = [link[0] for link in graph["links"]]
    links += [link["id"] for level in levels[1:] for link in level["links"]]
    slots = [slot["id"] for level in levels[1:] for slot in (*level["inputs"], *level["outputs"])]
    for ids in (numbers, links, slots, [graph["id"], *definitions(graph)]):
        assert len(set(ids)) == len(ids)
    assert graph["last_node_id"] == max(numbers)
    assert graph["last_link_id"] == max(links)


def test_an_instance_has_the_slots_of_its_subgraph(graph):
    for node, subgraph in instances(graph):
        for side in ("inputs", "outputs"):
            shown = [[slot["name"], slot["type"], slot.get("label")] for slot in node[side]]
            assert shown == [[slot["name"], slot["type"], slot.get("label")] for slot in subgraph[side]]


def test_links_within_a_subgraph_agree_with_its_slots(graph):
    for _, subgraph in instances(graph):
        inner = {node["id"]: node for node in subgraph["nodes"]}
        for link in subgraph["links"]:
            origin, output = link["origin_id"], link["origin_slot"]
            sends = (
                subgraph["inputs"][output]["linkIds"] if origin == -10 else inner[origin]["outputs"][output]["links"]
            )
            assert link["id"] in sends
            target, slot = link["target_id"], link["target_slot"]
            end = subgraph["outputs"][slot] if target == -20 else inner[target]["inputs"][slot]
            assert link["id"] in (end["linkIds"] if target == -20 else [end["link"]])
            assert end["type"] in (link["type"], "*")


def test_every_promoted_widget_is_alive(graph):
    """A subgraph's input with a widget feeds widgets alone, and they hold its value; one without feeds none."""
    for node, subgraph in instances(graph):
        values, inner = promoted_values(node), all_nodes(graph)
        assert None not in values.values()
        ends = {link["id"]: (link["target_id"], link["target_slot"]) for link in subgraph["links"]}
        for given, slot in zip(node["inputs"], subgraph["inputs"]):
            fed = [inner[target]["inputs"][k] for target, k in (ends[number] for number in slot["linkIds"])]
            assert fed
            assert all(("widget" in item) == ("widget" in given) for item in fed)


def test_what_a_character_blueprint_offers():
    """The first inputs and widgets of both, in the order in which workflows keep them."""
    (alone, _), (filmed, _) = (instances(read(path))[0] for path in SHIPPED)
    labels = [[slot["label"] for slot in node["inputs"] if "widget" in slot] for node in (alone, filmed)]
    method, clip = ["preset", "steps", "cfg", "seed"], ["width", "height", "first frame", "frames", "pose model"]
    assert labels == [["prompt", "negative prompt", *method], ["prompt", "negative prompt", *clip, *method]]
    sockets = [[slot["name"] for slot in node["inputs"] if "widget" not in slot] for node in (alone, filmed)]
    models = ["model", "clip", "vae", "control_net"]
    assert sockets[0] == [*models, "reference", "reference_pose", "driving_pose", "person_mask"]
    assert sockets[1] == [*models, "reference", "driving_video", "person_mask"]
    outputs = [[slot["name"] for slot in node["outputs"]] for node in (alone, filmed)]
    assert outputs == [["frames", "preview", "overlay", "checks"], ["video", "frames", "preview", "overlay", "checks"]]


def test_the_app_plays_the_first_template():
    first, app = template("01"), read(APP)
    linear = app["extra"]["linearData"]
    assert app["extra"]["linearMode"] is True
    nodes = {node["id"]: node for node in app["nodes"]}
    for number, name in linear["inputs"]:
        assert name in [slot["name"] for slot in nodes[number]["inputs"] if "widget" in slot]
    assert [nodes[number]["type"] for number in linear["outputs"]] == ["SaveVideo"]
    inner = [[node["type"] for node in all_nodes(file).values()] for file in (first, app)]
    assert inner[0] == inner[1]


def test_nodes_say_where_they_come_from(graph):
    project = (ROOT / "pyproject.toml").read_text()
    own = re.search(r'^name = "(.+)"\nversion = "(.+)"$', project, re.M).groups()
    assert all((node["properties"]["cnr_id"], node["properties"]["ver"]) == own for node, _ in instances(graph))
    for node in all_nodes(graph).values():
        properties = node["properties"]
        assert properties["Node name for S&R"] == node["type"]
        if node["type"].startswith("FreeAnimate"):
            assert (properties["cnr_id"], properties["ver"]) == own
        else:
            assert properties["cnr_id"] == "comfy-core"
            assert properties["ver"].count(".") == 2


def test_loaders_link_their_models(path, workflow):
    loaders = [node for node in all_nodes(workflow).values() if node["type"] in LOADERS]
    assert bool(loaders) == (path.stem[:2] not in SELF_CONTAINED)
    for node in all_nodes(workflow).values():
        assert ("models" in node["properties"]) == (node["type"] in LOADERS)
    for node in loaders:
        (model,) = node["properties"]["models"]
        assert model["name"] == node["widgets_values"][0]
        assert model["url"].startswith(MODEL_HOSTS)
        assert model["url"].endswith("/" + model["name"])
        assert model["directory"] == LOADERS[node["type"]]


def test_self_contained_templates_read_no_file():
    for workflow in (read(path) for path in WORKFLOWS if path.stem[:2] in SELF_CONTAINED):
        types = {node["type"] for node in all_nodes(workflow).values()}
        assert "FreeAnimateDemoModel" in types
        assert not [kind for kind in types if kind.startswith("Load") or kind.endswith(("Loader", "LoaderSimple"))]


def test_bends_in_wires_belong_to_links():
    """What the editor keeps of a wire's way: every bend lies on links, every bent link ends on a bend."""
    workflow = read(OPENED)
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


def test_a_node_that_is_off_gives_nothing():
    """As 0.1 saved its person mask: the pair is bypassed, and what it would give is left out."""
    workflow = old_template("02")
    (preview,) = [node for node in workflow["nodes"] if node["type"] == "FreeAnimatePreview"]
    link = next(slot["link"] for slot in preview["inputs"] if slot["name"] == "person_mask")
    (remover,) = [node for node in workflow["nodes"] if node["type"] == "RemoveBackground"]
    assert not is_on(remover)
    assert source_of(root(workflow), link) is None
    remover["mode"] = 0
    assert source_of(root(workflow), link) == [str(remover["id"]), 0]


def test_a_link_passes_through_a_bypassed_node_by_its_type():
    """As in the editor: what is muted ends a link, what is bypassed hands on its first input of the link's type."""
    workflow = old_template("02")
    (scaled,) = [node for node in workflow["nodes"] if node["type"] == "ImageScale"]
    (picture,) = [node for node in workflow["nodes"] if node["type"] == "LoadImage"]
    link = scaled["outputs"][0]["links"][0]
    scaled["mode"] = BYPASSED
    assert source_of(root(workflow), link) == [str(picture["id"]), 0]
    scaled["mode"] = MUTED
    assert source_of(root(workflow), link) is None


def feeding(level: dict, node: dict, name: str) -> tuple[dict, dict] | None:
    """The node that feeds an input and the output that does, within one graph; None for nothing."""
    number = next(slot["link"] for slot in node["inputs"] if slot["name"] == name)
    for source in level["nodes"]:
        for output in source["outputs"]:
            if number is not None and number in (output["links"] or []):
                return source, output
    return None


def test_a_graph_that_keeps_the_preview_holds_the_people_preset(graph):
    preset = PRESETS["people"]
    for level in (graph, *definitions(graph).values()):
        for node in level["nodes"]:
            if node["type"] != "FreeAnimatePatchModel":
                continue
            fed = feeding(level, node, "redraw_mask")
            if fed is None:
                assert [*node["widgets_values"][6:8], node["widgets_values"][-1]] == ["blend", 0.0, "custom"]
                continue
            preview, mask = fed
            assert mask["name"] == preset.mask
            assert preview["widgets_values"][-2:] == [preset.keep_face, "people"]
            assert node["widgets_values"][:9] == list(astuple(preset.patch))
            assert node["widgets_values"][-1] == "people"


def test_each_preview_that_is_kept_is_pasted(graph):
    kinds = [node["type"] for node in all_nodes(graph).values()]
    masked = [
        node
        for level in (graph, *definitions(graph).values())
        for node in level["nodes"]
        if node["type"] == "FreeAnimatePatchModel" and feeding(level, node, "redraw_mask")
    ]
    assert kinds.count("FreeAnimatePastePreview") == len(masked)


def test_one_preset_reaches_both_nodes(graph):
    for node, subgraph in instances(graph):
        presets = [slot for slot in subgraph["inputs"] if slot["name"] == "preset"]
        inner = {item["id"]: item["type"] for item in subgraph["nodes"]}
        for slot in presets:
            fed = {inner[link["target_id"]] for link in subgraph["links"] if link["id"] in slot["linkIds"]}
            assert fed == {"FreeAnimatePreview", "FreeAnimatePatchModel"}
            assert promoted_values(node)["preset"] == "people"
