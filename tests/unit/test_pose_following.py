"""Who is followed over a clip: drawn clips of several people, shuffled in every frame, with known truth.

A clip is made of paths: body and motion of a drawn character, its size, and where it stands in each frame; NaN where
the frame does not show it. The truth is the person's own noisy joints.
"""

import numpy as np
import pytest

from freeanimate_pack.demo.drawn.motion import motion
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pose import PoseSequence, follow_person, parse_poses, write_poses
from freeanimate_pack.freeanimate_core.pose.align import AlignSettings, align

HEIGHT, WIDTH = 240, 400
FRAMES = 24
LOST = np.nan
WHERE = "Align Pose: driving_pose"


def path(start, end, lost=(), frames=FRAMES):
    """Where somebody's middle stands across the canvas, with frames in which they are not found."""
    across = np.linspace(start, end, frames)
    across[list(lost)] = LOST
    return across


def bodies(across, kind="dance", seed=1, size=0.5, noise=0.8, beat=0):
    """Joints [F,18,3] of a character of that size on its path, noise in pixels, its motion ``beat`` frames on."""
    rng = np.random.default_rng([seed, beat])
    joints = np.roll(motion(kind, seed, len(across), HEIGHT, WIDTH).astype(np.float64), -beat, axis=0)
    joints[..., :2] = (joints[..., :2] - (WIDTH / 2, HEIGHT)) * size + (0, HEIGHT)
    joints[..., 0] += across[:, None]
    joints[..., :2] += rng.normal(0, noise, joints[..., :2].shape)
    joints[np.isnan(across)] = 0
    return joints


def clip(*people, shuffled=True):
    """POSE_KEYPOINT of all of them, in another order in every frame; nobody stands where all are lost."""
    rng = np.random.default_rng(7)
    frames = write_poses(PoseSequence.from_joints(people[0], HEIGHT, WIDTH))
    for index, frame in enumerate(frames):
        shown = [joints[index] for joints in people if joints[index].any()]
        order = rng.permutation(len(shown)) if shuffled else range(len(shown))
        frame["people"] = [{"pose_keypoints_2d": shown[k].ravel().tolist()} for k in order]
    return frames


def check(frames, person, truth):
    """The joints followed are those of ``truth`` in every frame, and missing where it is."""
    followed = follow_person(frames, WHERE, person)
    np.testing.assert_allclose(followed.poses.joints, truth, atol=1e-9)
    return followed.notes


@pytest.mark.parametrize("noise", [0.0, 0.8, 2.5])
@pytest.mark.parametrize("beats", [(0, 0), (0, 5)])
def test_two_of_one_build_cross_at_one_place(noise, beats):
    left = bodies(path(60, 340), noise=noise, beat=beats[0])
    right = bodies(path(340, 60), noise=noise, beat=beats[1], seed=1)
    frames = clip(left, right)
    assert check(frames, 1, left) == ("followed the 1st of 2 people from the left",)
    check(frames, 2, right)


@pytest.mark.parametrize("at_end", [False, True])
def test_two_who_start_or_end_side_by_side_and_walk_apart(at_end):
    """The second frame alone would swap them: each stands where the other one stood."""
    left, right = bodies(path(200, 400, frames=12), noise=0), bodies(path(215, 15, frames=12), noise=0)
    people = [joints[::-1].copy() if at_end else joints for joints in (left, right)]
    order = people[::-1] if at_end else people
    frames = clip(*people)
    for number, truth in enumerate(order, start=1):
        check(frames, number, truth)


@pytest.mark.parametrize("kind", ["walk", "dance", "side step", "squat"])
def test_three_cross_in_every_motion(kind):
    people = [
        bodies(path(60, 340), kind),
        bodies(path(190, 210), kind, beat=3, size=0.55),
        bodies(path(350, 40), kind, beat=8, size=0.45),
    ]
    frames = clip(*people)
    for number, truth in enumerate(people, start=1):
        check(frames, number, truth)


@pytest.mark.parametrize("lost", [range(10, 13), range(9, 15), range(7, 18)])
def test_lost_behind_the_other_while_they_cross(lost):
    front, behind = bodies(path(60, 340)), bodies(path(340, 60, lost), beat=4)
    frames = clip(front, behind)
    check(frames, 1, front)
    check(frames, 2, behind)


@pytest.mark.parametrize("gone", [(7,), (0, 1), (22, 23), (3, 4, 5, 11, 12, 18)])
def test_a_loss_is_a_gap_and_nobody_steps_in(gone):
    left, right = bodies(path(100, 110, gone)), bodies(path(180, 170), beat=6)
    frames = clip(left, right)
    check(frames, 1, left)
    check(frames, 2, right)
    filled = align(follow_person(frames, WHERE, 1).poses, first(right), AlignSettings("none", fill_gaps=5)).poses
    whole = bodies(path(100, 110))
    assert np.abs(filled.joints[list(gone), 1, :2] - whole[list(gone), 1, :2]).max() < 8


def first(joints):
    return PoseSequence.from_joints(joints[:1], HEIGHT, WIDTH)


@pytest.mark.parametrize("away", [range(8, 12), range(6, 20)])
def test_back_at_another_place_is_a_jump_that_is_told(away):
    across = path(60, 60, away)
    across[away[-1] + 1 :] = 350
    wanderer, other = bodies(across, seed=1), bodies(path(200, 205), beat=5)
    frames = clip(wanderer, other)
    notes = check(frames, 1, wanderer)
    assert f"the body jumps at 1 frame (counted from 0: {away[-1] + 1})" in notes
    assert not any("jumps" in note for note in check(frames, 2, other))


def test_a_child_who_comes_in_is_not_the_adult_who_went():
    adult, child = bodies(path(60, 70, range(10, FRAMES))), bodies(path(330, 320, range(12)), size=0.25)
    other = bodies(path(200, 200), beat=4)
    frames = clip(adult, child, other)
    check(frames, 1, adult)
    check(frames, 2, other)
    check(frames, 3, child)


def test_the_largest_is_so_over_the_whole_clip():
    """Sizes alternate from frame to frame: arms down, arms out; somebody larger passes by in four frames."""
    tall = bodies(path(100, 100), "squat", size=0.55, noise=0)
    small = bodies(path(250, 250), "squat", size=0.5, noise=0)
    small[::2, [4, 7], 0] += (-8, 8)
    larger = [np.prod(np.ptp(a[:, :2], axis=0)) > np.prod(np.ptp(b[:, :2], axis=0)) for a, b in zip(small, tall)]
    assert 8 <= sum(larger) < FRAMES / 2 + 1
    giant = bodies(path(330, 380, [f for f in range(FRAMES) if not 5 <= f < 9]), size=0.8)
    check(clip(tall, small, giant), 0, tall)


def test_equal_sizes_do_not_alternate():
    left, right = bodies(path(100, 100), noise=0), bodies(path(300, 300), noise=0)
    joints = follow_person(clip(left, right), WHERE, 0).poses.joints
    assert np.ptp(joints[:, 1, 0]) < 40


def test_a_detector_of_one_person_that_alternates():
    """Of two dancers every frame shows another one: the one followed has gaps of a frame, which are filled."""
    left, right = bodies(path(100, 100)), bodies(path(300, 300), beat=5)
    left[1::2], right[::2] = 0, 0
    check(clip(left, right), 1, left)


@pytest.mark.parametrize("back", [FRAMES, 15])
def test_a_cut_in_a_clip_of_one_person_is_one_person(back):
    near, far = bodies(path(200, 200), size=1.0), bodies(path(60, 60), size=0.3)
    joints = near.copy()
    joints[8:back] = far[8:back]
    assert any("jumps" in note and "8" in note for note in check(clip(joints), 0, joints))


def test_a_person_too_fast_for_the_frames_is_one_person():
    joints = bodies(path(30, 370, frames=4), size=0.3)
    check(clip(joints), 0, joints)
    frames = clip(joints)
    np.testing.assert_allclose(parse_poses(frames, "x").joints, joints, atol=1e-9)


def test_false_detections_count_last_and_are_not_followed():
    left, right = bodies(path(100, 130)), bodies(path(300, 280), beat=5)
    ghost = np.zeros_like(left)
    ghost[9] = bodies(path(30, 30), seed=4)[9]
    frames = clip(left, right, ghost)
    check(frames, 1, left)
    check(frames, 2, right)
    assert follow_person(frames, WHERE, 3).poses.seen.any(axis=1).nonzero()[0].tolist() == [9]


def test_half_of_the_joints_lost_for_a_while():
    """The detector loses legs and arms in turn: the rest is followed, and what comes back is no jump."""
    left, right = bodies(path(140, 200)), bodies(path(240, 190), beat=7)
    for frame in range(4, 20):
        left[frame, [8, 9, 10, 11, 12, 13] if frame % 2 else [2, 3, 4, 5, 6, 7]] = 0
    frames = clip(left, right)
    assert len(check(frames, 1, left)) == 1
    check(frames, 2, right)


def test_drawn_motions_hold_no_jump():
    for kind in ("wave", "walk", "dance", "squat", "side step"):
        for frames in (6, 12, 24):
            joints = bodies(path(200, 200, frames=frames), kind, size=1.0)
            assert check(clip(joints), 0, joints) == ()


def test_whom_the_clip_does_not_show():
    frames = clip(bodies(path(100, 100)), bodies(path(300, 300)))
    with pytest.raises(FreeAnimateError, match="shows 2 .*but person is 3 .*set person to 2 or less, or to 0"):
        follow_person(frames, WHERE, 3)
    with pytest.raises(FreeAnimateError, match="but reference_person is 3 .*set reference_person to 2"):
        parse_poses(frames[:1], "x", 3, widget="reference_person")


def test_without_gaps_the_one_followed_must_be_in_every_frame():
    frames = clip(bodies(path(100, 100, (5,))), bodies(path(300, 300)))
    with pytest.raises(FreeAnimateError, match=r"x: frame 5 \(counted from 0\) shows people, but not the one"):
        parse_poses(frames, "x", 1)
    assert len(parse_poses(frames, "x", 2)) == FRAMES


def test_many_people_over_many_frames_are_followed():
    """A crowd of twelve in two rows, each followed over the whole clip."""
    people = [bodies(path(20 + 32 * k, 25 + 32 * k), size=0.2, beat=k, noise=0.3) for k in range(12)]
    frames = clip(*people)
    for number in (1, 6, 12):
        check(frames, number, people[number - 1])
