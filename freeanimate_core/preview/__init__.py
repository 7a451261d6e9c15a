"""Preview Generation: a layered part warp of the reference (mask, plate, parts, warp, compose)."""

from .coverage import report
from .generate import Preview, generate
from .plot import coverage_plot

__all__ = ["Preview", "coverage_plot", "generate", "report"]
