"""Head, limbs and skirt as bodies that turn, and turns that are steady over a clip."""

import math

import numpy as np
import pytest
import torch

from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.preview import generate
from freeanimate_pack.freeanimate_core.preview.bodies import head_solid, limb_solid, planted
from freeanimate_pack.freeanimate_core.preview.bones import HALVES, SHOULDERS, Bone
from freeanimate_pack.freeanimate_core.preview.head import ball_of
from freeanimate_pack.freeanimate_core.preview.placement import place
from freeanimate_pack.freeanimate_core.preview.turning import turned
from freeanimate_pack.freeanimate_core.preview.yaw import smoothed

SIDE = 128
MIDDLE = SIDE / 2
# Nose, neck, arms, legs, eyes and ears of somebody upright: across from the middle and down, pixels; depth to the
# front in pixels. Right comes before left, as in the 18 joints.
RIGHT = {2: (-16, 40, 0), 3: (-20, 58, 0), 4: (-22, 74, 0), 8: (-9, 76, 0), 9: (-10, 96, 0), 10: (-10, 114, 0)}
FACE = {0: (0, 22, 13), 1: (0, 40, 0), 14: (-3, 20, 10), 15: (3, 20, 10), 16: (-10, 21, 0), 17: (10, 21, 0)}
LEFT = {5: 2, 6: 3, 7: 4, 11: 8, 12: 9, 13: 10}
HIDDEN = {16: -1, 17: 1}  # ears: the side away from which they are not seen


def _body():
    places = {**RIGHT, **FACE, **{left: (-RIGHT[k][0], *RIGHT[k][1:]) for left, k in LEFT.items()}}
    return np.array([places[k] for k in range(18)], dtype=float)


def _joints(degrees):
    """Joints [1,18,3] of the body after a turn towards the picture's right; a face from behind is not seen."""
    body, yaw = _body(), math.radians(degrees)
    x = MIDDLE + body[:, 0] * math.cos(yaw) + body[:, 2] * math.sin(yaw)
    seen = np.ones(18)
    seen[[0, 14, 15]] = math.cos(yaw) > -0.3
    for ear, side in HIDDEN.items():
        seen[ear] = side * math.sin(yaw) < 0.6
    return np.stack([x, body[:, 1], seen], axis=-1)[None]


@pytest.fixture(scope="module")
def person():
    """Picture [1,128,128,3] and mask: grey clothes, a light face under dark hair, wider than it is high nowhere."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    body, image = _body(), np.full((SIDE, SIDE, 3), 0.2, dtype=np.float32)
    mask = np.hypot(x - MIDDLE, (y - 21) / 1.2) < 11
    image[mask] = (0.9, 0.7, 0.6)
    image[mask & (y < 16)] = (0.3, 0.1, 0.1)
    trunk = (np.abs(x - MIDDLE) < 17) & (y > 33) & (y < 79)
    for half in HALVES.values():
        (ax, ay), (bx, by) = (body[joint, :2] + (MIDDLE, 0) for joint in half.joints)
        past = 1.25 if half.index else 1.0
        t = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2), 0, past)
        trunk |= np.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) < 6
    image[trunk] = 0.6
    return torch.from_numpy(image)[None], torch.from_numpy((mask | trunk).astype(np.float32))[None]


def _made(person, turns, **options):
    image, mask = person
    poses = (PoseSequence.from_joints(np.concatenate([_joints(t) for t in some]), SIDE, SIDE) for some in ([0], turns))
    return generate(image, *poses, mask, **options)


def _unseen(made):
    """Share of the figure in each frame that is a hole."""
    figure = made.person_mask > 0.5
    return [float((holes[there] > 0.5).float().mean()) for holes, there in zip(made.hole_mask, figure)]


def test_what_is_unseen_grows_with_the_turn_and_is_all_of_it_from_behind(person):
    shares = [_unseen(_made(person, [turn]))[0] for turn in (0, 45, 90, 135, 180)]
    assert shares == sorted(shares) and shares[0] < 0.02
    assert 0.3 < shares[2] < 0.7
    assert shares[4] > 0.95


def test_from_behind_a_head_is_hair(person):
    made = _made(person, [180])
    face = made.frames[0, 18:24, 58:70]
    assert (face - torch.tensor([0.3, 0.1, 0.1])).abs().max() < 0.1


@pytest.mark.parametrize("turn", [60, 90, 135])
def test_a_turn_to_the_other_side_is_its_mirror_image(person, turn):
    """As far as pixels go: the picture's middle lies between two of them."""
    right, left = (_made(person, [way * turn]) for way in (1, -1))
    for name in ("frames", "person_mask", "hole_mask"):
        off = (getattr(right, name) - getattr(left, name).flip(2)).abs()
        assert off.mean() < 0.01, name


def test_frames_do_not_depend_on_the_chunk(person):
    """But for rounding, which is another one in windows of another size: it decides at a few edges."""
    turns = [0, 0, 40, 44, 90, 130, 180, 180, 0]
    whole, single = (_made(person, turns, chunk=chunk) for chunk in (9, 2))
    for name in ("frames", "person_mask", "hole_mask"):
        torch.testing.assert_close(getattr(whole, name), getattr(single, name), atol=0.02, rtol=0)


def test_a_frame_without_a_turn_is_the_same_in_a_clip_with_turns(person):
    alone, among = _made(person, [0]), _made(person, [0, 0, 90, 180, 180, 90])
    for name in ("frames", "person_mask", "hole_mask"):
        torch.testing.assert_close(getattr(alone, name)[0], getattr(among, name)[0], atol=1e-6, rtol=0)


@pytest.mark.parametrize("turn", [-135, -90, -60, 60, 90, 135])
def test_a_turned_head_stays_over_the_neck_and_turns_with_the_trunk(turn):
    """Also where one ear is all that is seen of it."""
    ref, frame = _joints(0)[0], _joints(turn)
    placed = place(ref[:, :2], ref[:, 2] > 0, frame[..., :2], frame[..., 2] > 0)
    middle = placed.heads.maps[0] @ np.array([MIDDLE, 21, 1])
    assert middle == pytest.approx([MIDDLE, 21], abs=2.5)
    assert math.degrees(placed.heads.yaw[0]) == pytest.approx(turn, abs=15)
    assert math.degrees(placed.yaw[0]) == pytest.approx(turn, abs=10)


def test_noise_of_joints_turns_nobody_to_and_fro():
    rng = np.random.default_rng(3)
    ref, frames = _joints(0)[0], np.repeat(_joints(60), 24, axis=0)
    frames[..., :2] += rng.normal(0, 0.7, frames[..., :2].shape)
    seen = frames[..., 2] > 0
    clip = place(ref[:, :2], ref[:, 2] > 0, frames[..., :2], seen)
    single = [place(ref[:, :2], ref[:, 2] > 0, frames[k : k + 1, :, :2], seen[k : k + 1]) for k in range(24)]
    for whole, alone in (
        (clip.yaw, [one.yaw[0] for one in single]),
        (clip.heads.yaw, [one.heads.yaw[0] for one in single]),
    ):
        assert np.abs(np.diff(whole)).mean() < 0.5 * np.abs(np.diff(alone)).mean()


def test_turns_are_steady_but_not_slow():
    clip = np.radians([0.0, 1, -1, 0, 60, 61, 59, 60])
    found = np.degrees(smoothed(clip))
    assert np.abs(found[:4]).max() < 1 and np.abs(found[4:] - 60).max() < 1
    assert np.array_equal(smoothed(np.array([0.7])), [0.7])
    across = np.degrees(smoothed(np.radians([176.0, 178, 180, -178, -176])))
    assert np.abs(across).min() > 175


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_foot_from_the_side_is_longer_than_from_the_front(side):
    half = HALVES[f"{side} leg 1"]
    bone = Bone(half.name, np.array([48.0, 20]), np.array([48.0, 60]), 6.0, 8.0, half=half)
    layer = torch.zeros(5, 96, 96)
    layer[3, 20:68, 42:54] = 1
    solid = limb_solid(bone, layer)
    x, y = (
        place.expand(1, 96, 96) for place in (torch.arange(96)[None, None] + 0.5, torch.arange(96)[None, :, None] + 0.5)
    )
    spans = []
    for yaw in (0.0, math.pi / 2):
        angle = torch.tensor([yaw])
        outline, _ = turned(solid, angle, *planted(bone, angle, x, y)).outline
        spans.append(int(((outline > 42) & (outline < 54))[0, 64].sum()))
    assert spans[0] == 12 and spans[1] > 16


def test_a_head_without_a_turn_is_where_it_was():
    joints = _joints(0)[0]
    layer = torch.zeros(5, SIDE, SIDE)
    layer[3, 10:34, 54:74] = 1
    solid = head_solid(ball_of(joints[:, :2], joints[:, 2] > 0), layer)
    x, y = torch.full((1, 1, 20), 0.0) + torch.arange(54, 74) + 0.5, torch.full((1, 1, 20), 22.0)
    seen = turned(solid, torch.zeros(1), x, y)
    torch.testing.assert_close(seen.outline[0], x, atol=1e-3, rtol=0)
    assert not seen.unseen[0, 0, 4:-4].any()


def test_shoulders_are_told_apart_from_their_mirror_image():
    """Swapped shoulders are a back, not somebody small."""
    ref, back = _joints(0)[0], _joints(180)
    assert back[0, SHOULDERS[0], 0] > back[0, SHOULDERS[1], 0]
    placed = place(ref[:, :2], ref[:, 2] > 0, back[..., :2], back[..., 2] > 0)
    assert abs(math.degrees(placed.yaw[0])) > 150 and placed.size == pytest.approx(1.0, abs=0.05)
