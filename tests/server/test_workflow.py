"""The templates that users open: valid for the editor, as the generator writes them, and they run."""

import io
import json
import re

import av
import pytest
from editor import (
    BLUEPRINTS,
    FIRST_VERSION,
    OPENED,
    ROOT,
    TEMPLATES,
    WORKFLOWS,
    all_nodes,
    as_prompt,
    inputs_of,
    instances,
    options_of,
    promoted_values,
    reached,
    read,
    real_nodes,
    template,
)
from patience import patience
from serverside import API_PROMPT, HEIGHT, LENGTH, WIDTH, message, node, shrink, succeeded

from lab.workflows.write import written

# Combos of what lies in the user's folders.
FILES = {"ckpt_name", "control_net_name", "lora_name", "bg_removal_name", "image", "file"}
ON_FILES = [path.stem for path in TEMPLATES if path.stem[:2] not in ("01", "07")]
SHIPPED = sorted(BLUEPRINTS.glob("*.json"))
OLD = sorted(FIRST_VERSION.glob("*.json"))
OLD_PROMPTS = FIRST_VERSION.with_name("prompts_0_1.json")
SHOWING = {"SaveVideo", "PreviewImage", "PreviewAny"}


@pytest.fixture(scope="module", params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request) -> dict:
    """Each template."""
    return read(request.param)


@pytest.fixture(scope="module", params=WORKFLOWS + SHIPPED, ids=lambda path: path.stem)
def graph(request) -> dict:
    """Each template and each blueprint."""
    return read(request.param)


def test_all_files_are_as_they_are_written(schemas):
    """python -m lab.workflows writes what is committed, to the byte."""
    files = written(schemas)
    kept = {str(path.relative_to(ROOT)) for path in (*WORKFLOWS, *SHIPPED, API_PROMPT) if path != OPENED}
    assert set(files) == kept
    for name, content in files.items():
        assert (ROOT / name).read_bytes() == (json.dumps(content, indent=1) + "\n").encode("ascii"), name


def test_api_prompt_is_the_second_template(schemas):
    prompt = json.loads(API_PROMPT.read_text(encoding="ascii"))
    submitted = {key: {k: v for k, v in item.items() if k != "_meta"} for key, item in prompt.items()}
    assert submitted == as_prompt(template("02"), schemas)


def test_the_one_that_is_opened_up_is_the_first(schemas):
    """Equal in all that runs, but for what shows the result side by side."""
    prompts = [as_prompt(workflow, schemas) for workflow in (template("01"), read(OPENED))]
    single = [[key for key, item in prompt.items() if item["class_type"] in SHOWING] for prompt in prompts]
    beside = [key for key in single[1] if "side by side" in str(prompts[1][key]["inputs"])]
    assert len(beside) == 1
    single[1].remove(beside[0])
    assert reached(prompts[0], single[0]) == reached(prompts[1], single[1])


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_a_workflow_of_0_1_means_what_it_meant(path, schemas):
    """Its prompt of then, and of inputs that came later the defaults alone."""
    then, now = json.loads(OLD_PROMPTS.read_text(encoding="ascii"))[path.stem], as_prompt(read(path), schemas)
    assert list(then) == list(now)
    for key, item in now.items():
        specs = inputs_of(schemas[item["class_type"]])
        later = {name: options_of(specs[name])["default"] for name in set(item["inputs"]) - set(then[key]["inputs"])}
        assert item == then[key] | {"inputs": then[key]["inputs"] | later}


def test_every_input_exists_and_every_required_one_is_given(workflow, schemas):
    for item in as_prompt(workflow, schemas).values():
        schema = schemas[item["class_type"]]
        assert set(item["inputs"]) <= set(inputs_of(schema)), item["class_type"]
        assert set(schema["input"]["required"]) <= set(item["inputs"]), item["class_type"]


def test_every_slot_and_widget_that_the_schema_has_is_in_the_file(graph, schemas):
    for item in all_nodes(graph).values():
        schema = schemas[item["type"]]
        assert {slot["name"] for slot in item["inputs"]} == set(inputs_of(schema)), item["type"]
        assert [slot["name"] for slot in item["outputs"]] == schema["output_name"], item["type"]
        with_widget = [slot for slot in item["inputs"] if "widget" in slot]
        assert len(item["widgets_values"]) >= len(with_widget), item["type"]


def test_widget_values_are_allowed(graph, schemas):
    for item in as_prompt(graph, schemas).values():
        specs = inputs_of(schemas[item["class_type"]])
        for name, value in item["inputs"].items():
            spec, options = specs[name], options_of(specs[name])
            choices = spec[0] if isinstance(spec[0], list) else options.get("options")
            if isinstance(value, list) or name in FILES:
                continue
            if choices is not None:
                assert value in [choice["key"] if isinstance(choice, dict) else choice for choice in choices]
            elif spec[0] in ("INT", "FLOAT"):
                assert options["min"] <= value <= options["max"]


def test_links_agree_with_slots_and_types(workflow, schemas):
    nodes = real_nodes(workflow)
    for number, source, output, target, slot, kind in workflow["links"]:
        sent, received = nodes[source]["outputs"][output], nodes[target]["inputs"][slot]
        assert number in sent["links"]
        assert received["link"] == number
        assert kind == sent["type"]
        assert received["type"] in (kind, "*")
    counted = [number for item in nodes.values() for slot in item["outputs"] for number in slot["links"] or []]
    assert sorted(counted) == sorted(link[0] for link in workflow["links"])


def test_slots_have_the_schemas_types(graph, schemas):
    for item in all_nodes(graph).values():
        specs = inputs_of(schemas[item["type"]])
        for slot in item["inputs"]:
            kind = specs[slot["name"]][0]
            assert slot["type"] == ("COMBO" if isinstance(kind, list) else kind)
        assert [slot["type"] for slot in item["outputs"]] == schemas[item["type"]]["output"]


def test_server_lists_them(server):
    listed = server.get_json("/api/workflow_templates")
    assert sorted(listed["freeanimate"]) == [path.stem for path in WORKFLOWS]


def test_server_lists_the_blueprints(server):
    entries = server.get_json("/api/global_subgraphs")
    own = {key: entry["name"] for key, entry in entries.items() if entry["info"]["node_pack"].endswith("freeanimate")}
    assert sorted(own.values()) == [path.stem for path in SHIPPED]
    for key, name in own.items():
        file = json.loads(server.get_json(f"/api/global_subgraphs/{key}")["data"])
        ((_, subgraph),) = instances(file)
        assert subgraph["name"] == name


def outputs_by_kind(server, prompt: dict) -> dict[str, list[dict]]:
    """What a run's output nodes gave, by node type; fails when the run does."""
    entry = server.run(prompt, timeout=patience(600))
    assert succeeded(entry), message(entry, "execution_error")
    kinds = {}
    for key, output in entry["outputs"].items():
        kinds.setdefault(prompt[key]["class_type"], []).append(output)
    return kinds


def films_of(server, kinds: dict[str, list[dict]]) -> list[tuple[int, int, int]]:
    """Frame count, width and height of every video that a run saved."""
    saved = [file for output in kinds["SaveVideo"] for file in output["images"]]
    return [frames_of(server.view(file["filename"], file["subfolder"], file["type"])) for file in saved]


def frames_of(film: bytes) -> tuple[int, int, int]:
    """Frame count, width and height of an encoded video, which is an MP4 file."""
    assert film[4:8] == b"ftyp"
    with av.open(io.BytesIO(film)) as container:
        frames = list(container.decode(video=0))
    return len(frames), frames[0].width, frames[0].height


def said(kinds: dict[str, list[dict]], kind: str = "PreviewAny") -> list[str]:
    """The texts that nodes of a kind show."""
    return [output["text"][0] for output in kinds[kind]]


def reconstruction(kinds: dict[str, list[dict]]) -> float:
    """What the run's one DDIM Inversion says on its node, dB."""
    (text,) = said(kinds, "FreeAnimateInversion")
    return float(re.match(r"reconstruction ([0-9.]+) dB", text)[1])


@pytest.mark.parametrize("name", ON_FILES)
def test_it_runs_and_gives_films(server, clip_files, lora_file, schemas, name):
    """Files and sizes swapped for small ones (serverside.shrink); the graph is the committed one."""
    kinds = outputs_by_kind(server, shrink(as_prompt(template(name[:2]), schemas)))
    ((frames, width, height),) = films_of(server, kinds)
    if name.startswith("08"):  # which judges, side by side
        assert frames == LENGTH and width >= 3 * WIDTH
    else:
        assert (frames, width, height) == (LENGTH, WIDTH, HEIGHT)
    assert reconstruction(kinds) > 20


def test_a_range_of_a_long_clip(server, clip_files, schemas):
    """One widget of 05 is the first frame for inversion, sampling and pasting; the film is of the range alone."""
    workflow = template("05")
    ((instance, _),) = instances(workflow)
    values = promoted_values(instance) | {"range_from_frame": 1, "range_frames": 1}
    instance["widgets_values"] = list(values.values())
    kinds = outputs_by_kind(server, shrink(as_prompt(workflow, schemas)))
    assert films_of(server, kinds) == [(1, WIDTH, HEIGHT)]


def test_the_first_runs_on_the_packs_own_model(server, schemas):
    kinds = outputs_by_kind(server, shrink(as_prompt(template("01"), schemas)))
    assert films_of(server, kinds) == [(LENGTH, 256, 256)]
    assert reconstruction(kinds) > 20


def test_with_and_without_differ_and_are_measured(server, schemas):
    kinds = outputs_by_kind(server, shrink(as_prompt(template("07"), schemas)))
    ((frames, width, _),) = films_of(server, kinds)
    assert frames == LENGTH and width >= 5 * 256
    (table,) = [text for text in said(kinds) if "|" in text]
    rows = {line.split("|")[1].strip(): line.split("|")[2:] for line in table.splitlines() if line.startswith("|")}
    measured = [rows[name] for name in ("RA-SA and IBA", "RA-SA alone", "IBA alone", "neither")]
    assert len({tuple(row) for row in measured}) == 4


def test_the_clip_itself_is_the_truth(server, clip_files, schemas):
    """08 with the clip in the result's place: no error at all is measured."""
    prompt = shrink(as_prompt(template("08"), schemas))
    (compare,) = [item for item in prompt.values() if item["class_type"] == "FreeAnimateCompare"]
    compare["inputs"]["video_b"] = compare["inputs"]["truth"]
    (table,) = [text for text in said(outputs_by_kind(server, prompt)) if "|" in text]
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("|")}
    assert " equal " in rows["result"]  # for a PSNR without an end
    assert " equal " not in rows["preview"]


def test_poses_are_kept_as_files(server, clip_files, schemas):
    """Save Pose behind the poses of 02; Load Pose takes them from the output folder."""
    prompt = shrink(as_prompt(template("02"), schemas))
    found = {key: item["inputs"] for key, item in prompt.items() if item["class_type"] == "FreeAnimateLoadPose"}
    for key, inputs in found.items():
        part = inputs["pose_file"].split("_")[0]
        prompt[f"keep {key}"] = node("FreeAnimateSavePose", pose=[key, 0], filename_prefix=f"poses/{part}")
    names = [text.split(":")[0] for text in said(outputs_by_kind(server, prompt), "FreeAnimateSavePose")]
    frames = {name: json.loads((server.base_dir / "output" / name).read_text()) for name in names}
    assert sorted(len(poses) for poses in frames.values()) == [1, LENGTH]
    for item in prompt.values():
        if item["class_type"] == "FreeAnimateLoadPose":
            part = item["inputs"]["pose_file"].split("_")[0]
            (name,) = [name for name in names if f"/{part}_" in name]
            item["inputs"]["pose_file"] = f"{name} [output]"
    assert len(films_of(server, outputs_by_kind(server, prompt))) == 1
