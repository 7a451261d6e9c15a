"""Workflows in the graph editor's format: reading them, and the prompt that the editor would submit."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "workflows"
TEMPLATES = sorted(FOLDER.glob("*.json"))
NOTES = {"MarkdownNote", "Note"}
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
MUTED, BYPASSED = 2, 4  # modes of a node that is off: nothing comes out of it, or what went in
UPLOADS = ("image_upload", "video_upload")  # the editor keeps a button's value after such a widget


def read(path: Path) -> dict:
    """A workflow file; anything but plain ASCII text fails."""
    return json.loads(path.read_text(encoding="ascii"))


def template(number: str) -> dict:
    """The template whose file name starts with `number`."""
    (path,) = [path for path in TEMPLATES if path.stem.startswith(number)]
    return read(path)


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


def is_on(node: dict) -> bool:
    """Whether a run reaches this node."""
    return node["mode"] not in (MUTED, BYPASSED)


def source_of(workflow: dict, number: int | None) -> list | None:
    """Node id and output that a link brings, None for nothing.

    A muted node ends it; a bypassed one hands on its first input of the link's type, the one beside the output before
    others, and ends the link where it has none.
    """
    if number is None:
        return None
    (link,) = [link for link in workflow["links"] if link[0] == number]
    _, origin, output, _, _, kind = link
    node = real_nodes(workflow)[origin]
    if is_on(node):
        return [str(origin), output]
    slots = node["inputs"][output : output + 1] + node["inputs"] if node["mode"] == BYPASSED else []
    handed_on = [slot["link"] for slot in slots if slot["type"] == kind]
    return source_of(workflow, handed_on[0]) if handed_on else None


def as_prompt(workflow: dict, schemas: dict) -> dict:
    """What the editor would submit for this workflow."""
    prompt = {}
    for key, node in real_nodes(workflow).items():
        if is_on(node):
            sources = {slot["name"]: source_of(workflow, slot["link"]) for slot in node["inputs"]}
            linked = {name: source for name, source in sources.items() if source}
            inputs = widget_values(node, schemas[node["type"]]) | linked
            prompt[str(key)] = {"class_type": node["type"], "inputs": inputs}
    return prompt
