"""A graph as the file that the editor saves: nodes, links, subgraph definitions."""

import re
import uuid
from dataclasses import dataclass

from .. import REPOSITORY
from .graph import Graph, Node, Port, Socket, Subgraph, subgraphs
from .prompt import APART, NOTE, numbered
from .schemas import Definition, Schemas

PORTS, OUTPUTS = -10, -20  # ids of a subgraph's two ends
EDITOR = "1.47.12"  # the front end that the files are tried with
PORT_WIDTH, PORT_HEIGHT = 160, 20  # pixels
OWN = "FreeAnimate"  # what the names of the pack's nodes begin with


@dataclass(frozen=True)
class Link:
    """A link in one graph: its id, where it comes from and goes to, its type."""

    id: int
    origin: int
    origin_slot: int
    target: int
    target_slot: int
    kind: str


def as_file(graph: Graph, schemas: Schemas, name: str, extra: dict | None = None) -> dict:
    """The file of a root graph; `name` is what its ids are made from."""
    ids, inner = numbered(graph), subgraphs(graph)
    writers = [_Writer(each, schemas, ids, name, APART * k) for k, each in enumerate([graph, *inner])]
    links = [link.id for writer in writers for link in writer.links]
    last = {"lastGroupId": 0, "lastNodeId": max(ids.values()), "lastLinkId": max(links, default=0), "lastRerouteId": 0}
    return {
        "id": identity(name),
        "revision": 0,
        "last_node_id": last["lastNodeId"],
        "last_link_id": last["lastLinkId"],
        "nodes": writers[0].nodes(),
        "links": [list(vars(link).values()) for link in writers[0].links],
        "groups": [],
        "definitions": {"subgraphs": [writer.definition(last) for writer in writers[1:]]},
        "config": {},
        "extra": {"ds": {"scale": 0.8, "offset": [80, 100]}, "frontendVersion": EDITOR} | (extra or {}),
        "version": 0.4,
    }


def identity(*words: str) -> str:
    """The same id for the same words in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(["freeanimate", *words])))


def origin_of(node: Node) -> dict[str, str]:
    """The node pack that a node comes from, and its version."""
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    if isinstance(node.kind, Subgraph) or node.kind.startswith(OWN):
        name, version = re.search(r'^name = "(.+)"\nversion = "(.+)"$', project, re.M).groups()
        return {"cnr_id": name, "ver": version}
    return {"cnr_id": "comfy-core", "ver": re.search(r'^requires-comfyui = ">=(.+)"$', project, re.M)[1]}


class _Writer:
    """One graph of a file, the root or a subgraph; links are numbered above `first`."""

    def __init__(self, graph: Graph, schemas: Schemas, ids: dict[Node, int], name: str, first: int) -> None:
        self._graph, self._schemas, self._ids, self._name = graph, schemas, ids, name
        self.links = [
            Link(first + number, *self._start(socket), *end) for number, (socket, *end) in enumerate(self._wires(), 1)
        ]

    def _wires(self) -> list[tuple]:
        """(socket, target, target slot, type) of every link."""
        found = []
        for node in self._graph.nodes:
            definition = self._schemas.of(node) if node.kind != NOTE else Definition((), ())
            for slot, item in enumerate(definition.slots):
                if isinstance(socket := node.given.get(item.name), Socket):
                    found.append((socket, self._ids[node], slot, self._kind(socket, item.kind)))
        for slot, socket in enumerate(getattr(self._graph, "outputs", {}).values()):
            found.append((socket, OUTPUTS, slot, self._schemas.kind(socket)))
        return found

    def _kind(self, socket: Socket, received: str) -> str:
        return received if isinstance(socket.origin, Port) else self._schemas.kind(socket)

    def _start(self, socket: Socket) -> tuple[int, int]:
        if isinstance(socket.origin, Port):
            return PORTS, self._graph.ports.index(socket.origin)
        return self._ids[socket.origin], self._schemas.of(socket.origin).output_slot(socket.name)

    def _into(self, target: int, slot: int) -> list[int]:
        return [link.id for link in self.links if (link.target, link.target_slot) == (target, slot)]

    def _from(self, origin: int, slot: int) -> list[int]:
        return [link.id for link in self.links if (link.origin, link.origin_slot) == (origin, slot)]

    def nodes(self) -> list[dict]:
        """The nodes as the editor saves them."""
        return [self._note(n, k) if n.kind == NOTE else self._node(n, k) for k, n in enumerate(self._graph.nodes)]

    def _note(self, node: Node, order: int) -> dict:
        looks = {"color": "#432", "bgcolor": "#000", "properties": {}, "widgets_values": [node.given["text"]]}
        return self._body(node, order) | {"inputs": [], "outputs": []} | looks

    def _node(self, node: Node, order: int) -> dict:
        definition, number = self._schemas.of(node), self._ids[node]
        inputs = [
            _slot(item) | {"link": next(iter(self._into(number, k)), None)} for k, item in enumerate(definition.slots)
        ]
        outputs = [
            {"localized_name": name, "name": name, "type": kind, "links": self._from(number, k) or None}
            for k, (name, kind) in enumerate(definition.outputs)
        ]
        properties = {} if isinstance(node.kind, Subgraph) else {"Node name for S&R": node.kind}
        values = [value for item in definition.widgets for value in (_widget(node, item), *item.after)]
        return self._body(node, order) | {
            "inputs": inputs,
            "outputs": outputs,
            "properties": properties | origin_of(node) | node.properties,
            "widgets_values": values,
        }

    def _body(self, node: Node, order: int) -> dict:
        own = node.kind.name if isinstance(node.kind, Subgraph) else ""
        title = {"title": node.title} if node.title not in ("", own) else {}
        kind = identity(self._name, own) if own else node.kind
        return {
            "id": self._ids[node],
            "type": kind,
            "pos": list(node.place),
            "size": list(node.size),
            "flags": {},
            "order": order,
            "mode": 0,
        } | title

    def definition(self, last: dict[str, int]) -> dict:
        """The graph as a subgraph's definition; last: the highest ids of the whole file."""
        graph, made = self._graph, self._schemas.of_subgraph(self._graph)
        left = min(node.place[0] for node in graph.nodes) - 2 * PORT_WIDTH
        right = max(node.place[0] + node.size[0] for node in graph.nodes) + PORT_WIDTH
        inputs = [_port(item) | {"linkIds": self._from(PORTS, k)} for k, item in enumerate(made.inputs)]
        outputs = [
            {"name": name, "type": kind, "linkIds": self._into(OUTPUTS, k), "localized_name": name}
            for k, (name, kind) in enumerate(made.outputs)
        ]
        for slots, side in ((inputs, left), (outputs, right)):
            for k, slot in enumerate(slots):
                slot |= {
                    "id": identity(self._name, graph.name, str(side), slot["name"]),
                    "pos": [side, PORT_HEIGHT * (k + 1)],
                }
        return {
            "id": identity(self._name, graph.name),
            "version": 1,
            "state": last,
            "revision": 0,
            "config": {},
            "name": graph.name,
            "inputNode": {"id": PORTS, "bounding": [left, 0, PORT_WIDTH, PORT_HEIGHT * (len(inputs) + 2)]},
            "outputNode": {"id": OUTPUTS, "bounding": [right, 0, PORT_WIDTH, PORT_HEIGHT * (len(outputs) + 2)]},
            "inputs": inputs,
            "outputs": outputs,
            "widgets": [],
            "nodes": self.nodes(),
            "groups": [],
            "links": [_inner(link) for link in self.links],
            "extra": {},
            "category": OWN,
            "description": graph.about,
        }


def _inner(link: Link) -> dict:
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return dict(zip(names, vars(link).values()))


def _slot(item) -> dict:
    shown = {"localized_name": item.name, "name": item.name} | ({"label": item.label} if item.label else {})
    shape = {"shape": 7} if item.optional else {}
    return shown | shape | {"type": item.kind} | ({"widget": {"name": item.name}} if item.widget else {})


def _port(item) -> dict:
    label = {"label": item.label} if item.label else {}
    return (
        {"name": item.name, "type": item.kind, "localized_name": item.name}
        | label
        | ({"shape": 7} if item.optional else {})
    )


def _widget(node: Node, item) -> object:
    """What the editor keeps for a widget: its value; behind a link the value that the link's port begins with."""
    value = node.given.get(item.name, item.default)
    if not isinstance(value, Socket):
        return value
    return value.origin.value if isinstance(value.origin, Port) else item.default
