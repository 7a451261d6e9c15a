"""The pack in the real editor: its templates, a run of the first one, errors, help pages."""

import json
from pathlib import Path

import pytest
from editor import BYPASSED, MUTED, as_prompt, is_on, template
from patience import patience
from playwright.sync_api import expect
from serverside import changed, node

from lab import REPOSITORY
from lab.server.graph import demo_prompt

TEMPLATES = sorted((REPOSITORY / "workflows").glob("*.json"))
FIRST = TEMPLATES[0]
# The first template is opened in the newest front end too, the others in the own one alone
CASES = [pytest.param(path, id=path.stem, marks=[pytest.mark.newest] if path == FIRST else []) for path in TEMPLATES]
HELP = REPOSITORY / "web" / "docs"
NODES = sorted(json.loads((REPOSITORY / "tests" / "host" / "schema.json").read_text(encoding="ascii")))


def graph_of(path: Path) -> dict:
    """A workflow file in the editor's format."""
    return json.loads(path.read_text(encoding="utf-8"))


def essence(graph: dict) -> tuple[dict, list]:
    """What a saved graph must keep: each node's type, mode, title and widget values, and links by input's name."""
    inputs = {n["id"]: [slot["name"] for slot in n.get("inputs", [])] for n in graph["nodes"]}
    nodes = {n["id"]: [n["type"], n["mode"], n.get("title"), n.get("widgets_values", [])] for n in graph["nodes"]}
    links = [[source, output, target, inputs[target][slot]] for _, source, output, target, slot, _ in graph["links"]]
    return nodes, sorted(links)


def bare(prompt: dict) -> dict:
    """A prompt without what a run does not read."""
    return {key: {name: item[name] for name in ("class_type", "inputs")} for key, item in prompt.items()}


def wanted_models(graph: dict) -> set[str]:
    """Names of the model files that the graph's loaders ask for, but for those that are off."""
    return {model["name"] for n in graph["nodes"] if is_on(n) for model in n.get("properties", {}).get("models", [])}


@pytest.mark.parametrize("path", CASES)
def test_a_template_opens_whole_and_keeps_its_values(editor, server, path):
    file = graph_of(path)
    editor.open_template(path.stem, len(file["nodes"]))
    editor.picture_of_graph(f"template {path.stem}")
    assert editor.unknown_types() == []
    assert editor.overlaps() == []
    assert editor.clipped_notes() == []
    if models := wanted_models(file):
        shown = editor.errors()
        for name in models:
            expect(shown).to_contain_text(name)
        expect(shown).not_to_contain_text("Missing Node")
        editor.picture(f"missing models {path.stem}")
    prompt = editor.prompt()
    editor.save()
    saved = graph_of(server.base_dir / "user" / "default" / "workflows" / f"{path.stem}.json")
    assert essence(saved) == essence(file)
    editor.load(saved)
    assert editor.prompt() == prompt


@pytest.mark.parametrize("path", CASES)
def test_a_template_is_whole_in_nodes_2(editor, path):
    file = graph_of(path)
    editor.load(file)
    prompt = editor.prompt()
    editor.use_nodes_2()
    editor.load(file)
    editor.wait_for_elements()
    editor.picture_of_graph(f"nodes 2 {path.stem}")
    assert editor.overlapping_elements() == []
    assert editor.prompt() == prompt


@pytest.mark.parametrize("mode", [MUTED, BYPASSED])
def test_a_run_leaves_out_what_is_off(editor, server, mode):
    """The tests' own conversion is the editor's; template 02's background removal, then also a node on a link's way."""
    graph, schemas = template("02"), server.get_json("/object_info")
    switched = [n for n in graph["nodes"] if not is_on(n)]
    for more in ([], [n for n in graph["nodes"] if n["type"] == "ImageScale"]):
        for n in switched + more:
            n["mode"] = mode
        editor.load(graph)
        assert bare(editor.prompt()) == as_prompt(graph, schemas)


def test_a_key_switches_background_removal_on(editor):
    graph = template("02")
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
def test_the_first_template_runs_to_a_video(editor):
    editor.open_template(FIRST.stem, len(graph_of(FIRST)["nodes"]))
    editor.watch()
    editor.press_run()
    video = editor.play(timeout=patience(1800))
    editor.picture_of_graph("first template after its run")
    seen = editor.seen()
    gap, before = longest_gap(seen["shown"])
    seconds = (seen["shown"][-1][0] - seen["shown"][0][0]) / 1000
    print(f"\n{FIRST.stem}: {seconds:.0f} s from Run to video {video}; {len(seen['previews'])} live previews")
    print(f"longest time without movement: {gap:.1f} s, after {before!r}")
    assert not editor.has_errors()
    assert video["duration"] > 0
    assert video["width"] > 0
    for method in ("FreeAnimateInversion", "FreeAnimateSampler"):
        key = str(next(n["id"] for n in graph_of(FIRST)["nodes"] if n["type"] == method))
        steps = [value for name, value in seen["progress"] if str(name) == key]
        assert len(set(steps)) >= 5, method
        assert steps == sorted(steps), method  # one bar that never goes back
        assert steps[-1] == 1, method
        assert [name for name, width, height in seen["previews"] if str(name) == key and width and height], method
        plan, done = (text for name, text in seen["texts"] if str(name) == key)
        assert " at a time" in plan, method
        expect(editor.page.get_by_text(done)).to_be_visible()


def longest_gap(shown: list) -> tuple[float, str]:
    """Seconds of the longest time without a change of what the window's title shows, and the title before it."""
    return max(((after[0] - before[0]) / 1000, before[1]) for before, after in zip(shown, shown[1:]))


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
