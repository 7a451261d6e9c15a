"""How well a map tells where a preview is wrong, in cells of a latent: only the cells that a figure covers count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional

CELL = 8  # pixels, each way
WRONG = 0.06  # mean difference from which a cell is wrong
FLAGGED = 0.5
COVERED = 0.25  # least share of a cell that the true or the previewed figure covers
AREA = 2 / 3  # of the truly wrong cells: how many are flagged where the precision is asked for
AT_REST = "yaw 0"


@dataclass(frozen=True)
class Cells:
    """The covered cells of one frame: what the map says of each, and its true mean difference, [n] each."""

    name: str  # of the class of pose
    said: np.ndarray
    error: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """Which cells [n] are truly wrong."""
        return self.error > WRONG


def cells_of(name: str, said: Tensor, frame: Tensor, truth: Tensor, figures: Tensor) -> Cells:
    """Cells of a map [H,W] over a frame [H,W,3]; ``figures`` [H,W] bool: the true or the previewed one.

    Means are over the figures' pixels of a cell, so that a cast shadow beside them does not count.
    """
    inside = figures.float()
    share = _cells(inside)
    kept = share >= COVERED
    values = [
        (_cells(each * inside) / share.clamp_min(1e-6))[kept].double().numpy() for each in _both(said, frame, truth)
    ]
    return Cells(name, *values)


def _both(said: Tensor, frame: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    return said.float(), (frame - truth).abs().mean(-1)


def _cells(values: Tensor) -> Tensor:
    return functional.avg_pool2d(values[None], CELL)[0]


def auc(said: np.ndarray, wrong: np.ndarray) -> float | None:
    """Area under the ROC curve: how often a wrong cell gets more than a right one, ties one half. None for one kind."""
    positive = int(wrong.sum())
    negative = len(wrong) - positive
    if not positive or not negative:
        return None
    above = rankdata(said)[wrong].sum() - positive * (positive + 1) / 2
    return float(above / (positive * negative))


def precision_at_area(said: np.ndarray, wrong: np.ndarray, area: float) -> float | None:
    """Share of wrong cells among the ``area`` cells that get most; of equals at the edge, their mean."""
    if not area:
        return None
    edge = np.sort(said)[::-1][min(int(np.ceil(area)), len(said)) - 1]
    above, equal = said > edge, said == edge
    return float((wrong[above].sum() + (area - above.sum()) * wrong[equal].mean()) / area)


def summary(frames: Sequence[Cells]) -> dict[str, float | None]:
    """How well the map does over all frames, and within each; None where there is nothing to tell apart."""
    said, wrong = (np.concatenate([getattr(cells, name) for cells in frames]) for name in ("said", "wrong"))
    within = [value for cells in frames if (value := auc(cells.said, cells.wrong)) is not None]
    at_rest = [cells.said for cells in frames if cells.name == AT_REST]
    return {
        "auc": auc(said, wrong),
        "auc_within_frame": float(np.mean(within)) if within else None,
        "precision": precision_at_area(said, wrong, AREA * wrong.sum()),
        "frame_correlation": _correlation([c.said.mean() for c in frames], [c.error.mean() for c in frames]),
        "flagged_at_yaw_0": float((np.concatenate(at_rest) > FLAGGED).mean()) if at_rest else None,
    }


def _correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Pearson's, of two columns that vary."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
