"""What every way of alignment returns, and the steps and words that the ways share."""

from dataclasses import dataclass, replace

from .anchor import Anchor, fall_to_ground, lowered
from .keypoints import PoseSequence
from .proportions import Proportions


@dataclass(frozen=True)
class Fitted:
    """Poses on the reference's canvas, and what was done to them in a few words each."""

    poses: PoseSequence
    notes: tuple[str, ...]

    def noting(self, note: str) -> "Fitted":
        """The same with ``note`` at the end."""
        return replace(self, notes=(*self.notes, note))


def map_note(scale: tuple[float, float], offset: tuple[float, float]) -> str:
    """The map of the body in words: ``scale`` and ``offset`` in pixels, x and y."""
    size = f"{scale[0]:.3f}" if abs(scale[0] / scale[1] - 1) < 1e-6 else f"{scale[0]:.3f} x {scale[1]:.3f}"
    return f"scale {size}, offset ({offset[0]:+.1f}, {offset[1]:+.1f}) px"


def stand(
    poses: PoseSequence,
    driving: PoseSequence,
    reference: PoseSequence,
    sizes: Proportions,
    anchor: Anchor,
    ground: bool,
) -> Fitted:
    """``poses``, mapped by ``sizes`` and ``anchor``, the ankles held to the reference's ground line if ``ground``."""
    fall = fall_to_ground(poses, driving, reference, sizes.scale, anchor.alike) if ground else None
    down = 0.0 if fall is None else float(fall[anchor.frame])
    moved = map_note((sizes.scale,) * 2, (anchor.shift[0], anchor.shift[1] + down))
    fitted = Fitted(poses if fall is None else lowered(poses, fall), (f"{moved} from frame {anchor.frame}",))
    if fall is not None:
        return fitted.noting("ankles held to the reference's ground line")
    return fitted.noting("no ground line, as no ankle is visible in both") if ground else fitted
