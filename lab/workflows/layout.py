"""Where nodes stand: columns that a template names, and columns by depth within a subgraph."""

from math import ceil

from .graph import Graph, Node, Port, Socket, Subgraph, sources
from .schemas import Definition, Schemas

TITLE = 30  # pixels above a node's position
GAP_X, GAP_Y = 40, 24  # pixels between columns, and between nodes
ROW, TEXT = 28, 110  # pixels of a socket's or widget's row, and of a text box: the taller of the two renderings
PICTURE, LINES = 120, 50  # pixels for what a node shows: pictures, and lines of text
WIDTH = 240  # pixels, within a subgraph
SHOWING = ("Load", "Preview", "SaveVideo")
TELLING = ("FreeAnimateInversion", "FreeAnimateSampler", "FreeAnimateLongClip")
BAND, BAND_GAP = 7, 40  # columns of a subgraph beside one another at most; pixels between two bands of them
TEXTS = {"prompt", "negative_prompt", "text"}


def columns(stacks: list[tuple[int, list[tuple[Node, int]]]], top: int = 0) -> int:
    """Set nodes into columns (width, [(node, height)]) from the left, below `top`; returns their lower end, pixels."""
    left, ends = 0, [top]
    for width, stack in stacks:
        y = top + TITLE
        for node, tall in stack:
            node.place, node.size = (left, y), (width, tall)
            ends.append(y + tall)
            y += tall + GAP_Y + TITLE
        left += width + GAP_X
    return max(ends)


def by_depth(graph: Subgraph, schemas: Schemas) -> None:
    """Set a subgraph's nodes into columns by how many links lie before them, and the columns into bands."""
    depth = depths(graph)
    stacks = [[node for node in graph.nodes if depth[node] == k] for k in range(1 + max(depth.values()))]
    sized = [(WIDTH, [(node, height(schemas.of(node), node)) for node in stack]) for stack in stacks]
    across = ceil(len(sized) / ceil(len(sized) / BAND))
    end = 0
    for first in range(0, len(sized), across):
        end = columns(sized[first : first + across], end) + BAND_GAP


def depths(graph: Subgraph) -> dict[Node, int]:
    """The column of each node: behind all that feed it; what the ports alone feed stands before its first reader."""
    inner = {node: [s.origin for s in sources(node) if not isinstance(s.origin, Port)] for node in graph.nodes}
    depth: dict[Node, int] = {}
    for node, before in inner.items():  # what feeds a node was added before it
        depth[node] = 1 + max((depth[origin] for origin in before), default=-1)
    for node, before in inner.items():
        readers = [depth[reader] for reader, feeding in inner.items() if node in feeding]
        depth[node] = depth[node] if before else min(readers, default=1) - 1
    return depth


def height(definition: Definition, node: Node) -> int:
    """Pixels that a node needs: rows of sockets, widgets, and what it shows."""
    sockets = sum(not item.widget for item in definition.inputs)
    texts = sum(item.name in TEXTS and not isinstance(node.given.get(item.name), Socket) for item in definition.widgets)
    rows = max(sockets, len(definition.outputs)) + len(definition.widgets) - texts
    kind = node.kind if isinstance(node.kind, str) else ""
    shows = PICTURE * kind.startswith(SHOWING) + LINES * kind.startswith(TELLING)
    return ROW * rows + TEXT * texts + shows + 20


def laid_out(graph: Graph, schemas: Schemas) -> None:
    """Lay out every subgraph that a graph holds."""
    for node in graph.nodes:
        if isinstance(node.kind, Subgraph):
            by_depth(node.kind, schemas)
