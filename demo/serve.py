"""Run ComfyUI with this pack in the terminal: python -m demo.serve --host DIR --base DIR --port N [more]."""

import argparse
import subprocess
import sys
from pathlib import Path

from .server import REPOSITORY, command, has_gpu, lay_out


def main() -> int:
    """Lay out the server's folder and run it until it ends."""
    parser = argparse.ArgumentParser(prog="demo.serve", allow_abbrev=False)
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--base", type=Path, required=True, help="the server's own folder")
    parser.add_argument("--port", type=int, required=True)
    options, rest = parser.parse_known_args()
    names = lay_out(options.base, [REPOSITORY])
    line = command(options.host, options.base, names, options.port, cpu=not has_gpu())
    try:
        return subprocess.call([*line, *rest], cwd=options.host)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
