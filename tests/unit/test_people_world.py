"""The rendered people: dressed, true to their truth, and the same for the same seed."""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from demo.people import (
    CLASSES,
    HELD_OUT_SEEDS,
    MOTIONS,
    POSES,
    REFERENCES,
    TRAINING_SEEDS,
    Pose,
    caption,
    clip,
    flow,
    framing,
    pair,
    person,
    plate,
    pose_of_class,
    posed,
    reference_pose,
    render,
    room,
    shown_by,
    training_picture,
)
from demo.people.data import FILE, SHA256
from demo.people.looks import looks
from demo.people.mesh import HAIR, LEGS, SHOES, SKIN, TOP
from demo.people.motions import motion
from demo.people.pose import bone_transforms
from demo.people.shape import shape
from demo.people.words import scene

SIZE = 128
SEED = 10_003


@cache
def frame(yaw: float, seed: int = SEED):
    """Somebody turned by ``yaw`` before one camera."""
    front = posed(person(seed), Pose())
    return render(person(seed), Pose(yaw=yaw), framing(front.points, front.person.tall), room(seed), SIZE, SIZE)


def test_the_body_data_is_the_known_file_and_small():
    assert FILE.stat().st_size <= 4_000_000
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256
    assert FILE.with_name("LICENSE-body.md").exists()


def test_held_out_people_are_apart():
    assert not set(TRAINING_SEEDS) & set(HELD_OUT_SEEDS)


def test_the_same_seed_is_the_same_picture():
    first, joints, words = training_picture(7, 64)
    person.cache_clear()
    again, joints_again, words_again = training_picture(7, 64)
    assert np.array_equal(first, again) and np.array_equal(joints, joints_again) and words == words_again
    assert first.shape == (64, 64, 3) and first.dtype == np.float32 and 0 <= first.min() and first.max() <= 1


@pytest.mark.parametrize("seed", range(20_000, 20_016))
def test_everybody_is_dressed(seed):
    somebody = person(seed)
    middle = somebody.rest[somebody.triangles].mean(axis=1)
    x, y = np.abs(middle[:, 0]), middle[:, 1]
    skin = somebody.material == SKIN
    assert not (skin & (x < 1.6) & (y > -1.0) & (y < 4.4)).any()  # no skin of the trunk is there to be seen
    worn = {kind: middle[somebody.material == kind, 1] for kind in (TOP, LEGS, SHOES)}
    assert worn[TOP].min() < worn[LEGS].max() and worn[TOP].max() > 5.2
    assert worn[LEGS].min() < -1.5 and len(worn[SHOES])


def test_clothes_close_over_the_trunk():
    for yaw in (0.0, np.pi):
        picture = frame(yaw)
        hips, neck = picture.joints[[8, 11], 1].max(), picture.joints[1, 1]
        rows = slice(int(neck + 0.3 * (hips - neck)), int(hips))
        trunk = (picture.labels[rows] == 1) & (picture.mask[rows] > 0.99)
        assert trunk.any() and not (picture.material[rows][trunk] == SKIN).any()


def test_joints_lie_on_the_person():
    picture = frame(0.0)
    assert (picture.joints[:, 2] == 1).all()
    x, y = picture.joints[:, :2].astype(int).T
    assert (picture.mask[y, x] > 0.5).all()
    assert picture.labels[y, x][[0, 14, 15]].tolist() == [2, 2, 2]
    assert picture.labels[y, x][[3, 6, 9, 12]].tolist() in ([3, 5, 7, 9], [4, 6, 8, 10], [3, 5, 8, 10], [4, 6, 7, 9])
    assert picture.joints[2, 0] < picture.joints[5, 0]  # the right shoulder is on the left of the picture


def test_a_turned_head_hides_its_face():
    back, left = frame(np.pi), frame(np.pi / 2)
    assert back.joints[[0, 14, 15], 2].tolist() == [0, 0, 0]
    assert back.joints[[16, 17], 2].tolist() == [1, 1]
    assert left.joints[[16, 17], 2].tolist() == [1, 0]  # looking to larger x, it shows its right ear
    assert left.joints[0, 0] > left.joints[1, 0]


def test_the_mask_is_where_the_picture_leaves_the_room():
    picture = frame(0.0)
    quiet = (picture.mask == 0) & (picture.shaded == 0)
    assert np.allclose(picture.picture[quiet], picture.room[quiet], atol=1e-6)
    assert ((picture.labels > 0) == (picture.mask >= 0.5)).all()
    assert ((picture.material == 255) == (picture.mask == 0)).all()
    assert 0.5 < (picture.shaded > 0).sum() / (picture.mask > 0).sum() * 10
    assert (picture.depth[picture.mask == 1] < 1 / plate(room(SEED), picture.camera, SIZE, SIZE).nearness.min()).all()


def test_flow_follows_the_vertices():
    first, second = frame(0.0), frame(0.12)
    moved, seen = flow(first, second)
    y, x = np.nonzero((first.mask == 1) & seen)
    spots = np.stack([x + 0.5, y + 0.5], axis=1) + moved[y, x]
    assert (second.mask[tuple(np.clip(spots[:, ::-1].astype(int), 0, SIZE - 1).T)] > 0).mean() > 0.99
    vertices = first.posed.points[:, 1] > 0
    before, _ = first.camera.project(first.posed.points[vertices], SIZE, SIZE)
    after, _ = first.camera.project(second.posed.points[vertices], SIZE, SIZE)
    torso = (first.labels == 1) & (first.mask == 1)
    assert abs(np.median(moved[torso][:, 0])) < np.abs(after - before)[:, 0].max()
    still, _ = flow(first, first)
    assert np.allclose(still, 0, atol=1e-3)


def test_a_reference_shows_itself_and_not_its_back():
    front, turned, back = frame(0.0), frame(0.5), frame(np.pi)
    inside = front.mask > 0.5
    assert shown_by(front, front)[inside].mean() > 0.97
    assert shown_by(front, front)[front.mask == 0].all()
    torso = back.labels == 1
    assert shown_by(front, back)[torso].mean() < 0.03
    assert shown_by(front, back)[back.mask > 0.5].mean() < shown_by(front, turned)[turned.mask > 0.5].mean()


def test_the_shadow_is_cast_away_from_the_light():
    picture, source = frame(0.0), room(SEED).light
    y, x = np.nonzero(picture.shaded > 0.5)
    assert (x.mean() > picture.joints[1, 0]) == (source.towards[0] < 0)


@pytest.mark.parametrize("name", POSES)
def test_poses_stand_on_the_floor(name):
    body = posed(person(SEED), pose_of_class(name, SEED))
    assert abs(body.points[:, 1].min()) < 0.35
    assert np.isfinite(body.points).all()


def test_classes_turn_as_their_names_say():
    assert [name for name in CLASSES if name not in POSES] == []
    for name in CLASSES[:8]:
        assert np.isclose(abs(np.degrees(pose_of_class(name, 3).yaw)), float(name.split()[1]))


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_move_smoothly(name):
    skeleton = person(SEED).skeleton
    hands = [skeleton.bones.index(bone) for bone in ("hand_r", "hand_l", "foot_r", "foot_l", "head")]
    rest = np.stack([[*skeleton.head[skeleton.bones[k]], 1.0] for k in hands])
    poses = motion(name, SEED, 49)
    spots = np.stack([(bone_transforms(skeleton, pose)[hands] @ rest[..., None])[..., 0] for pose in poses[::2]])
    assert np.abs(np.diff(spots, axis=0)).max() < 4.5
    assert len(motion(name, SEED, 1)) == 1


def test_a_clip_has_one_camera_and_one_room():
    reference, frames = clip(SEED, "turn to 60", 3, 64, 64, view="three-quarter")
    assert len(frames) == 3 and all(f.camera == reference.camera for f in frames)
    assert all(np.array_equal(f.room, reference.room) for f in frames)
    assert {tuple(f.joints.shape) for f in frames} == {(18, 3)}


def test_a_pair_has_one_camera():
    first, second = pair(SEED, "yaw 90", 64, 64)
    half, _ = pair(SEED, "half body", 64, 64)
    assert first.camera == second.camera and np.array_equal(first.room, second.room)
    assert (half.joints[[10, 13], 2] == 0).all() and half.joints[0, 2] == 1
    both = shown_by((first, second), second)
    assert both[second.mask > 0.5].mean() > shown_by(first, second)[second.mask > 0.5].mean()


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(KeyError):
        pose_of_class("upside down", 0)
    with pytest.raises(KeyError):
        reference_pose(0, "from above")
    with pytest.raises(ValueError):
        clip(0, "squat", 2, 32, 32, view="chest")
    assert set(REFERENCES) == {"frontal", "three-quarter", "hands on hips", "hands in pockets", "knee", "hip", "chest"}


def test_words_say_what_is_worn():
    somebody = person(3)
    words = caption(3)
    assert somebody.looks.top.tint.name in words and somebody.looks.hair.name in words
    assert words.isascii() and words == words.lower() and scene(room(3)) in words


def test_a_skirt_is_pushed_out_of_the_legs():
    seed = next(k for k in range(99) if looks(k, shape(k)).legwear == "skirt" and looks(k, shape(k)).hem < 1.2)
    somebody = person(seed)
    picture = render(
        somebody,
        pose_of_class("walk", seed),
        framing(posed(somebody, Pose()).points, somebody.tall),
        room(seed),
        SIZE,
        SIZE,
    )
    hips, knees = picture.joints[[8, 11], 1].mean(), picture.joints[[9, 12], 1].min()
    rows = slice(int(hips), int(hips + 0.4 * (knees - hips)))
    thighs = np.isin(picture.labels[rows], (7, 9))
    assert (picture.material[rows][thighs] != SKIN).mean() > 0.99


def test_hair_is_on_the_head():
    picture = frame(0.0)
    assert (picture.labels[(picture.material == HAIR) & (picture.mask > 0.5)] == 2).all()


def test_a_body_can_be_rendered_again_elsewhere():
    body = posed(person(SEED), replace(Pose(), yaw=0.3))
    camera = framing(body.points, body.person.tall, cut="chest", eyes="head", heading=0.2)
    picture = render(body, None, camera, room(1), 48, 64)
    assert picture.picture.shape == (48, 64, 3) and picture.mask.mean() > 0.2
