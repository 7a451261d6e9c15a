"""A graph as the prompt in the API's format that the editor would submit: subgraphs taken apart."""

from dataclasses import dataclass

from .graph import Graph, Node, Port, Socket, Subgraph, subgraphs
from .schemas import Schemas

NOTE = "MarkdownNote"
APART = 100  # the first subgraph's nodes have ids above this, the second's above twice as much


def numbered(graph: Graph) -> dict[Node, int]:
    """Ids of a graph's nodes and of those in its subgraphs, all different."""
    graphs = [graph, *subgraphs(graph)]
    return {node: APART * k + n for k, inner in enumerate(graphs) for n, node in enumerate(inner.nodes, 1)}


def as_prompt(graph: Graph, schemas: Schemas) -> dict[str, dict]:
    """The prompt of a root graph; a node in an instance has the id INSTANCE:NODE, notes are left out."""
    writer = _Writer(schemas, numbered(graph))
    entries = {}
    for node in graph.nodes:
        inner = node.kind.nodes if isinstance(node.kind, Subgraph) else []
        entries |= {writer.key(each, node): writer.entry(each, node) for each in inner}
        if not inner and node.kind != NOTE:
            entries[writer.key(node, None)] = writer.entry(node, None)
    return entries


@dataclass(frozen=True)
class _Writer:
    schemas: Schemas
    ids: dict[Node, int]

    def key(self, node: Node, instance: Node | None) -> str:
        return f"{self.ids[instance]}:{self.ids[node]}" if instance else str(self.ids[node])

    def entry(self, node: Node, instance: Node | None) -> dict:
        widgets = {item.name: item.default for item in self.schemas.of(node).widgets}
        given = {name: self.value(value, instance) for name, value in node.given.items()}
        inputs = {name: value for name, value in (widgets | given).items() if value is not None}
        title = node.title or self.schemas.title(node.kind)
        return {"class_type": node.kind, "inputs": inputs, "_meta": {"title": title}}

    def value(self, value: object, instance: Node | None) -> object:
        """A link as [key, output slot], a widget's value, None for nothing."""
        if not isinstance(value, Socket):
            return value
        origin = value.origin
        if isinstance(origin, Port):
            return self.value(instance.given.get(origin.name, origin.value), None)
        if isinstance(origin.kind, Subgraph):
            return self.value(origin.kind.outputs[value.name], origin)
        return [self.key(origin, instance), self.schemas.of(origin).output_slot(value.name)]
