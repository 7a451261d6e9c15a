"""Tooltips are short, and all that the editor shows of a node is in its users' words."""

import re

import pytest
from wording import found

from freeanimate_pack.nodes import NODES

LONGEST, SENTENCES = 190, 2  # characters and sentences of a tooltip: the rest stands on the help page
IDS = {"ids": lambda node: node.__name__}


def tooltips(node) -> dict[str, str]:
    """The tooltips of a node by input and output."""
    schema = node.GET_SCHEMA()
    sides = {"input": schema.inputs, "output": schema.outputs}
    return {f"{side} {item.id}": item.tooltip for side, items in sides.items() for item in items}


@pytest.mark.parametrize("node", NODES, **IDS)
def test_nodes_say_what_users_say(node):
    schema = node.GET_SCHEMA()
    told = {"description": schema.description, "aliases": "; ".join(schema.search_aliases)} | tooltips(node)
    assert {where: hits for where, text in told.items() if (hits := found(text))} == {}


@pytest.mark.parametrize("node", NODES, **IDS)
def test_a_tooltip_is_a_sentence_or_two(node):
    long = {
        where: text
        for where, text in tooltips(node).items()
        if len(text) > LONGEST or len(re.findall(r"[.!?](?=\s|$)", text)) > SENTENCES or "\n" in text
    }
    assert long == {}
