"""Run other programs: quietly into a log while setting up, or in the foreground."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / ".dev"
LOG = DEV / "setup.log"
NEARLY_FULL = 20_000_000  # bytes: too few for any step, whatever its output says

_DISK_FULL = re.compile(r"No space left on device|os error 28|os error 112|not enough space on the disk", re.I)
_NO_TRUST = re.compile(r"invalid peer certificate|CERTIFICATE_VERIFY_FAILED|certificate verify failed", re.I)
_NO_NETWORK = re.compile(
    r"Failed to fetch|are you offline|error sending request|dns error|network (connectivity|was|is) disabled"
    r"|Failed to establish a new connection|name resolution|getaddrinfo failed|Connection (refused|reset|aborted)"
    r"|ProxyError|ConnectTimeout|ReadTimeout|timed out|No matching distribution found",
    re.I,
)


class SetupError(RuntimeError):
    """What stops dev.py, as one sentence for the person who ran it."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, ended the same way as Ctrl-C."""


def heed_signals() -> None:
    """Let SIGTERM and Ctrl-C raise KeyboardInterrupt, so that what was started is stopped.

    A shell starts its background jobs deaf to Ctrl-C, and they would hand that on to what they start.
    """
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _terminate(*_) -> None:
    raise Terminated


def say(text: str) -> None:
    """Tell what is being done."""
    print(f"[setup] {text}", flush=True)


def environment(host: Path | None = None) -> dict[str, str]:
    """The variables for a child process: the caller's, less what would mix other packages in.

    Bytecode goes to a folder of ours, so that a user's ComfyUI stays as it is. OpenMP threads wait
    without spinning: beside any other work, spinning costs several times the time.
    """
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "UV_SYSTEM_PYTHON")}
    variables |= {"PYTHONNOUSERSITE": "1", "PIP_USER": "0", "PYTHONPYCACHEPREFIX": str(DEV / "pycache")}
    variables.setdefault("OMP_WAIT_POLICY", "passive")
    return variables | ({"COMFYUI_DIR": str(host)} if host else {})


def run_logged(what: str, command: Sequence[str], variables: dict[str, str] | None = None) -> None:
    """Run a step of the setup with its output in the log; raise SetupError, naming `what`, when it fails."""
    with LOG.open("ab") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        log.flush()
        start = log.tell()
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        code = subprocess.run(command, cwd=ROOT, env=variables or environment(), **streams).returncode
    if code:
        raise SetupError(explain(what, LOG.read_bytes()[start:].decode(errors="replace"), shutil.disk_usage(DEV).free))


def explain(what: str, output: str, free: int) -> str:
    """One sentence on why a step of the setup failed, from its output and the disk's free bytes."""
    if free < NEARLY_FULL or _DISK_FULL.search(output):
        return f"the disk is full: {what} failed; free some space and run again (details: {LOG})"
    if _NO_TRUST.search(output):
        return f"the package index's certificate is not trusted: {what} failed; set SSL_CERT_FILE (details: {LOG})"
    if _NO_NETWORK.search(output):
        return f"the package index cannot be reached: {what} failed; check network and proxy (details: {LOG})"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
    return f"{what} failed: {errors[0]} (details: {LOG})"


def run_foreground(command: Sequence[str], variables: dict[str, str]) -> int:
    """Run a program in the terminal and return its exit code; Ctrl-C lets it end by itself."""
    child = subprocess.Popen(command, cwd=ROOT, env=variables)
    try:
        return child.wait()
    except KeyboardInterrupt as stop:
        _end(child, stop)
        raise


def _end(child: subprocess.Popen, stop: KeyboardInterrupt) -> None:
    from_terminal = sys.stdin.isatty() and not isinstance(stop, Terminated)
    if os.name != "nt" and not from_terminal:  # a terminal has sent Ctrl-C to the child as well
        child.send_signal(signal.SIGINT)
    try:
        child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        child.kill()
