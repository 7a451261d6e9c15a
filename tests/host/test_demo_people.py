"""Demo Character's rendered people, on the real host."""

import pytest
import torch

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import parse_poses
from freeanimate_pack.nodes.demo_character import FreeAnimateDemoCharacter

HELD_OUT = 10_003
SIDE = 64


def made(motion: str = "raised arms", view: str = "frontal", frames: int = 3) -> tuple:
    """The node's outputs for one rendered person."""
    return FreeAnimateDemoCharacter.execute(HELD_OUT, motion, frames, SIDE, SIDE, "people", view).args


def test_pictures_masks_and_poses_belong_together():
    reference, standing, driving, pose_image, truth, person_mask, masks, caption = made()
    assert reference.shape == (1, SIDE, SIDE, 3) and truth.shape == pose_image.shape == (3, SIDE, SIDE, 3)
    assert person_mask.shape == (1, SIDE, SIDE) and masks.shape == (3, SIDE, SIDE)
    assert all(value.dtype == torch.float32 and 0 <= value.min() and value.max() <= 1 for value in (truth, masks))
    assert len(standing) == 1 and len(driving) == 3 and "," in caption
    necks = parse_poses(driving, "driving_pose").joints[:, 1, :2].round().astype(int)
    assert all(masks[frame, y, x] > 0.5 for frame, (x, y) in enumerate(necks))


def test_the_room_stands_still_where_nobody_is():
    _, _, _, _, truth, _, masks, _ = made(frames=2)
    ceiling = (masks.amax(dim=0) == 0)[: SIDE // 8]
    assert ceiling.any() and torch.equal(truth[0, : SIDE // 8][ceiling], truth[1, : SIDE // 8][ceiling])


@pytest.mark.parametrize(
    ("style", "motion", "view", "says"),
    (
        ("people", "side step", "frontal", ("motion 'side step'", "style people", "full turn")),
        ("drawn", "full turn", "frontal", ("motion 'full turn'", "style drawn", "side step")),
        ("people", "squat", "hip", ("motion 'squat'", "cuts at the hip", "view")),
    ),
)
def test_what_a_style_cannot_show_is_refused_by_name(style, motion, view, says):
    with pytest.raises(FreeAnimateError) as refusal:
        FreeAnimateDemoCharacter.execute(0, motion, 2, SIDE, SIDE, style, view)
    assert "Demo Character" in str(refusal.value)
    assert [words for words in says if words not in str(refusal.value)] == []
