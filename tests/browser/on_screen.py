"""What a user cannot read or see of the graph on the screen: the editor's own measures, in its canvas' pixels.

A box is [name, left, top, right, bottom] in the graph's own pixels, which the zoom makes larger or smaller.
"""

from itertools import combinations

from playwright.sync_api import Page

SLOP = 2  # pixels that rounding may take
EDGE = 8  # pixels of the canvas that the editor's own bars may hide

# In Nodes 2.0 a node is an element of the page, else it is drawn on the canvas and only its texts' boxes are elements
_LAYOUT = """() => {
    const canvas = app.canvas, {scale, offset} = canvas.ds, view = canvas.canvas.getBoundingClientRect();
    const name = n => `${n.id} ${n.title}`;
    const element = n => LiteGraph.vueNodesMode ? document.querySelector(`[data-node-id="${n.id}"]`) : null;
    const inGraph = box => [(box.left - view.left) / scale - offset[0], (box.top - view.top) / scale - offset[1],
        (box.right - view.left) / scale - offset[0], (box.bottom - view.top) / scale - offset[1]];
    const drawn = n => [n.pos[0], n.pos[1] - LiteGraph.NODE_TITLE_HEIGHT,
        n.pos[0] + n.size[0], n.pos[1] + (n.flags.collapsed ? 0 : n.size[1])];
    const box = n => [name(n), ...(element(n) ? inGraph(element(n).getBoundingClientRect()) : drawn(n))];
    const texts = n => element(n) ? [...element(n).querySelectorAll("textarea, .tiptap")]
        : (n.widgets ?? []).filter(w => w.element).map(w => w.element.querySelector(".tiptap") ?? w.element);
    const title = n => {
        const label = element(n)?.querySelector("[data-testid='node-title']");
        if (label) return label.scrollWidth > label.clientWidth + 1;
        canvas.ctx.save();
        canvas.ctx.font = n.titleFontStyle;
        const width = canvas.ctx.measureText(n.getTitle()).width;
        canvas.ctx.restore();
        return !n.flags.collapsed && width + LiteGraph.NODE_TITLE_HEIGHT + 10 > n.size[0];
    };
    const {nodes, groups} = app.graph;
    return {
        zoom: scale, limit: canvas._lowQualityZoomThreshold, unreadable: canvas.low_quality,
        window: ["window", ...inGraph(view)],
        nodes: nodes.map(box),
        groups: groups.map(g => [g.title, g.pos[0], g.pos[1], g.pos[0] + g.size[0], g.pos[1] + g.size[1]]),
        texts: nodes.filter(n => texts(n).some(t => t.scrollHeight > t.clientHeight + 2)).map(name),
        titles: nodes.filter(title).map(name),
    };
}"""


def faults(page: Page) -> list[str]:
    """Sentences on what is too small, hidden, clipped, covered or outside its group; an empty list for a good view."""
    seen = page.evaluate(_LAYOUT)
    small = f"the zoom is {seen['zoom']:.2f}: below {seen['limit']:.2f} the editor draws no text"
    return [
        *([small] if seen["unreadable"] else []),
        *(f"outside the window: {box[0]}" for box in seen["nodes"] if not _holds(seen["window"], box, -EDGE)),
        *(f"clipped text: {name}" for name in seen["texts"]),
        *(f"clipped title: {name}" for name in seen["titles"]),
        *(f"overlap: {pair}" for pair in _overlapping(seen["nodes"])),
        *(f"out of its group: {pair}" for pair in _outgrown(seen["groups"], seen["nodes"])),
    ]


def _overlapping(boxes: list[list]) -> list[str]:
    return [
        f"{a[0]} | {b[0]}"
        for a, b in combinations(boxes, 2)
        if a[1] < b[3] - SLOP and b[1] < a[3] - SLOP and a[2] < b[4] - SLOP and b[2] < a[4] - SLOP
    ]


def _outgrown(groups: list[list], nodes: list[list]) -> list[str]:
    """Nodes that begin in a group and end outside of it."""
    return [
        f"{node[0]} | {group[0]}"
        for group in groups
        for node in nodes
        if group[1] <= node[1] < group[3] and group[2] <= node[2] < group[4] and not _holds(group, node)
    ]


def _holds(outer: list, inner: list, slack: float = SLOP) -> bool:
    """Whether a box lies in another one, but for `slack` pixels at each side."""
    near = all(inner[side] >= outer[side] - slack for side in (1, 2))
    return near and all(inner[side] <= outer[side] + slack for side in (3, 4))
