"""The redraw mask, and what is said in words about frames, references and drivers."""

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.drawn.character import draw_character
from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import findings, generate
from freeanimate_pack.freeanimate_core.preview.trust import CELL
from lab.evaluation.preview.reliability import BINS, curve, reliability
from lab.evaluation.preview.trust import Cells

HEIGHT, WIDTH = 188, 194  # no multiples of a cell
FRAMES = 5


def poses(joints):
    return PoseSequence.from_joints(joints, HEIGHT, WIDTH)


class Scene:
    """A drawn character in its rest pose, and frames: its own pose, a wave, its back."""

    def __init__(self):
        self.rest = rest_pose(1, HEIGHT, WIDTH)
        image, mask = draw_character(1, self.rest, HEIGHT, WIDTH)
        self.image, self.mask = torch.from_numpy(image), torch.from_numpy(mask)
        wave = motion("wave", 1, FRAMES, HEIGHT, WIDTH)
        back = self.rest.copy()
        back[:, :, 0] = 2 * back[:, 1:2, 0] - back[:, :, 0]  # left and right change sides
        back[:, [0, 14, 15], 2] = 0  # and the face is gone
        self.moving = np.concatenate([self.rest, wave, back, back, back])
        self.made = self.preview(self.moving)

    def preview(self, target, **options):
        return generate(self.image, poses(self.rest), poses(target), self.mask, **options)


@pytest.fixture(scope="module")
def scene():
    return Scene()


def cells(values):
    rows, columns = -(-HEIGHT // CELL), -(-WIDTH // CELL)
    return [
        values[:, CELL * u : CELL * (u + 1), CELL * v : CELL * (v + 1)].flatten(1)
        for u in range(rows)
        for v in range(columns)
    ]


def test_the_redraw_mask_is_a_probability_per_cell_and_0_off_the_figure(scene):
    redraw, person = scene.made.redraw_mask, scene.made.person_mask
    assert redraw.shape == person.shape and redraw.dtype == torch.float32
    assert float(redraw.min()) == 0 and 0.5 < float(redraw.max()) < 1
    for said, figure in zip(cells(redraw), cells(person)):
        assert torch.equal(said.amin(1), said.amax(1))
        nobody, somebody = figure.sum(1) == 0, figure.sum(1) > 2
        assert not said[nobody].any() and bool((said[somebody] > 0).all())


def test_the_redraw_mask_depends_on_neither_chunk_nor_order(scene):
    for chunk in (1, 3):
        redraw = scene.preview(scene.moving, chunk=chunk).redraw_mask
        torch.testing.assert_close(redraw, scene.made.redraw_mask, atol=5e-3, rtol=0)
    calm = scene.moving[: FRAMES + 1]  # turns are filtered over time, so that their order does count
    there, back = scene.preview(calm).redraw_mask, scene.preview(calm[::-1].copy()).redraw_mask
    torch.testing.assert_close(there, back.flip(0), atol=5e-3, rtol=0)


def test_a_frame_turned_away_is_trusted_less_than_one_as_the_reference(scene):
    means = (scene.made.redraw_mask * scene.made.person_mask).sum((1, 2)) / scene.made.person_mask.sum((1, 2))
    flagged = ((scene.made.redraw_mask > 0.5) & (scene.made.person_mask > 0.5)).float().mean((1, 2))
    assert flagged[0] == 0
    assert means[0] < means[2 : FRAMES + 1].min()  # frame 1 is at rest as well
    assert means[-1] > 2 * means[0] and means[-1] > means[1 : FRAMES + 1].max()


def test_what_has_not_moved_is_trusted_more_than_the_arm_that_has(scene):
    rest, arm = scene.rest[0], scene.moving[FRAMES // 2 + 1]
    hand = np.abs(arm[[4, 7], :2] - rest[[4, 7], :2]).sum(axis=1).argmax()
    x, y = arm[(4, 7)[hand], :2].astype(int)
    foot_x, foot_y = rest[10, :2].astype(int)
    said = scene.made.redraw_mask[FRAMES // 2 + 1]
    assert said[y, x] > said[foot_y, foot_x]


def test_where_a_hand_has_left_the_trunk_less_is_trusted(scene):
    resting = scene.rest.copy()
    belly = resting[0, [2, 5, 8, 11], :2].mean(axis=0)
    resting[:, 4, :2] = belly
    resting[:, 3, :2] = (resting[:, 2, :2] + belly) / 2 - (12, 0)
    image, mask = (torch.from_numpy(item) for item in draw_character(1, resting, HEIGHT, WIDTH))
    made = generate(image, poses(resting), poses(np.concatenate([resting, scene.rest])), mask)
    x, y = belly.astype(int)
    kept, left = made.redraw_mask[:, y, x]
    assert kept < 0.5 < left


def test_turned_frames_are_named_with_cause_and_shares(scene):
    text = " ".join(scene.made.findings)
    assert f"Frames {FRAMES + 1}-{FRAMES + 3}: seen from behind, " in text
    assert "% not in the reference, " in text and "% to redraw." in text


def test_findings_name_runs_by_cause():
    trunk, head, wrong = np.zeros(20), np.zeros(20), np.full(20, 0.1)
    trunk[4:8], trunk[8:12] = np.pi / 2, np.pi
    trunk[14] = np.pi  # a single frame is not believed
    head[:4], wrong[17:] = np.radians(-80), 0.5
    assert findings.of_frames(trunk, head, wrong) == (
        "Frames 0-3: the head is turned away, 10 % to redraw.",
        "Frames 4-7: seen from the side, 50 % not in the reference, 10 % to redraw.",
        "Frames 8-11: seen from behind, 100 % not in the reference, 10 % to redraw.",
        "Frames 17-19: much of the pose is far from the reference's, 50 % to redraw.",
    )
    assert findings.of_frames(trunk[:1] * 0, head[:1] * 0, wrong[:1]) == ()


def test_only_the_worst_runs_are_named():
    trunk = np.tile(np.repeat([0.0, np.pi], 4), 10)
    told = findings.of_frames(trunk, trunk, np.linspace(0.2, 0.9, 80))
    assert len(told) == findings.NAMED and told[-1].startswith("Frames 76-79: seen from behind")


def standing():
    """Somebody on a canvas of 100 x 100 who faces the viewer, arms beside the body: [18,2] and what is seen."""
    right = {2: (40, 30), 3: (37, 42), 4: (36, 54), 8: (43, 58), 9: (43, 74), 10: (43, 90), 14: (48, 16), 16: (45, 17)}
    left = {5: (60, 30), 6: (63, 42), 7: (64, 54), 11: (57, 58), 12: (57, 74), 13: (57, 90), 15: (52, 16), 17: (55, 17)}
    joints = np.zeros((18, 2))
    for index, place in {0: (50, 19), 1: (50, 30), **right, **left}.items():
        joints[index] = place
    return joints, np.ones(18, dtype=bool)


def sitting(joints):
    joints[[9, 12], 1] = 64
    joints[[10, 13], 1] = 82


def sideways(joints):
    joints[[2, 5, 8, 11], 0] = 47, 53, 48, 52


def from_behind(joints):
    joints[:, 0] = 100 - joints[:, 0]


def crossed(joints):
    joints[4], joints[7] = (55, 40), (45, 41)


def touching_the_head(joints):
    joints[7] = joints[0] + (3, 0)


UNFIT = {
    sitting: ("sits or squats", "stands upright"),
    sideways: ("from the side", "faces the viewer"),
    from_behind: ("from behind", "faces the viewer"),
    crossed: ("arms are crossed", "arms hang beside the body"),
    touching_the_head: ("lies at its head", "hands hang beside the body"),
}


@pytest.mark.parametrize("change", UNFIT)
def test_a_reference_that_cannot_be_used_is_announced(change):
    joints, seen = standing()
    unfit = joints.copy()
    change(unfit)
    upright, everything = np.stack([joints] * 3), np.stack([seen] * 3)
    (told,) = findings.of_reference(unfit, seen, upright, everything)
    for words in UNFIT[change]:
        assert words in told
    assert "reference" in told and "use a reference" in told
    assert findings.of_reference(joints, seen, upright, everything) == ()
    assert findings.of_reference(unfit, seen, np.stack([unfit] * 3), everything) == ()  # the driver does the same


def test_a_driver_that_leaves_the_canvas_is_announced():
    joints, seen = standing()
    clip, everything = np.stack([joints] * 8), np.ones((8, 18), dtype=bool)
    clip[3:6, :, 1] += 50  # all from the waist down
    (told,) = findings.of_inputs((joints, seen), (clip, everything), (100, 100))
    share = round(100 * (joints[:, 1] >= 50).mean())
    assert told.startswith(f"{share} % of the motion source's joints are outside the canvas in frames 3-5: ")
    assert "Align Pose with mode affine" in told
    cut = seen.copy()
    cut[[9, 10, 12, 13]] = False
    (told,) = findings.of_inputs((joints, cut), (clip, everything), (100, 100))
    assert "this reference is a half body" in told and "shows the whole body" in told
    clip[7, :, 0] += 90
    assert "and 1 more run of frames" in findings.of_driver(clip, everything, (100, 100), False)[0]
    assert findings.of_inputs((joints, seen), (clip[:3], everything[:3]), (100, 100)) == ()


def test_warnings_come_with_the_preview(scene):
    target = scene.moving[:3].copy()
    target[1:, :, 1] += 0.6 * HEIGHT
    (told,) = scene.preview(target).warnings
    assert "outside the canvas in frames 1-2" in told


def test_the_reliability_curve_counts_every_cell():
    said = np.linspace(0, 1, 50)
    frames = [Cells("mild", said, np.where(said > 0.5, 0.2, 0.01))]
    points = reliability(frames)
    assert len(points) == BINS and sum(count for *_, count in points) == 50
    assert points[0][1] == 0 and points[-1][1] == 1 and points[-1][0] > 0.9
    assert curve(frames).size[0] == curve(frames).size[1]


def test_a_shown_face_is_kept_as_far_as_asked_and_nothing_else_changes(scene):
    plain, kept, half = (scene.preview(scene.moving, keep_face=k).redraw_mask for k in (0.0, 1.0, 0.5))
    assert torch.equal(plain, scene.made.redraw_mask)
    x, y = (int(v) for v in scene.moving[1, 0, :2])  # the nose of a frame that shows it
    assert plain[1, y, x] > 0 and kept[1, y, x] == 0
    assert torch.allclose(half, (plain + kept) / 2)
    assert torch.equal(kept[-3:], plain[-3:])  # a back has no face
    foot = slice(int(scene.moving[1, 10, 1]) - CELL, None)
    assert torch.equal(kept[:, foot], plain[:, foot])


def test_a_reference_without_a_face_keeps_none(scene):
    faceless = scene.rest.copy()
    faceless[:, [0, 14, 15], 2] = 0
    made = [
        generate(scene.image, poses(faceless), poses(scene.moving), scene.mask, keep_face=k).redraw_mask for k in (0, 1)
    ]
    assert torch.equal(*made)
