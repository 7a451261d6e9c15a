"""Compare Videos: what is measured, what is drawn, and what is refused."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from freeanimate_pack.demo.drawn.character import draw_parts
from freeanimate_pack.demo.drawn.motion import motion
from freeanimate_pack.freeanimate_core import measures
from freeanimate_pack.freeanimate_core.compare import plot
from freeanimate_pack.freeanimate_core.compare.clips import gathered
from freeanimate_pack.freeanimate_core.compare.flow import estimated_flow
from freeanimate_pack.freeanimate_core.compare.measuring import MEASURES, measured
from freeanimate_pack.freeanimate_core.compare.plot import nice_ticks, plotted
from freeanimate_pack.freeanimate_core.compare.side_by_side import GAP, fitting, side_by_side
from freeanimate_pack.freeanimate_core.compare.table import written
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from lab.evaluation.flow import true_flow

FRAMES, SIZE = 5, 64
LABELS = ["A", "B", "C", "D"]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def drawn():
    """A character that steps to the side: joints, frames, masks, labels."""
    joints = motion("side step", 0, FRAMES, 128, 128)
    return joints, *(torch.from_numpy(part) for part in draw_parts(0, joints, 128, 128)[:3])


def clips(drawn, truth=True, masks=True):
    _, frames, person, _ = drawn
    videos = {"video_a": (frames + 0.02 * noise(*frames.shape)).clamp(0, 1), "video_b": 0.9 * frames, "video_c": None}
    return gathered(videos, LABELS, frames if truth else None, person if masks else None)


def scored(clips) -> dict:
    return {score.measure.name: score for score in measured(clips, lambda done: None)}


def test_the_estimated_flow_is_near_the_true_one(drawn):
    joints, frames, _, labels = drawn
    true, shown = true_flow(joints, labels)
    found, seen = estimated_flow(frames)
    person = shown & seen & (labels[1:] > 0)
    y, x = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    motion = (true - torch.stack([x, y], dim=-1)).norm(dim=-1)[person].mean()
    assert person.sum() > 0.5 * (labels[1:] > 0).sum()
    assert (true - found).norm(dim=-1)[person].mean() < 0.2 * motion


def test_the_estimated_flow_leaves_out_what_was_hidden():
    clip = noise(1, 8, 8, 3).movedim(-1, 1)
    picture = torch.nn.functional.interpolate(clip, size=SIZE, mode="bicubic").clamp(0, 1)[0].movedim(0, -1)
    before, after = picture.clone(), picture.clone()
    before[20:44, 20:44], after[20:44, 32:56] = 0.0, 0.0  # a black square moves 12 pixels to the right
    _, seen = estimated_flow(torch.stack([before, after]))
    assert seen[0, 24:40, 24:30].float().mean() < 0.3  # uncovered by the square
    assert seen[0, :16].float().mean() > 0.9


def test_one_frame_has_no_flow():
    places, seen = estimated_flow(noise(1, SIZE, SIZE + 8, 3))
    assert places.shape == (0, SIZE, SIZE + 8, 2) and seen.shape == (0, SIZE, SIZE + 8)


def test_whole_videos_get_the_measures_of_the_evaluation(drawn):
    made, (_, frames, person, _) = clips(drawn), drawn
    scores, flow = scored(made), estimated_flow(frames)
    assert list(scores) == [measure.name for measure in MEASURES]
    for label, images in made.videos.items():
        assert {name: score.whole[label] for name, score in scores.items()} == {
            "L1": measures.l1(images, frames),
            "PSNR": measures.psnr(images, frames, 1.0),
            "SSIM": measures.ssim(images, frames),
            "warping": measures.warping_error(images, *flow),
            "drift": measures.background_drift(images, person),
            "flicker": measures.flicker(images, frames),
        }


def test_the_measures_over_time_add_up_to_those_of_the_whole(drawn):
    scores = scored(clips(drawn))
    for name in ("L1", "SSIM"):
        series = scores[name].series["A"]
        assert sum(series) / FRAMES == pytest.approx(scores[name].whole["A"], rel=1e-6)
    errors = [10 ** (-value / 10) for value in scores["PSNR"].series["A"]]
    assert -10 * math.log10(sum(errors) / FRAMES) == pytest.approx(scores["PSNR"].whole["A"], abs=1e-6)
    assert max(scores["drift"].series["A"]) == scores["drift"].whole["A"]
    for name, first in (("warping", 1), ("flicker", 2)):
        series = scores[name].series["A"]
        assert series[:first] == [None] * first
        assert min(series[first:]) <= scores[name].whole["A"] <= max(series[first:])


def test_a_disturbed_frame_shows_where_it_is(drawn):
    _, frames, person, _ = drawn
    disturbed = frames.clone()
    disturbed[3] *= 0.5
    scores = scored(gathered({"video_a": disturbed, "video_b": frames}, LABELS, frames, person))
    worst = {name: max(range(FRAMES), key=lambda t: score.series["A"][t] or 0.0) for name, score in scores.items()}
    assert (worst["L1"], worst["drift"]) == (3, 3)
    assert worst["warping"] in (3, 4) and worst["flicker"] in (3, 4)
    assert scores["SSIM"].series["A"][3] < 0.98 < scores["SSIM"].series["A"][2]
    assert math.isinf(scores["PSNR"].whole["B"])


def test_the_truth_is_not_held_against_itself(drawn):
    scores = scored(clips(drawn))
    assert [name for name, score in scores.items() if "truth" in score.whole] == [
        "warping",
        "drift",
        "flicker",
    ]


def test_without_a_truth_only_what_needs_none_is_measured(drawn):
    made = clips(drawn, truth=False, masks=False)
    scores = measured(made, lambda done: None)
    assert [score.measure.name for score in scores] == ["warping", "drift"]
    images = made.videos["A"]
    assert scores[0].whole["A"] == measures.warping_error(images, *estimated_flow(images))
    assert scores[1].whole["A"] == measures.background_drift(images, torch.zeros(images.shape[:3]))
    text = written(scores, made)
    assert "No truth is connected: L1, PSNR, SSIM, flicker are left out" in text
    assert "No person_mask is connected" in text
    assert "No " not in written(measured(clips(drawn), lambda done: None), clips(drawn))


def test_progress_counts_the_videos(drawn):
    done = []
    measured(clips(drawn), done.append)
    assert done == [1, 2, 3]


def test_the_table_is_markdown_with_straight_columns(drawn):
    made = clips(drawn)
    lines = written(measured(made, lambda done: None), made).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 3 and len({len(line) for line in table}) == 1
    assert all(line.count("|") == 2 + len(MEASURES) for line in table)
    assert set(table[1]) <= set("|-: ")
    assert [cell.strip() for cell in table[-1].split("|")[1:5]] == ["truth", "-", "-", "-"]
    assert "Higher is better: PSNR (dB), SSIM." in lines


def test_a_label_cannot_break_the_table(drawn):
    _, frames, person, _ = drawn
    made = gathered({"video_a": frames, "video_b": frames}, ["a|b\nc", "  "], None, person)
    lines = written(measured(made, lambda done: None), made).splitlines()
    assert lines[2].startswith("| a/b c") and lines[3].startswith("| video_b")


REFUSED = {
    "length": ({"video_b": noise(4, SIZE, SIZE, 3)}, "video_b is 4 frames of 64x64 .* video_a 5 frames .*Get Image"),
    "size": ({"video_b": noise(5, SIZE, 32, 3)}, "video_b is 5 frames of 32x64 .* one size.*Upscale Image"),
    "truth": ({"truth": noise(1, SIZE, SIZE, 3)}, "truth is 1 frame of 64x64 and video_a 5 frames"),
    "mask": ({"person_mask": noise(3, SIZE, SIZE)}, "person_mask is 3 frames .* one for all frames"),
    "labels": ({"labels": ["A", "A "]}, "label_a 'A' is there twice"),
    "the truth's label": (
        {"labels": ["A", "truth"], "truth": noise(5, SIZE, SIZE, 3)},
        "label_b 'truth' is what the input truth is called",
    ),
    "a long label": ({"labels": ["A", "b" * 100_000]}, "label_b has 100000 characters; write at most 1000"),
    "half a character": ({"labels": ["A", "b\ud800"]}, r"label_b 'b\\ud800' holds what cannot be printed"),
    "a control character": ({"labels": ["A\x07", "B"]}, r"label_a 'A\\x07' holds what cannot be printed"),
    "no second video": ({"video_b": None}, "video_b is empty and no picture; connect"),
    "nan in the truth": ({"truth": math.nan * noise(5, SIZE, SIZE, 3)}, "truth holds NaN or infinite values"),
    "inf in a video": ({"video_c": math.inf + noise(5, SIZE, SIZE, 3)}, "video_c holds NaN or infinite values"),
    "nan in the mask": ({"person_mask": math.nan * noise(5, SIZE, SIZE)}, "person_mask holds NaN or infinite values"),
    "no channels": ({"truth": noise(SIZE, SIZE)}, "truth has the shape 64x64"),
    "small": ({name: noise(5, 8, 64, 3) for name in ("video_a", "video_b")}, "video_a is 5 frames of 64x8 .* 16x16"),
    "empty": ({name: noise(0, 64, 64, 3) for name in ("video_a", "video_b")}, "video_a is empty .0x64x64x3"),
}


@pytest.mark.parametrize("changed, message", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_by_name(changed, message):
    inputs = {"video_a": noise(5, SIZE, SIZE, 3), "video_b": noise(5, SIZE, SIZE, 3), "video_c": None}
    videos = inputs | {name: images for name, images in changed.items() if name.startswith("video")}
    with pytest.raises(FreeAnimateError, match=f"Compare Videos: .*{message}"):
        gathered(videos, changed.get("labels", LABELS), changed.get("truth"), changed.get("person_mask"))


@pytest.mark.parametrize("mask", (torch.ones(1, SIZE, SIZE), torch.ones(SIZE, SIZE), torch.ones(3, 1, SIZE, SIZE)))
def test_alpha_lies_over_black_and_masks_of_any_rank_serve_all_frames(mask):
    video = noise(3, SIZE, SIZE, 4)
    made = gathered({"video_a": video, "video_b": video[..., :3] * video[..., 3:]}, LABELS, None, mask)
    assert torch.equal(made.videos["A"], made.videos["B"])
    assert torch.equal(made.person_mask, torch.ones(3, SIZE, SIZE))


def test_without_a_truth_a_video_may_be_called_truth():
    video = noise(3, SIZE, SIZE, 3)
    made = gathered({"video_a": video, "video_b": 0.5 * video}, ["truth", "B"], None, None)
    assert list(made.shown) == ["truth", "B"]
    assert "| truth " in written(measured(made, lambda done: None), made)


def test_an_input_between_two_keeps_its_label():
    video = noise(2, SIZE, SIZE, 3)
    videos = {"video_a": video, "video_b": video, "video_c": None, "video_d": video}
    assert list(gathered(videos, LABELS, video, None).row(truth_first=True)) == ["truth", "A", "B", "D"]
    assert list(gathered(videos, LABELS, video, None).row(truth_first=False)) == ["A", "B", "D", "truth"]


@pytest.mark.parametrize("height, width", ((64, 64), (63, 41), (200, 30)))
def test_side_by_side_holds_the_very_pictures(height, width):
    videos = {label: noise(3, height, width, 3, seed=i) for i, label in enumerate(("one", "a long label " * 9, "x"))}
    row = side_by_side(videos)
    assert row.shape[0] == 3 and row.shape[1] % 2 == row.shape[2] % 2 == 0
    for number, video in enumerate(videos.values()):
        left = number * (width + GAP)
        assert torch.equal(row[:, -height:, left : left + width], video)
        label = row[:, :-height, left : left + width]
        assert label.amax() > 0.7 and torch.equal(label[0], label[-1])
        assert (row[:, :-height, left + width : left + width + GAP] < 0.2).all()


class Counting:
    """A font of 10 pixels a letter that counts how many letters it was asked to measure."""

    def __init__(self):
        self.measured = 0

    def getlength(self, text: str) -> float:
        self.measured += len(text)
        return 10.0 * len(text)


@pytest.mark.parametrize("width, kept", ((10, 0), (30, 0), (47, 1), (1000, 97)))
def test_a_long_label_is_cut_where_it_ends_and_measured_a_few_times_only(width, kept):
    font = Counting()
    assert fitting("x" * 100_000, font, width) == "x" * kept + "..."
    assert font.measured <= 4 * 100_000
    assert fitting("x" * 9, font, 90) == "x" * 9


def test_the_plot_draws_each_value_in_its_place(drawn):
    made = clips(drawn)
    scores = measured(made, lambda done: None)
    picture = plotted(scores, list(made.shown))
    assert picture.shape == (1, plot.HEIGHT, plot.WIDTH, 3) and 0 <= picture.min() and picture.max() <= 1
    column, top = plot.WIDTH / 3, plot.LEGEND
    ticks = nice_ticks([value for series in scores[0].series.values() for value in series])
    panel = plot.Panel(
        plot.NUMBERS,
        top + plot.TITLE,
        column - plot.EDGE,
        top + (plot.HEIGHT - top) / 2 - plot.TICKS,
        FRAMES,
        ticks[0],
        ticks[-1],
    )
    for label, colour in zip(("A", "B"), plot.COLOURS):
        for frame, value in enumerate(scores[0].series[label]):
            x, y = (round(p) for p in (panel.x(frame), panel.y(value)))
            around = picture[0, y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
            assert (around - torch.tensor(colour) / 255).abs().amax(-1).min() < 0.1


def test_a_plot_of_one_frame_and_of_equal_videos_can_be_drawn():
    video = noise(1, SIZE, SIZE, 3)
    made = gathered({"video_a": video, "video_b": video}, LABELS, video, None)
    scores = measured(made, lambda done: None)
    assert torch.isfinite(plotted(scores, list(made.shown))).all()
    assert "equal" in written(scores, made)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
def test_ticks_hold_all_values(values):
    ticks = nice_ticks(values)
    room = 1e-6 * (ticks[-1] - ticks[0])
    assert ticks[0] - room <= min(values) and max(values) <= ticks[-1] + room
    assert 3 <= len(ticks) <= 7
    steps = [b - a for a, b in zip(ticks, ticks[1:])]
    assert max(steps) - min(steps) <= 1e-6 * max(steps)


def test_opencv_is_not_loaded_before_it_is_needed():
    modules = ", ".join(f"freeanimate_core.compare.{name}" for name in ("flow", "measuring", "plot", "table"))
    code = f"import sys, {modules}; assert 'cv2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2], check=True)
