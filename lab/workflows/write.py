"""Everything that is written, by its path in the repository."""

from . import blueprints
from .files import as_file
from .graph import Graph, Subgraph
from .layout import columns, height, laid_out
from .prompt import as_prompt
from .schemas import Schemas
from .templates import templates

API = ("tests/api/animate_a_character.json", "02 animate a character")  # the file, the template that it is
WIDTH = 340  # pixels of a blueprint's node


def written(object_info: dict[str, dict]) -> dict[str, dict]:
    """Contents of the JSON files by path, from the host's schemas."""
    schemas, files = Schemas(object_info), {}
    for template in templates():
        laid_out(template.graph, schemas)
        path = f"workflows/{template.name}.json"
        files[path] = as_file(template.graph, schemas, template.name, template.extra)
        if template.name == API[1]:
            files[API[0]] = as_prompt(template.graph, schemas)
    for subgraph in (blueprints.character(), blueprints.from_video()):
        files[f"subgraphs/{subgraph.name}.json"] = blueprint(subgraph, schemas)
    return files


def blueprint(subgraph: Subgraph, schemas: Schemas) -> dict:
    """A blueprint's file: one instance alone, and the definition."""
    graph = Graph()
    node = graph.add(subgraph)
    columns([(WIDTH, [(node, height(schemas.of(node), node))])])
    laid_out(graph, schemas)
    extra = {"BlueprintDescription": subgraph.about, "BlueprintSearchAliases": blueprints.SEARCHED}
    return as_file(graph, schemas, subgraph.name, extra)
