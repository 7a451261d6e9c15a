"""Options that the studies share: in which world, and with what inputs."""

import argparse

from freeanimate_pack.demo.people import CLASSES

from .case import DRAWN, PEOPLE, WORLDS
from .given import EXACT, INPUTS
from .people import CHOOSING_SEEDS

WORDS = ("true", "little")


def add_world(parser: argparse.ArgumentParser) -> None:
    """--world and --inputs."""
    parser.add_argument("--world", choices=WORLDS, default=DRAWN, help="drawn characters or rendered people (drawn)")
    parser.add_argument(
        "--inputs",
        choices=INPUTS,
        default=EXACT,
        help="exact poses and masks, or noisy: 1 px of 256 on every joint, and the pack's own mask (exact)",
    )


def add_stills(parser: argparse.ArgumentParser) -> None:
    """--stills and --classes, and --training, all of rendered people."""
    parser.add_argument("--stills", action="store_true", help="each person once in each class of pose, not a clip")
    parser.add_argument("--classes", nargs="+", choices=CLASSES, metavar="CLASS", help="only these stills")
    parser.add_argument(
        "--training",
        action="store_true",
        help=f"people {CHOOSING_SEEDS[0]} to {CHOOSING_SEEDS[-1]} of the training set, to choose by, not held-out ones",
    )


def refuse(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exit with argparse's own error where options contradict each other."""
    if options.world != PEOPLE and (options.stills or options.training):
        parser.error(f"--stills and --training are of rendered people: add --world {PEOPLE}")
    if options.classes and not options.stills:
        parser.error("--classes names stills: add --stills")
    if options.training and options.first + (options.characters or 1) > len(CHOOSING_SEEDS):
        parser.error(f"--training has {len(CHOOSING_SEEDS)} people: lower --characters or --first")
