"""The nodes of FreeAnimate: the one registry."""

from comfy_api.latest import ComfyExtension, io

from .compare import FreeAnimateCompare
from .demo_character import FreeAnimateDemoCharacter
from .demo_model import FreeAnimateDemoModel
from .detect_pose import FreeAnimateDetectPose
from .inspect_attention import FreeAnimateInspectAttention
from .inversion import FreeAnimateInversion
from .long_clip import FreeAnimateLongClip
from .paste import FreeAnimatePastePreview
from .patch import FreeAnimatePatchModel
from .pose import FreeAnimateAlignPose
from .pose_files import FreeAnimateLoadPose, FreeAnimateSavePose
from .preview import FreeAnimatePreview
from .refine import FreeAnimateRefinePreview
from .sampler import FreeAnimateSampler

NODES: list[type[io.ComfyNode]] = [
    FreeAnimateDetectPose,
    FreeAnimateLoadPose,
    FreeAnimateSavePose,
    FreeAnimateAlignPose,
    FreeAnimatePreview,
    FreeAnimateRefinePreview,
    FreeAnimateInversion,
    FreeAnimatePatchModel,
    FreeAnimateSampler,
    FreeAnimateLongClip,
    FreeAnimatePastePreview,
    FreeAnimateCompare,
    FreeAnimateInspectAttention,
    FreeAnimateDemoModel,
    FreeAnimateDemoCharacter,
]


class FreeAnimateExtension(ComfyExtension):
    """What the host asks for this pack's nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The pack's nodes in the order of a run."""
        return NODES
