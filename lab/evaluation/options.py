"""Options that the studies share: in which world, and with what inputs."""

import argparse

from .case import DRAWN, WORLDS
from .given import EXACT, INPUTS


def add_world(parser: argparse.ArgumentParser) -> None:
    """--world and --inputs."""
    parser.add_argument("--world", choices=WORLDS, default=DRAWN, help="drawn characters or rendered people (drawn)")
    parser.add_argument(
        "--inputs",
        choices=INPUTS,
        default=EXACT,
        help="exact poses and masks, or noisy: 1 px of 256 on every joint, and the pack's own mask (exact)",
    )
