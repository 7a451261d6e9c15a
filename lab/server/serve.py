"""Run ComfyUI with this pack in the terminal: python -m lab.server.serve --host DIR --base DIR --port N [more]."""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from .. import REPOSITORY
from .client import ADDRESS, answers, command, has_gpu, lay_out


def main() -> int:
    """Lay out the server's folder and run it until it ends; 130 after Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server is stopped too
    parser = argparse.ArgumentParser(prog="dev.py serve", allow_abbrev=False)
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--base", type=Path, required=True, help="the server's own folder")
    parser.add_argument("--port", type=int, required=True)
    options, rest = parser.parse_known_args()
    names = lay_out(options.base, [REPOSITORY])
    line = command(options.host, options.base, names, options.port, cpu=not has_gpu()) + rest
    # Leaving the block closes the pipe, which ends the server
    with subprocess.Popen(line, cwd=options.host, stdin=subprocess.PIPE) as server:
        try:
            _announce(server, f"http://{ADDRESS}:{options.port}")
            return server.wait()
        except KeyboardInterrupt:
            return 130


def _announce(server: subprocess.Popen, url: str) -> None:
    """Print the address once it can be opened."""
    while server.poll() is None:
        if answers(url):
            print(f"[serve] {url} (Ctrl-C stops it)", flush=True)
            return
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
