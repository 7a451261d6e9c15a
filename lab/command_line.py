"""What the command lines of the laboratory have in common."""

import argparse
import errno
import sys
from collections.abc import Callable
from pathlib import Path


def positive(text: str) -> int:
    """A whole number of at least 1, or argparse's own error."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def study(command: str, hosted: bool = True) -> argparse.ArgumentParser:
    """The parser of ``dev.py`` ``command`` with --host and --out; hosted: whether the host is needed."""
    parser = argparse.ArgumentParser(prog=f"dev.py {command}")
    about = "the folder with ComfyUI's main.py" if hosted else "not needed here: accepted as other studies need it"
    parser.add_argument("--host", type=Path, required=hosted, help=about)
    parser.add_argument("--out", type=Path, required=True, help="where to write")
    return parser


def exit_code(name: str, out: Path, run: Callable[[], int | None]) -> int:
    """The code of ``run()``, called once the folder ``out`` is there.

    130 after Ctrl-C, 1 when files cannot be written, 2 when the disk is full.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)  # a wrong one stops here, not after the run
        return run() or 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 2 if error.errno == errno.ENOSPC else 1
