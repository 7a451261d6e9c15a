"""Preview Generation: a layered part warp of the reference (mask, plate, parts, warp, compose)."""

from .generate import Preview, generate

__all__ = ["Preview", "generate"]
