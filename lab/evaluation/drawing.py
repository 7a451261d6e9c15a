"""The cases in motion, made by the nodes of the pack. Needs the host."""

import torch
from torch import Tensor

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import rest_pose
from freeanimate_pack.demo.drawn.scenery import scenery
from freeanimate_pack.demo.model import SIDE
from freeanimate_pack.freeanimate_core.pose import parse_poses, write_poses
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview

from .case import DRAWN, PEOPLE, Case, Previewed, motion_of, prompts_of
from .flow import shown_in, true_flow
from .given import EXACT, given
from .people import clip_of, moving_case


def make_case(seed: int, frames: int, world: str = DRAWN, inputs: str = EXACT, side: int = SIDE) -> Previewed:
    """Character ``seed`` of a world in motion, with the pack's own preview; ``side`` in pixels, the demo model's."""
    return _people(seed, frames, inputs, side) if world == PEOPLE else _drawn(seed, frames, inputs, side)


def _drawn(seed: int, frames: int, inputs: str, side: int) -> Previewed:
    """Draw character ``seed`` and run the pack's own pose and preview stages on it."""
    name = motion_of(seed)
    drawn = FreeAnimateDemoCharacter.execute(seed, name, 2 * frames, side, side).args
    reference, standing, driving, _, _, mask = drawn[:6]
    # The middle of the motion: it starts at the reference's own pose, as a driving clip seldom does, and a
    # preview frame in that pose would stand for the reference wherever a method takes one as its anchor
    driving = driving[frames // 2 : frames // 2 + frames]
    given_mask = mask
    if inputs != EXACT:
        exact = parse_poses(standing, "standing pose"), parse_poses(driving, "driving poses")
        given_mask, *seen = given(inputs, reference, mask, *exact, [seed])
        standing, driving = (write_poses(poses) for poses in seen)
    poses, hints = FreeAnimateAlignPose.execute(driving, standing, "affine", reference).args[:2]
    targets = parse_poses(poses, "aligned poses")
    truth, masks, labels = (torch.from_numpy(values) for values in draw_parts(seed, targets.joints, side, side)[:3])
    rest = rest_pose(seed, side, side)
    standing_labels = torch.from_numpy(draw_parts(seed, rest, side, side)[2][0])
    places, stayed = true_flow(targets.joints, labels)
    case = Case(
        world=DRAWN,
        seed=seed,
        classes=(),
        reference=reference,
        given_mask=given_mask,
        pose=parse_poses(standing, "standing pose"),
        targets=targets,
        reference_mask=mask,
        reference_labels=standing_labels,
        truth=truth,
        masks=masks,
        labels=labels,
        joints=targets.joints,
        visible=targets.seen,
        room=torch.from_numpy(scenery(seed, side, side)),
        shadow=torch.zeros(side, side),
        shown=shown_in(rest[0], standing_labels, targets.joints, labels),
        places=places,
        stayed=stayed,
    )
    return _previewed(case, name, hints)


def _people(seed: int, frames: int, inputs: str, side: int) -> Previewed:
    """Render person ``seed`` in the poses that the methods get, where they are."""
    case = moving_case(seed, frames, side, inputs)
    driving, standing = write_poses(case.targets), write_poses(case.pose)
    hints = FreeAnimateAlignPose.execute(driving, standing, "none", case.reference).args[1]
    return _previewed(case, clip_of(seed)[0], hints)


def _previewed(case: Case, motion: str, hints: Tensor) -> Previewed:
    given_to = case.reference, write_poses(case.pose), write_poses(case.targets), case.given_mask
    preview, preview_masks, holes, background = FreeAnimatePreview.execute(*given_to).args[:4]
    return Previewed(
        **vars(case),
        motion=motion,
        prompts=prompts_of(case.seed, case.world),
        poses=hints,
        preview=preview,
        preview_masks=preview_masks,
        holes=holes,
        background=background,
    )
