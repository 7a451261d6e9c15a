"""A real ComfyUI server for the demo and the server tests: start, submit, watch, fetch, stop.

    with HostServer(host_dir, base_dir, packs=[repository]) as server:
        entry = server.run(prompt, on_event=lambda kind, data: ...)   # the prompt's history entry
        data = server.view("frame_00001_.png", "", "output")

Everything that the server reads and writes lies under `base_dir` (models, custom_nodes, input,
output, temp, user, server.log), and only `packs` are loaded; the host's own folder stays as it is.
"""

import asyncio
import contextlib
import json
import operator
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp

from .. import REPOSITORY

PACK_NAME = "freeanimate"
WATCHED_MAIN = Path(__file__).parent / "host_main.py"
ADDRESS = "127.0.0.1"
FAILED_IMPORT = ("(IMPORT FAILED)", "Error while calling comfy_entrypoint")

# The server is on this machine: a proxy meant for the internet must not come between.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

OnEvent = Callable[[str, dict], None]


class ServerFailed(RuntimeError):
    """The server did not start, lost a pack while it started, or died; the message ends with its log's tail."""


class PromptRejected(ValueError):
    """The server refused a prompt, or some of its outputs (the others are cancelled then).

    `error` is the answer's {type, message, details, ...}; `node_errors` maps node id to
    {class_type, errors: [{type, message, details, ...}], ...} and is empty when no node is at fault.
    """

    def __init__(self, error: dict, node_errors: dict[str, dict]):
        self.error = error
        self.node_errors = node_errors
        super().__init__("; ".join(self._sentences()))

    def _sentences(self) -> list[str]:
        blamed = [(i, node, error) for i, node in self.node_errors.items() for error in node["errors"]]
        found = [f"node {i} ({node['class_type']}): {_joined(error)}" for i, node, error in blamed]
        return found or [_joined(self.error)]


def _joined(error: dict) -> str:
    return ": ".join(part for part in (error.get("message"), error.get("details")) if part)


def free_port() -> int:
    """A TCP port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def has_gpu() -> bool:
    """Whether torch can use an accelerator; without one the server needs --cpu."""
    import torch  # seconds: only for those who ask

    return torch.accelerator.is_available()


def answers(url: str) -> bool:
    """Whether a ComfyUI server answers at `url` ("http://127.0.0.1:PORT")."""
    with contextlib.suppress(OSError), DIRECT.open(f"{url}/system_stats", timeout=5):  # refused, reset, not yet
        return True
    return False


def lay_out(base_dir: Path, packs: Sequence[Path]) -> list[str]:
    """Make the server's folders and link `packs` (folders) into custom_nodes; return the links' names."""
    for name in ("models", "custom_nodes", "input", "output", "temp", "user"):
        (base_dir / name).mkdir(parents=True, exist_ok=True)
    names = [PACK_NAME if pack.resolve() == REPOSITORY else pack.name for pack in packs]
    for name, pack in zip(names, packs, strict=True):
        _link(pack.resolve(), base_dir / "custom_nodes" / name)
    return names


def _link(target: Path, link: Path) -> None:
    if link.exists() and link.samefile(target):
        return
    if os.path.lexists(link):
        link.unlink()  # raises on a real folder: only a link may be replaced
    if os.name == "nt":
        import _winapi  # symbolic links need a privilege on Windows, junctions do not

        _winapi.CreateJunction(str(target), str(link))
    else:
        link.symlink_to(target, target_is_directory=True)


def command(
    host_dir: Path, base_dir: Path, pack_names: Sequence[str], port: int, python: str = sys.executable, cpu: bool = True
) -> list[str]:
    """The command line of a server that loads only `pack_names`, keeps to `base_dir` and ends with its stdin."""
    line = [str(python), str(WATCHED_MAIN), str(host_dir / "main.py"), "--listen", ADDRESS, "--port", str(port)]
    line += ["--base-directory", str(base_dir.resolve()), "--database-url", "sqlite:///:memory:"]
    line += ["--disable-auto-launch", "--disable-api-nodes", "--disable-all-custom-nodes"]
    if pack_names:
        line += ["--whitelist-custom-nodes", *pack_names]
    # On a CPU torch's own attention is much faster than the host's default there
    return line + (["--cpu", "--use-pytorch-cross-attention"] if cpu else [])


class HostServer:
    """A ComfyUI server as a context manager; see the module's text for an example.

    host_dir: the folder with main.py. base_dir: the server's own folder, made if missing.
    packs: folders of node packs; this repository is linked as "freeanimate", others by their
    name. python: the interpreter to run it with. cpu: pass --cpu. extra_args: more arguments for
    main.py. start_timeout: seconds.

    Attributes: url ("http://127.0.0.1:PORT"), log (the path of its log). Starting raises
    ServerFailed when the server dies, does not answer in time, or could not import a pack.
    """

    def __init__(
        self,
        host_dir: Path,
        base_dir: Path,
        packs: Sequence[Path],
        python: str = sys.executable,
        cpu: bool = True,
        extra_args: Sequence[str] = (),
        start_timeout: float = 300,
    ):
        self.base_dir = Path(base_dir).resolve()
        self.log = self.base_dir / "server.log"
        self._host_dir = Path(host_dir).resolve()
        self._packs = [Path(pack) for pack in packs]
        self._options = {"python": python, "cpu": cpu}
        self._extra_args = [str(argument) for argument in extra_args]
        self._start_timeout = start_timeout
        self._process: subprocess.Popen | None = None
        self.url = ""

    def __enter__(self) -> "HostServer":
        with contextlib.ExitStack() as stack:
            stack.callback(self.stop)  # also after Ctrl-C: no server may outlive its starter
            self.start()
            stack.pop_all()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        names = lay_out(self.base_dir, self._packs)
        port = free_port()
        self.url = f"http://{ADDRESS}:{port}"
        line = command(self._host_dir, self.base_dir, names, port, **self._options) + self._extra_args
        with self.log.open("wb") as log:
            # A group of its own: Ctrl-C in the terminal reaches the starter, who then stops the server.
            self._process = subprocess.Popen(
                line,
                cwd=self._host_dir,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=os.name != "nt",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server; nothing happens when it has ended before."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdin.close()

    def run(self, prompt: dict, on_event: OnEvent | None = None, timeout: float = 600) -> dict:
        """Submit an API-format prompt, wait for its end and return its history entry.

        on_event(kind, data) is called for each of the server's messages about this prompt
        ("execution_start", "executing" {node}, "progress" {node, value, max}, "executed",
        "execution_error", ...); it may call `interrupt`. The entry is {"prompt", "outputs":
        {node id: {...}}, "status": {"status_str": "success" or "error", "messages": [...]}, ...};
        a failed or interrupted run is an entry with "error", not an exception. Raises
        PromptRejected, ServerFailed when the server dies, TimeoutError (the prompt is interrupted).
        """
        try:
            prompt_id = asyncio.run(asyncio.wait_for(self._follow(prompt, on_event), timeout))
        except asyncio.TimeoutError as error:
            self.interrupt()
            raise TimeoutError(f"the prompt did not end within {timeout:g} s") from error
        except aiohttp.ClientError as error:
            raise self._failure("the server cannot be reached") from error
        return self.get_json(f"/history/{prompt_id}")[prompt_id]

    def interrupt(self) -> None:
        """Interrupt the prompt that runs now."""
        self._post("/interrupt", {})

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        """The bytes of a file that a node saved; type is "output", "temp" or "input"."""
        query = urllib.parse.urlencode({"filename": filename, "subfolder": subfolder, "type": type})
        return self._open(f"/view?{query}")

    def get_json(self, path: str) -> dict:
        """The JSON answer to GET `path`, such as "/system_stats" or "/object_info"."""
        return json.loads(self._open(path))

    def log_text(self) -> str:
        """All that the server has logged so far, without colours."""
        return COLOUR.sub("", self.log.read_text(encoding="utf-8", errors="replace"))

    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    async def _follow(self, prompt: dict, on_event: OnEvent | None) -> str:
        client = uuid.uuid4().hex
        async with aiohttp.ClientSession() as session:
            # The socket comes first, so that no message is lost. No size limit: latent previews are large.
            async with session.ws_connect(f"{self.url}/ws?clientId={client}", max_msg_size=0) as socket_:
                prompt_id = self._submit(prompt, client)
                async for message in socket_:
                    if message.type != aiohttp.WSMsgType.TEXT:
                        continue
                    kind, data = operator.itemgetter("type", "data")(message.json())
                    if data.get("prompt_id") != prompt_id:
                        continue
                    if on_event:
                        on_event(kind, data)
                    if kind == "executing" and data["node"] is None:  # sent after the history is written
                        return prompt_id
        raise self._failure("the server closed the connection during a run")

    def _submit(self, prompt: dict, client: str) -> str:
        try:
            answer = json.loads(self._post("/prompt", {"prompt": prompt, "client_id": client}))
        except urllib.error.HTTPError as error:
            if error.code != 400:
                raise
            answer = json.loads(error.read())
        if "error" in answer or answer["node_errors"]:
            self._cancel(answer.get("prompt_id"))
            raise PromptRejected(answer.get("error", {}), answer["node_errors"] or {})
        return answer["prompt_id"]

    def _cancel(self, prompt_id: str | None) -> None:
        """Take back a prompt of which the host would run the valid part (it answers 200 then)."""
        if prompt_id:
            self._post("/queue", {"delete": [prompt_id]})
            self._post("/interrupt", {"prompt_id": prompt_id})

    def _post(self, path: str, body: dict) -> bytes:
        data = json.dumps(body).encode()
        return self._open(urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}))

    def _open(self, request: str | urllib.request.Request, timeout: float = 60) -> bytes:
        if isinstance(request, str):
            request = self.url + request
        with DIRECT.open(request, timeout=timeout) as answer:
            return answer.read()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._start_timeout
        while not answers(self.url):
            if not self.alive():
                raise self._failure(f"the server ended with code {self._process.returncode} while it started")
            if time.monotonic() > deadline:
                raise self._failure(f"the server did not answer within {self._start_timeout:g} s")
            time.sleep(0.2)
        if any(sign in self.log_text() for sign in FAILED_IMPORT):
            raise self._failure("the server could not import a node pack")

    def _failure(self, sentence: str) -> ServerFailed:
        tail = "\n".join(self.log_text().splitlines()[-25:])
        return ServerFailed(f"{sentence}; the end of its log, {self.log}:\n{tail}")
