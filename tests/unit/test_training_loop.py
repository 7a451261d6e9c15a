"""The training loop: a run that was stopped goes on, the rate has its shape, and a seed names a run."""

import pytest
import torch
from torch import nn

from lab.training.loop import Schedule, Stage, learning_rate


class Line(nn.Module):
    """The smallest thing that can be trained."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(3))


def line_loss(module: Line):
    def loss(draw: torch.Generator) -> torch.Tensor:
        x = torch.randn(8, 3, generator=draw)
        return (x @ (module.slope - torch.tensor([1.0, -2.0, 0.5]))).square().mean()

    return loss


def trained_line(folder, pieces: list[int]) -> Stage:
    """A run of so many steps at a time, each piece from the checkpoint of the last."""
    for steps in pieces:
        stage = Stage(Schedule("line", 200, 0.05, 0.001), Line(), folder)
        run = stage.run(line_loss(stage.module))
        for _ in range(steps):
            next(run)
        run.close()
    return stage


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    whole, parts = trained_line(tmp_path / "a", [200]), trained_line(tmp_path / "b", [3, 60, 137])
    assert parts.done == 200
    assert torch.equal(whole.module.slope, parts.module.slope)
    assert torch.equal(whole.average["slope"], parts.average["slope"])
    assert torch.allclose(whole.average["slope"], torch.tensor([1.0, -2.0, 0.5]), atol=0.05)
    losses = [(folder / "line.jsonl").read_text().count("\n") for folder in (tmp_path / "a", tmp_path / "b")]
    assert losses == [200, 200]


def test_the_rate_rises_stays_and_falls():
    schedule = Schedule("x", 1000, 1.0, 0.1, cooling=0.3)
    assert learning_rate(schedule, 0) == pytest.approx(0.01)
    assert learning_rate(schedule, 500) == 1.0
    assert learning_rate(schedule, 850) == pytest.approx(0.55)
    assert learning_rate(schedule, 1000) == pytest.approx(0.1)
