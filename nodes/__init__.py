"""The nodes of FreeAnimate: the one registry."""

from comfy_api.latest import ComfyExtension, io

from .demo_character import FreeAnimateDemoCharacter
from .demo_model import FreeAnimateDemoModel
from .inversion import FreeAnimateInversion
from .patch import FreeAnimatePatchModel
from .pose import FreeAnimateAlignPose
from .preview import FreeAnimatePreview
from .sampler import FreeAnimateSampler

NODES: list[type[io.ComfyNode]] = [
    FreeAnimateAlignPose,
    FreeAnimatePreview,
    FreeAnimateInversion,
    FreeAnimatePatchModel,
    FreeAnimateSampler,
    FreeAnimateDemoModel,
    FreeAnimateDemoCharacter,
]


class FreeAnimateExtension(ComfyExtension):
    """What the host asks for this pack's nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The pack's nodes in the order of a run."""
        return NODES
