"""What the graph editor and saved workflows rely on."""

import inspect
import json
from pathlib import Path

import pytest

from freeanimate_pack.nodes import NODES

SNAPSHOT = Path(__file__).with_name("schema.json")


def described(node) -> dict:
    """What must never be removed, renamed or reordered: ids, types, defaults of widgets, in their order."""
    schema = node.GET_SCHEMA()
    inputs = [[i.id, i.get_io_type(), bool(i.optional), getattr(i, "default", None)] for i in schema.inputs]
    return {"name": schema.display_name, "inputs": inputs, "outputs": [o.get_io_type() for o in schema.outputs]}


@pytest.mark.parametrize("node", NODES, ids=lambda n: n.__name__)
def test_schema_is_what_execute_takes(node):
    schema = node.GET_SCHEMA()
    assert schema.node_id == node.__name__ and schema.node_id.startswith("FreeAnimate")
    assert list(inspect.signature(node.execute).parameters) == [i.id for i in schema.inputs]
    assert schema.category.split("/")[0] == "FreeAnimate"


@pytest.mark.parametrize("node", NODES, ids=lambda n: n.__name__)
def test_everything_is_explained(node):
    schema = node.GET_SCHEMA()
    assert schema.description
    for item in [*schema.inputs, *schema.outputs]:
        assert item.tooltip and item.tooltip.isascii()
    for item in schema.inputs:
        if item.get_io_type() in ("INT", "FLOAT"):
            assert None not in (item.default, item.min, item.max)


def test_schemas_only_grow():
    """A saved workflow keeps its meaning: what the snapshot holds stays in place; new inputs come last."""
    kept = json.loads(SNAPSHOT.read_text(encoding="ascii"))
    now = {node.__name__: described(node) for node in NODES}
    for name, old in kept.items():
        new = now[name]
        assert new["name"] == old["name"]
        assert new["inputs"][: len(old["inputs"])] == old["inputs"]
        assert new["outputs"][: len(old["outputs"])] == old["outputs"]
    assert now == kept  # what was added is kept from now on: put it into the snapshot
