"""The pack in the real editor: its templates, a run of the first one, errors, help pages."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
from editor import (
    APP,
    BLUEPRINTS,
    BYPASSED,
    MUTED,
    TEMPLATES,
    WORKFLOWS,
    all_nodes,
    as_prompt,
    definitions,
    is_on,
    old_template,
    reached,
)
from patience import patience
from PIL import Image
from playwright.sync_api import expect
from serverside import changed, node

from lab import REPOSITORY
from lab.server.client import HostServer
from lab.server.graph import demo_prompt

FIRST = TEMPLATES[0]
CHAIN = "Animate Character (FreeAnimate)"  # a blueprint
WINDOWS = ((1920, 950), (1366, 768))  # pixels that a browser leaves: on a full-HD screen, on a small laptop
HELP = REPOSITORY / "web" / "docs"
NODES = sorted(json.loads((REPOSITORY / "tests" / "host" / "schema.json").read_text(encoding="ascii")))


def cases(paths: list[Path]) -> list:
    """Parameters: the first template is opened in the newest front end too, the others in the own one alone."""
    return [pytest.param(p, id=p.stem, marks=[pytest.mark.newest] if p == FIRST else []) for p in paths]


def graph_of(path: Path) -> dict:
    """A workflow file in the editor's format."""
    return json.loads(path.read_text(encoding="utf-8"))


def essence(graph: dict) -> tuple[dict, list, list]:
    """What a saved graph must keep: its nodes, its links by the inputs' names, the nodes of each subgraph."""
    inputs = {n["id"]: [slot["name"] for slot in n.get("inputs", [])] for n in graph["nodes"]}
    links = [[source, output, target, inputs[target][slot]] for _, source, output, target, slot, _ in graph["links"]]
    inner = [(item["name"], kept_of(item["nodes"])) for item in definitions(graph).values()]
    return kept_of(graph["nodes"]), sorted(links), sorted(inner)


def kept_of(nodes: list[dict]) -> list[list]:
    """Id, type, mode, title and widget values of each node."""
    return sorted([n["id"], n["type"], n["mode"], n.get("title"), n.get("widgets_values", [])] for n in nodes)


def bare(prompt: dict) -> dict:
    """A prompt without what a run does not read."""
    return {key: {name: item[name] for name in ("class_type", "inputs")} for key, item in prompt.items()}


def wanted_models(graph: dict) -> set[str]:
    """Names of the model files that the graph's loaders ask for, but for those that are off."""
    return {
        model["name"]
        for n in all_nodes(graph).values()
        if is_on(n)
        for model in n.get("properties", {}).get("models", [])
    }


@pytest.mark.parametrize("path", cases([path for path in WORKFLOWS if path != APP]))
def test_a_template_opens_whole_and_keeps_its_values(editor, server, path):
    file = graph_of(path)
    editor.open_template(path.stem, len(file["nodes"]))
    editor.picture_of_graph(f"template {path.stem}")
    assert editor.unknown_types() == []
    if models := wanted_models(file):
        shown = editor.errors()
        for name in models:
            expect(shown).to_contain_text(name)
        expect(shown).not_to_contain_text("Missing Node")
        editor.picture(f"missing models {path.stem}")
    prompt = editor.prompt()
    assert bare(prompt) == as_prompt(file, server.get_json("/object_info"))
    editor.save()
    saved = graph_of(server.base_dir / "user" / "default" / "workflows" / f"{path.stem}.json")
    assert essence(saved) == essence(file)
    editor.load(saved)
    assert editor.prompt() == prompt


@pytest.mark.parametrize("path", cases(TEMPLATES))
def test_a_template_is_readable(editor, at_length, path):
    """In the smaller window, or in either, drawn either way, the graph is seen whole: nothing too small, clipped or
    covered."""
    file, prompts, found = graph_of(path), [], []
    for nodes_2, size in product((False, True), WINDOWS if at_length else WINDOWS[1:]):
        view = f"{path.stem} {'nodes 2' if nodes_2 else 'classic'} {size[0]}"
        editor.start_over()
        editor.use_nodes_2(nodes_2)
        editor.resize(*size)
        editor.open_template(path.stem, len(file["nodes"]))
        editor.wait_until_drawn()
        editor.picture(view)
        prompts.append(editor.prompt())
        found += [f"{view}: {fault}" for fault in editor.faults()]
    assert found == []
    assert all(prompt == prompts[0] for prompt in prompts)


@pytest.mark.newest
def test_the_app_opens_as_an_app(editor):
    app = graph_of(APP)
    editor.open_template(APP.stem, len(app["nodes"]))
    shown = editor.opened_as_app()
    editor.picture("app")
    assert shown == [name for _, name in app["extra"]["linearData"]["inputs"]]


@pytest.mark.newest
@pytest.mark.parametrize("path", sorted(BLUEPRINTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_blueprint_keeps_its_meaning_when_it_is_unpacked(editor, path):
    placed = editor.add_blueprint(path.stem)
    before = bare(editor.prompt())
    editor.unpack(placed)
    after = bare(editor.prompt())
    assert len(after) == len(all_nodes(graph_of(path)))
    assert reached(after, list(after)) == reached(before, list(before))


@pytest.mark.newest
def test_a_blueprint_makes_the_same_pictures_unpacked(editor, server, front_end):
    placed = editor.add_blueprint(CHAIN)
    kinds = ("FreeAnimateDemoModel", "FreeAnimateDemoCharacter", "SaveImage")
    model, character, save = (editor.add(kind) for kind in kinds)
    editor.connect([(model, name, placed, name.lower()) for name in ("MODEL", "CLIP", "VAE", "CONTROL_NET")])
    given = ("reference", "reference_pose", "driving_pose", "person_mask")
    editor.connect([*((character, name, placed, name) for name in given), (placed, "frames", save, "images")])
    editor.set_values({"Demo Character": {"frames": 2, "width": 128, "height": 128}})
    if front_end.name == "newest":  # the own one forgets what was edited on a subgraph when it is unpacked
        editor.set_values({CHAIN: {"prompt": "a person", "steps": 4, "cfg": 2.0}})
    before = bare(editor.prompt())
    made = pictures_of(server, before, save)
    editor.unpack(placed)
    editor.picture(f"unpacked {front_end.name}")
    after = bare(editor.prompt())
    assert reached(after, [save]) == reached(before, [save])
    assert pictures_of(server, after, save) == made


def pictures_of(server: HostServer, prompt: dict, save: str) -> list[bytes]:
    """Pixels of the pictures that the node `save` writes in a run; Playwright holds this thread's event loop."""
    with ThreadPoolExecutor(1) as other:
        files = other.submit(server.run, prompt, timeout=patience(600)).result()["outputs"][save]["images"]
    return [Image.open(io.BytesIO(server.view(file["filename"], file["subfolder"]))).tobytes() for file in files]


@pytest.mark.parametrize("mode", [MUTED, BYPASSED])
def test_a_run_leaves_out_what_is_off(editor, server, mode):
    """The tests' own conversion is the editor's; template 02's background removal, then also a node on a link's way."""
    graph, schemas = old_template("02"), server.get_json("/object_info")
    switched = [n for n in graph["nodes"] if not is_on(n)]
    for more in ([], [n for n in graph["nodes"] if n["type"] == "ImageScale"]):
        for n in switched + more:
            n["mode"] = mode
        editor.load(graph)
        assert bare(editor.prompt()) == as_prompt(graph, schemas)


def test_a_key_switches_background_removal_on(editor):
    graph = old_template("02")
    removal = {n["type"]: n["id"] for n in graph["nodes"] if not is_on(n)}
    editor.load(graph)
    (preview,) = [item for item in editor.prompt().values() if item["class_type"] == "FreeAnimatePreview"]
    assert "person_mask" not in preview["inputs"]
    editor.press_on(list(removal.values()), "Control+b")
    prompt = editor.prompt()
    (preview,) = [item for item in prompt.values() if item["class_type"] == "FreeAnimatePreview"]
    assert preview["inputs"]["person_mask"] == [str(removal["RemoveBackground"]), 0]
    assert str(removal["LoadBackgroundRemovalModel"]) in prompt
    expect(editor.errors()).to_contain_text("birefnet.safetensors")


@pytest.mark.newest
def test_the_first_template_runs_to_a_video(editor, front_end, at_length):
    """A small film, or the whole of it."""
    editor.open_template(FIRST.stem, len(graph_of(FIRST)["nodes"]))
    if not at_length:
        editor.set_values(SMALL_FILM)
    editor.watch()
    editor.press_run()
    video = editor.play(timeout=patience(1800))
    editor.picture_of_graph(f"first template after its run {front_end.name}")
    seen = editor.seen()
    gap, before = longest_gap(seen["shown"])
    seconds = (seen["shown"][-1][0] - seen["shown"][0][0]) / 1000
    print(f"\n{FIRST.stem}: {seconds:.0f} s from Run to video {video}; {len(seen['previews'])} live previews")
    print(f"longest time without movement: {gap:.1f} s, after {before!r}")
    assert not editor.has_errors()
    assert video["duration"] > 0
    assert video["width"] > 0
    keys = {item["class_type"]: key for key, item in editor.prompt().items()}
    for method in ("FreeAnimateInversion", "FreeAnimateSampler"):
        told_well(seen, keys[method])


def told_well(seen: dict, key: str) -> None:
    """What the editor was told of a node's run: one bar that never goes back, pictures, its plan and its end."""
    steps = [value for name, value in seen["progress"] if str(name) == key]
    assert len(set(steps)) >= 4, key
    assert steps == sorted(steps), key
    assert steps[-1] == 1, key
    assert [name for name, width, height in seen["previews"] if str(name) == key and width and height], key
    plan, _ = (text for name, text in seen["texts"] if str(name) == key)
    assert " at a time" in plan, key


def longest_gap(shown: list) -> tuple[float, str]:
    """Seconds of the longest time without a change of what the window's title shows, and the title before it."""
    return max(((after[0] - before[0]) / 1000, before[1]) for before, after in zip(shown, shown[1:]))


SMALL_FILM = {"Demo Character": {"frames": 4}, "Animate Character": {"steps": 4}}  # of the first template
SMALL = demo_prompt(frames=2, steps=2)
ERRORS = {
    "unpatched model": (
        {"sampler": {"model": ["model", 0]}},
        "sampler",
        "Animate Sampler: model is not patched; connect the model output of Patch Model (RA-SA + IBA).",
    ),
    "sizes differ": (
        {
            "half": node(
                "ImageScale", image=["character", 0], upscale_method="area", width=64, height=64, crop="disabled"
            ),
            "encode_reference": {"pixels": ["half", 0]},
        },
        "inversion",
        "encode both at one size",
    ),
    "frame outside the clip": (
        {
            "decode": node(
                "FreeAnimateLongClip",
                model=["patch", 0],
                inversion=["inversion", 0],
                positive=["control", 0],
                negative=["control", 1],
                vae=["model", 2],
                cfg=3.0,
                first_frame=5,
            )
        },
        "decode",
        "Animate Long Clip: first_frame is 5 and inversion has frames 0 to 1; set it to one of them.",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_shown_on_its_node(editor, name):
    changes, stops, sentence = ERRORS[name]
    editor.load_prompt(changed(SMALL, changes))
    editor.press_run()
    expect(editor.errors()).to_contain_text(sentence)
    editor.picture(f"error {name}")
    assert editor.failed_node() == stops


def test_the_help_pages_are_of_the_nodes_that_the_server_has(server):
    assert sorted(name for name in server.get_json("/object_info") if name.startswith("FreeAnimate")) == NODES


@pytest.mark.parametrize("node_type", NODES)
def test_a_help_page_opens_with_its_picture(editor, node_type):
    heading = (HELP / f"{node_type}.md").read_text(encoding="ascii").splitlines()[0].removeprefix("# ")
    editor.open_help(node_type)
    page = editor.page.locator(".node-help-content")
    page.get_by_role("heading", name=heading, level=1).wait_for()
    image = page.locator("img").first
    image.wait_for()
    editor.page.wait_for_function("image => image.complete", arg=image.element_handle())
    editor.picture(f"help {node_type}")
    assert image.evaluate("image => image.naturalWidth") > 0
