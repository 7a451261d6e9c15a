"""The measures of the studies on rendered people: what each says of cases whose answer is known."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from freeanimate_pack.demo.people import CLASSES, HELD_OUT_SEEDS, MOTIONS, TRAINING_SEEDS, Pose
from lab.evaluation import results
from lab.evaluation.given import cut_out, given, noisy
from lab.evaluation.measures import MEASURES as OF_ANIMATIONS
from lab.evaluation.methods import METHODS as ANIMATING
from lab.evaluation.people import (
    CHOOSING_SEEDS,
    CLIPS,
    FRONTAL,
    OWN_POSE,
    class_of,
    clip_of,
    held_out,
    moving_case,
    still_case,
    stills_case,
    training,
)
from lab.evaluation.pose import people as pose_people
from lab.evaluation.preview import people, scores, table, trust
from lab.evaluation.store import Result

NAMES = (
    "yaw 0|yaw 15|yaw 30|yaw 45|yaw 60|yaw 90|yaw 135|yaw 180|mild|arm across|raised arms|walk|squat|hands on hips|"
    "half body"
).split("|")
TRUST = {"auc", "auc_within_frame", "precision", "frame_correlation", "flagged_at_yaw_0"}
SIZE = 64


@pytest.fixture(scope="module")
def turned():
    return still_case(held_out(0), "yaw 60", SIZE, "exact")


@pytest.fixture(scope="module")
def moving():
    return moving_case(held_out(0), 3, SIZE, "exact")


def bools(*rows: str) -> torch.Tensor:
    return torch.tensor([[mark == "#" for mark in row] for row in rows])


def test_the_classes_are_those_of_the_tables():
    assert list(CLASSES) == NAMES


def test_a_perfect_preview_scores_all_there_is():
    frame, mask = torch.rand(40, 40, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(40, 40)
    mask[5:30, 5:30] = 1
    labels = (mask * 3).long()
    assert scores.person_psnr(frame, mask, frame, mask) == math.inf
    assert scores.area_psnr(frame, frame, mask > 0.5) == math.inf
    assert scores.plate_psnr(frame, frame, mask, torch.zeros(40, 40)) == math.inf
    assert scores.overlap(mask, mask) == 1
    assert scores.part_error(labels, labels) == 0
    assert scores.recall(mask > 0.5, mask > 0.5) == scores.precision(mask > 0.5, mask > 0.5) == 1


def test_overlap_is_intersection_over_union():
    one, other = torch.zeros(10, 10), torch.zeros(10, 10)
    one[:, :6], other[:, 4:] = 1, 1
    assert scores.overlap(one, other) == pytest.approx(0.2)


def test_recall_and_precision_of_what_is_unseen():
    unseen = bools(*["#" * 10 + "." * 10] * 10)  # 100 pixels
    flagged = bools(*["." * 5 + "#" * 10 + "." * 5] * 10)  # half of them, and as many others
    assert scores.recall(flagged, unseen) == 0.5
    assert scores.precision(bools(*["." * 5 + "#" * 6 + "." * 9] * 10), unseen) == pytest.approx(5 / 6)
    assert scores.recall(flagged, unseen & False) is None
    assert scores.precision(unseen & False, unseen) is None


def test_the_plate_counts_where_the_person_stood_and_no_shadow_falls():
    room, mask, shadow = torch.zeros(20, 20, 3), torch.zeros(20, 20), torch.zeros(20, 20)
    mask[:10], shadow[5:] = 1, 1
    plate = room + 0.1
    plate[5:] = 1.0  # in the shadow
    assert scores.plate_psnr(plate, room, mask, shadow) == pytest.approx(20)


def test_a_part_that_moved_has_that_error_and_one_that_is_lost_the_largest():
    true = torch.zeros(64, 64, dtype=torch.long)
    true[10:20, 10:20] = 1
    assert scores.part_error(true, true.roll((3, 4), (0, 1))) == pytest.approx(5)
    assert scores.part_error(true, torch.zeros_like(true)) == 8


def test_auc_counts_pairs_in_order_and_ties_for_half():
    wrong = np.array([True, True, False, False])
    assert trust.auc(np.array([0.9, 0.8, 0.2, 0.1]), wrong) == 1
    assert trust.auc(np.array([0.1, 0.2, 0.8, 0.9]), wrong) == 0
    assert trust.auc(np.array([0.9, 0.3, 0.4, 0.1]), wrong) == 0.75
    assert trust.auc(np.zeros(4), wrong) == 0.5
    assert trust.auc(np.zeros(4), np.ones(4, dtype=bool)) is None


def test_precision_at_an_area_takes_ties_at_their_mean():
    wrong = np.array([True, False, True, False, False, False])
    said = np.array([0.9, 0.8, 0.0, 0.0, 0.0, 0.0])
    assert trust.precision_at_area(said, wrong, 1) == 1
    assert trust.precision_at_area(said, wrong, 2) == 0.5
    assert trust.precision_at_area(said, wrong, 4) == pytest.approx((1 + 2 * 0.25) / 4)
    assert trust.precision_at_area(said, wrong, 0) is None


def test_cells_are_those_that_a_figure_covers():
    truth, figures = torch.zeros(16, 16, 3), torch.zeros(16, 16, dtype=torch.bool)
    figures[:8, :8], figures[8:10, :8] = True, True  # a whole cell, and a quarter of the one below
    frame, said = truth.clone(), torch.zeros(16, 16)
    frame[:8, :8], said[:8, :8] = 0.1, 1
    frame[10:, :] = 1  # beside the figures: a shadow
    cells = trust.cells_of("mild", said, frame, truth, figures)
    assert cells.said.tolist() == [1, 0] and cells.wrong.tolist() == [True, False]
    assert cells.error == pytest.approx([0.1, 0])


def test_trust_over_frames():
    right = trust.Cells("yaw 0", np.array([0.0, 0.0]), np.array([0.01, 0.02]))
    mixed = trust.Cells("squat", np.array([0.9, 0.1]), np.array([0.3, 0.01]))
    flat = trust.Cells("walk", np.array([0.4, 0.4]), np.array([0.3, 0.01]))
    found = trust.summary([right, mixed, flat])
    assert set(found) == TRUST
    assert found["auc_within_frame"] == 0.75  # 1 and, where the map is constant, one half
    assert found["auc"] == pytest.approx((4 + 3.5) / 8)
    assert found["flagged_at_yaw_0"] == 0
    assert found["precision"] == pytest.approx((1 + 1 / 3 * 0.5) / (4 / 3))
    assert trust.summary([right])["frame_correlation"] is None


def test_noise_moves_what_is_there_by_a_pixel(turned):
    rng = np.random.default_rng(0)
    moved = np.concatenate([noisy(turned.targets, rng).joints - turned.targets.joints for _ in range(200)])
    there = np.tile(turned.targets.joints[..., 2] > 0, (200, 1))
    assert np.std(moved[there][:, :2]) == pytest.approx(SIZE / 256, rel=0.05)
    assert not moved[~there].any() and not moved[..., 2].any()


def test_noisy_inputs_are_the_packs_mask_and_the_same_every_time(turned):
    asked = turned.reference, turned.reference_mask, turned.pose, turned.targets
    mask, pose, targets = given("noisy", *asked, [1, 2])
    again = given("noisy", *asked, [1, 2])
    assert torch.equal(mask, again[0]) and np.array_equal(targets.joints, again[2].joints)
    assert torch.equal(mask, cut_out(turned.reference, pose)) and not torch.equal(mask, turned.reference_mask)
    assert given("exact", *asked, [1, 2])[0] is turned.reference_mask


def test_a_case_has_all_of_the_truth(turned):
    assert turned.classes[-1] == "yaw 60" and len(turned.truth) == len(turned.targets) == 2
    assert turned.truth.shape == (2, SIZE, SIZE, 3) and turned.labels.shape == turned.shown.shape == (2, SIZE, SIZE)
    figure = turned.masks > 0.5
    assert turned.shown[0][figure[0]].float().mean() > 0.9  # the reference shows itself
    assert 0.02 < (~turned.shown[1])[figure[1]].float().mean() < 0.6
    still = (turned.masks == 0).all(0) & (turned.shadow < 0.01)
    assert (turned.truth[0] - turned.room)[still].abs().max() < 0.02


def test_stills_have_one_reference_and_none_follows_another():
    case = stills_case(training(0), SIZE, "exact")
    assert case.classes == (OWN_POSE, *FRONTAL) and [*FRONTAL, "half body"] == NAMES
    assert torch.equal(case.reference[0], case.truth[0])
    nobody = case.masks == 0
    assert ((case.truth - case.room).abs().amax(-1) < 0.02)[nobody].float().mean() > 0.9  # one camera, but for shadows
    assert not case.stayed.any() and not case.only([0, 3]).stayed.any()
    noisy_one = stills_case(training(0), SIZE, "noisy")
    assert torch.equal(noisy_one.truth, case.truth) and not torch.equal(noisy_one.given_mask, case.given_mask)


def test_who_chooses_does_not_judge():
    assert [training(number) for number in range(8)] == list(CHOOSING_SEEDS) == list(range(101, 109))
    assert set(CHOOSING_SEEDS) <= set(TRAINING_SEEDS) and not set(CHOOSING_SEEDS) & set(HELD_OUT_SEEDS)


def test_flow_finds_the_surface_in_the_frame_before(moving):
    centre = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
    assert moving.places.shape == (2, SIZE, SIZE, 2) and moving.stayed.shape == (2, SIZE, SIZE)
    nobody = moving.masks[1] == 0
    assert np.allclose(moving.places[0].numpy()[nobody.numpy()], centre[nobody.numpy()])
    assert (moving.places[0] - torch.from_numpy(centre))[moving.labels[1] > 0].abs().max() > 1


def test_a_case_cut_to_some_frames(moving):
    cut = moving.only([0, 2])
    assert len(cut.truth) == len(cut.targets) == len(cut.classes) == 2
    assert torch.equal(cut.truth[1], moving.truth[2]) and not cut.stayed.any()  # frame 1 is gone
    assert torch.equal(moving.only([1, 2]).stayed[0], moving.stayed[1])
    alone = moving.only([1])
    assert len(alone.places) == len(alone.stayed) == 0


def test_frames_of_a_motion_have_the_class_of_their_yaw_or_motion():
    assert class_of("full turn", "frontal", Pose(yaw=math.radians(350))) == "yaw 15"
    assert class_of("turn to -60", "frontal", Pose(yaw=math.radians(-50))) == "yaw 45"
    assert class_of("squat", "frontal", Pose()) == "squat"
    assert class_of("wave", "frontal", Pose()) == "mild"
    assert class_of("wave", "hip", Pose()) == "half body"
    assert {name for name, _ in CLIPS} <= set(MOTIONS)
    assert clip_of(HELD_OUT_SEEDS[1]) == CLIPS[1]


def test_parts_carried_by_places_lie_where_they_are(turned):
    still = replace(turned.only([0]), targets=turned.pose)
    for method in people.METHODS:
        assert scores.part_error(turned.reference_labels, people.labels_by_place(still, method)) < 0.3, method


def test_the_study_writes_its_form(tmp_path, monkeypatch):
    monkeypatch.setattr(people, "CLASSES", ("yaw 0", "yaw 90"))
    people.run(tmp_path, 1, SIZE, "noisy")
    found = json.loads((tmp_path / "preview.json").read_text())
    assert list(found["classes"]) == ["yaw 0", "yaw 90"] and set(found["trust"]) == TRUST
    methods = found["classes"]["yaw 90"]
    assert {"ours", "similarity", "linear_blend_skinning"} <= set(methods)
    wanted = "person_psnr seen_psnr mask_iou part_error unseen_recall unseen_precision plate_psnr seconds".split()
    assert all(list(measures) == wanted for measures in methods.values())
    assert all(set(entry) == {"mean", "se"} for entry in methods["ours"].values())
    assert (tmp_path / "preview_sheet.png").exists()


def test_the_table_leaves_out_who_has_no_value():
    found = table.of_people({"yaw 0": {"ours": {"unseen_recall": [None, 1.0, 3.0], "seen_psnr": [None]}}})
    entries = found["yaw 0"]["ours"]
    assert entries["unseen_recall"] == {"mean": 2.0, "se": 1.0} and entries["seen_psnr"] == {"mean": None, "se": None}


def test_animations_are_told_by_class():
    values = [dict.fromkeys(OF_ANIMATIONS, value) for value in (1.0, 3.0, 5.0)]
    one = Result(values[0], 0.0, None, {"walk": values[1], "squat": values[0]})
    other = Result(values[0], 0.0, None, {"walk": values[2]})
    methods = {"full": ANIMATING["full"]}
    found = results.by_class({"full": [one, other]}, methods)
    assert list(found) == ["squat", "walk"]
    assert found["walk"]["full"]["psnr"]["mean"] == 4 and found["squat"]["full"]["psnr"]["mean"] == 1
    assert results.by_class({"full": [replace(one, classes={})]}, methods) == {}


def test_somebody_elses_motion_is_not_ones_own():
    (clip, classes), *_ = pose_people.clips_of(1, "exact")
    assert len(classes) == len(clip.driving) == len(clip.truth) == pose_people.FRAMES
    off = pose_people.errors(clip, "none")
    assert off.shape == (pose_people.FRAMES,) and (off > 0).all()
    own = replace(clip, driving=replace(clip.driving, joints=clip.truth))
    assert pose_people.errors(own, "none") == pytest.approx(0)
