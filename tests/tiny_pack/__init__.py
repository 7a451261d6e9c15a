"""Nodes for the server tests only: small models, and inputs that no user should send."""

import sys
from pathlib import Path

from comfy_api.latest import ComfyExtension, io

_TESTS = Path(__file__).resolve().parent.parent
sys.path += [str(_TESTS.parent), str(_TESTS)]  # last, so that the host's own modules keep their names

import lab  # noqa: E402, F401  # gives the repository its one name

from .inputs import TinyLatent, TinyPicture, TinyPoses  # noqa: E402
from .models import TinyModels  # noqa: E402


class TinyExtension(ComfyExtension):
    """The test nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """All of them."""
        return [TinyModels, TinyPoses, TinyPicture, TinyLatent]


async def comfy_entrypoint() -> ComfyExtension:
    """Hand the host the extension."""
    return TinyExtension()
