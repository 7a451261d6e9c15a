"""Workflows in the graph editor's format: reading them, and the prompt that the editor would submit."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "workflows"
TEMPLATES = sorted(FOLDER.glob("*.json"))
NOTES = {"MarkdownNote", "Note"}
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
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


def as_prompt(workflow: dict, schemas: dict) -> dict:
    """What the editor would submit for this workflow."""
    sources = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt = {}
    for key, node in real_nodes(workflow).items():
        linked = {slot["name"]: sources[slot["link"]] for slot in node["inputs"] if slot["link"] is not None}
        inputs = widget_values(node, schemas[node["type"]]) | linked
        prompt[str(key)] = {"class_type": node["type"], "inputs": inputs}
    return prompt
