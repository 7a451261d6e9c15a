"""The workflows that users open: valid for the editor, the first equal to its API prompt, and they run."""

import io
import json

import av
import pytest
from PIL import Image
from serverside import (
    API_PROMPT,
    HEIGHT,
    LENGTH,
    WIDTH,
    WORKFLOW,
    animate_prompt,
    message,
    shrink,
    succeeded,
    write_video,
)
from serverside import (
    node as prompt_node,
)

from demo.character import draw_character
from demo.motion import motion, rest_pose
from freeanimate_core.pose import PoseSequence, write_poses

WORKFLOWS = sorted(WORKFLOW.parent.glob("*.json"))
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
UPLOADS = ("image_upload", "video_upload")  # the editor keeps a button's value after such a widget
NOTES = {"MarkdownNote", "Note"}
FILES = {"ckpt_name", "control_net_name", "image", "file", "pose_file"}  # combos of what lies in the user's folders
MODEL_HOSTS = ("https://huggingface.co/", "https://civitai.com/")


@pytest.fixture(scope="module", params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request) -> dict:
    """Each workflow in the editor's format."""
    return json.loads(request.param.read_text(encoding="ascii"))


@pytest.fixture(scope="module")
def nodes(workflow) -> dict[int, dict]:
    """Its nodes by id, notes left out."""
    return real_nodes(workflow)


def real_nodes(workflow: dict) -> dict[int, dict]:
    """Nodes by id, notes left out."""
    return {node["id"]: node for node in workflow["nodes"] if node["type"] not in NOTES}


def inputs_of(schema: dict) -> dict[str, list]:
    """Input specs by name, in the schema's order: required, then optional."""
    order = schema["input_order"]
    return {name: schema["input"][kind][name] for kind in ("required", "optional") for name in order.get(kind, [])}


def options_of(spec: list) -> dict:
    """An input's options, {} for the old form without any."""
    return spec[1] if len(spec) > 1 else {}


def is_widget(spec: list) -> bool:
    """Whether the editor shows this input as a widget."""
    return (isinstance(spec[0], list) or spec[0] in WIDGETS) and not options_of(spec).get("forceInput")


def widget_values(node: dict, schema: dict) -> dict[str, object]:
    """Widget values by name; fails unless the list has exactly the values that the editor expects."""
    values, named = list(node["widgets_values"]), {}
    for name, spec in inputs_of(schema).items():
        if is_widget(spec):
            named[name] = values.pop(0)
            if options_of(spec).get("control_after_generate") or any(options_of(spec).get(key) for key in UPLOADS):
                values.pop(0)
    assert values == [], node["type"]
    return named


def as_prompt(workflow: dict, schemas: dict) -> dict:
    """What the editor would submit for this workflow."""
    nodes = real_nodes(workflow)
    sources = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt = {}
    for key, node in nodes.items():
        linked = {slot["name"]: sources[slot["link"]] for slot in node["inputs"] if slot["link"] is not None}
        inputs = widget_values(node, schemas[node["type"]]) | linked
        prompt[str(key)] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def test_api_prompt_is_the_first_workflow(schemas):
    workflow = json.loads(WORKFLOW.read_text(encoding="ascii"))
    prompt = json.loads(API_PROMPT.read_text(encoding="ascii"))
    submitted = {key: {k: v for k, v in item.items() if k != "_meta"} for key, item in prompt.items()}
    assert submitted == as_prompt(workflow, schemas)


def test_every_input_exists_and_every_required_one_is_given(workflow, schemas):
    for item in as_prompt(workflow, schemas).values():
        schema = schemas[item["class_type"]]
        assert set(item["inputs"]) <= set(inputs_of(schema)), item["class_type"]
        assert set(schema["input"]["required"]) <= set(item["inputs"]), item["class_type"]


def test_widget_values_are_allowed(nodes, schemas):
    for node in nodes.values():
        specs = inputs_of(schemas[node["type"]])
        for name, value in widget_values(node, schemas[node["type"]]).items():
            spec, options = specs[name], options_of(specs[name])
            choices = spec[0] if isinstance(spec[0], list) else options.get("options")
            if choices is not None and name not in FILES:
                assert value in [choice["key"] if isinstance(choice, dict) else choice for choice in choices]
            elif spec[0] in ("INT", "FLOAT"):
                assert options["min"] <= value <= options["max"]


def test_links_agree_with_slots_and_types(workflow, nodes, schemas):
    for number, source, output, target, slot, kind in workflow["links"]:
        sent, received = nodes[source]["outputs"][output], nodes[target]["inputs"][slot]
        assert number in sent["links"]
        assert received["link"] == number
        assert kind == sent["type"] == schemas[nodes[source]["type"]]["output"][output]
        assert inputs_of(schemas[nodes[target]["type"]])[received["name"]][0] in (kind, "*")
    counted = [number for node in nodes.values() for slot in node["outputs"] for number in slot["links"] or []]
    assert sorted(counted) == sorted(link[0] for link in workflow["links"])
    assert workflow["last_link_id"] == max(counted)
    assert workflow["last_node_id"] == max(node["id"] for node in workflow["nodes"])


def test_nodes_say_where_they_come_from(nodes):
    for node in nodes.values():
        properties = node["properties"]
        assert properties["Node name for S&R"] == node["type"]
        assert properties["cnr_id"] == ("freeanimate" if node["type"].startswith("FreeAnimate") else "comfy-core")
        assert properties["ver"].count(".") == 2


def test_loaders_link_their_models(nodes):
    loaders = [node for node in nodes.values() if node["type"] in ("CheckpointLoaderSimple", "ControlNetLoader")]
    assert loaders
    for node in loaders:
        (model,) = node["properties"]["models"]
        assert model["name"] == node["widgets_values"][0]
        assert model["url"].startswith(MODEL_HOSTS)
        assert model["url"].endswith("/" + model["name"])
        assert model["directory"] == ("controlnet" if node["type"] == "ControlNetLoader" else "checkpoints")


def test_stages_are_grouped_and_explained(workflow):
    notes = [node for node in workflow["nodes"] if node["type"] in NOTES]
    assert len(workflow["groups"]) >= 4
    assert len(notes) >= 4
    assert all(len(note["widgets_values"][0]) > 100 for note in notes)


def test_server_lists_them_and_the_first_has_its_thumbnail(server):
    listed = server.get_json("/api/workflow_templates")
    assert {path.stem for path in WORKFLOWS} <= set(listed["freeanimate"])
    with Image.open(WORKFLOW.with_suffix(".jpg")) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert min(thumbnail.size) >= 256


def committed(number: str, schemas: dict) -> dict:
    """The API prompt of the workflow whose file starts with `number`."""
    (path,) = [path for path in WORKFLOWS if path.stem.startswith(number)]
    return as_prompt(json.loads(path.read_text(encoding="ascii")), schemas)


def outputs_by_kind(server, prompt: dict) -> dict[str, list[dict]]:
    """What a run's output nodes gave, by node type; fails when the run does."""
    entry = server.run(prompt, timeout=300)
    assert succeeded(entry), message(entry, "execution_error")
    kinds = {}
    for key, output in entry["outputs"].items():
        kinds.setdefault(prompt[key]["class_type"], []).append(output)
    return kinds


def film_of(server, kinds: dict[str, list[dict]]) -> bytes:
    """The one video that a run saved."""
    (output,) = kinds["SaveVideo"]
    (saved,) = output["images"]
    return server.view(saved["filename"], saved["subfolder"], saved["type"])


def test_poses_by_sdpose_are_saved(server, clip_files, schemas):
    """02, with the drawn characters' own poses in SDPose's place."""
    kinds = outputs_by_kind(server, shrink(committed("02", schemas)))
    said = sorted(output["text"][0] for output in kinds["FreeAnimateSavePose"])
    assert [text.split(":")[0] for text in said] == ["poses/driving_00001_.json", "poses/reference_00001_.json"]
    frames = [len(json.loads((server.base_dir / "output" / text.split(":")[0]).read_text())) for text in said]
    assert frames == [LENGTH, 1]


def test_saved_poses_are_animated(server, clip_files, schemas):
    """03, with pose files of the drawn characters."""
    poses = {"reference": rest_pose(1, HEIGHT, WIDTH), "driving": motion("wave", 2, LENGTH, HEIGHT, WIDTH)}
    for name, joints in poses.items():
        frames = write_poses(PoseSequence.from_joints(joints, HEIGHT, WIDTH))
        (server.base_dir / "input" / f"{name}_pose.json").write_text(json.dumps(frames))
    kinds = outputs_by_kind(server, shrink(committed("03", schemas)))
    assert frames_of(film_of(server, kinds)) == (LENGTH, WIDTH, HEIGHT)


def test_previews_from_another_tool_are_animated(server, clip_files, schemas):
    """04, with a drawn clip for previews and its true poses in SDPose's place."""
    joints = motion("wave", 1, LENGTH, HEIGHT, WIDTH)
    write_video(server.base_dir / "input" / "preview.mp4", draw_character(1, joints, HEIGHT, WIDTH)[0])
    frames = write_poses(PoseSequence.from_joints(joints, HEIGHT, WIDTH))
    (server.base_dir / "input" / "preview_pose.json").write_text(json.dumps(frames))
    prompt = committed("04", schemas)
    (detector,) = [key for key, item in prompt.items() if item["class_type"] == "SDPoseKeypointExtractor"]
    prompt[detector] = prompt_node("FreeAnimateLoadPose", pose_file="preview_pose.json")
    kinds = outputs_by_kind(server, shrink(prompt))
    assert frames_of(film_of(server, kinds)) == (LENGTH, WIDTH, HEIGHT)
    assert float(kinds["PreviewAny"][0]["text"][0]) > 20


def test_it_runs_and_gives_a_video(server, clip_files):
    """Files and sizes swapped for small ones (serverside.animate_prompt), the graph is the committed one."""
    prompt = animate_prompt()
    entry = server.run(prompt, timeout=300)
    assert succeeded(entry), message(entry, "execution_error")
    kinds = {prompt[key]["class_type"]: output for key, output in entry["outputs"].items()}
    (saved,) = kinds["SaveVideo"]["images"]
    film = server.view(saved["filename"], saved["subfolder"], saved["type"])
    assert film[4:8] == b"ftyp"
    assert frames_of(film) == (LENGTH, WIDTH, HEIGHT)
    assert float(kinds["PreviewAny"]["text"][0]) > 20


def frames_of(film: bytes) -> tuple[int, int, int]:
    """Frame count, width and height of an encoded video."""
    with av.open(io.BytesIO(film)) as container:
        frames = list(container.decode(video=0))
    return len(frames), frames[0].width, frames[0].height
