"""The host in this process, executing prompts as its server does: its validation, its executor, its cache."""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .. import REPOSITORY, hosting
from .forms import FORMS
from .world import CHAIN_FILES, INPUT_FILE, WORLD, Prompt, needed, node

CACHED = 200  # results that the host keeps, so that what a prompt shares with the ones before is made once
KEEP = "AttackKeep"
FOLDERS = ("output", "temp", "input", "user")
OWN = ("freeanimate_core", str(REPOSITORY / "nodes"), str(REPOSITORY / "demo"))


@dataclass
class Outcome:
    """What came of a prompt: refused by the host's validation, stopped with an error, or done.

    refusal: the host's, "" when it ran. error: the host's message of the error with node_type, exception_type,
    exception_message and traceback. outputs: by node, the values of its outputs. unprintable: what was logged and
    is no text.
    """

    refusal: str = ""
    error: dict = field(default_factory=dict)
    outputs: dict[str, list] = field(default_factory=dict)
    unprintable: list[str] = field(default_factory=list)

    @property
    def ours(self) -> bool:
        """Whether the error passed through the pack: it was raised there or called from there."""
        frames = "".join(self.error.get("traceback", []))
        return self.error.get("node_type", "").startswith("FreeAnimate") or any(part in frames for part in OWN)


class Strict(logging.Handler):
    """Counts what a strict stream could not write: it would end the host's log."""

    def __init__(self):
        super().__init__()
        self.unprintable: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record.getMessage().encode("utf-8")
        except UnicodeEncodeError:
            self.unprintable.append(ascii(record.getMessage()))


class Host:
    """A host that executes prompts; everything that it writes lies below ``folder``."""

    def __init__(self, directory: Path, folder: Path):
        self.version = hosting.start(directory, cpu=True).version
        import folder_paths

        self._paths = folder_paths
        self._before = {name: getattr(folder_paths, f"get_{name}_directory")() for name in FOLDERS}
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._turn({name: str(folder / name) for name in FOLDERS})
        self._log = Strict()
        logging.getLogger().addHandler(self._log)
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        import execution
        import nodes
        import server

        self._validate, self.classes = execution.validate_prompt, nodes.NODE_CLASS_MAPPINGS
        self._loop.run_until_complete(_register(directory))
        room = {"lru": CACHED, "ram": 0, "ram_inactive": 0}
        self._executor = execution.PromptExecutor(
            server.PromptServer(self._loop), cache_type=execution.CacheType.LRU, cache_args=room
        )
        self._save_poses(folder / "input" / INPUT_FILE)

    def close(self) -> None:
        """Give the host back its folders and its log, for whoever goes on in this process."""
        self._turn(self._before)
        logging.getLogger().removeHandler(self._log)
        self._loop.close()

    def _turn(self, folders: dict[str, str]) -> None:
        for name, folder in folders.items():
            getattr(self._paths, f"set_{name}_directory")(folder)

    def _save_poses(self, path: Path) -> None:
        prompt = needed(WORLD, ["character"])
        path.write_text(json.dumps(self.run(prompt, "character").outputs["character"][2]), encoding="ascii")

    def run(self, prompt: Prompt, end: str) -> Outcome:
        """Execute a prompt, as it comes out of JSON, up to the node ``end``."""
        prompt = json.loads(json.dumps(prompt | {"keep": node(KEEP, value=[end, 0])}))
        return self._loop.run_until_complete(self._run(prompt))

    async def _run(self, prompt: Prompt) -> Outcome:
        self._log.unprintable.clear()
        name = uuid.uuid4().hex
        valid, error, ends, node_errors = await self._validate(name, prompt, None)
        if not valid or node_errors:
            return Outcome(refusal=json.dumps(node_errors or error))
        await self._executor.execute_async(prompt, name, {}, ends)
        outcome = Outcome(unprintable=list(self._log.unprintable))
        outcome.error = dict(self._executor.status_messages).get("execution_error", {})
        if not outcome.error:
            for node_id in prompt:
                entry = await self._executor.caches.outputs.get(node_id)
                outcome.outputs[node_id] = [_one(values) for values in entry.outputs] if entry else []
        return outcome


def _one(values: list) -> object:
    """An output's value, which the host wraps into a list; of a list output, all of them."""
    return values[0] if isinstance(values, list) and len(values) == 1 else values


async def _register(directory: Path) -> None:
    """Give the host the pack's nodes, the attack's, and those of its own that chains need."""
    import nodes

    from freeanimate_pack.nodes import NODES

    for name in CHAIN_FILES:
        await nodes.load_custom_node(str(directory / "comfy_extras" / f"nodes_{name}.py"), module_parent="comfy_extras")
    nodes.NODE_CLASS_MAPPINGS |= {found.GET_SCHEMA().node_id: found for found in NODES}
    nodes.NODE_CLASS_MAPPINGS |= {f"Attack{kind}": _former(kind, forms) for kind, forms in FORMS.items()}
    nodes.NODE_CLASS_MAPPINGS[KEEP] = _Keep
    for found in nodes.NODE_CLASS_MAPPINGS.values():
        if not getattr(found, "RELATIVE_PYTHON_MODULE", None):
            found.RELATIVE_PYTHON_MODULE = "custom_nodes.attack"


def _former(kind: str, forms: dict[str, Callable]) -> type:
    """A node that gives a value of a kind another form."""

    def given(cls) -> dict:
        return {"required": {"value": (kind,), "form": (list(forms),)}}

    def form(self, value: object, form: str) -> tuple:
        return (forms[form](value["samples"] if kind == "LATENT" else value),)

    members = {"RETURN_TYPES": (kind,), "FUNCTION": "form", "CATEGORY": "attack", "form": form}
    return type(f"Attack{kind}", (), members | {"INPUT_TYPES": classmethod(given)})


class _Keep:
    """An end for any output."""

    RETURN_TYPES, FUNCTION, OUTPUT_NODE, CATEGORY = (), "keep", True, "attack"

    @classmethod
    def INPUT_TYPES(cls) -> dict:
        return {"required": {"value": ("*",)}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types: dict) -> bool:
        return True

    def keep(self, value: object) -> tuple:
        return ()
