"""Preview Generation: the reference's figure moved to every target pose, over one background plate."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..errors import PREVIEW, FreeAnimateError
from ..pictures import read_mask, read_picture
from ..pose.keypoints import EYES, NOSE, PoseSequence, same_aspect
from . import findings
from .background import background_plate
from .bones import Bone, Trunk, figure_of
from .completion import targets_completed, with_cut_joints, with_cut_wrists
from .compose import Composer
from .coverage import Expected, coverage
from .depth import parse_overrides
from .head import with_chin
from .mask import person_mask as find_mask
from .parts import Part, take_apart
from .placement import Placement, place
from .trust import Trust

CHUNK = 8  # frames at once: what the working memory depends on, the result does not


@dataclass(frozen=True)
class Preview:
    """Frames [F,H,W,3], person, hole and redraw masks [F,H,W], the plate [1,H,W,3] and where that was painted
    [1,H,W], all float32 0-1 on the CPU.

    Frames of any other tool may stand in for ``frames``: as many as the poses, of the reference's size, 0-1.
    """

    frames: Tensor
    person_mask: Tensor
    hole_mask: Tensor
    background: Tensor
    coverage: tuple[float, ...]  # [F] 0-1: how much of the figure the reference could show
    warnings: tuple[str, ...]  # what to change, or else to know about the result, a sentence each
    redraw_mask: Tensor  # [F,H,W] 0-1: the probability that the figure is wrong, constant over cells of 8 pixels
    findings: tuple[str, ...]  # which frames are wrong and why, a sentence each
    plate_mask: Tensor  # [1,H,W] 0 or 1: what of the background was painted


def generate(
    reference: Tensor,
    reference_pose: PoseSequence,
    target_pose: PoseSequence,
    person_mask: Tensor | None = None,
    background: Tensor | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int], None] | None = None,
    chunk: int = CHUNK,
    depth_order: str = "",
    keep_face: float = 0.0,
) -> Preview:
    """The person of ``reference`` [1,H,W,3] in the F poses of ``target_pose``, by a layered part warp.

    ``person_mask`` [1,H,W] is cut out when absent, ``background`` [1,H,W,3] painted when absent.
    ``depth_order`` overrides what is in front, in lines such as "0-15: left arm behind".
    ``keep_face`` 0-1 takes that share off the redraw mask where the reference's face is shown.
    ``progress`` is called with the number of frames done. Memory beyond the output depends on ``chunk``
    and not on F; the result does not depend on it. Raises FreeAnimateError for input that does not fit together.
    """
    image, given_mask, given_plate = _pictures(reference, person_mask, background)
    height, width = image.shape[:2]
    source, target = _poses(reference_pose, target_pose, height, width)
    joints, seen = source.joints[0, :, :2], source.seen[0]
    overrides = parse_overrides(depth_order, len(target))
    placement = place(joints, seen, target.joints[..., :2], target.seen, overrides)
    unfit = findings.of_inputs((joints, seen), (target.joints[..., :2], target.seen), (height, width))
    parts, placement, (plate, painted), others = _taken_apart(image, given_mask, given_plate, (joints, seen), placement)
    _check_shown(placement, parts)
    if "head" in parts:
        ball = with_chin(placement.heads.ball, parts["head"].layer[3].numpy())
        placement = replace(placement, heads=replace(placement.heads, ball=ball))
    moved = {
        name: replace(part, layer=part.layer.to(device), colour=part.colour.to(device)) for name, part in parts.items()
    }
    composer = Composer(moved, placement, plate.to(device))
    pieces = {name: part.bone for name, part in parts.items()}
    trust = Trust.of(pieces, placement, faced=bool(seen[NOSE] and seen[EYES].any()))
    frames, person, holes, redraw = _rendered(composer, trust, keep_face, progress, chunk)
    scores = coverage(Expected.of(pieces, height, width), placement, (person - holes).clamp_min_(0))
    told = findings.of_frames(placement.yaw, placement.heads.yaw, findings.redrawn_share(redraw, person))
    warnings, coverages = (*unfit, *others), tuple(scores.tolist())
    return Preview(frames, person, holes, plate[None], coverages, warnings, redraw, told, painted[None])


def _pictures(
    reference: Tensor, person_mask: Tensor | None, background: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """The reference [H,W,3] with its mask [H,W] and background [H,W,3], where they are given."""
    image = read_picture(reference, f"{PREVIEW}: reference")[0]
    height, width = image.shape[:2]
    mask = plate = None
    if person_mask is not None:
        mask = _fitting(read_mask(person_mask, f"{PREVIEW}: person_mask")[0], height, width, "person_mask")
    if background is not None:
        plate = _fitting(read_picture(background, f"{PREVIEW}: background")[0], height, width, "background")
    return image, mask, plate


def _poses(
    reference_pose: PoseSequence, target_pose: PoseSequence, height: int, width: int
) -> tuple[PoseSequence, PoseSequence]:
    """The one pose of the reference and those of the targets, in its pixels."""
    source = _on_canvas(reference_pose, height, width, "reference_pose")
    target = _on_canvas(target_pose, height, width, "target_pose")
    if len(source) != 1:
        raise FreeAnimateError(
            f"{PREVIEW}: reference_pose holds {len(source)} frames, but one is expected; connect the pose of the "
            "reference image."
        )
    return source, target


def _taken_apart(
    image: Tensor,
    given_mask: Tensor | None,
    given_plate: Tensor | None,
    pose: tuple[np.ndarray, np.ndarray],
    placement: Placement,
) -> tuple[dict[str, Part], Placement, tuple[Tensor, Tensor], tuple[str, ...]]:
    """Parts of ``image`` [H,W,3], their placement with what borders cut off put back, the plate, and warnings.

    The plate is [H,W,3], with where it was painted [H,W].
    """
    height, width = image.shape[:2]
    body = with_cut_joints(*pose, height, width)
    mask, warnings = find_mask(image, given_mask, _figure(body.joints, body.seen))
    body = with_cut_wrists(body, mask.numpy())
    joints, seen = targets_completed(placement.joints, placement.seen, body, placement.size, height, width)
    plate, painted = background_plate(image, mask, given_plate)
    parts = take_apart(image, mask, plate, body.joints, body.seen)
    return parts, replace(placement, joints=joints, seen=seen), (plate, painted), warnings


def _figure(joints: np.ndarray, seen: np.ndarray) -> list[Bone | Trunk]:
    """Bones and trunk of the reference."""
    found = list(figure_of(joints, seen).values())
    if not found:
        raise FreeAnimateError(
            f"{PREVIEW}: reference_pose shows no limb, trunk or head; detect the pose of the reference again."
        )
    return found


def _check_shown(placement: Placement, parts: dict[str, Part]) -> None:
    """Refuse what would give frames without a figure, before anything is drawn."""
    if not parts:
        raise FreeAnimateError(
            f"{PREVIEW}: person_mask covers no part of the body in reference_pose; give the pose and the mask "
            "of the same picture."
        )
    without = np.flatnonzero(~placement.shows(parts))
    if len(without):
        raise FreeAnimateError(
            f"{PREVIEW}: target_pose frame {without[0]} (counted from 0) shows no part of the body that the reference "
            "shows too; drop that frame or detect its pose again."
        )


def _rendered(
    composer: Composer, trust: Trust, keep_face: float, progress: Callable[[int], None] | None, chunk: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """All frames [F,H,W,3] with person, hole and redraw masks [F,H,W], ``chunk`` at a time."""
    count, (height, width) = len(composer.placement.joints), composer.plate.shape[:2]
    frames = torch.empty(count, height, width, 3)
    person, holes, redraw = (torch.empty(count, height, width) for _ in range(3))
    for start in range(0, count, chunk):
        there = slice(start, min(start + chunk, count))
        made = composer.chunk(there)
        frames[there], person[there], holes[there] = made
        redraw[there] = trust.redraw(there, *made, keep_face)
        if progress is not None:
            progress(there.stop)
    return frames, person, holes, redraw


def _fitting(picture: Tensor, height: int, width: int, name: str) -> Tensor:
    if picture.shape[:2] != (height, width):
        raise FreeAnimateError(
            f"{PREVIEW}: {name} is {picture.shape[1]} x {picture.shape[0]}, but the reference is {width} x {height}; "
            "resize it, or disconnect it."
        )
    return picture


def _on_canvas(poses: PoseSequence, height: int, width: int, name: str) -> PoseSequence:
    """The poses in pixels of the reference; another size is scaled, another aspect refused."""
    if not same_aspect(poses, height, width):
        raise FreeAnimateError(
            f"{PREVIEW}: {name} is made for a canvas of {poses.width} x {poses.height}, but the reference is "
            f"{width} x {height}, of another aspect; put Align Pose with mode affine before it, or detect it again."
        )
    return poses.resized(height, width)
