"""Workflows in the graph editor's format: reading them, and the prompt that the editor would submit."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER, BLUEPRINTS = ROOT / "workflows", ROOT / "subgraphs"
FIRST_VERSION = ROOT / "tests" / "workflows_0_1"  # the templates as 0.1 had them: graphs that users have saved
WORKFLOWS = sorted(FOLDER.glob("*.json"))
OPENED, APP = FOLDER / "01 opened up.json", FOLDER / "try it now.app.json"
TEMPLATES = [path for path in WORKFLOWS if path not in (OPENED, APP)]
NOTES = {"MarkdownNote", "Note"}
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
FROM_OUTSIDE = -10  # where a subgraph's links begin that come in from its instance
MUTED, BYPASSED = 2, 4  # modes of a node that is off: nothing comes out of it, or what went in
UPLOADS = ("image_upload", "video_upload")  # the editor keeps a button's value after such a widget


def read(path: Path) -> dict:
    """A workflow file; anything but plain ASCII text fails."""
    return json.loads(path.read_text(encoding="ascii"))


def template(number: str) -> dict:
    """The template whose file name starts with `number`."""
    (path,) = [path for path in TEMPLATES if path.stem.startswith(number)]
    return read(path)


def old_template(number: str) -> dict:
    """The template of 0.1 whose file name starts with `number`."""
    (path,) = FIRST_VERSION.glob(f"{number} *.json")
    return read(path)


def definitions(workflow: dict) -> dict[str, dict]:
    """Subgraphs by the id that is their instances' type."""
    return {item["id"]: item for item in (workflow.get("definitions") or {}).get("subgraphs", [])}


def real_nodes(graph: dict) -> dict[int, dict]:
    """Nodes by id of a workflow's root or of a subgraph, notes left out."""
    return {node["id"]: node for node in graph["nodes"] if node["type"] not in NOTES}


def all_nodes(workflow: dict) -> dict[int, dict]:
    """Nodes that run, by id: those of the root and of every subgraph, notes and instances left out."""
    subgraphs = definitions(workflow)
    graphs = [workflow, *subgraphs.values()]
    found = {key: node for graph in graphs for key, node in real_nodes(graph).items()}
    return {key: node for key, node in found.items() if node["type"] not in subgraphs}


def instances(workflow: dict) -> list[tuple[dict, dict]]:
    """(node, subgraph) of each instance."""
    subgraphs = definitions(workflow)
    return [(node, subgraphs[node["type"]]) for node in workflow["nodes"] if node["type"] in subgraphs]


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
    """Widget values by name; fails when the list has more values than the editor expects.

    Widgets that came later than the file take the schema's default, as in the editor.
    """
    values, named = list(node["widgets_values"]), {}
    for name, spec in inputs_of(schema).items():
        if is_widget(spec):
            named[name] = values.pop(0) if values else options_of(spec)["default"]
            if options_of(spec).get("control_after_generate") or any(options_of(spec).get(key) for key in UPLOADS):
                values.pop(0)
    assert values == [], node["type"]
    return named


def promoted_values(instance: dict) -> dict[str, object]:
    """An instance's widget values by name."""
    names = [slot["name"] for slot in instance["inputs"] if "widget" in slot]
    assert len(names) == len(instance.get("widgets_values", []))
    return dict(zip(names, instance.get("widgets_values", [])))


def is_on(node: dict) -> bool:
    """Whether a run reaches this node."""
    return node["mode"] not in (MUTED, BYPASSED)


@dataclass(frozen=True)
class Value:
    """What a promoted widget gives in a link's place."""

    value: object


@dataclass(frozen=True)
class Level:
    """A graph in which links are followed: the root, or the inside of one instance.

    links: (origin, output, type) by id. prefix: of its nodes' ids in the prompt. outer: where the instance stands.
    """

    workflow: dict
    nodes: dict[int, dict]
    links: dict[int, tuple]
    prefix: str = ""
    instance: dict | None = None
    outer: "Level | None" = None


def root(workflow: dict) -> Level:
    """The workflow itself."""
    links = {number: (origin, output, kind) for number, origin, output, _, _, kind in workflow["links"]}
    return Level(workflow, {node["id"]: node for node in workflow["nodes"]}, links)


def inside(level: Level, node: dict) -> Level:
    """The inside of an instance."""
    graph = definitions(level.workflow)[node["type"]]
    links = {link["id"]: (link["origin_id"], link["origin_slot"], link["type"]) for link in graph["links"]}
    nodes = {inner["id"]: inner for inner in graph["nodes"]}
    return replace(level, nodes=nodes, links=links, prefix=f"{node['id']}:", instance=node, outer=level)


def source_of(level: Level, number: int | None) -> list | Value | None:
    """Node id and output that a link brings, the value of a promoted widget, None for nothing.

    A muted node ends it; a bypassed one hands on its first input of the link's type, the one beside the output before
    others, and ends the link where it has none.
    """
    if number is None:
        return None
    origin, output, kind = level.links[number]
    if origin == FROM_OUTSIDE:
        return _from_outside(level, output)
    node = level.nodes[origin]
    if is_on(node):
        return _from_inside(level, node, output) or [f"{level.prefix}{origin}", output]
    slots = node["inputs"][output : output + 1] + node["inputs"] if node["mode"] == BYPASSED else []
    handed_on = [slot["link"] for slot in slots if slot["type"] == kind]
    return source_of(level, handed_on[0]) if handed_on else None


def _from_outside(level: Level, slot: int) -> list | Value | None:
    name = definitions(level.workflow)[level.instance["type"]]["inputs"][slot]["name"]
    (given,) = [item for item in level.instance["inputs"] if item["name"] == name]
    if given["link"] is None and "widget" in given:
        return Value(promoted_values(level.instance)[name])
    return source_of(level.outer, given["link"])


def _from_inside(level: Level, node: dict, output: int) -> list | None:
    """What an instance's output brings, None for a node that is none."""
    if node["type"] not in definitions(level.workflow):
        return None
    (number,) = definitions(level.workflow)[node["type"]]["outputs"][output]["linkIds"]
    return source_of(inside(level, node), number)


def as_prompt(workflow: dict, schemas: dict) -> dict:
    """What the editor would submit for this workflow: a node in an instance has the id INSTANCE:NODE."""
    return _prompt_of(root(workflow), schemas)


def _prompt_of(level: Level, schemas: dict) -> dict:
    prompt = {}
    for key, node in level.nodes.items():
        if not is_on(node) or node["type"] in NOTES:
            continue
        if node["type"] in definitions(level.workflow):
            prompt |= _prompt_of(inside(level, node), schemas)
            continue
        sources = {slot["name"]: source_of(level, slot["link"]) for slot in node["inputs"]}
        linked = {name: getattr(source, "value", source) for name, source in sources.items() if source is not None}
        inputs = widget_values(node, schemas[node["type"]]) | linked
        prompt[f"{level.prefix}{key}"] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def reached(prompt: dict, outputs: list[str]) -> dict[str, dict]:
    """What of a prompt runs for the nodes `outputs`, by names made of contents: equal for equal graphs.

    A node's name comes from its type and inputs, so that neither ids nor the order of nodes matter.
    """
    names, entries = {}, {}

    def named(key: str) -> str:
        if key not in names:
            item = prompt[key]
            inputs = {k: [named(v[0]), v[1]] if isinstance(v, list) else v for k, v in item["inputs"].items()}
            entry = {"class_type": item["class_type"], "inputs": inputs}
            digest = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
            names[key] = f"{item['class_type']} {digest[:8]}"
            entries[names[key]] = entry
        return names[key]

    for key in outputs:
        named(key)
    return entries
