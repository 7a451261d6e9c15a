"""Whatever the pose: pictures without a NaN, or the pack's own sentence."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freeanimate_pack.demo.drawn.character import draw_character
from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.measures import masked_psnr
from freeanimate_pack.freeanimate_core.pose import PoseSequence, parse_poses, write_poses
from freeanimate_pack.freeanimate_core.preview import bodies, compose, generate

SIZE = 64
CHEAP = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def scene():
    return drawn(2)


@pytest.fixture(scope="module")
def skirted():
    return drawn(3)


def drawn(seed):
    """Reference and mask [1,...] of a character."""
    image, mask = draw_character(seed, rest_pose(seed, SIZE, SIZE), SIZE, SIZE)
    return torch.from_numpy(image), torch.from_numpy(mask)


def poses(joints, size=SIZE):
    return PoseSequence.from_joints(joints, size, size)


def broken(joints, kinds, spots):
    """Joints [1,18,3] with one defect per entry: (joint, kind, another joint, place)."""
    made = joints.copy()
    for (joint, kind, other), place in zip(kinds, spots):
        if kind == "missing":
            made[0, joint] = 0
        elif kind == "repeated":
            made[0, joint] = made[0, other]
        elif kind == "anywhere":
            made[0, joint, :2] = place
        elif kind == "faint":
            made[0, joint, 2] = 0.1
    return made


joint = st.integers(0, 17)
defects = st.lists(
    st.tuples(joint, st.sampled_from(["missing", "repeated", "anywhere", "faint"]), joint), min_size=1, max_size=18
)
places = st.lists(st.tuples(*[st.floats(-500, 600, width=32)] * 2), min_size=18, max_size=18)


def assert_sound(made, frames):
    for name in ("frames", "person_mask", "hole_mask", "background"):
        picture = getattr(made, name)
        assert bool(torch.isfinite(picture).all()), name
        assert 0 <= float(picture.min()) and float(picture.max()) <= 1, name
    assert len(made.coverage) == len(made.frames) == frames
    assert all(0 <= score <= 1 for score in made.coverage)


@CHEAP
@given(kinds=defects, spots=places)
def test_a_target_pose_with_defects_gives_sound_pictures_or_a_sentence(scene, kinds, spots):
    image, mask = scene
    target = np.concatenate([broken(rest_pose(2, SIZE, SIZE), kinds, spots), motion("dance", 2, 3, SIZE, SIZE)[1:2]])
    try:
        made = generate(image, poses(rest_pose(2, SIZE, SIZE)), poses(target), mask)
    except FreeAnimateError as error:
        assert "target_pose frame 0" in str(error)
    else:
        assert_sound(made, 2)


@CHEAP
@given(kinds=defects, spots=places, at_once=st.booleans())
def test_a_skirt_with_defects_in_either_pose_gives_sound_pictures_or_a_sentence(skirted, kinds, spots, at_once):
    image, mask = skirted
    rest, moving = rest_pose(3, SIZE, SIZE), motion("squat", 3, 3, SIZE, SIZE)
    reference, target = (broken(rest, kinds, spots), moving) if at_once else (rest, moving.copy())
    if not at_once:
        target[1:2] = broken(moving[1:2], kinds, spots)
    try:
        made = generate(image, poses(reference), poses(target), mask)
    except FreeAnimateError as error:
        assert str(error).startswith("Preview Generation: ")
    else:
        assert_sound(made, 3)


@CHEAP
@given(kinds=defects, spots=places, masked=st.booleans())
def test_a_reference_pose_with_defects_gives_sound_pictures_or_a_sentence(scene, kinds, spots, masked):
    image, mask = scene
    reference = broken(rest_pose(2, SIZE, SIZE), kinds, spots)
    try:
        made = generate(image, poses(reference), poses(motion("wave", 2, 4, SIZE, SIZE)), mask if masked else None)
    except FreeAnimateError as error:
        assert str(error).startswith("Preview Generation: ")
    else:
        assert_sound(made, 4)


@CHEAP
@given(points=st.lists(st.tuples(*[st.floats(-20, 90, width=32)] * 2), min_size=18, max_size=18))
def test_poses_of_no_person_give_sound_pictures(scene, points):
    image, mask = scene
    target = np.concatenate([np.array(points), np.ones((18, 1))], axis=1)[None]
    assert_sound(generate(image, poses(rest_pose(2, SIZE, SIZE)), poses(target), mask), 1)


@CHEAP
@given(value=st.sampled_from([float("nan"), float("inf"), -float("inf")]), place=st.integers(0, 53))
def test_numbers_that_are_none_are_refused_before_the_preview(value, place):
    frames = write_poses(poses(rest_pose(2, SIZE, SIZE)))
    frames[0]["people"][0]["pose_keypoints_2d"][place] = value
    with pytest.raises(FreeAnimateError, match="not a finite number"):
        parse_poses(frames, "Preview Generation: target_pose")


@pytest.mark.parametrize("seed", range(6))
def test_the_reference_pose_gives_the_reference_back_to_40_db(seed):
    size = 192
    rest = rest_pose(seed, size, size)
    image, mask = (torch.from_numpy(item) for item in draw_character(seed, rest, size, size))
    made = generate(image, poses(rest, size), poses(rest, size), mask)
    assert masked_psnr(made.frames, image, mask) >= 40
    assert made.coverage[0] > 0.9


def test_the_working_memory_does_not_grow_with_the_clip(scene, monkeypatch):
    """What is sampled from a part, in one call, is never more than a chunk of whole canvases with five channels."""
    image, mask = scene
    sampled = []
    sample = compose.sampled

    def seen(picture, x, y):
        made = sample(picture, x, y)
        sampled.append(made.numel())
        return made

    for module in (compose, bodies):
        monkeypatch.setattr(module, "sampled", seen)
    target = poses(motion("wave", 2, 24, SIZE, SIZE))
    generate(image, poses(rest_pose(2, SIZE, SIZE)), target, mask, chunk=4)
    assert len(sampled) >= 6 * 10 and 0 < max(sampled) <= 4 * 5 * SIZE * SIZE
