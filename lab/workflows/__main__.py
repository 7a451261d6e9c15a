"""python -m lab.workflows --host DIR: writes workflows/, subgraphs/ and tests/api/ anew from one description."""

import argparse
import json
import tempfile
from pathlib import Path

from .. import REPOSITORY
from ..server.client import HostServer
from .write import written

PATIENCE = 600.0  # seconds for the server to start


def schemas_of(host: Path) -> dict[str, dict]:
    """Every node's schema, as the editor gets it from a server of the ComfyUI folder `host`."""
    with (
        tempfile.TemporaryDirectory() as base,
        HostServer(host, Path(base), [REPOSITORY], start_timeout=PATIENCE) as server,
    ):
        return server.get_json("/object_info")


def main() -> None:
    """Write every file."""
    parser = argparse.ArgumentParser(prog="lab.workflows", description=__doc__)
    parser.add_argument("--host", type=Path, required=True, help="a ComfyUI folder")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="where workflows and subgraphs are")
    options = parser.parse_args()
    for name, content in written(schemas_of(options.host)).items():
        path = options.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
