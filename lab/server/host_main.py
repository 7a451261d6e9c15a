"""Run ComfyUI's main.py until the starter is gone: python host_main.py MAIN.py [arguments].

Standard input is a pipe that the starter holds open. It ends with the starter, however that one ended,
so no server is left behind. Never imported: run as a script, and before anything of the host is loaded.
"""

import os
import runpy
import sys
import threading
from pathlib import Path


def _end_with_starter() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    runpy.run_path(sys.argv[0], run_name="__main__")
