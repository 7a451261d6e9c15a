"""The cases with their previews, made by the nodes of the pack. Needs the host."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import rest_pose
from freeanimate_pack.demo.drawn.scenery import scenery
from freeanimate_pack.demo.model import SIDE
from freeanimate_pack.freeanimate_core.pose import parse_poses, write_poses
from freeanimate_pack.freeanimate_core.presets import PRESETS
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter
from freeanimate_pack.nodes.pose import FreeAnimateAlignPose
from freeanimate_pack.nodes.preview import FreeAnimatePreview

from .case import DRAWN, PEOPLE, Case, Previewed, motion_of, prompts_of
from .flow import shown_in, true_flow
from .given import EXACT, given
from .people import FRONTAL, HALF_BODY, clip_of, moving_case, still_case, stills_case
from .settings import Settings
from .spoil import spoiled

# Places of Preview Generation's outputs.
FRAMED = {"preview": 0, "preview_masks": 1, "holes": 2, "redraw": 6}
BACKGROUND = 3
STILL = "still"  # the motion of a person who stands still


def make_cases(seed: int, settings: Settings) -> list[Previewed]:
    """The cases of character ``seed`` in a run: one in motion, or one for each reference of its stills."""
    cases = (
        _stills(seed, settings.stills, settings.inputs)
        if settings.stills
        else [make_case(seed, settings.frames, settings.world, settings.inputs)]
    )
    return [_spoiled(case, settings.spoil) for case in cases] if settings.spoil else cases


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
    return _previewed(case, clip_of(seed)[0], _hints(case))


def _stills(seed: int, classes: Sequence[str], inputs: str, side: int = SIDE) -> list[Previewed]:
    """The classes that have the whole frontal reference as one case, a half body as another."""
    frontal, half = [name for name in classes if name in FRONTAL], HALF_BODY in classes
    cases = [_alone(stills_case(seed, side, inputs), frontal)] if frontal else []
    return [*cases, _alone(still_case(seed, HALF_BODY, side, inputs), [HALF_BODY])] if half else cases


def _alone(case: Case, classes: Sequence[str]) -> Previewed:
    """The frames of ``classes``, each previewed with no other but the first, the reference's own pose, before it."""
    numbers = [case.classes.index(name) for name in classes]
    pairs = [case.only([0, number]) for number in numbers]
    made = [_previewed(pair, STILL, _hints(pair)) for pair in pairs]
    names = "poses", *FRAMED
    framed = {name: torch.cat([getattr(one, name)[-1:] for one in made]) for name in names}
    return replace(made[0], **vars(case.only(numbers)), **framed)


def _hints(case: Case) -> Tensor:
    """The ControlNet's hints [F,H,W,3] of poses that are where they should be."""
    driving, standing = write_poses(case.targets), write_poses(case.pose)
    return FreeAnimateAlignPose.execute(driving, standing, "none", case.reference).args[1]


def _previewed(case: Case, motion: str, hints: Tensor) -> Previewed:
    given_to = case.reference, write_poses(case.pose), write_poses(case.targets), case.given_mask
    made = FreeAnimatePreview.execute(*given_to, keep_face=PRESETS["people"].keep_face).args
    return Previewed(
        **vars(case),
        motion=motion,
        prompts=prompts_of(case.seed, case.world),
        poses=hints,
        **{name: made[place] for name, place in FRAMED.items()},
        background=made[BACKGROUND],
    )


def _spoiled(case: Previewed, kind: str) -> Previewed:
    preview = spoiled(kind, case.preview, case.preview_masks, case.labels, case.background, case.seed)
    return replace(case, preview=preview)
