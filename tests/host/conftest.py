"""Host tests run in the real ComfyUI: see hostside.py for the fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hostside import flow, full_sd15, inference, pack, sd2, sd15, sdxl, tiny_layout  # noqa: E402, F401
