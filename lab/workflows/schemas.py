"""What a node has, from the host's own schemas: inputs and outputs in the order in which the editor saves them."""

from dataclasses import dataclass

from .graph import Node, Port, Socket, Subgraph

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "COMFY_DYNAMICCOMBO_V3"}
UPLOADS = ("image_upload", "video_upload")  # the editor keeps a value of the button after such a widget


@dataclass(frozen=True)
class Input:
    """An input of a node; default: of its widget. after: values that the editor keeps behind the widget's own."""

    name: str
    kind: str
    widget: bool
    optional: bool = False
    default: object = None
    after: tuple = ()
    label: str = ""


@dataclass(frozen=True)
class Definition:
    """A node's inputs in the schema's order, and its outputs as (name, type)."""

    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str], ...]

    @property
    def slots(self) -> list[Input]:
        """The inputs as the editor saves them: sockets, then widgets."""
        return sorted(self.inputs, key=lambda item: item.widget)

    @property
    def widgets(self) -> list[Input]:
        """The inputs that are widgets."""
        return [item for item in self.inputs if item.widget]

    def input(self, name: str) -> Input:
        """The input of this name."""
        return next(item for item in self.inputs if item.name == name)

    def output_slot(self, name: str) -> int:
        """Where the output of this name stands."""
        return [output for output, _ in self.outputs].index(name)

    def input_slot(self, name: str) -> int:
        """Where the input of this name stands among the slots."""
        return [item.name for item in self.slots].index(name)


class Schemas:
    """Definitions by node: of the host's `object_info`, or of a subgraph's ports."""

    def __init__(self, object_info: dict[str, dict]) -> None:
        self._info = object_info

    def of(self, node: Node) -> Definition:
        """A node's definition."""
        return self.of_subgraph(node.kind) if isinstance(node.kind, Subgraph) else self._of_type(node.kind)

    def of_subgraph(self, graph: Subgraph) -> Definition:
        """The definition of a subgraph's instances."""
        ports = (self._port(graph, port) for port in graph.ports)
        return Definition(tuple(ports), tuple((name, self.kind(s)) for name, s in graph.outputs.items()))

    def title(self, kind: str) -> str:
        """What the editor writes over a node of this type."""
        return self._info[kind]["display_name"]

    def kind(self, socket: Socket) -> str:
        """The type of a node's output."""
        definition = self.of(socket.origin)
        return definition.outputs[definition.output_slot(socket.name)][1]

    def _of_type(self, kind: str) -> Definition:
        info = self._info[kind]
        groups = [(group, name) for group in ("required", "optional") for name in info["input_order"].get(group, [])]
        inputs = (_input(name, info["input"][group][name], group == "optional") for group, name in groups)
        return Definition(tuple(inputs), tuple(zip(info["output_name"], info["output"])))

    def _port(self, graph: Subgraph, port: Port) -> Input:
        """A port has the type of what it feeds."""
        kind = next(
            self.of(node).input(name).kind
            for node in graph.nodes
            for name, value in node.given.items()
            if isinstance(value, Socket) and value.origin is port
        )
        return Input(port.name, kind, port.value is not None, port.optional, port.value, label=port.label)


def _input(name: str, spec: list, optional: bool) -> Input:
    options = spec[1] if len(spec) > 1 else {}
    kind = "COMBO" if isinstance(spec[0], list) else spec[0]
    widget = kind in WIDGETS and not options.get("forceInput")
    after = ("fixed",) if options.get("control_after_generate") else ()
    after += ("image",) if any(options.get(key) for key in UPLOADS) else ()
    return Input(name, kind, widget, optional, _default(spec, options) if widget else None, after)


def _default(spec: list, options: dict) -> object:
    choices = spec[0] if isinstance(spec[0], list) else options.get("options")
    if "default" in options or not choices:
        return options.get("default", "")
    return choices[0]["key"] if isinstance(choices[0], dict) else choices[0]
