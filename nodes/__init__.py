"""The nodes of FreeAnimate: the one registry."""

from comfy_api.latest import ComfyExtension, io

NODES: list[type[io.ComfyNode]] = []


class FreeAnimateExtension(ComfyExtension):
    """What the host asks for this pack's nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The pack's nodes in the order of a run."""
        return NODES
