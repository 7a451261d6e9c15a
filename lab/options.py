"""What the studies' command lines have in common."""

import argparse


def positive(text: str) -> int:
    """A whole number of at least 1, or argparse's own error."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
