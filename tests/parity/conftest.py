"""Parity tests run in the real ComfyUI too: see hostside.py for the fixtures."""

from hostside import inference, pack, sd2, sd15  # noqa: F401
