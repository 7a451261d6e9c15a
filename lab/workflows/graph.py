"""Graphs being put together: nodes by name, sockets by name, subgraphs with ports. Slots and ids come in writing."""

from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Port:
    """An input of a subgraph: its slot's name, the words shown for it, whether a run does without it.

    value: of the widget that it stands for; None for a socket.
    """

    name: str
    label: str = ""
    value: object = None
    optional: bool = False


@dataclass(frozen=True)
class Socket:
    """What a link starts from: an output of a node by name, or a port."""

    origin: "Node | Port"
    name: str = ""


@dataclass(eq=False)
class Node:
    """A node: its type or its subgraph, what its inputs are given, and how the editor shows it.

    given: sockets and widget values by input name; widgets that are not named keep the schema's default.
    """

    kind: "str | Subgraph"
    given: dict[str, object]
    title: str = ""
    properties: dict[str, object] = field(default_factory=dict)
    place: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (0, 0)

    def __getitem__(self, output: str) -> Socket:
        """The output of this name."""
        return Socket(self, output)


class Graph:
    """Nodes in their order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, kind: "str | Subgraph", title: str = "", models: dict | None = None, **given: object) -> Node:
        """A new node of a type or subgraph; models: the file that a loader asks for. None gives nothing."""
        kept = {name: value for name, value in given.items() if value is not None}
        node = Node(kind, kept, title, {"models": [models]} if models else {})
        self.nodes.append(node)
        return node


class Subgraph(Graph):
    """A graph with ports and named outputs, which other graphs hold as one node."""

    def __init__(self, name: str, about: str = "") -> None:
        super().__init__()
        self.name, self.about = name, about
        self.ports: list[Port] = []
        self.outputs: dict[str, Socket] = {}

    def socket(self, name: str, optional: bool = False) -> Socket:
        """A new port without a widget."""
        return self._port(Port(name, optional=optional))

    def widget(self, label: str, value: object) -> Socket:
        """A new port that stands for a widget, under the words that its user reads."""
        return self._port(Port(label.replace(" ", "_"), label, value))

    def _port(self, port: Port) -> Socket:
        self.ports.append(port)
        return Socket(port)


def subgraphs(graph: Graph) -> list[Subgraph]:
    """The subgraphs that a graph's nodes are instances of, each once."""
    found = {id(node.kind): node.kind for node in graph.nodes if isinstance(node.kind, Subgraph)}
    return list(found.values())


def sources(node: Node) -> list[Socket]:
    """The sockets that feed a node."""
    return [value for value in node.given.values() if isinstance(value, Socket)]
