"""Server tests speak to a real ComfyUI over HTTP: see serverside.py for the fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from serverside import clip_files, lora_file, schemas, server  # noqa: E402, F401
