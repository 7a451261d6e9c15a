"""Where nodes stand: columns that a template names, and columns by depth within a subgraph."""

from .graph import Graph, Node, Port, Subgraph, sources
from .schemas import Definition, Schemas

TITLE = 30  # pixels above a node's position
GAP_X, GAP_Y = 40, 24  # pixels between columns, and between nodes
ROW, TEXT = 28, 110  # pixels of a socket's or widget's row, and of a text box: the taller of the two renderings
PICTURE = 220  # pixels for what a node shows
WIDTH = 270  # pixels, within a subgraph
SHOWING = ("Load", "Preview", "SaveVideo", "FreeAnimateInversion", "FreeAnimateSampler", "FreeAnimateLongClip")
TEXTS = {"prompt", "negative_prompt", "text"}


def columns(stacks: list[tuple[int, list[tuple[Node, int]]]]) -> None:
    """Set nodes into columns from the left: (width, [(node, height)]) in pixels."""
    left = 0
    for width, stack in stacks:
        top = TITLE
        for node, height in stack:
            node.place, node.size = (left, top), (width, height)
            top += height + GAP_Y + TITLE
        left += width + GAP_X


def by_depth(graph: Subgraph, schemas: Schemas) -> None:
    """Set a subgraph's nodes into columns by how many links lie before them."""
    depths: dict[Node, int] = {}
    for node in graph.nodes:  # what feeds a node was added before it
        before = [depths[s.origin] for s in sources(node) if not isinstance(s.origin, Port)]
        depths[node] = 1 + max(before, default=-1)
    stacks = [[node for node in graph.nodes if depths[node] == k] for k in range(1 + max(depths.values()))]
    columns([(WIDTH, [(node, height(schemas.of(node), node)) for node in stack]) for stack in stacks])


def height(definition: Definition, node: Node) -> int:
    """Pixels that a node needs: rows of sockets, widgets, and what it shows."""
    sockets = sum(not item.widget for item in definition.inputs)
    texts = sum(item.name in TEXTS for item in definition.widgets)
    rows = max(sockets, len(definition.outputs)) + len(definition.widgets) - texts
    shows = PICTURE * (isinstance(node.kind, str) and node.kind.startswith(SHOWING))
    return ROW * rows + TEXT * texts + shows + 20


def laid_out(graph: Graph, schemas: Schemas) -> None:
    """Lay out every subgraph that a graph holds."""
    for node in graph.nodes:
        if isinstance(node.kind, Subgraph):
            by_depth(node.kind, schemas)
